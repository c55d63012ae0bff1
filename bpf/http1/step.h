// SPDX-License-Identifier: (MIT OR GPL-2.0)
// One step of a direction: the bytes of a call that belong to one part of a message.
// The verifier looks at the two functions by themselves, and not on each way to them.
#pragma once

#include "body.h"
#include "proxied.h"

#define ONCE_MORE (~0U) // no bytes were consumed, but there is something to do with them

// What ends with a step: source.complete.
enum step_end { STEP_NONE, STEP_HEAD, STEP_BODY };

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

// may_be_preface tells whether a binary header of the PROXY protocol begins here.
inline_ bool may_be_preface(struct http1 *h, struct source *s)
{
	u8 first = 0;

	return !h->seen && !h->proxied && !s->opaque && !read_bytes(s, &first, 1) && first == '\r';
}

// begin_request begins what comes next on the request side.
inline_ void begin_request(struct http1 *h, struct dir *d, struct source *s, u32 hashes)
{
	begin_head(h, d, s, false);
	d->want_hash = hashes != 0;
	if (!may_be_preface(h, s))
		return;
	d->state = D_PROXY;
	d->carry_len = 0;
	d->ext = PROXY2_KEPT;
}

// only_empty tells whether nothing has come of a head but empty lines.
inline_ bool only_empty(const struct dir *d)
{
	return d->first && !d->line && (!d->carry_len || (d->carry_len == 1 && d->carry[0] == '\r'));
}

// take_preface goes on with a binary header of the PROXY protocol.
inline_ u32 take_preface(struct http1 *h, struct source *s, struct window *win)
{
	struct dir *d = &h->q;
	u32 n = step_preface(d, s, win);

	if (d->state == D_HEAD && !n)
		return ONCE_MORE; // there was an empty line
	if (n && s->complete) {
		keep_preface(h, d->carry);
		d->state = D_IDLE;
	}
	s->complete = STEP_NONE;
	return n;
}

// take_request consumes the next bytes of requests, whose targets are hashed if that is
// wanted. Returns how many; 0: they are none, or cannot be read.
noinline_ u32 take_request(struct http1 *h, struct source *s, struct window *win, u32 hashes)
{
	struct dir *d;
	u32 n;

	if (!h || !s || !win)
		return 0;
	d = &h->q;
	s->complete = STEP_NONE;
	switch (d->state) {
	case D_PROXY:
		return s->opaque ? 0 : take_preface(h, s, win);
	case D_LOST:
	case D_IDLE:
		begin_request(h, d, s, hashes);
		if (d->state == D_PROXY)
			return ONCE_MORE;
		// fallthrough
	case D_HEAD:
		if (s->opaque)
			return 0;
		if (only_empty(d))
			d->start_ns = s->now;
		n = scan_head(h, d, s, win, false);
		if (n && win->proxied)
			keep_line(h, win);
		return n;
	case D_LEN:
		return step_length(d, s);
	case D_CHUNK:
		n = step_chunk(d, s);
		if (s->complete)
			d->state = D_IDLE;
		s->complete = STEP_NONE;
		return n;
	}
	return s->left;
}

// take_answer does so for answers. The end of a body is left to its caller.
noinline_ u32 take_answer(struct http1 *h, struct source *s, struct window *win)
{
	struct dir *d;
	u32 n;

	if (!h || !s || !win)
		return 0;
	d = &h->a;
	s->complete = STEP_NONE;
	switch (d->state) {
	case D_LOST:
	case D_IDLE:
		begin_head(h, d, s, true);
		// fallthrough
	case D_HEAD:
		return s->opaque ? 0 : scan_head(h, d, s, win, true);
	case D_LEN:
		n = step_length(d, s);
		if (d->state == D_IDLE)
			s->complete = STEP_BODY;
		return n;
	case D_CHUNK:
		n = step_chunk(d, s);
		if (s->complete)
			s->complete = STEP_BODY;
		return n;
	}
	n = s->left;
	d->body += n;
	return n;
}
