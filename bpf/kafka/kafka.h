// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Kafka and what speaks its protocol (Redpanda, WarpStream, ...): requests and their
// answers, of which many are under way at once on one connection.
//
// Messages are followed here; what they begin with goes to user space, which pairs and
// reads it. Where that is a record, its first bytes are among them: they go no further.
// Hooks: the programs of engine.bpf.c go on with those below.
#pragma once

#include "event.h"

struct kafka_turn {
	struct turn;
	struct kafka *k;
	u32 by_client;
	u32 _pad1;
};

// begin_kafka_message handles the size of a message. False: it is none.
inline_ bool begin_kafka_message(struct kafka_turn *t, struct messages *d)
{
	d->size = be32_of(d->sizes);
	d->left = d->size;
	d->held = 0;
	d->looked = 0;
	d->wanted = t->by_client ? ASKED_KEPT : KEPT;
	if (d->wanted > d->left)
		d->wanted = d->left;
	return t->by_client ? d->size >= REQUEST_MIN && d->size <= REQUEST_MAX : d->size >= 4 && d->size <= ANSWER_MAX;
}

// look_at_head handles what a message begins with, all of which is held. False: it is none.
inline_ bool look_at_head(struct kafka_turn *t, struct messages *d)
{
	struct kafka *k = t->k;

	if (d->looked)
		return true;
	d->looked = 1;
	if (t->by_client)
		return begin_asking(k, t->c, t->g, &t->w, t->room);
	if (k->naming && be32_of(d->head) == k->names) {
		k->naming = 0;
		d->wanted = d->left < NAMES_KEPT ? d->left : NAMES_KEPT;
	}
	return true;
}

// passed goes on behind bytes of a message. False: they are none.
inline_ bool passed(struct kafka_turn *t, struct messages *d)
{
	if (!d->wanted && !look_at_head(t, d))
		return false;
	if (!d->left) {
		tell_message(t->k, &t->w, t->by_client);
		d->size_len = 0;
	} else if (d->held == KEPT && d->wanted) {
		tell_message(t->k, &t->w, t->by_client);
		d->held = 0;
	}
	return true;
}

static long kafka_step(u32 i, struct kafka_turn *t)
{
	struct source *s = &t->src;
	struct messages *d = t->by_client ? &t->k->q : &t->k->a;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->size_len < SIZE_LEN) {
		if (!d->size_len)
			d->begun_ns = t->w.now;
		n = take_size(s, d);
		if (n && s->complete && !begin_kafka_message(t, d))
			n = 0;
	} else {
		n = s->left < d->left ? s->left : d->left;
		if (d->wanted)
			n = take_kept(s, d);
		if (n && n <= d->left) {
			d->left -= n;
			if (!passed(t, d))
				n = 0;
		}
	}
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	consume(s, n);
	return !s->total;
}

// books_of_kafka finds or begins what is kept of a connection.
inline_ struct kafka *books_of_kafka(struct sock *sk, struct kafka_turn *t)
{
	struct kafka *k = books_in(kafkas, sk);

	if (k)
		return k;
	k = books_begun(kafkas, sk);
	if (!k) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	k->cookie = connection_number(sk);
	k->pid = t->g->pid;
	k->role = t->c->role;
	return k;
}

// kafka_moved looks at bytes that moved through a socket of a watched process.
inline_ void kafka_moved(struct sock *sk, int bytes, bool sent)
{
	struct kafka_turn t = {};

	if (!begin_turn((struct turn *)&t, sk, bytes))
		return;
	t.k = books_of_kafka(sk, &t);
	if (!t.k)
		return;
	t.by_client = by_client((struct turn *)&t, sent);
	bpf_loop(MAX_PIECES, kafka_step, &t, 0);
	if (is_followed((struct turn *)&t))
		return;
	tell_end(t.k, KAFKA_STRAYED, 0);
	leave((struct turn *)&t, t.k->seen);
	books_ended(kafkas, sk);
}

ROOM_PROGRAMS(kafka, kafka_moved)

// kafka_closed ends the requests that will never be answered.
inline_ void kafka_closed(struct sock *sk, u32 fault)
{
	struct kafka *k = books_in(kafkas, sk);

	if (k)
		tell_end(k, KAFKA_CLOSED, fault);
	books_gone(kafkas, sk);
}
