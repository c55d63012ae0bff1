// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What one call has moved of a connection of PostgreSQL's.
#pragma once

#include "cycle.h"

struct pg_room {
	struct look_at look;
	struct goroutine g;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pg_room);
} pg_rooms SEC(".maps");

struct pg_turn {
	struct source src;
	struct postgres *p;
	struct conn *c;
	struct target *g;
	struct pg_room *room;
	struct who w;
	u8 stuck;
	u8 over; // what follows is encrypted, or no conversation
	u8 _pad[6];
};

