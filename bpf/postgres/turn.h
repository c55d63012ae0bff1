// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What one call has moved of a connection of PostgreSQL's.
#pragma once

#include "../exchange/turn.h"
#include "cycle.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct look_at);
} pg_looks SEC(".maps");

struct pg_turn {
	struct turn;
	struct postgres *p;
	struct look_at *look;
};
