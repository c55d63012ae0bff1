// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The books of a connection: where they begin and end, and what a call adds to them.
#pragma once

#include "ends.h"
#include "feed.h"

// begin_books begins the books of a connection whose first bytes may be a request.
inline_ bool begin_books(struct feed *f, struct sock *sk, bool sent)
{
	struct conn *c = f->c;

	if (!first_bytes(f)) {
		c->ignored = c->begun == BEGUN_SEEN && !f->src.opaque;
		return false;
	}
	f->h = books_begun(http1s, sk);
	if (!f->h) {
		count(DROP_TABLE_FULL);
		return false;
	}
	c->role = sent ? ROLE_CLIENT : ROLE_SERVER;
	c->tgid = f->w.tgid;
	return true;
}

// end_books ends those of a connection that did not begin with a request. It is
// looked at no more, if its beginning was seen.
inline_ void end_books(struct conn *c, struct sock *sk)
{
	c->ignored = c->begun == BEGUN_SEEN;
	c->role = ROLE_UNKNOWN;
	books_ended(http1s, sk);
}

// look_at_requests feeds what was sent or received as requests, which go from one
// socket to another, if they are Unix sockets.
inline_ void look_at_requests(struct feed *f, struct sock *sk)
{
	struct http1 *h = f->h;
	u32 n = h->seen;

	if (f->c->role == ROLE_SERVER && is_unix(sk))
		look_for_offer(h, sk);
	feed_requests(f);
	n = (u32)h->seen - n;
	if (!n)
		return;
	if (f->c->role == ROLE_CLIENT) {
		if (!early_answer(h, f->c, f->g, &f->w) && is_unix(sk))
			hand_over(h, other_end(sk), n);
	} else if (is_unix(sk)) {
		heads_taken(sk, n);
	}
}

// look_at_answers feeds what was sent or received as answers.
inline_ void look_at_answers(struct feed *f, struct sock *sk)
{
	struct http1 *h = f->h;
	bool waited = pending(h) != 0;

	feed_answers(f);
	if (is_unix(sk) && f->c->role == ROLE_CLIENT && waited && !pending(h))
		answered_over(h, other_end(sk));
}

// requests handles bytes that may be requests. A connection that did not begin
// with one is looked at no more, if its beginning was seen.
inline_ void requests(struct feed *f, struct sock *sk, int bytes)
{
	struct http1 *h = f->h;

	if (f->c->role == ROLE_SERVER && f->c->tcp)
		caught_up(h, &f->w, bytes);
	look_at_requests(f, sk);
	if (h->seen) {
		bool whole = f->c->role == ROLE_SERVER && h->q.state == D_IDLE && pending(h) == 1;

		in_hand(f->g, &f->w, whole ? h->slot[h->head & (SLOTS - 1)].span : 0);
		return;
	}
	if (h->q.state == D_LOST)
		end_books(f->c, sk);
}

inline_ void answers(struct feed *f, struct sock *sk, int bytes)
{
	struct http1 *h = f->h;

	if (f->c->role == ROLE_CLIENT) {
		__sync_lock_test_and_set(&h->reading, 1);
		catch_up(h, f->c, f->g, &f->w, bytes);
	}
	look_at_answers(f, sk);
	if (f->c->role == ROLE_CLIENT)
		__sync_lock_test_and_set(&h->reading, 0);
	in_hand(f->g, &f->w, f->c->role == ROLE_CLIENT && !pending(h) ? f->c->owner.span : 0);
	if (!unix_closes && h->a.state == D_CLOSE && h->ends.family == AF_UNIX && f->c->role == ROLE_SERVER)
		ended(h, f->c, f->g, &f->w);
}
