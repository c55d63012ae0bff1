// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The first line of a request or response head: which version of which protocol it is.
#pragma once

#include "http1.h"

struct scan {
	struct window *win;
	struct dir *d;
	u32 end;
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

// hash_target hashes the request target from start to end, so that a proxy's
// forwarded request can be compared with the one that came in. All parts of a
// target but the last are whole words.
noinline_ u32 hash_target(struct dir *d, struct window *win, u32 start, u32 end)
{
	struct hashing s = {.win = win, .at = start, .end = end};

	if (!d || !win)
		return 0;
	s.h = d->hash;
	bpf_loop((CARRY_MAX + READ_MAX) / 8, hash_word, &s, 0);
	d->hash = s.h;
	return (u32)(s.h >> 32) | 1;
}

inline_ bool common_method(const struct window *win, u32 at)
{
	u64 w = win_word(win, at);

	return (w & 0xffffffffULL) == WORD8('G', 'E', 'T', ' ', 0, 0, 0, 0) ||
	       (w & 0xffffffffffULL) == WORD8('P', 'O', 'S', 'T', ' ', 0, 0, 0);
}

struct walk {
	const struct window *win;
	u32 at;
	u32 end;
};

static long line_end(u32 i, struct walk *s)
{
	u8 c = win_byte(s->win, s->at + i);

	return s->at + i >= s->end || (c != '\r' && c != '\n');
}

// method_byte goes on over the bytes of a method, which is a token (RFC 9110, 5.6.2).
static long method_byte(u32 i, struct walk *s)
{
	u8 c = win_byte(s->win, s->at + i);

	if (s->at + i >= s->end)
		return 1;
	if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9'))
		return 0;
	return c != '-' && c != '_' && c != '.' && c != '!' && c != '#' && c != '$' && c != '%' && c != '&' && c != '\'' && c != '*' &&
	       c != '+' && c != '^' && c != '`' && c != '|' && c != '~';
}

// plausible_method: 1 a method and a space, 0 not yet to say, -1 no method. Empty
// lines may come before it. That of another protocol's first line hardly ever
// begins with anything but a letter.
noinline_ int plausible_method(struct window *win, u32 n)
{
	struct walk s = {.win = win, .end = n};
	u8 first;
	u32 len;

	if (!win)
		return -1;
	s.at = bpf_loop(CARRY_MAX, line_end, &s, 0) - 1;
	first = win_byte(win, s.at) | 0x20;
	if (s.at >= n)
		return 0;
	if (first < 'a' || first > 'z')
		return -1;
	len = bpf_loop(METHOD_MAX + 1, method_byte, &s, 0) - 1;
	if (s.at + len >= n && len < METHOD_MAX)
		return 0;
	return len < METHOD_MAX && win_byte(win, s.at + len) == ' ' ? 1 : -1;
}

// is_version tells whether the 8 bytes before at are those of a version that this
// room speaks.
inline_ bool is_version(const struct window *win, u32 at)
{
	u64 v = at >= 8 ? win_word(win, at - 8) : 0;

	return (v & ~(1ULL << 56)) == WORD8('H', 'T', 'T', 'P', '/', '1', '.', '0');
}

struct blanks {
	const struct window *win;
	u32 at;
	u32 end;
	u32 n;
};

static long count_blank(u32 i, struct blanks *s)
{
	if (s->at + i >= s->end || s->n > 2)
		return 1;
	if (win_byte(s->win, s->at + i) == ' ')
		s->n++;
	return 0;
}

// count_blanks counts on. Behind its method a request line has one; more are
// another protocol's.
inline_ void count_blanks(struct dir *d, const struct window *win, u32 start, u32 end)
{
	struct blanks s = {.win = win, .at = start, .end = end, .n = d->blanks};

	bpf_loop(CARRY_MAX + READ_MAX, count_blank, &s, 0);
	d->blanks = s.n;
}

// target_start returns where the target of the request line that begins at start is.
inline_ u32 target_start(const struct window *win, u32 start)
{
	UNROLLED
	for (int i = 0; i < METHOD_MAX; i++) {
		if (win_byte(win, start + i) == ' ')
			return start + i + 1;
	}
	return start;
}

// request_begins reads the method of a request line that is there up to end.
inline_ void request_begins(struct dir *d, struct window *win, u32 start)
{
	u64 w = win_word(win, start);

	if ((w & 0xffffffffffULL) == WORD8('H', 'E', 'A', 'D', ' ', 0, 0, 0))
		d->bits |= BIT_HEAD;
	if (w == WORD8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '))
		d->bits |= BIT_CONNECT;
	d->strict = !common_method(win, start);
	d->blanks = 0;
	d->hash = 0;
}

// request_ends checks the end of a request line: " HTTP/1.0" or " HTTP/1.1", and
// what is left of its target from start on.
inline_ void request_ends(struct dir *d, struct window *win, u32 start, u32 end)
{
	if (!is_version(win, end) || end < start + 9 || win_byte(win, end - 9) != ' ') {
		d->bad = 1;
		return;
	}
	if (d->strict) {
		count_blanks(d, win, start, end);
		d->bad = d->blanks != 1;
	}
	if (d->want_hash)
		d->target_hash = hash_target(d, win, start, end - 9);
}

// first_line checks the line between start and end. Inline, as the rows of calls
// below it are the longest there are.
inline_ int first_line(struct dir *d, struct window *win, u32 start, u32 end, u32 answers)
{
	u64 w;

	if (!d || !win)
		return 0;
	d->first = 0;
	if (answers) {
		u8 a = win_byte(win, start + 9) - '0';
		u8 b = win_byte(win, start + 10) - '0';
		u8 c = win_byte(win, start + 11) - '0';

		w = win_word(win, start);
		d->status = a * 100 + b * 10 + c;
		if ((w & 0x00ffffffffffffffULL) != WORD8('H', 'T', 'T', 'P', '/', '1', '.', 0) || a > 9 || b > 9 || c > 9)
			d->bad = 1;
		return 0;
	}
	request_begins(d, win, start);
	start = target_start(win, start);
	if (end < start + 10) // no target
		d->bad = 1;
	else
		request_ends(d, win, start, end);
	return 0;
}
