// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Rules that say, by method and path, how many of the traces that a request begins are
// recorded. Targets of one workload share a set.
#pragma once

#include "../include/maps.h"

#define RULES_MAX 16 // as in probe.MaxRules and in the API
#define RULE_TEXT 128

// rule is a line of a set; user space writes it (probe.CompileRules).
struct rule {
	u64 left_out; // as target.left_out
	u64 method;   // with the space behind it
	u64 mask;     // of the bytes of the method, 0: any
	u32 len;      // of the path, without its star
	u32 prefix;   // there was one
	u64 path[RULE_TEXT / 8];
	u64 path_mask[RULE_TEXT / 8];
};

struct rules {
	u32 count;
	u32 _pad;
	struct rule rule[RULES_MAX]; // the first that fits counts
};

// By target.rules. More than the workloads of a node: user space forgets those without a target.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct rules);
} sampling_rules SEC(".maps");

inline_ struct rules *rules_of(struct target *g)
{
	u32 number = g->rules;

	return bpf_map_lookup_elem(&sampling_rules, &number);
}

// ends_path tells whether a path ends with what is before a byte of a request's target.
inline_ bool ends_path(u8 c) { return c == ' ' || c == '?' || c == '#'; }
