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
inline_ bool forget(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];

	if (!__sync_lock_test_and_set(&r->live, 0))
		return false;
	g = receiver_of(h, g, w);
	less_open(g, r);
	if (r->role == ROLE_SERVER && g && !(g->flags & (T_GO | T_PROXY)) && h->tgid == w->tgid && r->tid != w->tid)
		g->trust = TRUST_MOVED;
	let_go(h->tgid, g, w, r);
	lose(r->pid, DROP_UNREADABLE);
	left_slot(h, r, w->sk);
	return true;
}

struct forgetting {
	struct http1 *h;
	struct conn *c;
	struct target *g;
	struct who *w;
};

static long forget_one(u32 i, struct forgetting *f)
{
	struct http1 *h = f->h;

	if (h->head == h->tail && !refill(h, f->w->sk))
		return 1;
	return !forget(h, f->c, f->g, f->w);
}

// unreadable drops the n oldest requests: an answer without a head has come. Where
// more than one was waited for, nobody can tell whose it is, nor whose all later
// ones are.
noinline_ int unreadable(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 n)
{
	struct forgetting f = {.h = h, .c = c, .g = g, .w = w};
	u32 waiting;

	if (!h || !c || !g || !w)
		return 0;
	waiting = n + h->owed;
	if (!waiting || (int)n < 0)
		return 0;
	bpf_loop(waiting > 1 ? pending(h) : n, forget_one, &f, 0);
	h->owed = waiting > 1 ? OWED_FOREVER : 0;
	h->a.state = D_LOST;
	h->lost = !pending(h);
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
		if (n > d->left)
			return SKIP_NO_HEAD;
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

// gone_by handles n bytes of answers, all of them to the oldest requests. When
// such an answer ended is not known: its first byte is the last that was seen.
inline_ void gone_by(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 n, u32 oldest)
{
	int how = skip(&h->a, n);
	u64 now = w->now;

	if (how == SKIP_NO_HEAD) {
		unreadable(h, c, g, w, oldest);
	} else if (how == SKIP_ENDED || (how == SKIP_TAIL && oldest != pending(h))) {
		w->now = h->a.start_ns;
		ended(h, c, g, w);
		w->now = now;
	}
}

// read_so_far is how many bytes the process has read of the connection, its end
// not counted: the kernel counts that as one (tcp_recvmsg_locked in net/ipv4/tcp.c).
inline_ u32 read_so_far(struct tcp_sock *tp)
{
	u32 seq = tp->copied_seq;
	bool ended = ((struct sock *)tp)->__sk_common.skc_flags >> SOCK_DONE_BIT & 1;

	return ended && seq == tp->rcv_nxt ? seq - 1 : seq;
}

// begun finds out, once, how a connection begins. sent bytes that are still on
// their way are not counted yet; received ones are.
inline_ void begun(struct conn *c, struct tcp_sock *tp, bool sent, int bytes)
{
	u32 unread, before;

	if (c->begun)
		return;
	c->tcp = tp != 0;
	c->begun = c->fresh ? BEGUN_SEEN : BEGUN_BEFORE;
	if (!tp || c->fresh)
		return;
	unread = tp->rcv_nxt - tp->copied_seq;
	before = (u32)tp->bytes_received - unread - (sent ? 0 : bytes);
	if ((int)before <= 0 && tp->bytes_sent <= (sent ? bytes : 0))
		c->begun = BEGUN_SEEN;
}

// encrypted: by the kernel. Then copied_seq counts other bytes than the process gets.
inline_ bool encrypted(u64 sk)
{
	return BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_ops) != 0;
}

// kept_ever is how many requests were kept up to now.
inline_ u32 kept_ever(const struct http1 *h)
{
	return h->tail + h->last - h->first;
}

// before_last handles what had come unseen when the last request was sent. Not
// sooner: another thread might have just read it, and be about to tell.
inline_ void before_last(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	u32 n = h->asked_read - h->read;

	if ((int)n <= 0 || encrypted(w->sk))
		return;
	h->read = h->asked_read;
	gone_by(h, c, g, w, n, h->asked_last - h->head);
}

// early_answer settles the requests of a call whose answer another thread has read
// before they were looked at. True: there was one.
noinline_ int early_answer(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	struct request *r;
	u8 early;

	if (!h || !c || !g || !w || !h->early || h->head == h->tail)
		return false;
	r = &h->slot[h->head & (SLOTS - 1)];
	early = h->early;
	h->early = EARLY_NONE;
	if (early == EARLY_MANY) {
		unreadable(h, c, g, w, pending(h));
		return true;
	}
	r->status = h->a.status;
	r->answered_ns = w->now;
	r->bits |= BIT_ANSWERED;
	h->proven = 1;
	if (early == EARLY_BEGUN && !(r->bits & BIT_HEAD))
		return true; // it ends with its body
	h->a.state = D_IDLE;
	finish(h, c, g, w, FAULT_NONE);
	return true;
}

// asked comes before each request that is kept.
noinline_ int asked(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	if (!h || !c || !g || !w)
		return 0;
	if (h->lost) {
		h->lost = 0;
		h->a.state = D_IDLE;
	}
	if (c->role != ROLE_CLIENT || !c->tcp || (g->flags & T_POLLS))
		return 0;
	if (h->seen)
		before_last(h, c, g, w);
	else
		h->read = w->seq;
	h->asked_read = w->seq;
	h->asked_last = kept_ever(h);
	return 0;
}

// catch_up comes before a client looks at bytes that it has received, and when
// the connection is closed (0).
noinline_ int catch_up(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 bytes)
{
	u32 seq;
	int n;

	if (!h || !c || !g || !w || !h->seen || !c->tcp || (g->flags & T_POLLS))
		return 0;
	seq = w->seq;
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
	if (n > 0) {
		gone_by(h, c, g, w, n, pending(h));
	} else if (n < 0 && h->seen > 1) { // answers were taken as unseen too soon
		unreadable(h, c, g, w, pending(h));
		h->owed = OWED_FOREVER;
	}
	return 0;
}

// caught_up comes before a server looks at bytes that it has received: others may
// have gone by, moved by splice or dropped by MSG_TRUNC.
noinline_ int caught_up(struct http1 *h, struct who *w, u32 bytes)
{
	struct target *g;
	struct dir *d;
	u32 tgid;
	int n;

	if (!h || !w)
		return 0;
	d = &h->q;
	n = w->seq - bytes - h->read;
	h->read = w->seq;
	if (!h->seen || n <= 0 || encrypted(w->sk))
		return 0;
	if (d->state == D_LEN && n <= d->left) {
		d->left -= n;
		d->body += n;
		if (!d->left)
			d->state = D_IDLE;
		return 0;
	}
	if (d->state == D_CHUNK) { // it ends with its answer
		d->state = D_TAIL;
		return 0;
	}
	d->state = D_LOST;
	tgid = w->tgid;
	g = bpf_map_lookup_elem(&targets, &tgid);
	lose(g ? g->pid : 0, DROP_UNREADABLE);
	return 0;
}
