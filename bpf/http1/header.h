// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The few headers of a head that matter.
#pragma once

#include "first.h"

static long skip_blank(u32 i, struct walk *s)
{
	u8 c = win_byte(s->win, s->at + i);

	return s->at + i >= s->end || (c != ' ' && c != '\t');
}

// skip_blanks returns where the first byte is from at on that is no blank. What is
// there has no step of its own in the loop's state, or the verifier would follow it.
inline_ u32 skip_blanks(const struct window *win, u32 at, u32 end)
{
	struct walk s = {.win = win, .at = at, .end = end};

	return at + bpf_loop(CARRY_MAX + READ_MAX, skip_blank, &s, 0) - 1;
}

static long trim_blank(u32 i, struct walk *s)
{
	u8 c = win_byte(s->win, s->end - 1 - i);

	return s->at + i >= s->end || (c != ' ' && c != '\t');
}

// trim_blanks returns the end of a line without the blanks at its end.
inline_ u32 trim_blanks(const struct window *win, u32 start, u32 end)
{
	struct walk s = {.win = win, .at = start, .end = end};

	return end + 1 - bpf_loop(CARRY_MAX + READ_MAX, trim_blank, &s, 0);
}

noinline_ int header_length(struct dir *d, struct window *win, u32 at, u32 end)
{
	u64 n = 0;
	u32 i;

	if (!d || !win)
		return 0;
	if (win_byte(win, at) == ' ' && win_byte(win, at + 1) - '0' <= 9U) // nearly always
		at++;
	else
		at = skip_blanks(win, at, end);
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

// header_coding: the last coding decides, that is whether the line ends in "chunked".
noinline_ int header_coding(struct dir *d, struct window *win, u32 start, u32 end)
{
	u64 w;

	if (!d || !win)
		return 0;
	end = trim_blanks(win, start, end);
	if (end == start)
		return 0; // a folded line without a word
	w = end >= start + 7 ? (win_word(win, end - 7) | BYTES(0x20)) & 0x00ffffffffffffffULL : 0;
	d->chunked = w == WORD8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0);
	return 0;
}

// header_trace reads "00-<32>-<16>-<2>"; anything else starts a new trace, and so
// do two of them.
noinline_ int header_trace(struct dir *d, struct window *win, u32 base, u32 at, u32 end)
{
	u32 flags = 0, again;
	const u8 *p;
	u64 w;

	if (!d || !win)
		return 0;
	again = d->has_trace;
	d->has_trace = 2;
	if (again)
		return 0;
	at = skip_blanks(win, at, end);
	end = trim_blanks(win, at, end);
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

// header_line looks at one line of a head. Most are none of these.
inline_ void header_line(struct dir *d, struct window *win, u32 start, u32 end)
{
	u64 a = win_word(win, start) | BYTES(0x20), b;

	if (a == WORD8('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0x00ffffffffffffffULL;
		if (b != WORD8('l', 'e', 'n', 'g', 't', 'h', ':', 0))
			return;
		header_length(d, win, start + 15, end);
		d->last = LINE_LENGTH;
	} else if (a == WORD8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		b = win_word(win, start + 8) | BYTES(0x20);
		if (b != WORD8('-' | 0x20, 'e', 'n', 'c', 'o', 'd', 'i', 'n'))
			return;
		d->chunked = 0;
		header_coding(d, win, start + 18, end);
		d->last = LINE_CODING;
	} else if (a == WORD8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r')) {
		b = (win_word(win, start + 8) | BYTES(0x20)) & 0xffffffffULL;
		if (b == WORD8('e', 'n', 't', ':', 0, 0, 0, 0))
			header_trace(d, win, win->base, start + 12, end);
	} else if ((a & 0x00ffffffffffffffULL) == WORD8('e', 'x', 'p', 'e', 'c', 't', ':', 0)) {
		d->expect = 1;
	}
	win->odd = d->last ? ODD_FOLD : ODD_NOT;
}
