// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What user space is told of a connection: each request and each answer when its last
// byte has moved, with the bytes that it begins with; there they are paired and read.
#pragma once

#include "../exchange/asking.h"
#include "../include/ring.h"
#include "../exchange/turn.h"
#include "message.h"

// TELL_PART: bytes of an answer of which more follow. TELL_CLOSED: no more answers will
// come. TELL_STRAYED: ... or nobody can tell.
enum kafka_tell { KAFKA_ASKED = 1, KAFKA_ANSWERED, KAFKA_PART, KAFKA_CLOSED, KAFKA_STRAYED };

// kafka_note is the head of an event, behind struct request; bytes of the message follow.
struct kafka_note {
	u64 conn; // cookie of the socket
	u32 size; // of the message
	u8 kind;  // enum kafka_tell
	u8 _pad[3];
};

struct kafka_event {
	struct request r;
	struct kafka_note n;
	u8 head[KEPT];
};

struct short_kafka_event {
	struct request r;
	struct kafka_note n;
};

ROOM(kafka_rooms, struct kafka_event);

// kafka is freed by the kernel with the socket.
struct kafka {
	struct messages q; // of the client
	struct messages a; // of the server
	struct asker asker;
	struct request r; // of the request that is on its way
	u64 cookie;
	u32 names; // correlation of the last request that asked for topics
	u32 pid;   // of the process, in user space
	u8 naming; // it has no answer yet
	u8 role;
	u8 seen; // something was told
	u8 closed;
	u8 _pad[4];
};

BOOKS(kafkas, struct kafka, BOOKS_FEW);

// begin_asking begins what is told of a request, by what it begins with. 0: it is none.
noinline_ int begin_asking(struct kafka *k, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct messages *d;
	u32 key;

	if (!k || !c || !g || !w || !room)
		return 0;
	d = &k->q;
	key = be16_of(d->head);
	if (d->held < 8 || !has_version(key, be16_of(d->head + 2)))
		return 0;
	if (key == METADATA) {
		k->names = be32_of(d->head + 4);
		k->naming = 1;
	}
	if (key > FETCH)
		d->held = REQUEST_MIN; // what follows may be a password
	whose_call(&k->asker, c, g, w, room);
	tell_of(&k->r, &k->asker, c, g, w);
	k->r.start_ns = d->begun_ns;
	return 1;
}

// tell_message sends what is held of a message.
noinline_ int tell_message(struct kafka *k, struct who *w, u32 by_client)
{
	struct kafka_event *e = room_in(kafka_rooms);
	struct messages *d;
	u32 n;

	if (!e || !k || !w)
		return 0;
	d = by_client ? &k->q : &k->a;
	if (by_client) {
		__builtin_memcpy(&e->r, &k->r, sizeof(e->r));
	} else {
		__builtin_memcpy(&e->r, &no_request, sizeof(e->r));
		e->r.start_ns = d->begun_ns;
		e->r.pid = k->pid;
		e->r.role = k->role;
		e->r.protocol = PROTOCOL_KAFKA;
	}
	e->r.end_ns = w->now;
	n = d->held;
	barrier_var(n);
	if (n > KEPT)
		n = KEPT;
	e->r.head_len = sizeof(e->n) + n;
	e->n.conn = k->cookie;
	e->n.size = d->size;
	e->n.kind = by_client ? KAFKA_ASKED : d->left ? KAFKA_PART : KAFKA_ANSWERED;
	bpf_probe_read_kernel(e->head, KEPT, d->head);
	k->seen = 1;
	if (by_client && be16_of(d->head) <= FETCH)
		count(COUNT_EXCHANGES);
	if ((!has_share(e->r.pid, sizeof(e->r) + sizeof(e->n) + n) ||
	     bpf_ringbuf_output(&events, e, sizeof(e->r) + sizeof(e->n) + n, 0)) && by_client && be16_of(d->head) <= FETCH)
		lose(e->r.pid, DROP_RING_FULL); // of what else is missing user space finds out
	return 1;
}

// tell_end sends the last event of a connection.
noinline_ int tell_end(struct kafka *k, u32 kind, u32 fault)
{
	struct short_kafka_event *e;

	if (!k || !k->seen || k->closed)
		return 0;
	k->closed = 1;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0; // user space forgets the connection some day
	__builtin_memcpy(&e->r, &no_request, sizeof(e->r));
	e->r.start_ns = bpf_ktime_get_ns();
	e->r.end_ns = e->r.start_ns;
	e->r.pid = k->pid;
	e->r.role = k->role;
	e->r.protocol = PROTOCOL_KAFKA;
	e->r.fault = fault;
	e->r.head_len = sizeof(e->n);
	e->n.conn = k->cookie;
	e->n.size = 0;
	e->n.kind = kind;
	__builtin_memset(e->n._pad, 0, sizeof(e->n._pad));
	bpf_ringbuf_submit(e, 0);
	return 1;
}
