// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Who may write to the ring of events while it fills: a process that ends requests faster
// than they are read does not cost a quiet one its spans.
#pragma once

#include "maps.h"

#define SHARE 2 // one of so many parts of what is free is for one process
#define FRACTIONS 256 // of a byte, in struct share

// share is about what a process has in a busy ring.
struct share {
	u64 at;	  // where in all that was ever written
	u64 held; // fractions: what it had there
};

// LRU: a process that is gone needs no share. More processes than this at once are told
// apart no longer, and none is refused for it.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct share);
} shares SEC(".maps");

// In read-only data: the stack has no room for it.
const struct share no_share = {};

// has_share says whether the ring has room for so many bytes of a process. Up to three
// quarters anybody may write. Above, what a process has in the ring may be half of what is
// free: the fuller the ring, the less, so that there is room for one that writes little
// (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).
// As much of what it had is gone as the ring was filled anew: a full ring is read as fast
// as it is written.
noinline_ int has_share(u32 pid, u32 bytes)
{
	u64 all = bpf_ringbuf_query(&events, BPF_RB_RING_SIZE);
	u64 left = all - bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	struct share *s;
	u64 since;

	if (left >= all / 4)
		return 1;
	s = bpf_map_lookup_elem(&shares, &pid);
	if (!s) {
		bpf_map_update_elem(&shares, &pid, &no_share, BPF_ANY); // from its next event on
		return 1;
	}
	since = bpf_ringbuf_query(&events, BPF_RB_PROD_POS) - s->at;
	s->at += since;
	s->held = since < all ? s->held - s->held * since / all : 0;
	if (s->held / FRACTIONS + bytes > left / SHARE)
		return 0;
	__sync_fetch_and_add(&s->held, (u64)bytes * FRACTIONS);
	return 1;
}
