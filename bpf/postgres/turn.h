// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What one call has moved of a connection of PostgreSQL's.
#pragma once

#include "../exchange/turn.h"
#include "cycle.h"

ROOM(pg_looks, struct look_at);

struct pg_turn {
	struct turn;
	struct postgres *p;
	struct look_at *look;
};
