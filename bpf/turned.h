// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A connection that goes from one room to another: HTTP/1 turns to HTTP/2 without encryption.
// Programs of their own, which odi_sent and odi_received go on with where an answer turns one.
#pragma once

#include "moved.h"

// to_http2 hands the connection's request over to the other room. False: there is no room.
inline_ bool to_http2(struct sock *sk, struct http1 *h, struct conn *c, struct target *by, struct who *w)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];
	struct target *g = receiver_of(h, by, w);
	u32 off = r->head_off;

	barrier_var(off);
	if (!g || off > KEEP_ALL || !http2_turned(sk, c, g, r, h->kept + off, r->head_len))
		return false;
	if (r->bits & BIT_TRUNCATED)
		lose(r->pid, DROP_TRUNCATED);
	less_open(g, r);
	let_go(h->tgid, g, w, r);
	books_ended(http1s, sk);
	c->ignored = 0;
	c->protocol = PROTOCOL_HTTP2;
	return true;
}

// turned handles an answer that turns its connection. False: nobody goes on with it.
inline_ bool turned(struct sock *sk)
{
	u64 id = bpf_get_current_pid_tgid();
	struct conn *c = books_in(conns, sk);
	struct http1 *h = books_in(http1s, sk);
	struct target *g = current_target();
	struct who w = who_runs(sk, id);

	if (!c || !h || !g || !c->turned)
		return false;
	if (to_http2(sk, h, c, g, &w))
		return true;
	c->turned = 0;
	finish(h, c, g, &w, FAULT_NONE);
	return false;
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_turned_sent, struct sock *sk, int ret, int flags)
{
	if (turned(sk))
		bpf_tail_call(ctx, &sent_rooms, PROTOCOL_HTTP2);
	return 0;
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_turned_received, struct sock *sk, int ret, int flags)
{
	if (turned(sk))
		bpf_tail_call(ctx, &received_rooms, PROTOCOL_HTTP2);
	return 0;
}
