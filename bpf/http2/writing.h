// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Writes traceparent into outgoing requests: a field at the end of a header block, which
// no table keeps (RFC 7541, 6.2.2), so that what both sides know of each other stays the same.
//
// Hook: odi_message (propagate.h) goes on with the program below, in the sender's context,
//       before a message leaves. The programs on the tracepoints see it as its process wrote it.
// Rule: frames are only touched where it is sure which they are: all that was sent before
//       has been followed (in_sequence), and the message is whole frames, and will be taken
//       as a whole. A connection on which the process has written one itself gets none.
#pragma once

#include "../include/hex.h"
#include "event.h"

#define FIELD_LEN 69 // no table, a new name: 0, length, name, length, value
#define WRITTEN_MAX (40 << 10) // gRPC's libraries send up to 32 KiB at once
#define MERGED_MAX (64 << 10)
#define FRAMES_LOOKED 256 // of one message
#define SKB_COST 4096 // of a segment beside its bytes, at most
#define NONBLOCKING 04000

struct writer {
	struct sk_msg_md *msg;
	struct http2 *h;
	struct conn *c;
	struct target *g;
	u64 several; // requests leave with one message: who has asked for which is not known
	struct who who;
};

// has_trace_value tells whether the value of a traceparent begins here, as text or in
// the code of RFC 7541, appendix B.
inline_ bool has_trace_value(const u8 *b)
{
	if (b[0] == 55)
		return b[1] == '0' && b[2] == '0' && b[3] == '-';
	return b[0] >= (0x80 | 34) && b[0] <= (0x80 | 46) && !b[1] && b[2] == 0x16;
}

struct value_search {
	const u8 *b;
	u32 n;
	u32 found;
};

static long look_at_value(u32 i, struct value_search *s)
{
	u32 at = i;

	barrier_var(at);
	if (at >= CHUNK - 4 || at + 4 > s->n)
		return 1;
	if (!has_trace_value(s->b + at))
		return 0;
	s->found = 1;
	return 1;
}

// carries_trace tells whether a header block has a traceparent.
noinline_ int carries_trace(struct header_block *block, u32 n)
{
	struct value_search s = {.n = n};

	if (!block)
		return 1;
	s.b = block->b;
	bpf_loop(CHUNK, look_at_value, &s, 0);
	return s.found;
}

// carries_piece tells whether the next bytes of a header block, or those and the ones
// before them, have a traceparent.
noinline_ int carries_piece(struct http2 *h, struct header_block *block, u32 n, u32 first)
{
	u32 last = n - 3;
	u8 *s;

	if (!h || !block || !n)
		return 0;
	s = h->seam;
	if (first)
		s[0] = s[1] = s[2] = 0xff;
	s[3] = block->b[0];
	s[4] = block->b[1];
	s[5] = block->b[2];
	if (has_trace_value(s) || (n > 1 && has_trace_value(s + 1)) || (n > 2 && has_trace_value(s + 2)))
		return 1;
	if (n < 3) {
		s[0] = n == 1 ? s[1] : s[2];
		s[1] = n == 1 ? s[2] : s[3];
		s[2] = n == 1 ? s[3] : s[4];
		return 0;
	}
	barrier_var(last);
	if (last > CHUNK - 3)
		return 1;
	s[0] = block->b[last];
	s[1] = block->b[last + 1];
	s[2] = block->b[last + 2];
	return carries_trace(block, n);
}

// in_sequence tells whether all that was sent before on the connection has been followed:
// else another call is still to tell of what it has sent, or nobody saw it.
inline_ bool in_sequence(struct http2 *h, struct tcp_sock *tp)
{
	bool between = h->q.part == PART_HEAD && !h->q.head_len;

	return (between || h->q.part == PART_REST) && !h->q.block_of && tp->write_seq == h->first_seq + h->sent + h->inserted;
}

// takes_all tells whether the socket takes so many bytes for sure, see surely_sent.
inline_ bool takes_all(struct tcp_sock *tp, u32 n)
{
	struct sock *sk = (void *)tp;
	s64 room = (s64)sk->sk_sndbuf - sk->sk_wmem_queued - SKB_COST;

	return (!sk->sk_wmem_queued && n <= tp->mss_cache) || room > n;
}

// note_frame notes a frame of a message. Returns how many bytes of it are to be searched.
noinline_ u32 note_frame(struct writing *w, struct frame_head *f, u32 size)
{
	u32 len, stream, next;

	if (!w || !f)
		return 0;
	len = be24_at(f->b);
	stream = be32_at(f->b + 5) & 0x7fffffff;
	next = w->at + FRAME_HEAD + len;
	if (f->b[3] > CONTINUATION) {
		w->bad = 1;
		return 0;
	}
	w->at = next < size ? next : size; // the last one may go on
	if (f->b[3] != HEADERS || stream <= w->newest || next > size)
		return 0;
	w->newest = stream;
	if (!(f->b[4] & END_HEADERS) || f->b[4] & PADDED || !(stream & 1) || len + FIELD_LEN > CHUNK) {
		w->bad = 1;
		return 0;
	}
	w->fresh++;
	if (!w->writes)
		return len;
	w->begin = next - len - FRAME_HEAD;
	w->end = next;
	w->stream = stream;
	w->len = len;
	return 0;
}

// frame_of_message looks at a frame of a message: the requests that begin are counted.
static long frame_of_message(u32 i, struct writer *t)
{
	u64 data = (u64)(long)t->msg->data, end = (u64)(long)t->msg->data_end;
	struct writing *w = &t->h->writing;
	struct frame_head f = {};
	u32 size = t->msg->size, at = w->at, n;

	if (at >= size)
		return 1;
	if (at + FRAME_HEAD > size) {
		w->at = size; // the head of the last one goes on
		return 1;
	}
	if (data + at + FRAME_HEAD > end || bpf_probe_read_kernel(f.b, FRAME_HEAD, (void *)(data + at))) {
		w->bad = 1;
		return 1;
	}
	n = note_frame(w, &f, size);
	barrier_var(n);
	if (!n)
		return w->bad || w->end ? 1 : 0;
	if (n > CHUNK || bpf_probe_read_kernel(t->h->look.b, n, (void *)(data + at + FRAME_HEAD)))
		w->bad = 1;
	else if (carries_trace(&t->h->look, n))
		w->found = 1;
	return w->bad || w->found ? 1 : 0;
}

inline_ void in_one_piece(struct sk_msg_md *msg)
{
	if ((u64)(long)msg->data_end - (u64)(long)msg->data < msg->size)
		bpf_msg_pull_data(msg, 0, msg->size, 0);
}

// look_at_message looks at all frames of a message. False: nothing is to be written.
inline_ bool look_at_message(struct writer *t)
{
	struct writing *w = &t->h->writing;

	__builtin_memset(w, 0, sizeof(*w));
	w->newest = t->h->newest;
	w->start = t->h->q.part == PART_REST ? t->h->q.left : 0;
	w->at = w->start;
	in_one_piece(t->msg);
	bpf_loop(FRAMES_LOOKED, frame_of_message, t, 0);
	return !w->bad && !w->found && w->at == t->msg->size && w->fresh;
}

// next_request finds the next one that begins. False: there is none.
inline_ bool next_request(struct writer *t)
{
	struct writing *w = &t->h->writing;

	w->writes = 1;
	w->end = 0;
	in_one_piece(t->msg);
	bpf_loop(FRAMES_LOOKED, frame_of_message, t, 0);
	return w->end != 0;
}

inline_ void hex16(u8 *to, u64 v)
{
	*(u64 *)to = to_hex8((u32)v);
	*(u64 *)(to + 8) = to_hex8((u32)(v >> 32));
}

inline_ void write_field(u8 *to, const struct request *r)
{
	to[0] = 0;
	to[1] = 11;
	*(u64 *)(to + 2) = TEXT8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r');
	to[10] = 'e';
	to[11] = 'n';
	to[12] = 't';
	to[13] = 55;
	to[14] = '0';
	to[15] = '0';
	to[16] = '-';
	hex16(to + 17, r->trace[0]);
	hex16(to + 33, r->trace[1]);
	to[49] = '-';
	hex16(to + 50, r->span);
	to[66] = '-';
	*(u16 *)(to + 67) = to_hex8(r->tflags);
}

// insert_field puts the field at the end of a frame, which is longer then. False: the
// message is as it was.
inline_ bool insert_field(struct sk_msg_md *msg, struct writing *w, const struct request *r)
{
	u32 end = w->end, begin = w->begin, len = w->len + FIELD_LEN;
	u8 *data;

	barrier_var(end);
	barrier_var(begin);
	if (!end || end > MERGED_MAX || begin > MERGED_MAX || bpf_msg_push_data(msg, end, FIELD_LEN, 0))
		return false;
	bpf_msg_pull_data(msg, 0, msg->size, 0); // three elements would leave as three segments
	if (!bpf_msg_pull_data(msg, end, end + FIELD_LEN, 0)) {
		data = (void *)(long)msg->data;
		if (data + FIELD_LEN <= (u8 *)(long)msg->data_end) {
			write_field(data, r);
			if (!bpf_msg_pull_data(msg, begin, begin + 3, 0)) {
				data = (void *)(long)msg->data;
				if (data + 3 <= (u8 *)(long)msg->data_end) {
					data[0] = len >> 16;
					data[1] = len >> 8;
					data[2] = len;
					return true;
				}
			}
		}
	}
	bpf_msg_pop_data(msg, end, FIELD_LEN, 0);
	return false;
}

// begin_pending notes a request whose header is to be written.
noinline_ int begin_pending(struct http2 *h, struct conn *c, struct target *g, struct who *w, u32 at)
{
	struct pending *p;
	int tied;

	if (!h || !c || !g || !w || at >= PENDING)
		return 0;
	p = &h->pending[at];
	whose_call(&h->asker, c, g, w, (struct goroutine *)&h->look);
	tied = tie_stream(w, c->role);
	tell_of(&p->r, &h->asker, c, g, w);
	if (tied)
		p->r.bits |= BIT_TIED;
	return 1;
}

// unlink_pending begins a trace for a request of which nobody knows who has asked for it: more
// than one leave with the same message, and it is not tied.
noinline_ int unlink_pending(struct http2 *h, struct target *g, u32 at)
{
	if (!h || !g || at >= PENDING || h->pending[at].r.link == LINK_NONE || h->pending[at].r.bits & BIT_TIED)
		return 0;
	begin_trace(g, &h->pending[at].r, h->asker.ids);
	h->pending[at].r.link = LINK_NONE;
	return 0;
}

// write_next writes the header of the request of number i.
static long write_next(u32 i, struct writer *t)
{
	struct http2 *h = t->h;
	u32 at = i;

	barrier_var(at);
	if (at >= PENDING || !next_request(t))
		return 1;
	t->who.stream = h->writing.stream;
	if (!begin_pending(h, t->c, t->g, &t->who, at))
		return 1;
	if (t->several)
		unlink_pending(h, t->g, at);
	h->pending[at].stream = h->writing.stream;
	if (!insert_field(t->msg, &h->writing, &h->pending[at].r)) {
		h->pending[at].stream = 0;
		return 1;
	}
	h->pending[at].r.bits |= BIT_INJECTED;
	h->inserted += FIELD_LEN;
	h->writing.at = h->writing.end + FIELD_LEN;
	return 0;
}

inline_ bool is_leased(u64 now)
{
	struct control *ctl = controlled();

	return ctl && now <= ctl->lease_ns; // else nobody would report the span that the header names
}

#ifndef SESSIONS // into what is encrypted nothing is written

SEC("sk_msg")
int odi_http2_message(struct sk_msg_md *msg)
{
	struct writer t = {};
	struct tcp_sock *tp;

	t.g = current_target();
	if (!t.g || !msg->sk || !msg->size || msg->size > WRITTEN_MAX)
		return SK_PASS;
	t.c = bpf_sk_storage_get(&conns, msg->sk, 0, 0);
	t.h = bpf_sk_storage_get(&http2s, msg->sk, 0, 0);
	tp = bpf_skc_to_tcp_sock(msg->sk);
	if (!t.c || !t.h || !tp || t.h->own || !(t.g->flags & T_PROPAGATE))
		return SK_PASS;
	t.who.now = bpf_ktime_get_ns();
	if (!in_sequence(t.h, tp) || !takes_all(tp, msg->size + PENDING * FIELD_LEN) || !is_leased(t.who.now))
		return SK_PASS;
	t.who.sk = (u64)(long)msg->sk;
	t.who.tgid = bpf_get_current_pid_tgid() >> 32;
	t.who.tid = (u32)bpf_get_current_pid_tgid();
	t.msg = msg;
	if (look_at_message(&t)) {
		t.several = t.h->writing.fresh > 1;
		t.h->writing.at = t.h->writing.start;
		t.h->writing.newest = t.h->newest;
		bpf_loop(PENDING, write_next, &t, 0);
	} else if (t.h->writing.found) {
		t.h->own = 1;
	}
	return SK_PASS;
}

#endif
