// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a client of PostgreSQL says: the text of its statements.
#pragma once

#include "turn.h"

// take_text takes up to n bytes of a statement into the open cycle. Returns n; 0: they
// cannot be read.
noinline_ u32 take_text(struct source *s, struct postgres *p, u32 n)
{
	struct cycle_event *e;
	u32 at, have = n;

	if (!s || !p)
		return 0;
	if (!p->kept)
		return n;
	e = cycle_at(p, p->tail);
	at = e->text_len;
	if (at + have > TEXT_MAX) {
		have = at < TEXT_MAX ? TEXT_MAX - at : 0;
		e->cut = 1;
	}
	barrier_var(have);
	barrier_var(at);
	if (have <= TEXT_MAX && at < TEXT_MAX) {
		if (s->opaque || read_bytes(s, e->text + at, have))
			return 0;
		e->text_len = at + have;
	}
	return n;
}

// take_params takes up to n bytes of what a connection begins with. Returns n; 0: they
// cannot be read.
noinline_ u32 take_params(struct source *s, struct postgres *p, u32 n)
{
	u32 at, have = n;

	if (!s || !p)
		return 0;
	at = p->params_len;
	if (at + have > PARAMS_MAX)
		have = at < PARAMS_MAX ? PARAMS_MAX - at : 0;
	barrier_var(have);
	barrier_var(at);
	if (have <= PARAMS_MAX && at < PARAMS_MAX) {
		if (s->opaque || read_bytes(s, p->params + at, have))
			return 0;
		p->params_len = at + have;
	}
	return n;
}

// named_so goes on behind a string of a message.
inline_ void named_so(struct pg_turn *t, struct stream *d)
{
	switch (d->take) {
	case TAKE_PORTAL:
		d->take = TAKE_BOUND;
		d->hash = 0;
		return;
	case TAKE_BOUND:
		bound(t->p, d->hash);
		d->take = TAKE_NOTHING;
		return;
	case TAKE_NAME:
		d->take = TAKE_TEXT;
		if (t->p->kept && cycle_at(t->p, t->p->tail)->text_len)
			d->take = TAKE_NOTHING; // that of the first one stands for all
		return;
	}
}

// client_body takes what is wanted of a message's body. Returns the bytes consumed.
inline_ u32 client_body(struct pg_turn *t, struct stream *d)
{
	struct source *s = &t->src;
	u32 n = s->left < d->skip ? s->left : d->skip;

	switch (d->take) {
	case TAKE_TEXT:
		n = take_text(s, t->p, n);
		break;
	case TAKE_PARAMS:
		n = take_params(s, t->p, n);
		break;
	case TAKE_PORTAL:
	case TAKE_BOUND:
	case TAKE_NAME:
		n = name_of(s, d, t->look);
		if (n && s->complete)
			named_so(t, d);
		break;
	}
	if (n > d->skip)
		return 0;
	d->skip -= n;
	if (d->skip || !n)
		return n;
	if (d->type == 'P' && d->hash && d->take == TAKE_TEXT)
		prepared(t->p, d->hash);
	d->take = TAKE_NOTHING;
	if (d->type == 'Q' || d->type == 'F' || d->type == 'S')
		asked_for(t->p, t->w.now);
	return n;
}

// startup handles the head of the first messages. False: there is none.
inline_ bool startup(struct pg_turn *t, struct stream *d)
{
	u32 len = be32(d->head), code = be32(d->head + 4);

	if (code == ASKS_TLS || code == ASKS_GSS) {
		t->p->a.single = 1;
		return len == 8;
	}
	if (code >> 16 != 3 || len < 9 || len > STARTUP_MAX)
		return false;
	d->untyped = 0;
	d->skip = len - 8;
	d->take = TAKE_PARAMS;
	return true;
}

// client_message handles the head of a message. False: it is none.
inline_ bool client_message(struct pg_turn *t, struct stream *d)
{
	struct postgres *p = t->p;
	u32 len;

	if (d->untyped)
		return startup(t, d);
	d->type = d->head[0];
	len = be32(d->head + 1);
	if (len < 4 || len > MESSAGE_MAX)
		return false;
	d->skip = len - 4;
	d->take = TAKE_NOTHING;
	d->hash = 0;
	p->seen++;
	switch (d->type) {
	case 'Q':
	case 'P':
	case 'B':
	case 'E':
	case 'F':
	case 'D':
	case 'C':
	case 'S':
		break;
	case 'H':
	case 'X':
	case 'p':
	case 'd':
	case 'c':
	case 'f':
		return true;
	default:
		return false;
	}
	if (!p->open)
		begin_cycle(p, t->c, t->g, &t->w, t->room);
	switch (d->type) {
	case 'P':
		d->take = TAKE_NAME;
		break;
	case 'B':
		d->take = TAKE_PORTAL;
		break;
	case 'Q':
		d->take = TAKE_TEXT;
		// fallthrough
	case 'E':
	case 'F':
		if (p->kept)
			cycle_at(p, p->tail)->said++;
		break;
	case 'S':
		if (!d->skip)
			asked_for(p, t->w.now);
		break;
	}
	return true;
}

static long client_step(u32 i, struct pg_turn *t)
{
	struct source *s = &t->src;
	struct stream *d = &t->p->q;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->skip) {
		n = client_body(t, d);
	} else {
		n = head_of(s, d);
		if (n && s->complete) {
			d->head_len = 0;
			if (!client_message(t, d))
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
