// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What is told of a request of a room whose programs are apart: all but its head.
#pragma once

#include "ends.h"
#include "linking.h"

// asker is who has begun the last request of a connection, and what the next one needs.
struct asker {
	u64 ids[2]; // states of next_id, 0: to be seeded
	u64 g;      // who.g
	u32 tgid;
	u32 _pad;
	struct tuple ends;
};

// In read-only data: the stack has no room for it.
const struct request no_request = {};

// tell_of begins what is told of a request. A server's begins a trace of its own: such
// protocols have no room for a trace context. The goroutine is to be read before, by
// whose_call.
inline_ void tell_of(struct request *r, struct asker *a, struct conn *c, struct target *g, struct who *w)
{
	__builtin_memcpy(r, &no_request, sizeof(*r));
	r->start_ns = w->now;
	r->goid = w->goid;
	r->req_body = -1;
	r->resp_body = -1;
	r->bits = SOURCE_BITS;
	r->pid = g->pid;
	r->tid = w->tid;
	r->role = c->role;
	r->protocol = c->protocol;
	if (!a->ends.family)
		ends_of(&a->ends, w->sk);
	r->ends = a->ends;
	if (c->role == ROLE_CLIENT)
		link_client(g, c, r, w, a->ids);
	else
		begin_trace(g, r, a->ids);
}

// whose_call reads which goroutine makes the call. One that reads requests reads all of them.
inline_ void whose_call(struct asker *a, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	if (c->role == ROLE_SERVER && w->goid)
		return;
	w->g = a->tgid == w->tgid ? a->g : 0;
	read_goroutine(g, w, c->role == ROLE_CLIENT, room);
	a->g = w->g;
	a->tgid = w->tgid;
}
