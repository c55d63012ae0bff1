// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which goroutine serves which stream of HTTP/2. The room notes a request when its head has
// been read, by whichever goroutine reads the connection; a probe where the library begins to
// serve one knows the goroutine that does, who has started it, and the number of the stream.
#pragma once

#include "goroutine.h"

// What a reader_key is the key by: a goroutine that reads a connection, one that has started
// such a one, or grpc-go's transport.
enum reader_kind { READS, STARTED_READER, TRANSPORT };

struct reader_key {
	u64 is; // id of the goroutine, or address of the transport
	u32 tgid;
	u32 kind; // enum reader_kind
};

struct reader {
	u64 of;   // cookie of the socket; of a transport: id of the goroutine that reads it
	u32 turn; // of the target: what was noted under another one is void
	u32 _pad;
};

// LRU, as the end of a goroutine is not seen. Three for a connection, which notes them again
// from time to time.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct reader_key);
	__type(value, struct reader);
} http2_readers SEC(".maps");

struct stream_key {
	u64 conn; // cookie of the socket
	u32 stream;
	u32 _pad;
};

// served is a request whose head has been read, and which has no complete answer.
struct served {
	u64 trace[2]; // as in struct ref
	u64 span;
	u64 incoming;
	u64 goid; // that serves it, 0: none yet
	u32 tgid;
	u32 unwanted; // it was given up before anybody served it
	u32 taken;
	u8 tflags;
	u8 alone; // its goroutine was started for it, and serves no other
	u8 _pad[2];
};

// Taken out with the end of the stream. LRU, as that of one whose process is not watched any
// more is not seen; about as many as goroutines, which are forgotten at the same time.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct stream_key);
	__type(value, struct served);
} http2_served SEC(".maps");

// forget_server forgets the goroutine that has served a stream, and serves no other, where none of those
// that it has started asks for anything: else what these ask for is judged by it. What takes its place is then
// at hand, and not as cold as what was used longest ago.
inline_ void forget_server(struct target *g, const struct served *s)
{
	struct go_key key = {.goid = s->goid, .tgid = s->tgid};

	if (s->alone && !g->parts)
		bpf_map_delete_elem(&goroutines, &key);
}

// end_served tells that a request is over; how: enum ended. The key is made here: before Linux 6.2
// memory that a function like this one is given is none for a key.
noinline_ int end_served(struct target *g, struct who *w, u64 conn, u32 stream, u32 how)
{
	struct stream_key key = {.conn = conn, .stream = stream};
	struct served *s;
	struct work *mine;

	if (!g || !w)
		return 0;
	s = bpf_map_lookup_elem(&http2_served, &key);
	if (!s)
		return 0;
	if (s->goid && how == ENDED) {
		served_go(g, w, s->span, s->goid, s->tgid);
		forget_server(g, s);
	}
	if (how == ENDED_UNWANTED) {
		__sync_lock_test_and_set(&s->unwanted, 1); // before it is looked whether it was begun
		mine = work_of(s->tgid, s->goid);
		if (!mine || mine->span != s->span)
			return 0; // it may still be
		mine->ended = how;
	}
	bpf_map_delete_elem(&http2_served, &key);
	return 1;
}

// take_stream finds a request that nobody serves yet, 0: there is none, or its head is not known.
inline_ struct served *take_stream(struct who *w, struct stream_key *key)
{
	struct served *s = key->conn ? bpf_map_lookup_elem(&http2_served, key) : 0;

	if (!s || s->goid || s->tgid != w->tgid)
		return 0;
	s->goid = w->goid;
	return s;
}

inline_ void works_for(struct work *mine, const struct served *s)
{
	mine->trace[0] = s->trace[0];
	mine->trace[1] = s->trace[1];
	mine->span = s->span;
	mine->incoming = s->incoming;
	mine->tflags = s->tflags;
}

// serve_alone notes that goroutine w->goid, which was started for a stream and serves no other, serves it. It is
// written at once, as nothing is known of it.
noinline_ int serve_alone(struct target *g, struct who *w, u64 conn, u32 stream)
{
	struct stream_key key = {.conn = conn, .stream = stream};
	struct go_key is = {};
	struct work work = {.first = 1}, *mine;
	struct served *s;

	if (!g || !w || !w->goid)
		return 0;
	s = take_stream(w, &key);
	if (!s)
		return 0;
	s->alone = 1;
	works_for(&work, s);
	read_ids(g, w, &work);
	is.goid = w->goid;
	is.tgid = w->tgid;
	g->serves = 1;
	bpf_map_update_elem(&goroutines, &is, &work, BPF_ANY);
	__sync_lock_test_and_set(&s->taken, 1); // behind what was written above, see end_served
	if (!s->unwanted && bpf_map_lookup_elem(&http2_served, &key))
		return 1;
	mine = work_of(w->tgid, w->goid); // it is over meanwhile
	if (mine)
		mine->ended = s->unwanted ? ENDED_UNWANTED : ENDED;
	bpf_map_delete_elem(&http2_served, &key);
	return 1;
}

// serve_stream notes that goroutine w->goid serves a stream from here on, and no more what it
// has served before: a worker may go on while the last answer waits to be written.
noinline_ int serve_stream(struct target *g, struct who *w, u64 conn, u32 stream)
{
	struct stream_key key = {.conn = conn, .stream = stream};
	struct work *mine;
	struct served *s;

	if (!g || !w || !w->goid)
		return 0;
	mine = work_of(w->tgid, w->goid);
	if (mine && mine->span) {
		mine->ended = ENDED;
		mine->span = 0;
	}
	s = take_stream(w, &key);
	if (!s)
		return 0;
	mine = serve_go(g, w, false);
	if (!mine)
		return 0;
	works_for(mine, s);
	__sync_lock_test_and_set(&s->taken, 1); // behind what was written above, see end_served
	if (s->unwanted) {
		mine->ended = ENDED_UNWANTED;
		bpf_map_delete_elem(&http2_served, &key);
	} else if (!bpf_map_lookup_elem(&http2_served, &key)) {
		mine->ended = ENDED; // meanwhile
	}
	return 1;
}
