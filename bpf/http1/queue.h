// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Pipelined requests that wait for a slot. The request side puts them in, the
// answer side moves them on as slots get free.
#pragma once

#include "head.h"

struct queue_key {
	u64 sk;
	u32 seq;
	u32 _pad;
};

struct queued {
	struct request r;
	u8 head[KEEP_ONE];
};

// A hundred busy pipelining connections fit. Taken out when the request ends.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct queue_key);
	__type(value, struct queued);
} queue SEC(".maps");

inline_ struct queued *queued_of(u64 sk, u32 seq)
{
	struct queue_key key = {.sk = sk, .seq = seq};

	return bpf_map_lookup_elem(&queue, &key);
}

inline_ void unqueue(u64 sk, u32 seq)
{
	struct queue_key key = {.sk = sk, .seq = seq};

	bpf_map_delete_elem(&queue, &key);
}

// must_queue tells whether the next request has to wait for a slot.
inline_ bool must_queue(const struct http1 *h)
{
	return h->first != h->last || h->tail - h->head >= SLOTS;
}

// In read-only data: the stack has no room for it, and verifiers before 6.4 or so
// take no memory of another function.
const struct queued new_queued = {};

// enqueue makes room for the next request, with the bytes of its head.
inline_ struct queued *enqueue(struct http1 *h, u64 sk)
{
	struct queue_key key = {.sk = sk, .seq = h->last};
	u32 n = h->q.keep_len, off = h->q.keep_off;
	struct queued *q;

	if (bpf_map_update_elem(&queue, &key, &new_queued, BPF_ANY))
		return 0;
	q = queued_of(sk, h->last);
	barrier_var(n);
	barrier_var(off);
	if (q && n <= KEEP_ONE && off <= KEEP_ALL - KEEP_PIPELINED)
		bpf_probe_read_kernel(q->head, n, h->kept + off);
	return q;
}

// refill moves the oldest request of the queue into a free slot.
noinline_ int refill(struct http1 *h, u64 sk)
{
	struct queued *q;
	struct request *r;

	if (!h || h->first == h->last || h->tail - h->head >= SLOTS)
		return 0;
	q = queued_of(sk, h->first);
	if (!q || !__sync_lock_test_and_set(&q->r.live, 0))
		return 0;
	r = &h->slot[h->tail & (SLOTS - 1)];
	__builtin_memcpy(r, &q->r, sizeof(*r));
	r->seq = h->first + 1;
	r->live = 1;
	__sync_fetch_and_add(&h->tail, 1);
	__sync_fetch_and_add(&h->first, 1);
	return 1;
}

// left_slot takes the oldest request out of its slot and lets the next one in.
inline_ void left_slot(struct http1 *h, struct request *r, u64 sk)
{
	if (r->seq)
		unqueue(sk, r->seq - 1);
	__sync_fetch_and_add(&h->head, 1);
	if (h->first != h->last)
		refill(h, sk);
}
