// SPDX-License-Identifier: (MIT OR GPL-2.0)
// MySQL, MariaDB and what speaks their protocol. One event for each query and each
// execution of a prepared statement.
//
// Of the client's packets only the text of statements is kept, of the server's only the
// code of errors: parameters and rows never leave the process's memory.
// Hooks: the programs of moved.h go on with those below.
#pragma once

#include "server.h"

// books_of_mysql finds or begins what is kept of a connection.
inline_ struct mysql *books_of_mysql(struct sock *sk, struct conn *c, struct source *s)
{
	struct mysql *m = books_in(mysqls, sk);
	struct beginning *b;

	if (m)
		return m;
	m = books_begun(mysqls, sk);
	b = begins_with(s, c);
	if (!m) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	m->ready = b && b->b[4] != GREETING && !b->b[3]; // it was open before
	return m;
}

// mysql_moved looks at bytes that moved through a socket of a watched process.
inline_ void mysql_moved(struct sock *sk, int bytes, bool sent)
{
	struct my_turn t = {};

	if (!begin_turn((struct turn *)&t, sk, bytes))
		return;
	t.m = books_of_mysql(sk, t.c, &t.src);
	if (!t.m)
		return;
	if (by_client((struct turn *)&t, sent))
		bpf_loop(MAX_PIECES, my_client_step, &t, 0);
	else
		bpf_loop(MAX_PIECES, my_server_step, &t, 0);
	if (is_followed((struct turn *)&t))
		return;
	leave((struct turn *)&t, t.m->seen || t.m->ready);
	books_ended(mysqls, sk);
}

ROOM_PROGRAMS(mysql, mysql_moved)

// mysql_closed ends the command that will not be answered.
inline_ void mysql_closed(struct sock *sk, u32 fault)
{
	struct mysql *m = books_in(mysqls, sk);

	if (m && m->kind)
		answered_all(m, bpf_ktime_get_ns(), fault);
	books_gone(mysqls, sk);
}
