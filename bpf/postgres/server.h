// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a server of PostgreSQL says: the code of its errors, and when it is ready.
#pragma once

#include "turn.h"

struct code_search {
	const u8 *b;
	u32 n;
	u32 at; // where the code is, 0: not there
};

// code_byte looks for the field of an error that begins with C: behind a zero.
static long code_byte(u32 i, struct code_search *s)
{
	u32 at = i;

	barrier_var(at);
	if (at > LOOK_MAX - 2 - CODE_LEN || at + 2 + CODE_LEN > s->n)
		return 1;
	if (s->b[at] || s->b[at + 1] != 'C')
		return 0;
	s->at = at + 2;
	return 1;
}

// take_code takes the SQLSTATE of an error: it stands within its first bytes. Returns
// the bytes consumed; 0: they cannot be read.
noinline_ u32 take_code(struct source *s, struct postgres *p, struct look_at *look)
{
	struct code_search f = {};
	struct cycle_event *e;
	u32 n, at;

	if (!s || !p || !look)
		return 0;
	e = cycle_at(p, p->head);
	n = s->left < p->a.skip ? s->left : p->a.skip;
	f.b = look->b;
	f.n = n < LOOK_MAX ? n : LOOK_MAX;
	at = f.n;
	barrier_var(at);
	if (!at || at > LOOK_MAX || s->opaque || read_bytes(s, look->b, at))
		return 0;
	p->a.take = TAKE_NOTHING;
	if (e->code[0])
		return n;
	bpf_loop(LOOK_MAX, code_byte, &f, 0);
	at = f.at;
	barrier_var(at);
	if (at > LOOK_MAX - CODE_LEN)
		return n;
	barrier_var(at); // the verifier of Linux 6.12 follows no comparison of at - 1
	if (at)
		__builtin_memcpy(e->code, look->b + at, CODE_LEN);
	else
		__builtin_memcpy(e->code, "XX000", CODE_LEN);
	return n;
}

// ready handles that the server is ready for the next query.
inline_ void ready(struct postgres *p, u64 now)
{
	if (end_cycle(p, now, FAULT_NONE))
		return;
	if (p->owed)
		__sync_fetch_and_add(&p->owed, -1);
	else if (!p->greeted)
		p->greeted = 1;
	else
		p->early = 1;
}

// server_message handles the head of a message. False: it is none.
inline_ bool server_message(struct pg_turn *t, struct stream *d)
{
	struct postgres *p = t->p;
	u32 len;

	if (d->single) {
		d->single = 0;
		t->over = d->head[0] != 'N';
		return d->head[0] == 'N' || d->head[0] == 'S' || d->head[0] == 'G';
	}
	d->type = d->head[0];
	len = be32(d->head + 1);
	if (!is_letter(d->type) && (d->type < '1' || d->type > '3'))
		return false;
	if (len < 4 || len > MESSAGE_MAX)
		return false;
	d->skip = len - 4;
	d->take = TAKE_NOTHING;
	if (p->head != p->tail && !cycle_at(p, p->head)->r.answered_ns)
		cycle_at(p, p->head)->r.answered_ns = t->w.now;
	if (d->type == 'E' && (p->head != p->tail || (p->open && p->kept)))
		d->take = TAKE_CODE; // where none waits, of the open one: the client has asked for answers by a Flush
	if (d->type == 'W')
		t->over = 1; // copies in both directions: replication
	return true;
}

static long server_step(u32 i, struct pg_turn *t)
{
	struct source *s = &t->src;
	struct stream *d = &t->p->a;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->skip) {
		n = d->take == TAKE_CODE ? take_code(s, t->p, t->look) : s->left < d->skip ? s->left : d->skip;
		d->skip -= n <= d->skip ? n : 0;
		if (n && !d->skip && d->type == 'Z')
			ready(t->p, t->w.now);
	} else {
		n = head_of(s, d);
		if (n && s->complete) {
			d->head_len = 0;
			if (!server_message(t, d))
				n = 0;
		}
	}
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	consume(s, n);
	return !s->total || t->over;
}
