// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests over Unix sockets. No header can be written there (sk_msg programs see
// no Unix sockets), but both ends are on this machine: the kernel knows the peer.
#pragma once

#include "http1.h"

// handed is a client's request on its way to the other end.
struct handed {
	u64 trace[2];
	u64 span;
	u64 parent; // span id in the header that it carries, if any
	u64 from;   // address of the sending socket
	u32 tflags;
	u32 many;   // others have no answer yet: which one comes next is not known
};

// By address of the receiving socket. Taken out when the request has its answer.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct handed);
} handovers SEC(".maps");

// remember_peer keeps the other end's address, as a key only.
inline_ void remember_peer(struct tuple *t, u64 sk)
{
	*(u64 *)t->peer = (u64)BPF_CORE_READ((struct unix_sock *)sk, peer);
}

// hand_over tells the other end which span its next request is a child of.
noinline_ int hand_over(struct http1 *h, struct request *r, u64 sk, u64 parent)
{
	struct handed n = {};
	u64 peer;

	if (!h || !r)
		return 0;
	peer = *(u64 *)h->ends.peer;
	n.trace[0] = r->trace[0];
	n.trace[1] = r->trace[1];
	n.span = r->span;
	n.parent = parent;
	n.tflags = r->tflags;
	n.from = sk;
	n.many = pending(h) != 0;
	if (peer && bpf_map_update_elem(&handovers, &peer, &n, BPF_ANY))
		count(DROP_TABLE_FULL);
	return 0;
}

// take_over makes a request the child of the one that was handed over. A header
// that the other end did not pass on from before was written by an application,
// and counts. True: it has a parent.
noinline_ int take_over(struct http1 *h, struct request *r, u64 sk)
{
	struct handed *n = bpf_map_lookup_elem(&handovers, &sk);
	struct dir *d;

	if (!n || !h || !r || n->from != *(u64 *)h->ends.peer)
		return 0;
	d = &h->q;
	if (n->many || (d->has_trace == 1 && (d->parent != n->parent || d->trace[0] != n->trace[0] || d->trace[1] != n->trace[1])))
		return 0;
	r->trace[0] = n->trace[0];
	r->trace[1] = n->trace[1];
	r->parent = n->span;
	r->tflags = n->tflags;
	bpf_map_delete_elem(&handovers, &sk);
	return 1;
}

// answered_over ends what was handed over on a connection.
inline_ void answered_over(struct http1 *h)
{
	u64 peer = *(u64 *)h->ends.peer;

	bpf_map_delete_elem(&handovers, &peer);
}
