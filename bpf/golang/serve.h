// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ties the goroutine that serves a stream of HTTP/2 to the request that came on it.
//
// Hooks: http2.(*serverConn).runHandler, of net/http and of golang.org/x/net, and grpc-go's
//        (*Server).handleStream, where the goroutine begins with the stream; once for each.
//        transport.(*http2Server).HandleStreams, once for each connection. All where the
//        arguments are still in registers.
// State: http2_readers and http2_served, see include/streams.h.
#pragma once

#include "../include/streams.h"

// conn_read_by finds the connection that a goroutine reads, or one that it has started.
inline_ u64 conn_read_by(struct target *g, u32 tgid, u64 is, u32 kind)
{
	struct reader_key key = {.is = is, .tgid = tgid, .kind = kind};
	struct reader *r = is ? bpf_map_lookup_elem(&http2_readers, &key) : 0;

	return r && r->turn == g->turn ? r->of : 0;
}

// stream_of_handler reads the number of the stream that an answer is written to: of
// responseWriter.rws.stream, whose first fields are its connection and its number, in all
// releases. 0: that is not what is there.
inline_ u32 stream_of_handler(u64 sc, u64 writer)
{
	u64 rws = 0, at = 0;
	struct {
		u64 sc;
		u32 id, _pad;
	} stream = {};

	if (bpf_probe_read_user(&rws, 8, (void *)writer) || bpf_probe_read_user(&at, 8, (void *)rws) ||
	    bpf_probe_read_user(&stream, sizeof(stream), (void *)at))
		return 0;
	return stream.sc == sc ? stream.id : 0;
}

// func (sc *serverConn) runHandler(rw *responseWriter, ...)
// The goroutine that runs it was started by the one that serves the connection, which has
// started the one that reads it, too, or has read the beginning itself.
SEC("uprobe.multi")
int odi_http2_handler(struct raw_regs *ctx)
{
	struct who w = who_calls(ctx);
	struct target *g = target_of(w.tgid);
	struct goroutine room = {};
	u32 stream;
	u64 conn;

	if (!g)
		return 0;
	stream = stream_of_handler(ctx->r[CTX_GO_ARG0], ctx->r[CTX_GO_ARG1]);
	if (!stream)
		return 0;
	read_goroutine(g, &w, true, &room);
	conn = conn_read_by(g, w.tgid, w.parent_goid, STARTED_READER);
	if (!serve_alone(g, &w, conn, stream))
		serve_alone(g, &w, conn_read_by(g, w.tgid, w.parent_goid, READS), stream);
	return 0;
}

// grpc_stream reads the number of a stream of grpc-go's.
inline_ u32 grpc_stream(struct target *g, u64 stream)
{
	u32 id = 0;

	if (g->flags & T_STREAM_POINTS && bpf_probe_read_user(&stream, 8, (void *)stream))
		return 0;
	return bpf_probe_read_user(&id, 4, (void *)(stream + g->stream_off)) ? 0 : id;
}

// func (s *Server) handleStream(t transport.ServerTransport, stream *transport.ServerStream)
// The goroutine is a worker, or was started by the one that reads the transport.
SEC("uprobe.multi")
int odi_grpc_handler(struct raw_regs *ctx)
{
	struct who w = who_calls(ctx);
	struct target *g = target_of(w.tgid);
	struct goroutine room = {};
	u32 stream;
	u64 reader, conn;
	bool alone;

	if (!g)
		return 0;
	stream = grpc_stream(g, ctx->r[CTX_GO_ARG3]);
	read_goroutine(g, &w, true, &room);
	reader = conn_read_by(g, w.tgid, ctx->r[CTX_GO_ARG2], TRANSPORT);
	alone = reader && reader == w.parent_goid; // of a transport that is not known it may be a worker
	if (!reader)
		reader = w.parent_goid;
	conn = stream ? conn_read_by(g, w.tgid, reader, READS) : 0;
	if (alone)
		serve_alone(g, &w, conn, stream);
	else
		serve_stream(g, &w, conn, stream);
	return 0;
}

// func (t *http2Server) HandleStreams(ctx context.Context, ...)
// In the goroutine that reads the transport from here on. The one that has started it has read
// the beginning, with which requests may have come.
SEC("uprobe.multi")
int odi_grpc_reader(struct raw_regs *ctx)
{
	struct who w = who_calls(ctx);
	struct reader_key key = {.is = ctx->r[CTX_GO_ARG0], .tgid = w.tgid, .kind = TRANSPORT};
	struct target *g = target_of(w.tgid);
	struct goroutine room = {};
	struct reader r = {};

	if (!g)
		return 0;
	read_goroutine(g, &w, true, &room);
	r.of = w.goid;
	r.turn = g->turn;
	bpf_map_update_elem(&http2_readers, &key, &r, BPF_ANY);
	r.of = conn_read_by(g, w.tgid, w.parent_goid, READS);
	key.is = w.goid;
	key.kind = READS;
	if (r.of && w.goid)
		bpf_map_update_elem(&http2_readers, &key, &r, BPF_NOEXIST);
	return 0;
}
