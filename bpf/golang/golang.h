// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ties the goroutine that asks to the connection that another goroutine writes.
//
// Hook:  net/http.(*persistConn).roundTrip, at the first instruction that the
//        kernel emulates; the receiver is still in its register there.
// State: go_ties, void when the request is written, taken out when the socket closes.
#pragma once

#include "../include/link.h"
#include "socket.h"

// connection_of follows persistConn.conn (a net.Conn) to its socket. Where persistConn.tlsState
// is not nil it is a tls.Conn.
noinline_ u64 connection_of(struct target *g, u64 pconn)
{
	struct {
		u64 type, data;
		u64 tls;
	} conn = {};

	if (!g || bpf_probe_read_user(&conn, sizeof(conn), (void *)(pconn + g->pconn_off)))
		return 0;
	return conn.tls ? socket_below_tls(g, conn.data) : socket_in(g, conn.data);
}

// In read-only data: the stack has no room for it.
const struct tie no_tie = {};

// tie_up notes that goroutine w->goid asks for the next request of a socket. Not
// inline: its stack has no room beside its caller's.
noinline_ int tie_up(struct target *g, struct who *w, u64 sk)
{
	struct tie *tie;

	if (!g || !w)
		return 0;
	tie = bpf_map_lookup_elem(&go_ties, &sk);
	if (!tie) {
		if (bpf_map_update_elem(&go_ties, &sk, &no_tie, BPF_NOEXIST))
			count(DROP_TABLE_FULL);
		tie = bpf_map_lookup_elem(&go_ties, &sk);
	}
	if (!tie)
		return 0;
	__sync_lock_test_and_set(&tie->tied, 0);
	if (!goroutine_parent(g, w, &tie->parent))
		tie->parent.span = 0;
	tie->goid = w->goid;
	if (tie != bpf_map_lookup_elem(&go_ties, &sk))
		return 0; // the socket was closed meanwhile, and the place may be another's
	__sync_lock_test_and_set(&tie->tied, 1);
	return 0;
}

SEC("uprobe.multi")
int odi_roundtrip(struct raw_regs *ctx)
{
	struct target *g = current_target();
	struct who w = who_calls(ctx);
	struct goroutine room = {};
	u64 sk;

	if (!g || !(g->flags & T_ROUNDTRIP) || !g->serves)
		return 0;
	sk = connection_of(g, ctx->r[CTX_GO_ARG0]);
	if (!sk)
		return 0;
	read_goroutine(g, &w, true, &room);
	tie_up(g, &w, sk);
	return 0;
}
