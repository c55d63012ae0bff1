// SPDX-License-Identifier: (MIT OR GPL-2.0)
// HTTP/2 without encryption, and gRPC on it, from the preface of a connection on. Many
// requests are under way at once on one connection: each is a stream.
//
// Frames are followed here. Header blocks go to user space as they are, in order, with
// what ends a stream: there they are read, and requests paired with their answers.
// Bodies never leave the process's memory.
// Hooks: the programs of engine.bpf.c go on with those below; writing.h has what is written.
#pragma once

#include "turned.h"
#include "../include/ring.h"
#include "served.h"
#include "writing.h"

struct http2_turn {
	struct turn;
	struct http2 *h;
	struct frames *d; // the direction that the call moves
	u32 by_client;
	u32 _pad1;
	struct head *head; // of a client of Go's server, else 0
	struct ahead *ahead;
};

// look_for_own looks at a request that goes out without a header of ours: its process may
// have written one.
inline_ void look_for_own(struct http2_turn *t, struct http2_event *e, u32 n)
{
	struct http2 *h = t->h;

	if (t->d->fresh)
		h->marked = (e->r.bits & BIT_INJECTED) != 0;
	if (h->marked || h->own || !(t->g->flags & T_PROPAGATE))
		return;
	if (carries_piece(h, &e->block, n, e->n.bits & NOTE_FIRST))
		h->own = 1;
	else if (t->d->fresh)
		lose(t->g->pid, NO_HEADER);
}

// look_at_served looks at what begins and ends what a server of Go's serves.
inline_ void look_at_served(struct http2_turn *t, struct http2_event *e, u32 n)
{
	struct head *head = t->head;
	u32 over = how_over(&e->n);

	if (over) {
		end_served(t->g, &t->w, t->h->cookie, e->n.stream, over);
		return;
	}
	if (!head || e->n.kind != TELL_BLOCK || !t->by_client)
		return;
	if (e->n.bits & NOTE_NEW)
		begin_served(head, t->g, &t->w, t->room, t->h->cookie);
	if (read_head(head, n))
		finish_served(head, &t->w, t->h->cookie);
}

// read_block reads the next n bytes of a header block.
inline_ bool read_block(struct http2_turn *t, struct header_block *to, u32 n)
{
	u32 off;

	if (t->src.opaque)
		return false;
	off = read_ahead(t->ahead, &t->src, n);
	barrier_var(off);
	barrier_var(n);
	if (n > CHUNK)
		return false;
	if (off < AHEAD)
		return !bpf_probe_read_kernel(to->b, n, t->ahead->b + off);
	return !read_bytes(&t->src, to->b, n);
}

// tell sends an event with the next n bytes of the call. False: they cannot be read.
inline_ bool tell(struct http2_turn *t, u32 n)
{
	struct http2_event *e;
	long full;

	t->w.stream = t->d->stream;
	if (!is_new(t->h, t->d, t->by_client))
		begin_note(t->h, &t->w);
	else if (!t->c->carries || !take_pending(t->h, t->d->stream))
		begin_request2(t->h, t->c, t->g, &t->w, t->room);
	finish_note(t->h, t->d, t->by_client, n);
	e = room_in(http2_rooms);
	barrier_var(n);
	if (!e || n > CHUNK || (n && !read_block(t, &e->block, n)))
		return false;
	if (n && t->by_client && t->c->role == ROLE_CLIENT)
		look_for_own(t, e, n);
	if (t->g->flags & T_STREAMS && t->c->role == ROLE_SERVER)
		look_at_served(t, e, n);
	full = !has_share(t->g->pid, sizeof(e->r) + sizeof(e->n) + n) ||
	       bpf_ringbuf_output(&events, e, sizeof(e->r) + sizeof(e->n) + n, 0);
	if (full && t->d->fresh)
		lose(t->g->pid, DROP_RING_FULL); // of what else is missing user space finds out by seq
	return true;
}

// pass_turned passes over the answer of HTTP/1 with which the call has begun.
static long pass_turned(u32 i, struct http2_turn *t)
{
	struct source *s = &t->src;
	u32 n = t->c->turned;

	if (!n || !s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (n > s->left)
		n = s->left;
	consume(s, n);
	t->c->turned -= n;
	return 0;
}

static long frame_step(u32 i, struct http2_turn *t)
{
	struct source *s = &t->src;
	struct frames *d = t->d;
	u32 block = 0, n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->part >= PART_BLOCK) {
		n = payload(d, s->left, t->by_client);
		block = d->kind == TELL_BLOCK ? n : 0;
	} else {
		n = take_head(s, d, t->ahead);
		if (n && s->complete && !understood(d, t->by_client))
			n = 0;
	}
	if (!n || n > s->left || (d->kind && !tell(t, block))) {
		t->stuck = 1;
		return 1;
	}
	go_on(d);
	consume(s, n);
	return !s->total;
}

// may_carry notes whether headers can be written into what a client sends from here on: it
// has just sent the beginning of the connection. One that blocks leaves the map.
inline_ void may_carry(struct http2_turn *t, struct sock *sk, u32 bytes)
{
#ifndef SESSIONS
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	t->c->carries = CARRIES_NOT;
	if (!tp || !t->c->mapped || t->h->role != ROLE_CLIENT || (t->g->flags & (T_PROPAGATE | T_MANY)) != T_PROPAGATE)
		return;
	t->h->first_seq = tp->write_seq - bytes;
	if (BPF_CORE_READ(sk, sk_socket, file, f_flags) & NONBLOCKING)
		t->c->carries = CARRIES;
#else
	t->c->carries = CARRIES_NOT;
#endif
}

// http2_of finds or begins what is kept of a connection.
inline_ struct http2 *http2_of(struct sock *sk, struct http2_turn *t)
{
	struct http2 *h = books_in(http2s, sk);
	struct beginning *b;

	if (h)
		return h;
	h = books_begun(http2s, sk);
	if (!h) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	h->cookie = connection_number(sk);
	h->pid = t->g->pid;
	h->role = t->c->role;
	next_part(&h->q, PART_PREFACE, PREFACE_LEN);
	next_part(&h->a, PART_HEAD, FRAME_HEAD);
	b = begins_with(&t->src, t->c);
	if (b && b->midway && !is_reserved(b->b)) {
		next_part(&h->q, PART_HEAD, FRAME_HEAD);
		next_part(&h->a, PART_SYNC, 0);
		h->q.events = h->a.events = 1; // one is missing: all that came before
	} else if (h->role == ROLE_CLIENT) {
		t->c->carries = CARRIES_MAYBE; // what it has sent may be told of later
	}
	return h;
}

// in_step tells whether frames can be followed: where the connection was joined midway
// they can from the first call on that begins with one.
inline_ bool in_step(struct http2_turn *t)
{
	struct beginning *b;

	if (t->d->part != PART_SYNC)
		return true;
	b = begins_with(&t->src, t->c);
	if (!b || !is_answer(b, t->h->newest))
		return false;
	next_part(t->d, PART_HEAD, FRAME_HEAD);
	return true;
}

// http2_moved looks at bytes that moved through a socket of a watched process.
inline_ void http2_moved(struct sock *sk, int bytes, bool sent)
{
	struct http2_turn t = {};

	if (!begin_turn((struct turn *)&t, sk, bytes))
		return;
	t.h = http2_of(sk, &t);
	t.ahead = room_in(aheads);
	if (!t.h || !t.ahead)
		return;
	t.ahead->n = 0;
	t.by_client = by_client((struct turn *)&t, sent);
	t.d = t.by_client ? &t.h->q : &t.h->a;
	if (t.g->flags & T_STREAMS && t.by_client && !sent)
		t.head = books_begun(http2_heads, sk);
	if (sent && t.h->q.part == PART_PREFACE && !t.h->sent)
		may_carry(&t, sk, bytes);
	if (t.c->turned)
		bpf_loop(MAX_PIECES, pass_turned, &t, 0);
	if (!in_step(&t))
		return;
	bpf_loop(MAX_PIECES, frame_step, &t, 0);
	if (sent) // now that all of it has been followed, see in_sequence
		__sync_fetch_and_add(&t.h->sent, bytes);
	if (is_followed((struct turn *)&t))
		return;
	note_ends(t.h, TELL_LOST, 0);
	if (t.g->flags & T_STREAMS && t.c->role == ROLE_SERVER)
		end_all_served(t.g, &t.w, t.h);
	books_ended(http2_heads, sk);
	leave((struct turn *)&t, t.h->seen);
	books_ended(http2s, sk);
}

ROOM_PROGRAMS(http2, http2_moved)

// http2_closed ends the streams that will never be answered.
inline_ void http2_closed(struct sock *sk, u32 fault)
{
	struct http2 *h = books_in(http2s, sk);

	struct who nobody = {};
	struct target *g;

	if (!h)
		return;
	note_ends(h, TELL_CLOSED, fault);
	if (books_in(http2_heads, sk)) {
		g = target_of(h->asker.tgid);
		if (g)
			end_all_served(g, &nobody, h);
		books_gone(http2_heads, sk);
	}
	books_gone(http2s, sk);
}
