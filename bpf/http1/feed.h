// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Feeds the bytes of one call to the machine of their direction.
#pragma once

#include "../exchange/beginning.h"
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

// may_be_preface tells whether a binary header of the PROXY protocol begins here.
inline_ bool may_be_preface(struct http1 *h, struct source *s)
{
	u8 first = 0;

	return !h->seen && !h->proxied && !s->opaque && !read_bytes(s, &first, 1) && first == '\r';
}

// begin_request begins what comes next on the request side.
inline_ void begin_request(struct feed *f, struct dir *d)
{
	begin_head(f->h, d, &f->src, false);
	d->want_hash = (f->g->flags & T_BATCHES) != 0;
	if (!may_be_preface(f->h, &f->src))
		return;
	d->state = D_PROXY;
	d->carry_len = 0;
	d->ext = PROXY2_KEPT;
}

// headless counts a request that goes out without a header of ours, and not
// because the application has written one.
inline_ void headless(struct feed *f)
{
	if (f->c->role == ROLE_CLIENT && (f->g->flags & T_PROPAGATE) && f->h->q.has_trace != 2)
		lose(f->g->pid, f->c->tcp ? DROP_HEADER_NOT_WRITTEN : DROP_HEADER_IMPOSSIBLE);
}

// head_ended handles a whole request head.
inline_ void head_ended(struct feed *f, struct dir *d)
{
	struct http1 *h = f->h;

	if (h->lost || f->c->role == ROLE_CLIENT)
		asked(h, f->c, f->g, &f->w);
	if (push(h, f->c, f->g, &f->w, (void *)f->win)) {
		if (f->writes && !f->pushed) {
			f->line1_pos = d->line1_pos;
			f->trace_pos = d->trace_pos;
			f->has_trace = d->has_trace;
			f->whole = !d->split;
			f->queued = h->first != h->last;
			f->slot = h->tail - 1;
			f->seq = h->last - 1;
		} else {
			headless(f);
		}
		f->pushed++;
	}
	begin_body(d, false);
}

// only_empty tells whether nothing has come of a head but empty lines.
inline_ bool only_empty(const struct dir *d)
{
	return d->first && !d->line && (!d->carry_len || (d->carry_len == 1 && d->carry[0] == '\r'));
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
	case D_PROXY:
		if (s->opaque)
			break;
		n = step_preface(d, s, f->win);
		if (d->state == D_HEAD && !n)
			return 0; // there was an empty line
		if (n && s->complete) {
			keep_preface(f->h, d->carry);
			d->state = D_IDLE;
		}
		break;
	case D_LOST:
	case D_IDLE:
		begin_request(f, d);
		if (d->state == D_PROXY)
			return 0;
		// fallthrough
	case D_HEAD:
		if (s->opaque)
			break;
		if (only_empty(d))
			d->start_ns = s->now;
		n = scan_request(f->h, s, f->win);
		if (n && f->win->proxied)
			keep_line(f->h, f->win);
		if (n && s->complete)
			head_ended(f, d);
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
	return !s->total || (f->one && f->pushed);
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
