// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A call on a connection of a room whose programs are apart.
#pragma once

#include "../include/goroutine.h"
#include "../include/session.h"
#include "beginning.h"

// The room that a connection goes to which is encrypted from here on: PROTOCOL_HANDSHAKE of
// bpf/handshake.
#define ROOM_OF_ENCRYPTED 8

// turn is the first part of a room's own, which adds the books of the connection.
struct turn {
	struct source src;
	struct conn *c;
	struct target *g;
	struct goroutine *room; // to read one
	struct who w;
	u8 stuck; // what comes is not understood
	u8 over;  // nobody can, from here on: it is encrypted, or no conversation any more
	u8 _pad[6];
};

ROOM(turn_rooms, struct goroutine);

// begin_turn finds what a call has moved. False: nobody watches.
inline_ bool begin_turn(struct turn *t, struct sock *sk, int bytes)
{
	struct task_struct *task = bpf_get_current_task_btf();

	t->g = target_of(task->tgid);
	t->c = books_in(conns, sk);
	t->room = room_in(turn_rooms);
#ifdef SESSIONS
	if (!t->room)
		count(DROP_TABLE_FULL); // a processor's room is always there
#endif
	if (!t->g || !t->c || !t->room)
		return false;
	t->w.sk = (u64)sk;
	t->w.tgid = task->tgid;
	t->w.tid = task->pid;
	return open_turn(&t->src, &t->w, task, bytes);
}

// by_client tells whether the bytes of a call are those of the connection's client.
inline_ bool by_client(const struct turn *t, bool sent)
{
	return (t->c->role == ROLE_CLIENT) == sent;
}

// is_followed tells whether all of a call was understood.
inline_ bool is_followed(const struct turn *t)
{
	return !t->over && !t->stuck && !t->src.total;
}

// leave lets go of a connection that cannot be followed; the room then deletes its
// books. proven: it spoke the room's protocol, and is looked at again as one whose
// beginning was not seen. Otherwise it only began so.
inline_ void leave(struct turn *t, bool proven)
{
	struct conn *c = t->c;

	c->carries = 0;
#ifdef SESSIONS
	if (t->over) {
		c->ignored = 1;
		return;
	}
	c->protocol = 0;
#else
	c->protocol = t->over ? ROOM_OF_ENCRYPTED : 0; // if it is none, nobody looks any more
	if (t->over)
		return;
#endif
	c->role = ROLE_UNKNOWN;
	if (!proven) {
		c->ignored = c->begun == BEGUN_SEEN;
		return;
	}
	lose(t->g->pid, t->src.opaque ? DROP_UNREADABLE : t->stuck ? DROP_UNPARSABLE : DROP_TOO_MANY_PIECES);
	c->begun = BEGUN_BEFORE;
	c->last = WAY_NONE;
}
