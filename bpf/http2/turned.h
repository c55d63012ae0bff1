// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A connection that an answer of HTTP/1 has turned to HTTP/2 (RFC 7540, 3.2). Its first stream
// is the request which that answers.
#pragma once

#include "served.h"

// serve_first notes the request as one that a server of Go's may serve.
noinline_ int serve_first(struct http2 *h, struct request *r, u32 tgid)
{
	struct stream_key key = {.conn = h ? h->cookie : 0, .stream = 1};
	struct served s = {.tgid = tgid};

	if (!h || !r)
		return 0;
	s.trace[0] = r->trace[0];
	s.trace[1] = r->trace[1];
	s.span = r->span;
	s.incoming = r->parent;
	s.tflags = r->tflags;
	bpf_map_update_elem(&http2_served, &key, &s, BPF_ANY);
	return 0;
}

// starts_first notes who has read the request: that one starts the goroutine which serves it.
noinline_ int starts_first(struct http2 *h, struct target *g, struct request *r, u32 tgid)
{
	struct reader_key key = {.is = r ? r->goid : 0, .tgid = tgid, .kind = STARTED_READER};
	struct reader is = {.of = h ? h->cookie : 0, .turn = g ? g->turn : 0};

	if (h && g && r && key.is)
		bpf_map_update_elem(&http2_readers, &key, &is, BPF_ANY);
	return 0;
}

// http2_turned begins the books of such a connection, and tells of the request, of whose head n
// bytes are at head. False: there is no room.
inline_ bool http2_turned(struct sock *sk, struct conn *c, struct target *g, struct request *r, const u8 *head, u32 n)
{
	struct http2 *h = books_begun(http2s, sk);
	struct http2_event *e = room_in(http2_rooms);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!h || !e) {
		count(DROP_TABLE_FULL);
		return false;
	}
	h->cookie = connection_number(sk);
	h->pid = g->pid;
	h->role = c->role;
	h->asker.tgid = tgid;
	h->newest = 1;
	next_part(&h->q, PART_PREFACE, PREFACE_LEN);
	next_part(&h->a, PART_HEAD, FRAME_HEAD);
	if (c->role == ROLE_CLIENT) {
		c->carries = CARRIES_MAYBE;
	} else if (g->flags & T_STREAMS) {
		serve_first(h, r, tgid);
		starts_first(h, g, r, tgid);
	}
	__builtin_memcpy(&e->r, r, sizeof(e->r));
	__builtin_memset(&e->n, 0, sizeof(e->n));
	e->r.answered_ns = 0;
	e->r.answer_len = 0;
	e->r.status = 0;
	e->r.bits &= ~BIT_ANSWERED;
	e->r.protocol = PROTOCOL_HTTP2;
	e->n.conn = h->cookie;
	e->n.stream = 1;
	e->n.seq = h->q.events++;
	e->n.kind = TELL_TURNED;
	e->n.by_client = 1;
	e->n.bits = NOTE_FIRST | NOTE_LAST | NOTE_NEW;
	barrier_var(n);
	if (n > CHUNK || bpf_probe_read_kernel(e->block.b, n, head))
		n = 0;
	e->r.head_len = sizeof(e->n) + n;
	h->seen = 1;
	count(COUNT_EXCHANGES);
	if (bpf_ringbuf_output(&events, e, sizeof(e->r) + sizeof(e->n) + n, 0))
		lose(g->pid, DROP_RING_FULL);
	return true;
}
