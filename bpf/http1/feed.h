// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Feeds the bytes of one call to the machine of their direction.
#pragma once

#include "unread.h"

struct feed {
	struct source src;
	struct http1 *h;
	struct conn *c;
	struct target *g;
	struct who w;
	struct window *win;
	u32 stuck; // not HTTP (any more)
	u32 pushed; // requests kept from this source
	u32 inject_slot; // slot of the first of them
	u32 line1_pos; // of the first of them
	u32 trace_pos;
	u32 has_trace;
	u32 whole; // its head lies in this source completely
};

inline_ void consume(struct source *s, u32 n)
{
	s->ptr += n;
	s->left -= n;
	s->total -= n;
	s->done += n;
}

inline_ u32 step_length(struct dir *d, struct source *s)
{
	u32 n = s->left;

	if (n > d->left)
		n = d->left;
	d->left -= n;
	d->body += n;
	if (!d->left)
		d->state = D_IDLE;
	return n;
}

// first_bytes tells which side of HTTP a fresh connection is on.
inline_ bool first_bytes(struct feed *f)
{
	u8 first = 0;

	if (f->src.opaque || (!f->src.left && !next_piece(&f->src)) || !f->src.left)
		return false;
	if (read_bytes(&f->src, &first, 1))
		return false;
	return first >= 'A' && first <= 'Z';
}

static long request_step(u32 i, struct feed *f)
{
	struct source *s = &f->src;
	struct dir *d = &f->h->q;
	u32 n = 0;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	switch (d->state) {
	case D_LOST:
	case D_IDLE:
		begin_head(f->h, d, s, false);
		d->want_hash = (f->g->flags & T_PROXY) != 0;
		// fallthrough
	case D_HEAD:
		if (s->opaque)
			break;
		n = scan_request(f->h, s, f->win);
		if (n && s->complete) {
			if (f->h->lost || f->c->role == ROLE_CLIENT)
				asked(f->h, f->c, f->g, &f->w);
			if (push(f->h, f->c, f->g, &f->w, (void *)f->win) && !f->pushed++) {
				f->inject_slot = f->h->tail - 1;
				f->line1_pos = d->line1_pos;
				f->trace_pos = d->trace_pos;
				f->has_trace = d->has_trace;
				f->whole = !d->split;
			}
			begin_body(d, false);
		}
		break;
	case D_LEN:
		n = step_length(d, s);
		break;
	case D_CHUNK:
		n = step_chunk(d, s);
		if (s->complete)
			d->state = D_IDLE;
		break;
	default:
		n = s->left;
	}
	if (!n || n > s->left) {
		f->stuck = 1;
		return 1;
	}
	consume(s, n);
	return 0;
}

static long answer_step(u32 i, struct feed *f)
{
	struct source *s = &f->src;
	struct http1 *h = f->h;
	struct dir *d = &h->a;
	u32 n = 0;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	switch (d->state) {
	case D_LOST:
	case D_IDLE:
		begin_head(h, d, s, true);
		// fallthrough
	case D_HEAD:
		if (s->opaque)
			break;
		n = scan_answer(h, s, f->win);
		if (n && s->complete && answer(h, f->c, f->g, &f->w))
			ended(h, f->c, f->g, &f->w);
		break;
	case D_LEN:
		n = step_length(d, s);
		if (d->state == D_IDLE)
			ended(h, f->c, f->g, &f->w);
		break;
	case D_CHUNK:
		n = step_chunk(d, s);
		if (s->complete)
			ended(h, f->c, f->g, &f->w);
		break;
	default:
		n = s->left;
		d->body += n;
	}
	if (!n || n > s->left) {
		f->stuck = 1;
		return 1;
	}
	consume(s, n);
	return f->c->ignored ? 1 : 0;
}

// starts_answer tells whether a new answer begins here.
inline_ bool starts_answer(struct source *s)
{
	u64 w = 0;

	if (s->opaque || s->left < 8 || read_bytes(s, &w, 8))
		return false;
	return (w & 0x00ffffffffffffffULL) == WORD8('H', 'T', 'T', 'P', '/', '1', '.', 0);
}

// feed_requests returns false when the connection is not to be looked at any more.
inline_ bool feed_requests(struct feed *f)
{
	struct dir *d = &f->h->q;

	f->stuck = 0;
	f->pushed = 0;
	if (d->state == D_HEAD)
		d->split = 1;
	bpf_loop(MAX_PIECES, request_step, f, 0);
	if (!f->stuck && !f->src.total)
		return true;
	// Inside a body the next request begins after the answer; until then all
	// bytes belong to it.
	if (d->state == D_CHUNK || d->state == D_LEN) {
		count(DROP_TOO_MANY_PIECES);
		d->state = D_TAIL;
		return true;
	}
	if (!f->stuck) {
		count(DROP_TOO_MANY_PIECES);
		d->state = D_LOST;
		return true;
	}
	d->state = D_LOST;
	if (f->h->seen)
		count(f->src.opaque ? DROP_UNREADABLE : DROP_UNPARSABLE);
	return ++f->c->tries < TRIES_MAX;
}

inline_ void feed_answers(struct feed *f)
{
	struct http1 *h = f->h;
	struct dir *d = &h->a;

	f->stuck = 0;
	if (!f->src.left && f->src.total)
		next_piece(&f->src);
	// The end of this body was not recognised, but here comes the next answer.
	if ((d->state == D_CLOSE || d->state == D_TAIL) && h->tail - h->head > 1 &&
	    ((f->src.opaque && d->state == D_TAIL) || starts_answer(&f->src)))
		ended(h, f->c, f->g, &f->w);
	bpf_loop(MAX_PIECES, answer_step, f, 0);
	if (!f->stuck && (!f->src.total || f->c->ignored))
		return;
	// The framing is lost. Inside a body wait for the next answer or the close.
	if (d->state == D_CHUNK || d->state == D_LEN || d->state == D_CLOSE) {
		d->state = D_TAIL;
		return;
	}
	d->state = D_LOST;
	if (f->src.opaque)
		unreadable(h, f->c, f->g, &f->w, h->tail);
	else if (h->head != h->tail)
		count(DROP_UNPARSABLE);
}
