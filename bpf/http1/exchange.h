// SPDX-License-Identifier: (MIT OR GPL-2.0)
// One request from its head to the end of its answer: the slots of http1.h
// become events.
#pragma once

#include "../exchange/ends.h"
#include "../exchange/finishing.h"
#include "../exchange/linking.h"
#include "../exchange/serving.h"
#include "body.h"
#include "event.h"
#include "naming.h"
#include "rules.h"
#include "unix.h"

// receiver_of finds the target that has received a request: another one may answer.
inline_ struct target *receiver_of(struct http1 *h, struct target *g, struct who *w)
{
	u32 tgid = h->tgid;

	return tgid == w->tgid ? g : bpf_map_lookup_elem(&targets, &tgid);
}

// finish ends the oldest request of the connection. w->tid is 0 where the
// current task has nothing to do with it; g is 0 where the process is gone. False:
// there is none, or it ends elsewhere at this moment.
noinline_ int finish(struct http1 *h, struct conn *c, struct target *g, struct who *w, u32 fault)
{
	struct short_event *event;
	struct request *r;

	if (!h || !c || !w || h->head == h->tail)
		return 0;
	r = &h->slot[h->head & (SLOTS - 1)];
	if (!__sync_lock_test_and_set(&r->live, 0))
		return 0;
	g = receiver_of(h, g, w);
	r->end_ns = w->now;
	r->fault = fault;
	r->resp_body = r->bits & BIT_ANSWERED ? (s64)h->a.body : -1;
	// Atomics wait for all that was written: none may come between here and the end.
	less_open(g, r);
	if (g && !(r->tflags & SAMPLED) && name_line(h, r) && (r->role == ROLE_SERVER || name_host(h, r)) && counted(r, g->turn)) {
		let_go(h->tgid, g, w, r);
		left_slot(h, r, w->sk);
		return 1;
	}
	event = short_room(h, r);
	if (event) {
		// It is sent later: until its cache lines have come, there is other work to do.
		write_short(event, h, r);
		let_go(h->tgid, g, w, r);
		sent_event(r);
		bpf_ringbuf_submit(event, 0);
	} else {
		let_go(h->tgid, g, w, r);
		if (long_share(r) && long_event(h, r, w->sk)) // what it calls would need more stack than there is
			sent_event(r);
		else
			lose(r->pid, DROP_RING_FULL);
	}
	left_slot(h, r, w->sk);
	return 1;
}

// receive starts the server span of the request whose head has just ended.
inline_ void receive(struct target *g, struct http1 *h, struct request *r)
{
	struct dir *d = &h->q;

	if (h->ends.family == AF_UNIX && take_over(h, r)) {
		random_ids(h->ids, 0, &r->span);
		r->link = LINK_HEADER;
	} else if (d->has_trace == 1) {
		random_ids(h->ids, 0, &r->span);
		child_of(r, d->trace, d->parent, d->tflags);
		r->link = LINK_HEADER;
	} else {
		begin_trace(g, r, h->ids);
		r->link = LINK_NONE;
		if (g->rules)
			by_rule(h, g, r);
	}
}

// ask starts the client span of the request whose head has just ended. A header that
// was not passed on was written by the application: its trace counts.
inline_ void ask(struct target *g, struct http1 *h, struct conn *c, struct request *r, struct who *w)
{
	struct dir *d = &h->q;

	link_client(g, c, r, w, h->ids);
	if (d->has_trace == 1 && !passed_on(&c->owner, d->trace, d->parent)) {
		child_of(r, d->trace, d->parent, d->tflags);
		r->link = LINK_HEADER;
		d->has_trace = 2;
	} else if (g->rules && r->link == LINK_NONE) {
		by_rule(h, g, r);
	}
}

// place_for returns the slot of the next request, or its place in the queue.
inline_ struct request *place_for(struct http1 *h, u64 sk)
{
	struct queued *q;
	struct request *r;

	if (must_queue(h)) {
		q = h->last - h->first < QUEUE_MAX ? enqueue(h, sk) : 0;
		return q ? &q->r : 0;
	}
	r = &h->slot[h->tail & (SLOTS - 1)];
	r->seq = 0;
	return r;
}

// placed makes a request known to the answer side.
inline_ void placed(struct http1 *h, struct request *r, bool queued)
{
	r->live = 1;
	if (queued) {
		__sync_fetch_and_add(&h->last, 1);
		return;
	}
	h->q.keep_off += h->q.keep_len;
	__sync_fetch_and_add(&h->tail, 1);
}

// incoming is the span id in the header that came in, 0: there was none.
inline_ u64 incoming(const struct dir *d)
{
	return d->has_trace == 1 ? d->parent : 0;
}

// push makes an event of a complete request head. False: too many, not kept.
noinline_ int push(struct http1 *h, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct dir *d;
	struct request *r;
	bool queued;

	if (!h || !c || !g || !w || !room)
		return 0;
	d = &h->q;
	w->g = h->tgid == w->tgid ? h->g : 0;
	if (c->role == ROLE_SERVER || g->serves)
		read_goroutine(g, w, c->role == ROLE_CLIENT, room);
	h->g = w->g;
	h->seen++;
	h->tgid = w->tgid;
	queued = must_queue(h);
	r = h->owed ? 0 : place_for(h, w->sk);
	if (!r) {
		__sync_fetch_and_add(&h->owed, 1);
		lose(g->pid, DROP_PIPELINED);
		return false;
	}
	r->start_ns = d->start_ns;
	r->answered_ns = 0;
	r->goid = w->goid;
	r->req_body = d->chunked ? -1 : d->length > 0 ? d->length : 0;
	r->pid = g->pid;
	r->tid = w->tid;
	r->target_hash = d->target_hash;
	r->status = 0;
	r->head_off = d->keep_off;
	r->head_len = d->keep_len;
	r->role = c->role;
	r->protocol = PROTOCOL_HTTP1;
	r->bits = d->bits | SOURCE_BITS;
	if (!h->ends.family)
		ends_of(&h->ends, w->sk);
	r->ends = h->ends;
	if (c->role == ROLE_SERVER) {
		receive(g, h, r);
		__sync_fetch_and_add(&g->open, 1);
		if (g->flags & T_GO)
			goroutine_serves(g, r, w, incoming(&h->q), pending(h) != 0);
		else
			thread_serves(g, r, w, incoming(&h->q), pending(h) != 0);
		if (g->flags & T_BATCHES)
			begin_waiting(g, r, w->tgid);
	} else {
		ask(g, h, c, r, w);
	}
	placed(h, r, queued);
	return true;
}

// came_early notes an answer to a request that is still to be looked at. Where the
// framing was lost it may be to any.
inline_ void came_early(struct http1 *h, struct conn *c)
{
	if (c->role == ROLE_CLIENT && !c->mapped && !h->owed && !h->lost && !h->unsure)
		h->early = h->early ? EARLY_MANY : EARLY_BEGUN;
}

// answer handles a complete response head. True: the answer ends here.
noinline_ int answer(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	struct dir *d;
	struct request *r;
	bool known;
	u8 bits;

	if (!h || !c || !g || !w)
		return 0;
	d = &h->a;
	if (h->head == h->tail)
		refill(h, w->sk);
	r = &h->slot[h->head & (SLOTS - 1)];
	known = h->head != h->tail;
	bits = known ? r->bits : 0;
	if (d->status >= 100 && d->status < 200 && d->status != 101) {
		d->state = D_IDLE; // an interim response; the real one follows
		return false;
	}
	if (!known)
		came_early(h, c);
	if (known) {
		r->status = d->status;
		r->answered_ns = d->start_ns;
		r->bits |= BIT_ANSWERED;
		h->proven = 1;
		if (c->role == ROLE_SERVER && !(g->flags & (T_GO | T_PROXY)) && h->tgid == w->tgid && r->tid != w->tid)
			g->trust = TRUST_MOVED;
		if (c->role == ROLE_SERVER)
			settled(g, r->span);
	}
	if (d->status == 101 || ((bits & BIT_CONNECT) && d->status < 300)) {
		c->ignored = 1; // a tunnel from here on
		return true;
	}
	// A body that was only announced (RFC 9110, 10.1.1) may never come.
	if (h->q.expect && h->q.state == D_LEN && !h->q.body) {
		h->q.state = D_TAIL;
		h->unsure = 1;
	}
	if ((bits & BIT_HEAD) || d->status == 204 || d->status == 304) {
		d->body = 0;
		d->state = D_IDLE;
		return true;
	}
	return begin_body(d, true);
}

// ended closes the books of one answer.
inline_ void ended(struct http1 *h, struct conn *c, struct target *g, struct who *w)
{
	h->a.state = D_IDLE;
	if (h->q.state == D_TAIL)
		h->q.state = D_IDLE;
	if (h->head == h->tail)
		refill(h, w->sk);
	if (h->head != h->tail)
		finish(h, c, g, w, FAULT_NONE);
	else if (h->owed)
		__sync_fetch_and_add(&h->owed, -1);
	else if (h->early == EARLY_BEGUN)
		h->early = EARLY_ENDED;
}

// ending is who ends the requests of a connection, and how. All that such a call has on its
// stack, in one: the compiler then lays it over what other calls have there.
struct ending {
	struct http1 *h;
	struct conn *c;
	struct target *g;
	struct who w;
	u32 fault;
	u32 _pad;
};

static long end_one(u32 i, struct ending *e)
{
	int more;

	if (e->h->head == e->h->tail && !refill(e->h, e->w.sk))
		return 1;
	more = finish(e->h, e->c, e->g, &e->w, e->fault);
	barrier_var(more); // the compiler knows that it is 0 or 1, the verifier does not
	return more ? 0 : 1;
}

// end_all ends all requests of a connection: no answer will come.
inline_ void end_all(struct ending *e, u32 fault)
{
	e->fault = fault;
	bpf_loop(SLOTS + QUEUE_MAX, end_one, e, 0);
}
