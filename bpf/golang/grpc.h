// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ties the goroutine that makes a call by grpc-go to the stream that another
// goroutine, the connection's writer, begins for it.
//
// Hooks: in transport.(*http2Client).NewStream the call of controlBuffer.executeAndPut, by
//        which the caller hands the frame over that is to begin its stream; and the function in
//        which the writer begins the stream of such a frame, loopyWriter.clientHeaderHandler, or
//        headerHandler before 1.83. Both where the arguments are in registers.
// State: grpc_ties, first by the frame's address, then by the writer and its stream.
//        Every frame that the writer takes was handed over after its memory was
//        allocated, and what is handed over replaces what was known of its address:
//        a frame that is given up before it has a stream leaves nothing wrong behind. What
//        was noted before the target was added again is void: meanwhile nobody looked.
#pragma once

#include "golang.h"

// put_frame notes whom a frame belongs to, or that it belongs to nobody.
noinline_ int put_frame(struct target *g, struct who *w, u64 frame)
{
	struct grpc_key key = {.at = frame};
	struct grpc_tie tie = {};

	if (!g || !w)
		return 0;
	tie.turn = g->turn;
	key.tgid = w->tgid;
	tie.tie.goid = w->goid;
	tie.tie.tied = 1;
	if (goroutine_parent(g, w, &tie.tie.parent) && !bpf_map_update_elem(&grpc_ties, &key, &tie, BPF_ANY))
		return 1;
	if (bpf_map_lookup_elem(&grpc_ties, &key)) // which is cheaper
		bpf_map_delete_elem(&grpc_ties, &key);
	return 0;
}

// func (c *controlBuffer) executeAndPut(f func() bool, it cbItem) (bool, error)
SEC("uprobe.multi")
int odi_grpc_put(struct raw_regs *ctx)
{
	struct who w = who_calls(ctx);
	struct goroutine room = {};
	struct target *g = target_of(w.tgid);

	if (!g || !g->serves) // nothing was noted, either
		return 0;
	w.now = bpf_ktime_get_ns();
	read_goroutine(g, &w, true, &room);
	put_frame(g, &w, ctx->r[CTX_GO_ARG3]);
	return 0;
}

// take_frame notes that goroutine w->goid begins the stream of a frame.
noinline_ int take_frame(struct target *g, struct who *w, u64 frame)
{
	struct grpc_key key = {.at = frame}, to = {};
	struct grpc_tie *tie;

	if (!g || !w || !w->goid || bpf_probe_read_user(&to.stream, 4, (void *)frame) || !to.stream)
		return 0;
	key.tgid = to.tgid = w->tgid;
	to.at = w->goid;
	tie = bpf_map_lookup_elem(&grpc_ties, &key);
	if (!tie || tie->turn != g->turn)
		return 0;
	bpf_map_update_elem(&grpc_ties, &to, tie, BPF_ANY);
	bpf_map_delete_elem(&grpc_ties, &key);
	return 0;
}

// func (l *loopyWriter) clientHeaderHandler(hdr *clientHeaders) error
// func (l *loopyWriter) headerHandler(h *headerFrame) error
// The stream's number, u32, is the first field of either.
SEC("uprobe.multi")
int odi_grpc_take(struct raw_regs *ctx)
{
	u64 frame = ctx->r[CTX_GO_ARG1];
	struct who w = who_calls(ctx);
	struct grpc_key key = {.at = frame, .tgid = w.tgid};
	struct goroutine room = {};
	struct target *g = target_of(w.tgid);

	if (!g || !g->serves || !bpf_map_lookup_elem(&grpc_ties, &key))
		return 0;
	read_goroutine(g, &w, false, &room);
	take_frame(g, &w, frame);
	return 0;
}
