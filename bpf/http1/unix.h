// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests over Unix sockets. No header can be written there (sk_msg programs see
// no Unix sockets), but both ends are on this machine: a client's request is handed
// over to the server by what is kept of the server's socket.
//
// A is the client's program in the call that sends request k, T the server's in the
// call that reads it, D the client's in the call that reads the end of its answer. T
// comes before the server can answer, so D of k comes after T of k; a client that
// has no answer yet (it pipelines) hands nothing over; so D of k comes before A of
// k+1. What is left to chance is A and T of one request:
//  - A, T: T takes what A has left. It is void then, and after every T.
//  - T, A: the server was quicker than A, or A had to wait for the processor. A sees
//    that more was read since the last D and leaves nothing: not linked.
//  - A leaves it while T runs: T has looked too soon, counts, and makes void what it
//    finds; or A finds the count changed once it has left it, and does so. Not linked.
//  - D, A: another thread has read the answer before A ran. See early_answer.
//  - The server was no target at T: D makes void what nobody took.
#pragma once

#include "http1.h"

// With the socket of the server: freed with it, as addresses are used again.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct handover);
} handovers SEC(".maps");

// 1: user space has attached odi_waking, or was asked to.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} wakes SEC(".maps");

// need_waking has user space attach odi_waking when the first request over a Unix
// socket is seen: it runs for every segment that any socket of the machine receives.
noinline_ int need_waking(void)
{
	u32 zero = 0, *asked = bpf_map_lookup_elem(&wakes, &zero);
	struct notice *n;

	if (!asked || *asked)
		return 0;
	n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);
	if (!n) {
		count(DROP_NOTICE_FULL);
		return 0;
	}
	*asked = 1;
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = NOTICE_UNIX;
	bpf_ringbuf_submit(n, 0);
	return 0;
}

inline_ bool is_unix(struct sock *sk)
{
#ifdef SESSIONS
	return false;
#else
	return sk->__sk_common.skc_family == AF_UNIX;
#endif
}

// other_end is the socket at the other end of a Unix socket, 0: of another kind. One
// that was closed is kept by this one.
inline_ struct sock *other_end(struct sock *sk)
{
	struct unix_sock *u = bpf_skc_to_unix_sock(sk);

	return u ? u->peer : 0;
}

// begin_conn begins what is kept of a socket. The first attempt fails where another
// processor has just kept the first thing of that socket (bpf_local_storage_alloc in
// kernel/bpf/bpf_local_storage.c): a client hands over while the server reads.
inline_ struct conn *begin_conn(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return c ? c : bpf_sk_storage_get(&conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

// begin_handover does so for what is handed over to its process.
inline_ struct handover *begin_handover(struct sock *sk)
{
	struct handover *o = bpf_sk_storage_get(&handovers, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return o ? o : bpf_sk_storage_get(&handovers, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

// sealed is what makes handed whole: what is read while it is written is not taken.
inline_ u64 sealed(const struct handed *n)
{
	return (n->trace[0] ^ n->span ^ (u64)n->tgid << 32) * 0x9e3779b97f4a7c15ULL + (n->trace[1] ^ n->parent ^ n->tflags) | 1;
}

inline_ void make_void(struct handover *o)
{
	__sync_lock_test_and_set(&o->handed.seal, 0);
}

inline_ u32 heads_read(struct handover *o)
{
	return __sync_fetch_and_add(&o->read, 0);
}

// hand_over tells the other end which span the request is a child of that its client
// has just sent, one of n in the call.
apart_ void hand_over(struct http1 *h, struct sock *to, u32 n)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];
	struct handover *o;
	struct handed *d;

	need_waking();
	if (!to)
		return;
	o = begin_handover(to);
	if (!o)
		return;
	if (n > 1 || pending(h) != 1 || heads_read(o) != h->peer_read) {
		make_void(o);
		return;
	}
	d = &o->handed;
	make_void(o);
	d->trace[0] = r->trace[0];
	d->trace[1] = r->trace[1];
	d->span = r->span;
	d->parent = h->q.has_trace ? h->q.parent : 0;
	d->tflags = r->tflags;
	d->tgid = h->tgid;
	__sync_lock_test_and_set(&d->seal, sealed(d));
	if (heads_read(o) != h->peer_read)
		make_void(o);
}

// answered_over makes void what was handed over on a connection whose last answer
// its client has read.
apart_ void answered_over(struct http1 *h, struct sock *to)
{
	struct handover *o;

	if (!to)
		return;
	o = bpf_sk_storage_get(&handovers, to, 0, 0);
	if (!o)
		return;
	h->peer_read = heads_read(o);
	make_void(o);
}

// look_for_offer copies what was handed over for the next request that a server reads.
apart_ void look_for_offer(struct http1 *h, struct sock *sk)
{
	struct handover *o = bpf_sk_storage_get(&handovers, sk, 0, 0);

	h->handed.seal = 0;
	if (o && o->handed.seal)
		h->handed = o->handed;
}

// heads_taken comes when a server has read the heads of n requests.
apart_ void heads_taken(struct sock *sk, u32 n)
{
	struct handover *o = begin_handover(sk);

	need_waking();
	if (!o)
		return;
	__sync_fetch_and_add(&o->read, n);
	make_void(o);
}

// take_over makes a request the child of the one that was handed over. A header
// that the other end did not pass on from before was written by an application,
// and counts. True: it has a parent.
noinline_ int take_over(struct http1 *h, struct request *r)
{
	struct handed *n;
	struct dir *d;
	u64 seal;
	u32 tgid;

	if (!h || !r)
		return 0;
	n = &h->handed;
	d = &h->q;
	seal = n->seal;
	n->seal = 0;
	tgid = n->tgid;
	if (!seal || seal != sealed(n) || !bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	if (d->has_trace == 1 && (d->parent != n->parent || d->trace[0] != n->trace[0] || d->trace[1] != n->trace[1]))
		return 0;
	r->trace[0] = n->trace[0];
	r->trace[1] = n->trace[1];
	r->parent = n->span;
	r->tflags = n->tflags;
	return 1;
}
