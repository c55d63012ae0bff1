// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Heads: finds the lines of a request or response head, eight bytes at a time,
// in however many pieces it comes, and reads the few headers that matter.
#pragma once

#include "http1.h"

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

// A line has 30 bytes on average: most are found in one step.
#define WORDS_PER_STEP 6
#define NOT_YET 0x10000

// next_newline returns where the next one is, or NOT_YET and where to look next.
noinline_ u32 next_newline(struct window *win, u32 pos)
{
	u64 seen; // bytes of the first word that come before pos

	if (!win)
		return NOT_YET;
	seen = (1ULL << ((pos & 7) * 8)) - 1;
	pos &= ~7;
	for (int k = 0; k < WORDS_PER_STEP; k++) {
		u64 x, m;

		barrier_var(pos);
		if (pos > CARRY_MAX + READ_MAX)
			break;
		// Aligned, because the bytes have just been stored that way.
		x = (*(u64 *)(win->b + pos) ^ BYTES('\n')) | seen;
		m = (x - BYTES(1)) & ~x & BYTES(0x80);
		if (m)
			return pos + ((((m - 1) & BYTES(1)) * BYTES(1)) >> 56) - 1;
		pos += 8;
		seen = 0;
	}
	return NOT_YET | (pos & (NOT_YET - 1));
}

// scan_line handles the line that ends next.
static long scan_line(u32 i, struct scan *s)
{
	u32 nl, end;

	if (s->pos >= s->end)
		return 1;
	nl = next_newline(s->win, s->pos);
	if (nl & NOT_YET) {
		s->pos = nl & ~NOT_YET;
		return 0;
	}
	if (nl >= s->end)
		return 1;
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
	bpf_loop(CARRY_MAX + READ_MAX, scan_line, &sc, 0);
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
