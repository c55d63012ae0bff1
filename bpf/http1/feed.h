// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Feeds the bytes of one call to the machine of their direction.
#pragma once

#include "../exchange/beginning.h"
#include "step.h"
#include "turns.h"
#include "unread.h"

struct feed {
	struct source src;
	struct http1 *h;
	struct conn *c;
	struct target *g;
	struct who w;
	struct window *win;
	u32 pushed; // requests kept from this source
	u32 line1_pos; // of the first of them
	u32 trace_pos;
	u32 skip;   // bytes to be passed over, see skip_piece
	u32 slot;   // of the first of them
	u32 seq;    // or its number in the queue
	u8 has_trace;
	u8 whole;  // its head lies in this source completely
	u8 queued; // it waits for a slot
	u8 writes; // it can get a header
	u8 one;    // stop behind the first head
	u8 stuck;  // not HTTP (any more)
	u8 _pad[2];
};

// first_bytes tells whether a message may begin here: a letter, or an empty line
// before it. An answer never follows, so this also tells which side it is. A zero behind
// it is that of a length in a protocol whose messages have letters for types. What begins
// with HTTP/2's word is another room's.
inline_ bool first_bytes(struct feed *f)
{
	u8 first, b[4] = {};

	if (f->src.opaque || (!f->src.left && !next_piece(&f->src)) || !f->src.left)
		return false;
	if (f->src.left > 1 ? read_bytes(&f->src, b, 2) : read_bytes(&f->src, b, 1))
		return false;
	if (f->src.left > 1 && !b[1])
		return false;
	if (b[0] == 'P' && f->src.left > 3 && (read_bytes(&f->src, b, 4) || is_reserved(b)))
		return false;
	first = b[0];
	return ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') || first == '\r' || first == '\n';
}

// headless counts a request that goes out without a header of ours, and not
// because the application has written one.
inline_ void headless(struct feed *f)
{
	if (f->c->role == ROLE_CLIENT && (f->g->flags & T_PROPAGATE) && f->h->q.has_trace != 2)
		lose(f->g->pid, f->c->tcp ? DROP_HEADER_NOT_WRITTEN : DROP_HEADER_IMPOSSIBLE);
}

// first_pushed notes where the first request of this source is. Without branches: the
// verifier would follow each way through all that comes behind.
inline_ void first_pushed(struct feed *f, struct dir *d)
{
	struct http1 *h = f->h;
	u32 waiting = h->first ^ h->last;

	barrier_var(waiting);
	f->line1_pos = d->line1_pos;
	f->trace_pos = d->trace_pos;
	f->has_trace = d->has_trace;
	f->whole = d->split ^ 1;
	f->queued = (waiting | -waiting) >> 31;
	f->slot = h->tail - 1;
	f->seq = h->last - 1;
}

// head_ended handles a whole request head.
inline_ void head_ended(struct feed *f, struct dir *d)
{
	struct http1 *h = f->h;

	if (h->lost || f->c->role == ROLE_CLIENT)
		asked(h, f->c, f->g, &f->w);
	if (push(h, f->c, f->g, &f->w, (void *)f->win)) {
		if (f->writes && !f->pushed)
			first_pushed(f, d);
		else
			headless(f);
		f->pushed++;
	}
	begin_request_body(d);
}

static long request_step(u32 i, struct feed *f)
{
	struct source *s = &f->src;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	n = take_request(f->h, s, f->win, f->g->flags & T_BATCHES);
	if (n == ONCE_MORE)
		return 0;
	if (n && s->complete == STEP_HEAD)
		head_ended(f, &f->h->q);
	if (!n || n > s->left) {
		f->stuck = 1;
		return 1;
	}
	consume(s, n);
	return !s->total || (f->one && f->pushed);
}

static long answer_step(u32 i, struct feed *f)
{
	struct source *s = &f->src;
	struct http1 *h = f->h;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	n = take_answer(h, s, f->win);
	if (n && s->complete && (s->complete == STEP_BODY || answer(h, f->c, f->g, &f->w)) && !turns(h, f->c, f->win, s->done + n))
		ended(h, f->c, f->g, &f->w);
	if (!n || n > s->left) {
		f->stuck = 1;
		return 1;
	}
	consume(s, n);
	return !s->total || f->c->ignored;
}

// skip_piece passes over bytes that were looked at already.
static long skip_piece(u32 i, struct feed *f)
{
	struct source *s = &f->src;
	u32 n = f->skip;

	if (!n || !s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (n > s->left)
		n = s->left;
	consume(s, n);
	f->skip -= n;
	return 0;
}

// starts_answer tells whether a new answer begins here.
inline_ bool starts_answer(struct source *s)
{
	u64 w = 0;

	if (s->opaque || s->left < 8 || read_bytes(s, &w, 8))
		return false;
	return (w & 0x00ffffffffffffffULL) == WORD8('H', 'T', 'T', 'P', '/', '1', '.', 0);
}

// lost_requests takes note that what a connection sends is not understood.
inline_ void lost_requests(struct feed *f, struct dir *d)
{
	d->state = D_LOST;
	f->h->unsure = 1;
	if (f->h->seen)
		lose(f->g->pid, f->src.opaque ? DROP_UNREADABLE : DROP_UNPARSABLE);
}

// feed_requests looks at the bytes of one call as requests.
inline_ void feed_requests(struct feed *f)
{
	struct dir *d = &f->h->q;

	f->stuck = 0;
	f->pushed = 0;
	if (d->state == D_HEAD)
		d->split = 1;
	bpf_loop(MAX_PIECES, request_step, f, 0);
	if (!f->stuck && (!f->src.total || (f->one && f->pushed)))
		return;
	// Inside a body the next request begins after the answer; until then all
	// bytes belong to it.
	if (d->state == D_CHUNK || d->state == D_LEN) {
		lose(f->g->pid, DROP_TOO_MANY_PIECES);
		d->state = D_TAIL;
		f->h->unsure = 1; // it may go on behind its answer
	} else if (f->stuck) {
		lost_requests(f, d);
	} else {
		lose(f->g->pid, DROP_TOO_MANY_PIECES);
		d->state = D_LOST;
	}
}

inline_ void feed_answers(struct feed *f)
{
	struct http1 *h = f->h;
	struct dir *d = &h->a;

	f->stuck = 0;
	if (!f->src.left && f->src.total)
		next_piece(&f->src);
	// The end of this body was not recognised, but here comes the next answer.
	if ((d->state == D_CLOSE || d->state == D_TAIL) && pending(h) > 1 &&
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
		unreadable(h, f->c, f->g, &f->w, pending(h));
	else if (pending(h))
		lose(f->g->pid, DROP_UNPARSABLE);
}
