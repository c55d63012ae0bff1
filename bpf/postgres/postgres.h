// SPDX-License-Identifier: (MIT OR GPL-2.0)
// PostgreSQL and what speaks its protocol. One event for what a client asks for until it
// waits: a query, or what is parsed, bound and executed up to a Sync.
//
// Of the client's messages only the text of statements is kept, of the server's only the
// code of errors: parameters, rows and copied data never leave the process's memory.
// Hooks: the programs of moved.h go on with those below.
#pragma once

#include "client.h"
#include "server.h"

// books_of finds or begins what is kept of a connection. It begins with a message
// without a type, unless it was open before.
inline_ struct postgres *books_of(struct sock *sk, struct conn *c, struct source *s)
{
	struct postgres *p = books_in(postgreses, sk);
	struct beginning *b;

	if (p)
		return p;
	p = books_begun(postgreses, sk);
	b = begins_with(s, c);
	if (!p) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	p->q.untyped = b && !b->b[0];
	p->greeted = !p->q.untyped;
	return p;
}

// pg_moved looks at bytes that moved through a socket of a watched process.
inline_ void pg_moved(struct sock *sk, int bytes, bool sent)
{
	struct pg_turn t = {};

	t.look = room_in(pg_looks);
	if (!t.look || !begin_turn((struct turn *)&t, sk, bytes))
		return;
	t.p = books_of(sk, t.c, &t.src);
	if (!t.p)
		return;
	if (by_client((struct turn *)&t, sent))
		bpf_loop(MAX_PIECES, client_step, &t, 0);
	else
		bpf_loop(MAX_PIECES, server_step, &t, 0);
	if (is_followed((struct turn *)&t))
		return;
	if (!t.over)
		end_cycles(t.p, 0, 1);
	leave((struct turn *)&t, t.p->seen);
	books_ended(postgreses, sk);
}

ROOM_PROGRAMS(postgres, pg_moved)

// postgres_closed ends the cycles that the server will not end.
inline_ void postgres_closed(struct sock *sk, u32 fault)
{
	struct postgres *p = books_in(postgreses, sk);

	if (p)
		end_cycles(p, fault, 0);
	books_gone(postgreses, sk);
}
