// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Handshakes of TLS on sockets, whoever encrypts: what both sides say in the clear, how long
// it takes, and how it ends.
//
// Records are followed here until the handshake is over. What was said goes to user space as
// one event, and is read there. From then on the connection costs what any other does that
// cannot be read.
//
// Over is TLS up to 1.2 when both sides have sent what comes behind their ChangeCipherSpec,
// TLS 1.3 with the client's first encrypted record (its Finished, or what comes before that),
// or, with early data, the server's.
// Hooks: the programs of engine.bpf.c go on with those below.
#pragma once

#include "../include/ring.h"
#include "records.h"

// handshake_begins recognises a ClientHello (RFC 8446, 4.1.2), in a record of its own if what came
// before was not seen.
inline_ u32 handshake_begins(struct beginning *b)
{
#ifndef SESSIONS
	if (b->b[0] != RECORD_HANDSHAKE || (b->n > 1 && b->b[1] != 3) || (b->n > 5 && b->b[5] != HELLO_CLIENT))
		return BEGINS_NOT;
	if (!b->midway)
		return BEGINS_CLIENT;
	if (b->n > 10 && !b->b[6] && (b->b[3] << 8 | b->b[4]) == (b->b[7] << 8 | b->b[8]) + 4 && b->b[9] == 3 && b->b[10] <= 3)
		return BEGINS_CLIENT;
#endif
	return BEGINS_NOT; // what is in a session is not asked
}

#ifdef SESSIONS

inline_ void handshake_closed(struct sock *sk, u32 fault) {}

#else

struct handshake_turn {
	struct source src;
	struct handshake *h;
	struct way_said *d;
	u32 by_client;
	u32 ended; // enum shaken
	u32 stuck;
	u32 _pad;
};

// take_record_head takes bytes of a record's head.
inline_ u32 take_record_head(struct handshake_turn *t)
{
	struct source *s = &t->src;
	struct way_said *d = t->d;
	u32 at = d->got, n;

	barrier_var(at);
	if (at >= RECORD_HEAD)
		return 0;
	n = s->left < RECORD_HEAD - at ? s->left : RECORD_HEAD - at;
	barrier_var(n);
	if (n > RECORD_HEAD || read_bytes(s, d->head + at, n))
		return 0;
	d->got = at + n;
	if (d->got < RECORD_HEAD)
		return n;
	if (!is_record(t->h, d, t->by_client)) {
		// Who is asked by TLS and knows none.
		t->ended = !t->by_client && !d->records ? ENDED_OTHER : SHAKES;
		return t->ended ? n : 0;
	}
	d->left = d->len;
	if (!d->left)
		t->ended = record_came(t->h, d, t->by_client);
	return n;
}

// keep_said keeps what is said in the clear, as far as there is room.
inline_ u32 keep_said(struct handshake_turn *t, u32 n)
{
	struct way_said *d = t->d;
	u32 at = d->kept;
	u8 *to = t->by_client ? t->h->client : t->h->server;

	barrier_var(at);
	if (at >= SAID_MAX)
		return n;
	if (n > SAID_MAX - at)
		n = SAID_MAX - at;
	if (n > SAID_PIECE)
		n = SAID_PIECE;
	barrier_var(n);
	if (n > SAID_PIECE || read_bytes(&t->src, to + at, n))
		return 0;
	d->kept = at + n;
	return n;
}

// take_rest takes bytes of what a record holds.
inline_ u32 take_rest(struct handshake_turn *t)
{
	struct source *s = &t->src;
	struct way_said *d = t->d;
	u32 n = s->left < d->left ? s->left : d->left;

	if (d->head[0] == RECORD_HANDSHAKE && !d->changed) {
		n = keep_said(t, n);
	} else if (d->head[0] == RECORD_ALERT && d->len == 2 && n) {
		n = 1;
		if (read_bytes(s, &t->h->n.alert[d->left == 1], 1))
			return 0;
	}
	if (!n || n > d->left)
		return 0;
	d->left -= n;
	if (!d->left)
		t->ended = record_came(t->h, d, t->by_client);
	return n;
}

static long record_step(u32 i, struct handshake_turn *t)
{
	struct source *s = &t->src;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	n = t->d->got < RECORD_HEAD ? take_record_head(t) : take_rest(t);
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	consume(s, n);
	return t->ended || !s->total;
}

// tell_shaken tells of a handshake that is over, once.
inline_ void tell_shaken(struct handshake *h, u32 ended, u64 now)
{
	u32 kept = h->s.kept;

	if (!h->begun || __sync_lock_test_and_set(&h->over, 1))
		return;
	h->r.end_ns = now;
	h->n.ended = ended;
	h->n.client = h->c.kept;
	h->n.server = kept;
	barrier_var(kept);
	if (kept > SAID_MAX)
		return;
	h->r.head_len = sizeof(h->n) + SAID_MAX + kept;
	if (!has_share(h->r.pid, sizeof(h->r) + sizeof(h->n) + SAID_MAX + kept) ||
	    bpf_ringbuf_output(&events, &h->r, sizeof(h->r) + sizeof(h->n) + SAID_MAX + kept, 0))
		lose(h->r.pid, DROP_RING_FULL);
}

// handshake_of finds or begins what is kept of a handshake. The client is who sends first.
inline_ struct handshake *handshake_of(struct sock *sk, struct target *g, struct task_struct *task, bool sent)
{
	struct handshake *h = bpf_sk_storage_get(&handshakes, sk, 0, 0);

	if (h)
		return h;
	h = bpf_sk_storage_get(&handshakes, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!h) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	h->r.start_ns = bpf_ktime_get_ns();
	h->r.pid = g->pid;
	h->r.tid = task->pid;
	h->r.role = sent ? ROLE_CLIENT : ROLE_SERVER;
	h->r.protocol = PROTOCOL_HANDSHAKE;
	h->r.req_body = -1;
	h->r.resp_body = -1;
	remember_tuple(&h->r.ends, (u64)sk);
	return h;
}

// leave_encrypted has nobody look at the connection any more: it is encrypted, or as it was before.
inline_ void leave_encrypted(struct sock *sk, struct conn *c)
{
	c->protocol = 0;
	c->role = ROLE_UNKNOWN;
	c->ignored = 1;
	bpf_sk_storage_delete(&handshakes, sk);
}

// take_records follows the records that a call has moved.
inline_ void take_records(struct handshake_turn *t, struct task_struct *task, int bytes)
{
	struct who w;

	open_call(&t->src, &w, (void *)bpf_task_pt_regs((void *)task), bytes);
	if (t->src.opaque)
		t->stuck = 1;
	else
		bpf_loop(MAX_PIECES, record_step, t, 0);
}

// handshake_moved looks at bytes that moved through a socket of a watched process.
inline_ void handshake_moved(struct sock *sk, int bytes, bool sent)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct target *g = target_of(task->tgid);
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct handshake_turn t = {};
	u64 now = bpf_ktime_get_ns();

	if (!g || !c)
		return;
	t.h = handshake_of(sk, g, task, sent);
	if (!t.h)
		return leave_encrypted(sk, c);
	t.by_client = (t.h->r.role == ROLE_CLIENT) == sent;
	t.d = t.by_client ? &t.h->c : &t.h->s;
	take_records(&t, task, bytes);
	if (!t.by_client && !t.h->r.answered_ns)
		t.h->r.answered_ns = now;
	if (t.ended)
		tell_shaken(t.h, t.ended, now);
	else if (!t.stuck && !t.src.total)
		return;
	else if (t.h->begun)
		lose(g->pid, t.src.opaque ? DROP_UNREADABLE : t.stuck ? DROP_UNPARSABLE : DROP_TOO_MANY_PIECES);
	leave_encrypted(sk, c);
}

ROOM_PROGRAMS(handshake, handshake_moved)

// handshake_closed tells of a handshake that its connection has ended.
inline_ void handshake_closed(struct sock *sk, u32 fault)
{
	struct handshake *h = bpf_sk_storage_get(&handshakes, sk, 0, 0);

	if (!h)
		return;
	h->r.fault = fault;
	tell_shaken(h, ENDED_CLOSED, bpf_ktime_get_ns());
}

#endif
