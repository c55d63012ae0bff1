// SPDX-License-Identifier: (MIT OR GPL-2.0)
// HTTP/1.1: recognises requests and responses and finds where they end.
//
// A connection has two directions, requests and answers; each is parsed by its
// own incremental machine, because they run on different CPUs at a time. They
// meet in a queue of slots: the request side fills at tail, the answer side
// finishes at head. A slot is one event.
#pragma once

#include "../include/hex.h"
#include "../include/source.h"

#define READ_MAX 512  // bytes of a head looked at per step
#define CARRY_MAX 128 // an unfinished line longer than this is none we need
#define WIN_SIZE (CARRY_MAX + READ_MAX + 80) // room to read past the end
#define KEEP_ONE 1024 // of a request head: target, Host, User-Agent come first
#define KEEP_ALL (KEEP_ONE + READ_MAX)
#define SLOTS 4       // pipelined requests; more are counted, not kept
#define TRIES_MAX 8   // beginnings that are not HTTP before we stop looking

// D_LOST: no framing known, look at the start of each call. D_IDLE: between messages.
enum dir_state { D_LOST, D_IDLE, D_HEAD, D_LEN, D_CHUNK, D_CLOSE, D_TAIL };
enum chunk_phase { C_SIZE, C_DATA, C_AFTER, C_TRAILER };

struct dir {
	u64 left;     // bytes left of the body or chunk
	u64 body;     // bytes of the body so far
	s64 length;   // Content-Length, -1: none
	u64 start_ns; // first byte of the head
	u64 trace[2];
	u64 parent;
	u32 head_seen;  // bytes of the head so far
	u32 line1_pos;  // end of the first line, from the start of the source
	u32 trace_pos;  // value of traceparent, from the start of the source
	u32 head_pos;   // start of the head, from the start of the source
	u32 target_hash;
	u16 keep_off;
	u16 keep_len;
	u16 status;
	u8 state;
	u8 phase;
	u8 ext;      // chunk extension, ignored
	u8 chunked;
	u8 upgrade;
	u8 first;    // the first line is still to come
	u8 skip;     // in the middle of a line too long to look at
	u8 bits;
	u8 has_trace; // 1: valid, 2: there is one, but not a valid one
	u8 tflags;
	u8 carry_len;
	u8 bad;
	u8 got;      // a request was recognised in this source
	u8 split;    // the head began in an earlier source
	u8 want_hash;
	u8 _pad[3];
	u8 carry[CARRY_MAX];
};

struct window {
	u8 b[WIN_SIZE];
};

struct http1 {
	struct dir q; // requests
	struct dir a; // answers
	u64 seen;     // requests recognised on this connection
	u32 head;
	u32 tail;
	u32 owed;     // answers to requests that were not kept
	u32 tgid;
	struct request slot[SLOTS];
	u8 resp[RESP_KEEP];
	u8 kept[KEEP_ALL];
	struct window win;
};

// Bounded by the number of HTTP connections: freed with the socket.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct http1);
} http1s SEC(".maps");

// Answers are parsed in tracepoints only, which nothing preempts.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct window);
} scratches SEC(".maps");

struct scan {
	struct window *win;
	struct dir *d;
	u32 pos;
	u32 end;
	u32 line;     // start of the current line
	u32 head_end; // behind the empty line, 0: not yet
	u32 base;     // position of win[0] in the source
	u32 answers;  // scanning a response
};

#define WORD8(a, b, c, d, e, f, g, h)                                                     \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |      \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

inline_ u64 win_word(const struct window *win, u32 at)
{
	barrier_var(at); // keep the check on the register that is used
	if (at > WIN_SIZE - 8)
		return 0;
	return *(u64 *)(win->b + at);
}

inline_ u8 win_byte(const struct window *win, u32 at)
{
	barrier_var(at);
	if (at > WIN_SIZE - 1)
		return 0;
	return win->b[at];
}

struct hashing {
	const struct window *win;
	u32 at;
	u32 end;
	u64 h;
};

static long hash_word(u32 i, struct hashing *s)
{
	u64 w = win_word(s->win, s->at);
	u32 n = s->end - s->at;

	if (s->at >= s->end)
		return 1;
	if (n < 8)
		w &= (1ULL << (n * 8)) - 1;
	s->h = (s->h ^ w) * 0x9e3779b97f4a7c15ULL;
	s->h ^= s->h >> 29;
	s->at += 8;
	return 0;
}

// hash_target hashes the request target of the first line, so that a proxy's
// forwarded request can be compared with the one that came in.
noinline_ u32 hash_target(struct window *win, u32 start, u32 end)
{
	struct hashing s = {.win = win, .at = start, .end = end};

	if (!win)
		return 0;

	for (int i = 0; i < 20; i++) {
		if (win_byte(win, s.at++) == ' ')
			break;
	}
	bpf_loop((CARRY_MAX + READ_MAX) / 8, hash_word, &s, 0);
	return (u32)(s.h >> 32) | 1;
}

// first_line checks the line between start and end. Functions that are not
// static are verified once, on their own.
noinline_ int first_line(struct dir *d, struct window *win, u32 start, u32 end, u32 answers)
{
	u64 w, v;

	if (!d || !win)
		return 0;
	w = win_word(win, start);
	d->first = 0;
	if (answers) {
		u8 a = win_byte(win, start + 9) - '0';
		u8 b = win_byte(win, start + 10) - '0';
		u8 c = win_byte(win, start + 11) - '0';

		d->status = a * 100 + b * 10 + c;
		if ((w & 0x00ffffffffffffffULL) != WORD8('H', 'T', 'T', 'P', '/', '1', '.', 0) || a > 9 || b > 9 || c > 9)
			d->bad = 1;
		return 0;
	}
	v = end >= 8 ? win_word(win, end - 8) : 0;
	if ((v & 0x00ffffffffffffffULL) != WORD8('H', 'T', 'T', 'P', '/', '1', '.', 0)) {
		d->bad = 1;
		return 0;
	}
	if ((w & 0xffffffffffULL) == WORD8('H', 'E', 'A', 'D', ' ', 0, 0, 0))
		d->bits |= BIT_HEAD;
	if (w == WORD8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '))
		d->bits |= BIT_CONNECT;
	if (d->want_hash && end >= 9)
		d->target_hash = hash_target(win, start, end - 9);
	return 0;
}

inline_ u32 skip_blanks(const struct window *win, u32 at)
{
	for (int i = 0; i < 4; i++) {
		u8 c = win_byte(win, at);

		if (c != ' ' && c != '\t')
			break;
		at++;
	}
	return at;
}

noinline_ int header_length(struct dir *d, struct window *win, u32 at)
{
	u64 n = 0;
	u32 i;

	if (!d || !win)
		return 0;
	at = skip_blanks(win, at);
	for (i = 0; i < 18; i++) {
		u8 c = win_byte(win, at + i) - '0';

		if (c > 9)
			break;
		n = n * 10 + c;
	}
	if (i)
		d->length = n;
	return 0;
}

// header_trace reads "00-<32>-<16>-<2>"; anything else starts a new trace.
noinline_ int header_trace(struct dir *d, struct window *win, u32 base, u32 at, u32 end)
{
	const u8 *p;
	u32 flags = 0;
	u64 w;

	if (!d || !win)
		return 0;
	at = skip_blanks(win, at);
	d->has_trace = 2;
	d->trace_pos = base + at;
	barrier_var(at);
	if (at > WIN_SIZE - 64 || end < at + 55)
		return 0;
	p = win->b + at;
	if (p[2] != '-' || p[35] != '-' || p[52] != '-')
		return 0;
	if (p[0] == '0' && p[1] == '0') {
		if (end != at + 55)
			return 0;
	} else if ((p[0] == 'f' && p[1] == 'f') || (end > at + 55 && p[55] != '-')) {
		return 0;
	}
	// Version and flags together are four digits; pad them to eight.
	w = (u64)p[0] | (u64)p[1] << 8 | (u64)p[53] << 16 | (u64)p[54] << 24 | (u64)0x30303030 << 32;
	if (!from_hex8(w, &flags) || !from_hex16(p + 3, &d->trace[0]) || !from_hex16(p + 19, &d->trace[1]) ||
	    !from_hex16(p + 36, &d->parent))
		return 0;
	if (!(d->trace[0] | d->trace[1]) || !d->parent)
		return 0;
	d->tflags = flags >> 8;
	d->has_trace = 1;
	return 0;
}

// header_line looks at one line of a head; base is the position of the window
// in the source. Only requests carry a trace.
noinline_ int header_line(struct dir *d, struct window *win, u32 base, u32 start, u32 end)
{
	u64 a, b;

	if (!d || !win)
		return 0;
	a = win_word(win, start) | BYTES(0x20);
	if (a == WORD8('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0x00ffffffffffffffULL;
		if (b == WORD8('l', 'e', 'n', 'g', 't', 'h', ':', 0))
			header_length(d, win, start + 15);
	} else if (a == WORD8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		// The last coding decides: the line ends in "chunked".
		b = end >= 7 ? (win_word(win, end - 7) | BYTES(0x20)) & 0x00ffffffffffffffULL : 0;
		if (b == WORD8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0))
			d->chunked = 1;
	} else if (a == WORD8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0xffffffffULL;
		if (b == WORD8('e', 'n', 't', ':', 0, 0, 0, 0))
			header_trace(d, win, base, start + 12, end);
	}
	return 0;
}

// scan_word looks for the next end of line, eight bytes at a time.
static long scan_word(u32 i, struct scan *s)
{
	u32 pos = s->pos, nl, end;
	u64 x, m;

	if (pos >= s->end || pos > CARRY_MAX + READ_MAX)
		return 1;
	x = *(u64 *)(s->win->b + pos) ^ BYTES('\n');
	m = (x - BYTES(1)) & ~x & BYTES(0x80);
	if (!m) {
		s->pos = pos + 8;
		return 0;
	}
	nl = pos + ((((m - 1) & BYTES(1)) * BYTES(1)) >> 56) - 1;
	if (nl >= s->end) {
		s->pos = s->end;
		return 1;
	}
	end = nl;
	if (nl > s->line && win_byte(s->win, nl - 1) == '\r')
		end--;
	if (s->d->skip) {
		if (s->d->first)
			s->d->line1_pos = s->base + nl + 1;
		s->d->skip = 0;
		s->d->first = 0;
	} else if (s->d->first) {
		if (end > s->line) // empty lines before a request are allowed
			first_line(s->d, s->win, s->line, end, s->answers);
		s->d->line1_pos = s->base + nl + 1;
		if (s->d->bad)
			return 1;
	} else if (end == s->line) {
		s->head_end = nl + 1;
		return 1;
	} else {
		header_line(s->d, s->win, s->base, s->line, end);
	}
	s->line = nl + 1;
	s->pos = nl + 1;
	return 0;
}

// plausible_method: 1 a method and a space, 0 not yet to say, -1 no method.
noinline_ int plausible_method(struct window *win, u32 n)
{
	if (!win)
		return -1;
	for (u32 i = 0; i < 20; i++) {
		u8 c;

		if (i >= n)
			return 0;
		c = win_byte(win, i);
		if (c == ' ')
			return i ? 1 : -1;
		if ((c < 'A' || c > 'Z') && c != '-' && c != '_' && !(i == 0 && (c == '\r' || c == '\n')) && !(i == 1 && c == '\n'))
			return -1;
	}
	return -1;
}

inline_ void begin_head(struct http1 *h, struct dir *d, struct source *s, bool answers)
{
	d->state = D_HEAD;
	d->first = 1;
	d->skip = 0;
	d->bad = 0;
	d->bits = 0;
	d->has_trace = 0;
	d->chunked = 0;
	d->carry_len = 0;
	d->length = -1;
	d->body = 0;
	d->left = 0;
	d->status = 0;
	d->target_hash = 0;
	d->head_seen = 0;
	d->split = 0;
	d->start_ns = s->now;
	d->head_pos = s->done;
	if (!answers) {
		if (h->head == h->tail)
			d->keep_off = 0;
		else
			d->keep_off = (d->keep_off + d->keep_len) & 0x7ff;
		d->keep_len = 0;
	}
}

// keep_head copies bytes of a request's head for its event.
inline_ void keep_head(struct http1 *h, struct dir *d, u32 from, u32 n)
{
	u32 pos = d->keep_off + d->keep_len;

	if (d->keep_len + n > KEEP_ONE || pos >= KEEP_ONE) {
		d->bits |= BIT_TRUNCATED;
		if (pos >= KEEP_ONE || d->keep_len >= KEEP_ONE)
			return;
		n = KEEP_ONE - d->keep_len;
	}
	barrier_var(n);
	barrier_var(from);
	if (n > READ_MAX || from > CARRY_MAX)
		return;
	if (!bpf_probe_read_kernel(h->kept + (pos & (KEEP_ONE - 1)), n, h->win.b + from))
		d->keep_len += n;
}

// scan_head consumes one step of a head. Returns the bytes consumed, 0 when the
// direction is not HTTP; s->complete tells that the head has ended.
inline_ u32 scan_head(struct http1 *h, struct dir *d, struct source *s, struct window *win, bool answers)
{
	struct scan sc = {.win = win, .d = d, .answers = answers};
	u32 carry = d->carry_len, n = s->left, rest;

	s->complete = 0;
	if (n > READ_MAX)
		n = READ_MAX;
	if (carry > CARRY_MAX)
		return 0;
	if (carry)
		__builtin_memcpy(win->b, d->carry, CARRY_MAX);
	if (read_bytes(s, win->b + carry, n))
		return 0;
	if (!answers && d->first && !d->skip && plausible_method(win, carry + n) < 0)
		return 0;
	if (answers && d->head_seen == 0 && win->b[0] != 'H')
		return 0;
	sc.end = carry + n;
	sc.base = s->done - carry;
	bpf_loop(CARRY_MAX + READ_MAX, scan_word, &sc, 0);
	if (d->bad)
		return 0;
	if (sc.head_end) {
		s->complete = 1;
		d->carry_len = 0;
		n = sc.head_end - carry;
	} else {
		rest = sc.end - sc.line;
		if (rest > CARRY_MAX || d->skip) {
			d->skip = 1;
			d->carry_len = 0;
		} else if (sc.line <= CARRY_MAX + READ_MAX) {
			bpf_probe_read_kernel(d->carry, rest, win->b + sc.line);
			d->carry_len = rest;
		}
	}
	if (n > READ_MAX)
		return 0;
	if (!answers)
		keep_head(h, d, carry, n);
	else if (d->head_seen == 0)
		__builtin_memcpy(h->resp, win->b, RESP_KEEP);
	d->head_seen += n;
	return n;
}

noinline_ u32 scan_request(struct http1 *h, struct source *s)
{
	return h && s ? scan_head(h, &h->q, s, &h->win, false) : 0;
}

noinline_ u32 scan_answer(struct http1 *h, struct source *s, struct window *win)
{
	return h && s && win ? scan_head(h, &h->a, s, win, true) : 0;
}

struct chunk_scan {
	struct dir *d;
	u8 buf[32];
	u32 n;
	u32 used;
	u32 done; // the body has ended
};

// chunk_byte walks over what is between the data of chunks.
static long chunk_byte(u32 i, struct chunk_scan *s)
{
	struct dir *d = s->d;
	u8 c, digit;

	if (i >= s->n || i >= sizeof(s->buf))
		return 1;
	c = s->buf[i];
	s->used = i + 1;
	switch (d->phase) {
	case C_AFTER:
		if (c == '\n') {
			d->phase = C_SIZE;
			d->left = 0;
			d->ext = 0;
		}
		return 0;
	case C_SIZE:
		digit = c - '0';
		if (digit > 9)
			digit = (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 255;
		if (c == '\n') {
			d->phase = d->left ? C_DATA : C_TRAILER;
			d->ext = 0;
			return d->phase == C_DATA;
		}
		if (digit != 255 && !d->ext)
			d->left = d->left << 4 | digit;
		else
			d->ext = 1;
		return 0;
	case C_TRAILER: // ext: the line has bytes
		if (c == '\n') {
			if (!d->ext) {
				s->done = 1;
				return 1;
			}
			d->ext = 0;
		} else if (c != '\r') {
			d->ext = 1;
		}
		return 0;
	}
	return 1;
}

// step_chunk returns the bytes consumed, 0 when they cannot be read.
noinline_ u32 step_chunk(struct dir *d, struct source *s)
{
	struct chunk_scan c = {.d = d};
	u32 n;

	if (!d || !s)
		return 0;
	n = s->left;
	s->complete = 0;
	if (d->phase == C_DATA) {
		if (n >= d->left) {
			n = d->left;
			d->phase = C_AFTER;
		}
		d->left -= n;
		d->body += n;
		return n;
	}
	if (n > sizeof(c.buf))
		n = sizeof(c.buf);
	if (s->opaque || read_bytes(s, c.buf, n))
		return 0;
	c.n = n;
	bpf_loop(sizeof(c.buf), chunk_byte, &c, 0);
	s->complete = c.done;
	return c.used;
}

// begin_body sets up the framing of what follows a head; true: nothing follows.
inline_ bool begin_body(struct dir *d, bool until_close)
{
	d->body = 0;
	if (d->chunked) {
		d->state = D_CHUNK;
		d->phase = C_SIZE;
		d->left = 0;
		d->ext = 0;
		return false;
	}
	if (d->length > 0) {
		d->state = D_LEN;
		d->left = d->length;
		return false;
	}
	if (d->length < 0 && until_close) {
		d->state = D_CLOSE;
		return false;
	}
	d->state = D_IDLE;
	return true;
}
