// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Answers whose heads cannot be read: moved by sendfile, splice or io_uring. A
// request without a readable answer is dropped at once and counted, before the
// next answer is taken for its own.
//
// What a socket is read by splice no tracepoint tells of. How far a client has
// read stands in its copied_seq.
#pragma once

#include "exchange.h"

// More answers than will ever come: nothing is kept of the connection any more.
#define OWED_FOREVER (1U << 31)

// forget drops the oldest request of the connection.
inline_ void forget(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];

	if (!__sync_lock_test_and_set(&r->live, 0))
		return;
	less_open(g, r);
	if (r->role == ROLE_SERVER && !(g->flags & (T_GO | T_PROXY)) && r->tid != w->tid)
		g->trust = TRUST_MOVED;
	let_go(h, c, g, w, r);
	count(DROP_UNREADABLE);
	__sync_fetch_and_add(&h->head, 1);
}

// unreadable drops the requests before the slot until: an answer without a head
// has come. Where more than one was waited for, nobody can tell whose it is, nor
// whose all later ones are.
noinline_ int unreadable(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 until)
{
	u32 waiting;

	if (!h || !c || !g || !w)
		return 0;
	waiting = until - h->head + h->owed;
	if (!waiting || (int)(until - h->head) < 0)
		return 0;
	if (waiting > 1)
		until = h->tail;
	UNROLLED
	for (int i = 0; i < SLOTS && h->head != until; i++)
		forget(h, c, g, w);
	h->owed = waiting > 1 ? OWED_FOREVER : 0;
	h->a.state = D_LOST;
	h->lost = h->head == h->tail;
	if (h->q.state == D_TAIL)
		h->q.state = D_IDLE;
	return 0;
}

enum skipped { SKIP_INSIDE, SKIP_ENDED, SKIP_TAIL, SKIP_NO_HEAD };

// skip takes n bytes of answers as gone by.
noinline_ int skip(struct dir *d, u32 n)
{
	if (!d)
		return SKIP_INSIDE;
	switch (d->state) {
	case D_LEN:
		if (n > d->left + 1) // the end of the connection counts as a byte
			return SKIP_NO_HEAD;
		if (n > d->left)
			n = d->left;
		d->left -= n;
		d->body += n;
		return d->left ? SKIP_INSIDE : SKIP_ENDED;
	case D_CHUNK:
		if (d->phase == C_DATA && n < d->left) {
			d->left -= n;
			d->body += n;
			return SKIP_INSIDE;
		}
		d->state = D_TAIL;
		// fallthrough
	case D_TAIL:
		d->body += n;
		return SKIP_TAIL;
	case D_CLOSE:
		d->body += n;
		return SKIP_INSIDE;
	}
	return SKIP_NO_HEAD;
}

// gone_by handles n bytes of answers to the requests before the slot until. When
// such an answer ended is not known: its first byte is the last that was seen.
inline_ void gone_by(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 n, u32 until)
{
	int how = skip(&h->a, n);
	u64 now = w->now;

	if (how == SKIP_NO_HEAD) {
		unreadable(h, c, g, w, until);
	} else if (how == SKIP_ENDED || (how == SKIP_TAIL && until != h->tail)) {
		w->now = h->a.start_ns;
		ended(h, c, g, w);
		w->now = now;
	}
}

inline_ u32 read_so_far(u64 sk)
{
	return BPF_CORE_READ((struct tcp_sock *)sk, copied_seq);
}

// encrypted: by the kernel. Then copied_seq counts other bytes than the process gets.
inline_ bool encrypted(u64 sk)
{
	return BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_ops) != 0;
}

// before_last handles what had come unseen when the last request was sent. Not
// sooner: another thread might have just read it, and be about to tell.
inline_ void before_last(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	u32 n = h->asked_read - h->read;

	if ((int)n <= 0 || encrypted(w->sk))
		return;
	h->read = h->asked_read;
	gone_by(h, c, g, w, n, h->asked_tail);
}

// asked comes before each request that is kept.
noinline_ int asked(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	u32 seq;

	if (!h || !c || !g || !w)
		return 0;
	if (h->lost) {
		h->lost = 0;
		h->a.state = D_IDLE;
	}
	if (c->role != ROLE_CLIENT || (g->flags & T_POLLS))
		return 0;
	seq = read_so_far(w->sk);
	if (h->seen)
		before_last(h, c, g, w);
	else
		h->read = seq;
	h->asked_read = seq;
	h->asked_tail = h->tail;
	return 0;
}

// catch_up comes before a client looks at bytes that it has received, and when
// the connection is closed (0).
noinline_ int catch_up(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 bytes)
{
	u32 seq;
	int n;

	if (!h || !c || !g || !w || !h->seen || (g->flags & T_POLLS))
		return 0;
	seq = read_so_far(w->sk);
	n = seq - bytes - h->read;
	if (n && encrypted(w->sk)) {
		h->read = seq;
		return 0;
	}
	if (n && (int)(seq - bytes - h->asked_read) >= 0) {
		before_last(h, c, g, w);
		n = seq - bytes - h->read;
	}
	h->read = seq;
	if (n > !bytes) { // the end of the connection counts as a byte
		gone_by(h, c, g, w, n, h->tail);
	} else if (n < 0 && h->seen > 1) { // answers were taken as unseen too soon
		unreadable(h, c, g, w, h->tail);
		h->owed = OWED_FOREVER;
	}
	return 0;
}
