// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What user space is told of a connection: header blocks, and what ends streams.
#pragma once

#include "../exchange/turn.h"
#include "../exchange/asking.h"
#include "frame.h"

// Bits of note.bits. NOTE_NEW: a request begins. NOTE_PROMISE: it is pushed.
// NOTE_TIED: its parent is that of who has asked for it, whoever writes it.
enum { NOTE_FIRST = 1, NOTE_LAST = 2, NOTE_END_STREAM = 4, NOTE_NEW = 8, NOTE_PROMISE = 16, NOTE_TIED = 32 };

// note is the head of an event, behind struct request, of which only that of a new
// request is filled in.
struct note {
	u64 conn; // cookie of the socket
	u32 stream;
	u32 seq;   // of the events of its direction
	u32 code;  // of a reset; closed: seq of the server's direction
	u8 kind;   // enum tell
	u8 by_client;
	u8 bits;
	u8 _pad;
};

// header_block is bytes of one, as far as they are in one event.
struct header_block {
	u8 b[CHUNK];
};

struct http2_event {
	struct request r;
	struct note n;
	struct header_block block;
};

struct short_http2_event {
	struct request r;
	struct note n;
};

ROOM(http2_rooms, struct http2_event);

#define PENDING 16 // requests of one message that get a header

// pending is a request whose header has been written, and whose message is on its way.
struct pending {
	struct request r;
	u32 stream; // 0: none
	u32 _pad;
};

// writing is where the programs are in a message. In the socket's storage: on the stack the
// verifier would follow each value through every frame.
struct writing {
	u32 start; // where the first frame begins: behind the rest of one
	u32 at;    // where the next one does
	u32 fresh; // requests that begin
	u32 newest;
	u32 found; // a field was found that the process has written
	u32 bad;   // what is there is not as it should be
	u32 writes; // the next request is looked for, to write its header; its stream
	u32 stream;
	u32 begin; // ... where its frame begins
	u32 end;   // ... and ends, 0: not found
	u32 len;   // ... and its length
};

struct frame_head {
	u8 b[16];
};

// http2 is freed by the kernel with the socket.
struct http2 {
	struct frames q; // of the client
	struct frames a; // of the server
	struct asker asker;
	u64 cookie;
	u32 newest; // stream of the newest request
	u32 pid;    // of the process, in user space
	u8 role;
	u8 seen;   // something was told
	u8 closed;
	u8 own;    // the process writes headers itself, or nobody knows whether it does
	u8 marked; // the client's header block has a header of ours
	u8 seam[8]; // last bytes of the block's piece before, and first ones of this
	u8 _pad[3];
	u32 first_seq; // clients: write_seq before the first byte
	u32 sent;      // ... bytes that were sent since, as the process knows them
	u32 inserted;  // ... and those of headers
	u32 _pad1;
	struct writing writing;
	struct header_block look; // for what writes headers
	struct pending pending[PENDING];
};

BOOKS(http2s, struct http2, BOOKS_FEW);

struct pending_search {
	struct http2 *h;
	u32 stream;
	u32 at; // PENDING: none
};

static long is_pending(u32 i, struct pending_search *s)
{
	u32 at = i;

	barrier_var(at);
	if (at >= PENDING || s->h->pending[at].stream != s->stream)
		return 0;
	s->at = at;
	return 1;
}

// take_pending fills in what was told of a request when its header was written. False:
// none was.
noinline_ int take_pending(struct http2 *h, u32 stream)
{
	struct pending_search s = {.h = h, .stream = stream, .at = PENDING};
	struct http2_event *e = room_in(http2_rooms);
	u32 at;

	if (!h || !e)
		return 0;
	bpf_loop(PENDING, is_pending, &s, 0);
	at = s.at;
	barrier_var(at);
	if (at >= PENDING)
		return 0;
	__builtin_memcpy(&e->r, &h->pending[at].r, sizeof(e->r));
	h->pending[at].stream = 0;
	return 1;
}

// tie_stream ties a connection to the goroutine that has asked gRPC's library for the stream
// which w->goid begins. 0: nobody is known to have.
noinline_ int tie_stream(struct who *w, u32 role)
{
	struct grpc_key key = {};
	struct grpc_tie *t;
	u64 sk;

	if (!w || role != ROLE_CLIENT || !w->goid || !w->stream)
		return 0;
	key.at = w->goid;
	key.tgid = w->tgid;
	key.stream = w->stream;
	t = bpf_map_lookup_elem(&grpc_ties, &key);
	if (!t)
		return 0;
	sk = socket_below(w->sk);
	return !bpf_map_update_elem(&go_ties, &sk, &t->tie, BPF_ANY);
}

// begin_request2 fills in what is told of a request that begins.
noinline_ int begin_request2(struct http2 *h, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct http2_event *e = room_in(http2_rooms);
	int tied;

	if (!e || !h || !c || !g || !w || !room)
		return 0;
	whose_call(&h->asker, c, g, w, room);
	tied = tie_stream(w, c->role);
	tell_of(&e->r, &h->asker, c, g, w);
	if (tied)
		e->r.bits |= BIT_TIED;
	return 1;
}

// begin_note fills in what is told of anything else.
noinline_ int begin_note(struct http2 *h, struct who *w)
{
	struct http2_event *e = room_in(http2_rooms);

	if (!e || !h || !w)
		return 0;
	__builtin_memcpy(&e->r, &no_request, sizeof(e->r));
	e->r.start_ns = w->now;
	e->r.tid = w->tid;
	e->r.pid = h->pid;
	e->r.role = h->role;
	e->r.protocol = PROTOCOL_HTTP2;
	return 1;
}

// bits_of_block tells what an event with bytes of a header block is.
inline_ u8 bits_of_block(struct frames *d)
{
	u8 bits = d->told_first ? 0 : NOTE_FIRST;

	if (d->fresh)
		bits |= NOTE_NEW;
	if (d->block_type == PUSH_PROMISE)
		bits |= NOTE_PROMISE;
	if (d->left == d->pad && d->flags & END_HEADERS)
		bits |= NOTE_LAST;
	if (d->block_type == HEADERS && d->block_flags & END_STREAM)
		bits |= NOTE_END_STREAM;
	return bits;
}

// is_new tells whether a header block that begins is that of a request: the ids of
// streams only grow, trailers come on one that is known.
noinline_ int is_new(struct http2 *h, struct frames *d, u32 by_client)
{
	if (!h || !d)
		return 0;
	d->fresh = by_client && d->kind == TELL_BLOCK && !d->told_first && d->block_type == HEADERS && d->stream > h->newest;
	return d->fresh;
}

// finish_note fills in what is told of a frame, with n bytes of a header block.
noinline_ int finish_note(struct http2 *h, struct frames *d, u32 by_client, u32 n)
{
	struct http2_event *e = room_in(http2_rooms);

	if (!e || !h || !d)
		return 0;
	e->n.conn = h->cookie;
	e->n.stream = d->kind == TELL_GOAWAY ? be32_at(d->head) & 0x7fffffff : d->stream;
	e->n.seq = d->events++;
	e->n.code = d->kind == TELL_RESET ? be32_at(d->head) : 0;
	e->n.kind = d->kind;
	e->n.by_client = by_client;
	e->n.bits = d->kind == TELL_BLOCK ? bits_of_block(d) : 0;
	if (d->fresh && e->r.bits & BIT_TIED)
		e->n.bits |= NOTE_TIED;
	e->r.head_len = sizeof(e->n) + n;
	h->seen = 1;
	if (d->kind == TELL_BLOCK)
		d->told_first = 1;
	if (d->fresh) {
		h->newest = d->stream;
		count(COUNT_EXCHANGES);
	}
	return 1;
}

// note_ends sends the last event of a connection: its streams end.
noinline_ int note_ends(struct http2 *h, u32 kind, u32 fault)
{
	struct short_http2_event *e;

	if (!h || !h->seen || h->closed)
		return 0;
	h->closed = 1;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0; // user space sees it in the next event, or forgets the connection
	__builtin_memcpy(&e->r, &no_request, sizeof(e->r));
	e->r.start_ns = bpf_ktime_get_ns();
	e->r.pid = h->pid;
	e->r.role = h->role;
	e->r.protocol = PROTOCOL_HTTP2;
	e->r.fault = fault;
	e->r.head_len = sizeof(e->n);
	e->n.conn = h->cookie;
	e->n.stream = 0;
	e->n.seq = h->q.events;
	e->n.code = h->a.events;
	e->n.kind = kind;
	e->n.by_client = 1;
	e->n.bits = 0;
	e->n._pad = 0;
	bpf_ringbuf_submit(e, 0);
	return 1;
}
