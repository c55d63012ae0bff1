// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Heads: finds the lines of a request or response head, eight bytes at a time,
// in however many pieces it comes, and reads the few headers that matter.
#pragma once

#include "http1.h"

struct scan {
	struct window *win;
	struct dir *d;
	u32 end;
	u32 base;    // position of win[0] in the source
	u32 answers; // scanning a response
	u32 _pad;
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

	UNROLLED
	for (int i = 0; i < METHOD_MAX; i++) {
		if (win_byte(win, start + i) == ' ') {
			s.at = start + i + 1;
			break;
		}
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
	UNROLLED
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
	UNROLLED
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

// header_line looks at one line of a head. Most are none of the three.
inline_ void header_line(struct scan *s, u32 start, u32 end)
{
	struct window *win = s->win;
	u64 a = win_word(win, start) | BYTES(0x20), b;

	if (a == WORD8('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0x00ffffffffffffffULL;
		if (b == WORD8('l', 'e', 'n', 'g', 't', 'h', ':', 0))
			header_length(s->d, win, start + 15);
	} else if (a == WORD8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		// The last coding decides: the line ends in "chunked".
		b = end >= 7 ? (win_word(win, end - 7) | BYTES(0x20)) & 0x00ffffffffffffffULL : 0;
		if (b == WORD8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0))
			s->d->chunked = 1;
	} else if (a == WORD8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0xffffffffULL;
		if (b == WORD8('e', 'n', 't', ':', 0, 0, 0, 0))
			header_trace(s->d, win, s->base, start + 12, end);
	}
}

// odd_line handles the first line of a head and the rest of a line too long to
// look at. True: this is no head.
inline_ bool odd_line(struct scan *s, u32 start, u32 end, u32 next)
{
	struct dir *d = s->d;

	if (d->first) {
		d->line1_pos = s->base + next;
		if (d->skip)
			d->first = 0;
		else if (end > start) // empty lines before a request are allowed
			first_line(d, s->win, start, end, s->answers);
	}
	d->skip = 0;
	s->win->odd = d->first;
	return d->bad != 0;
}

// A line has 30 bytes on average: most are found in one step.
#define WORDS_PER_STEP 6
#define NOT_YET WIN_SIZE

// next_newline returns where the next one is, NOT_YET if it is in none of the next words.
inline_ u32 next_newline(const struct window *win, u32 pos)
{
	u64 seen = (1ULL << ((pos & 7) * 8)) - 1; // bytes of the first word that come before pos

	pos &= ~7;
	barrier_var(pos);
	if (pos > CARRY_MAX + READ_MAX)
		return NOT_YET;
	UNROLLED
	for (u32 k = 0; k < WORDS_PER_STEP; k++) {
		// Aligned, because the bytes have just been stored that way.
		u64 x = (*(u64 *)(win->b + pos + k * 8) ^ BYTES('\n')) | (k ? 0 : seen);
		u64 m = (x - BYTES(1)) & ~x & BYTES(0x80);

		if (m)
			return pos + k * 8 + ((((m - 1) & BYTES(1)) * BYTES(1)) >> 56) - 1;
	}
	return NOT_YET;
}

// scan_line handles the line that ends next.
static long scan_line(u32 i, struct scan *s)
{
	struct window *win = s->win;
	u32 pos = win->pos, start = win->line, nl, end;

	if (pos >= s->end)
		return 1;
	nl = next_newline(win, pos);
	if (nl == NOT_YET) {
		win->pos = (pos & ~7) + WORDS_PER_STEP * 8;
		return 0;
	}
	if (nl >= s->end)
		return 1;
	win->pos = win->line = nl + 1;
	end = nl > start && win_byte(win, nl - 1) == '\r' ? nl - 1 : nl;
	if (win->odd)
		return odd_line(s, start, end, nl + 1);
	if (end == start) {
		win->head_end = nl + 1;
		return 1;
	}
	header_line(s, start, end);
	return 0;
}

// plausible_method: 1 a method and a space, 0 not yet to say, -1 no method.
noinline_ int plausible_method(struct window *win, u32 n)
{
	int verdict = -1;

	if (!win)
		return -1;
	UNROLLED
	for (u32 i = 0; i < METHOD_MAX; i++) {
		u8 c = win_byte(win, i);

		if (i >= n) {
			verdict = 0;
			break;
		}
		if (c == ' ') {
			verdict = i ? 1 : -1;
			break;
		}
		if ((c < 'A' || c > 'Z') && c != '-' && c != '_' && !(i == 0 && (c == '\r' || c == '\n')) && !(i == 1 && c == '\n'))
			break;
	}
	return verdict;
}

inline_ bool common_method(const struct window *win)
{
	u64 w = *(u64 *)win->b;

	return (w & 0xffffffffULL) == WORD8('G', 'E', 'T', ' ', 0, 0, 0, 0) ||
	       (w & 0xffffffffffULL) == WORD8('P', 'O', 'S', 'T', ' ', 0, 0, 0);
}

inline_ void begin_head(struct http1 *h, struct dir *d, struct source *s, bool answers)
{
	d->state = D_HEAD;
	__builtin_memset(d->anew, 0, sizeof(d->anew));
	d->first = 1;
	d->length = -1;
	d->body = 0;
	d->left = 0;
	d->start_ns = s->now;
	if (!answers) {
		if (h->head == h->tail)
			d->keep_off = 0;
		else
			d->keep_off = (d->keep_off + d->keep_len) & 0x7ff;
		d->keep_len = 0;
	}
}

// keep_head copies bytes of a request's head for its event.
inline_ void keep_head(struct http1 *h, struct dir *d, struct window *win, u32 from, u32 n)
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
	copy_blocks(h->kept + (pos & (KEEP_ONE - 1)), win->b + from, n);
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
	if (!answers && d->first && !d->skip && !common_method(win) && plausible_method(win, carry + n) < 0)
		return 0;
	if (answers && d->head_seen == 0 && win->b[0] != 'H')
		return 0;
	sc.end = carry + n;
	sc.base = s->done - carry;
	win->pos = 0;
	win->line = 0;
	win->head_end = 0;
	win->odd = d->first | d->skip;
	bpf_loop(CARRY_MAX + READ_MAX, scan_line, &sc, 0);
	if (d->bad)
		return 0;
	if (win->head_end) {
		s->complete = 1;
		d->carry_len = 0;
		n = win->head_end - carry;
	} else {
		rest = sc.end - win->line;
		if (rest > CARRY_MAX || d->skip) {
			d->skip = 1;
			d->carry_len = 0;
		} else if (win->line <= CARRY_MAX + READ_MAX) {
			bpf_probe_read_kernel(d->carry, rest, win->b + win->line);
			d->carry_len = rest;
		}
	}
	if (n > READ_MAX)
		return 0;
	if (!answers)
		keep_head(h, d, win, carry, n);
	else if (d->head_seen == 0)
		__builtin_memcpy(h->resp, win->b, RESP_KEEP);
	d->head_seen += n;
	return n;
}

noinline_ u32 scan_request(struct http1 *h, struct source *s, struct window *win)
{
	return h && s && win ? scan_head(h, &h->q, s, win, false) : 0;
}

noinline_ u32 scan_answer(struct http1 *h, struct source *s, struct window *win)
{
	return h && s && win ? scan_head(h, &h->a, s, win, true) : 0;
}
