// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The lines of a head that are no plain headers: its first one, folded ones, and
// those too long to be looked at as a whole.
#pragma once

#include "header.h"

static long name_byte(u32 i, struct walk *s)
{
	u8 c = win_byte(s->win, s->at + i);

	return s->at + i >= s->end || c == ':' || c == ' ' || c == '\t';
}

// HAS(w, c) has the highest bit of the first byte of w that is c, and no bit below it.
#define HAS(w, c) ((((w) ^ BYTES(c)) - BYTES(1)) & ~((w) ^ BYTES(c)) & BYTES(0x80))

// has_short_name tells whether a line begins with a name and a colon within 8 bytes.
inline_ bool has_short_name(const struct window *win, u32 start, u32 end)
{
	u64 w = win_word(win, start);
	u64 colon = HAS(w, ':'), before = (colon & -colon) - 1; // below the first one

	return colon && end >= start + 8 && before != 0x7f && !((HAS(w, ' ') | HAS(w, '\t')) & before);
}

// has_colon tells whether a line begins as a header does: with a name and a colon.
noinline_ int has_colon(struct window *win, u32 start, u32 end)
{
	struct walk s = {.win = win, .at = start, .end = end};
	u32 n;

	if (!win)
		return 0;
	n = bpf_loop(CARRY_MAX + READ_MAX, name_byte, &s, 0) - 1;
	return n && start + n < end && win_byte(win, start + n) == ':';
}

// is_proxy tells whether the line is a header of the PROXY protocol, version 1.
inline_ bool is_proxy(const struct window *win, u32 start)
{
	return (win_word(win, start) & 0xffffffffffffULL) == WORD8('P', 'R', 'O', 'X', 'Y', ' ', 0, 0);
}

// begins handles the first line of a head, or an empty one before it.
inline_ void begins(struct dir *d, struct window *win, u32 start, u32 end, u32 next)
{
	d->line1_pos = win->base + next;
	if (end == start) // empty lines before a request are allowed
		return;
	if (win->preface && is_proxy(win, start)) {
		win->proxied = start + 1;
		win->preface = 0;
		return;
	}
	first_line(d, win, start, end, win->answers);
}

// goes_on handles the rest of a line whose beginning was too much to look at.
inline_ void goes_on(struct dir *d, struct window *win, u32 start, u32 end, u32 next)
{
	if (d->line == LINE_FIRST) {
		d->first = 0;
		d->line1_pos = win->base + next;
		request_ends(d, win, start, end);
	} else if (d->line == LINE_CODING) {
		header_coding(d, win, start, end);
	}
	d->line = LINE_NEW;
}

// closer handles a header line that needs a closer look: the first one of a
// request, or one that may be folded.
inline_ void closer(struct dir *d, struct window *win, u32 start, u32 end)
{
	u8 c = win_byte(win, start);

	if (c != ' ' && c != '\t')
		d->last = LINE_NEW;
	if (d->last == LINE_CODING)
		header_coding(d, win, start, end);
	else if (d->last == LINE_LENGTH)
		header_length(d, win, start, end);
	else if (d->checked || win->answers || has_colon(win, start, end))
		header_line(d, win, start, end);
	else
		d->bad = 1;
	d->checked = 1;
}

// odd_next tells what the next line is.
inline_ u32 odd_next(const struct dir *d)
{
	if (d->first | d->line)
		return ODD_LINE;
	if (d->last)
		return ODD_FOLD;
	return d->checked ? ODD_NOT : ODD_NAME;
}

// is_plain tells whether a line that might be an odd one is a header line after all.
noinline_ int is_plain(struct window *win, u32 start, u32 end)
{
	u8 c;

	if (!win)
		return 0;
	c = win_byte(win, start);
	if (win->odd == ODD_FOLD)
		return c != ' ' && c != '\t';
	return win->odd == ODD_NAME && has_short_name(win, start, end);
}

// odd_line handles what is no plain header line: the first line, a folded one, or
// the rest of a long one. True: the head ends here, or is none.
noinline_ int odd_line(struct dir *d, struct window *win, u32 start, u32 end, u32 next)
{
	if (!d || !win)
		return 1;
	if (d->line) {
		goes_on(d, win, start, end, next);
	} else if (d->first) {
		begins(d, win, start, end, next);
	} else if (end == start) {
		win->head_end = next;
		return 1;
	} else {
		closer(d, win, start, end);
	}
	win->odd = odd_next(d);
	return d->bad != 0;
}

// long_line takes the beginning of a line, from start to end, that is too long to
// be looked at as a whole. It returns how much of its end is looked at again.
noinline_ u32 long_line(struct dir *d, struct window *win, u32 start, u32 end, u32 answers)
{
	u64 a, b;
	u32 keep = TAIL_MIN;

	if (!d || !win || end < start + CARRY_MAX)
		return 0;
	if (d->line == LINE_NEW && d->first && answers) {
		first_line(d, win, start, end, answers);
		d->line = LINE_OTHER;
	} else if (d->line == LINE_NEW && d->first) {
		request_begins(d, win, start);
		start = target_start(win, start);
		d->line = LINE_FIRST;
	} else if (d->line == LINE_NEW) {
		a = win_word(win, start) | BYTES(0x20);
		b = win_word(win, start + 8) | BYTES(0x20);
		d->line = LINE_OTHER;
		if (a == WORD8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r') && b == WORD8('-' | 0x20, 'e', 'n', 'c', 'o', 'd', 'i', 'n'))
			d->line = LINE_CODING;
		else if (a == WORD8('c', 'o', 'n', 't', 'e', 'n', 't', '-') && (b & 0x00ffffffffffffffULL) == WORD8('l', 'e', 'n', 'g', 't', 'h', ':', 0))
			header_length(d, win, start + 15, end);
		else if (a == WORD8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') && (b & 0xffffffffULL) == WORD8('e', 'n', 't', ':', 0, 0, 0, 0))
			d->has_trace = 2; // too long to be one
	}
	if (d->line != LINE_FIRST)
		return keep;
	keep += (end - keep - start) & 7; // words are hashed as a whole
	if (d->strict)
		count_blanks(d, win, start, end - keep);
	if (d->want_hash)
		hash_target(d, win, start, end - keep);
	return keep;
}
