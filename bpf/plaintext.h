// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a session of TLS has moved goes through the rooms of protocols, as the bytes of a
// socket do (moved.h). What concerns sockets alone is not here: nothing is written, and
// nothing goes by unseen.
#pragma once

#include "recognise.h"

// plaintext handles what the thread's call has moved. It returns the room that goes on
// with it, 0 if that is done.
inline_ u32 plaintext(struct session *s, struct call *call, struct target *g, bool sent)
{
	struct sock *at = (struct sock *)call->session; // a number, see storage.h
	struct conn *c = &s->c;
	struct feed f = {.g = g, .c = c, .win = scratch()};

	if (!f.win)
		count(DROP_TABLE_FULL);
	if (!f.win || c->ignored)
		return 0;
	if (c->protocol)
		return c->protocol;
	if (!c->begun)
		c->begun = BEGUN_BEFORE;
	f.h = books_in(http1s, at);
	if (!f.h && !worth_a_look(c, sent))
		return 0;
	f.w = who_runs(at, bpf_get_current_pid_tgid());
	f.w.now = call->now;
	f.w.waits = s->waits;
	f.src.now = sent && s->tried_ns ? s->tried_ns : call->now;
	f.src.ptr = call->ptr;
	f.src.left = call->n;
	f.src.total = call->n;
	if (!f.h && recognised(&f, sent))
		return c->protocol;
	if (!f.h && !begin_books(&f, at, sent))
		return 0;
	if (c->role == (sent ? ROLE_CLIENT : ROLE_SERVER))
		requests(&f, at, call->n);
	else
		answers(&f, at, call->n);
	return 0;
}

// fault_at_end tells how the oldest request of a session ends. See whose_fault.
inline_ u32 fault_at_end(struct http1 *h, struct conn *c, u32 fault)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];

	if (h->head == h->tail || !(r->bits & BIT_ANSWERED))
		return fault;
	if ((h->a.state == D_CLOSE || h->a.state == D_TAIL) && fault == FAULT_CLOSED)
		return FAULT_NONE;
	return c->role == ROLE_CLIENT && fault == FAULT_CLOSED ? FAULT_NONE : fault;
}

// end_unanswered_of ends the requests of a session that is over.
inline_ void end_unanswered_of(struct session *s, u64 session, struct http1 *h, u32 fault)
{
	struct ending e = {.h = h, .c = &s->c, .w = {.sk = session, .now = bpf_ktime_get_ns()}};
	u32 tgid = h->tgid;

	e.g = bpf_map_lookup_elem(&targets, &tgid);
	finish(h, e.c, e.g, &e.w, fault_at_end(h, e.c, fault));
	end_all(&e, fault);
}

// end_session ends what will never be answered, and the books. It may run in any task.
inline_ void end_session(u64 session, u32 fault)
{
	struct session *s = books_in(conns, session);
	struct sock *at = (struct sock *)session;
	struct http1 *h;
	u64 sk, *of;

	if (!s)
		return;
	if (s->fault)
		fault = s->fault;
	if (s->c.protocol)
		room_closing(&s->c, at, fault);
	h = books_in(http1s, at);
	if (h && pending(h))
		end_unanswered_of(s, session, h, fault);
	sk = s->sk;
	of = bpf_map_lookup_elem(&socket_sessions, &sk);
	if (of && *of == session)
		bpf_map_delete_elem(&socket_sessions, &sk);
	books_ended(http1s, at);
	books_ended(conns, at);
}

// end_session_of does so for that of a socket.
inline_ void end_session_of(struct sock *sk)
{
	u64 key = (u64)sk, *session = bpf_map_lookup_elem(&socket_sessions, &key);

	if (session)
		end_session(*session, fault_of(sk));
}
