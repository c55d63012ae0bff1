// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which trace a request is part of, and whose child it is.
#pragma once

#include "../include/link.h"
#include "ids.h"

#define SAMPLED 1 // of the flags of a trace context: its trace is recorded

// child_of makes a request the child of a span of another trace context.
inline_ void child_of(struct request *r, const u64 *trace, u64 parent, u8 tflags)
{
	r->trace[0] = trace[0];
	r->trace[1] = trace[1];
	r->parent = parent;
	r->tflags = tflags;
}

// recorded returns the flags of a trace that begins with the id: SDKs go by its lower
// half, as a number.
inline_ u8 recorded(u64 left_out, const u64 *trace)
{
	return ~__builtin_bswap64(trace[1]) >= left_out;
}

// begin_trace gives a request its ids. It has no parent.
inline_ void begin_trace(struct target *g, struct request *r, u64 *ids)
{
	random_ids(ids, r->trace, &r->span);
	r->parent = 0;
	r->tflags = recorded(g->left_out, r->trace);
}

// link_client gives a request that is sent its ids, and the parent that its task has.
inline_ void link_client(struct target *g, struct conn *c, struct request *r, struct who *w, u64 *ids)
{
	struct ref *up = &c->owner;

	w->target_hash = r->target_hash;
	r->link = find_parent(g, w, c);
	c->fresh = 0;
	__sync_fetch_and_add(&g->clients, 1);
	if (r->link != LINK_NONE) {
		__sync_fetch_and_add(&g->linked, 1);
		random_ids(ids, 0, &r->span);
		child_of(r, up->trace, up->span, up->tflags);
	} else {
		begin_trace(g, r, ids);
	}
	r->goid = w->goid;
}

// passed_on tells whether a trace context is the one that came in with the parent of a
// request: its application did not write it.
inline_ bool passed_on(const struct ref *up, const u64 *trace, u64 parent)
{
	return up->incoming == parent && up->trace[0] == trace[0] && up->trace[1] == trace[1];
}
