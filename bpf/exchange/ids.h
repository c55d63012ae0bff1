// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ids of traces and spans.
#pragma once

#include "../include/kernel.h"

// next_id is a step of splitmix64.
inline_ u64 next_id(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

// random_ids draws from a connection's own numbers: the kernel's cost a call
// for every 32 bits. ids are two states of next_id, 0: to be seeded.
inline_ void random_ids(u64 *ids, u64 *trace, u64 *span)
{
	if (!ids[0]) {
		ids[0] = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
		ids[1] = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	}
	if (trace) {
		trace[0] = next_id(&ids[0]);
		trace[1] = next_id(&ids[1]) | 1;
	}
	*span = next_id(&ids[1]) | 1;
}
