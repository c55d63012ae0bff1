// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests that a server of Go's has read become what others can be children of, once the
// library begins to serve them: golang/serve.h.
#pragma once

#include "../include/streams.h"
#include "head.h"

#define OPEN_LOOKED 512 // streams of a connection that ends
#define TOLD_AGAIN 64 // requests after which it is told again who reads the connection

// note_reader notes who reads the connection.
noinline_ int note_reader(struct head *head, struct target *g, struct who *w, u64 conn)
{
	struct reader_key key = {.is = head ? head->reader : 0, .tgid = w ? w->tgid : 0, .kind = READS};
	struct reader r = {.of = conn};

	if (!head || !g || !w)
		return 0;
	r.turn = g->turn;
	bpf_map_update_elem(&http2_readers, &key, &r, BPF_ANY);
	key.is = head->starter;
	key.kind = STARTED_READER;
	if (key.is)
		bpf_map_update_elem(&http2_readers, &key, &r, BPF_ANY);
	return 0;
}

// begin_served takes over what is told of a request that begins.
noinline_ int begin_served(struct head *head, struct target *g, struct who *w, struct goroutine *room, u64 conn)
{
	struct http2_event *e = room_in(http2_rooms);

	if (!e || !head || !g || !w || !room)
		return 0;
	head->stream = e->n.stream;
	head->span = e->r.span;
	head->context.trace[0] = e->r.trace[0];
	head->context.trace[1] = e->r.trace[1];
	head->context.parent = 0;
	head->context.flags = e->r.tflags;
	if (head->reader == w->goid && head->told++ % TOLD_AGAIN)
		return 0;
	read_goroutine(g, w, true, room);
	head->reader = w->goid;
	head->starter = w->parent_goid;
	return note_reader(head, g, w, conn);
}

// finish_served notes a request whose head was read.
noinline_ int finish_served(struct head *head, struct who *w, u64 conn)
{
	struct http2_event *e = room_in(http2_rooms);
	struct stream_key key = {.conn = conn, .stream = head ? head->stream : 0};
	struct served s = {};

	if (!head || !w || !e || !head->fresh || head->lost || head->doubt)
		return 0;
	s.trace[0] = head->context.trace[0];
	s.trace[1] = head->context.trace[1];
	s.span = head->span;
	s.incoming = head->context.parent;
	s.tflags = head->context.flags;
	s.tgid = w->tgid;
	bpf_map_update_elem(&http2_served, &key, &s, BPF_ANY);
	if (!head->context.valid || !(e->n.bits & NOTE_NEW))
		return 0;
	e->r.trace[0] = s.trace[0]; // user space may have missed what the field stands for
	e->r.trace[1] = s.trace[1];
	e->r.parent = s.incoming;
	e->r.tflags = s.tflags;
	e->r.link = LINK_HEADER;
	return 0;
}

// how_over tells whether what is told ends a stream: enum ended.
inline_ u32 how_over(const struct note *n)
{
	u8 whole = NOTE_LAST | NOTE_END_STREAM;

	if (n->kind == TELL_RESET) // by the server: it has waited for long enough for what serves it
		return ENDED_UNWANTED;
	if (n->by_client)
		return ENDED_NOT;
	return n->kind == TELL_END || (n->kind == TELL_BLOCK && (n->bits & whole) == whole) ? ENDED : ENDED_NOT;
}

struct open_streams {
	struct target *g;
	struct who *w;
	u64 conn;
	u32 newest;
	u32 _pad;
};

static long end_open(u32 i, struct open_streams *s)
{
	if (s->newest < 2 * i + 1)
		return 1;
	end_served(s->g, s->w, s->conn, s->newest - 2 * i, ENDED_UNWANTED);
	return 0;
}

// end_all_served ends what a connection that ends has left open.
inline_ void end_all_served(struct target *g, struct who *w, struct http2 *h)
{
	struct open_streams s = {.g = g, .w = w, .conn = h->cookie, .newest = h->newest};

	bpf_loop(OPEN_LOOKED, end_open, &s, 0);
}
