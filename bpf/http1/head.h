// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Heads: finds the lines of a request or response head, eight bytes at a time,
// in however many pieces it comes.
#pragma once

#include "line.h"

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
	int last;

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
	if (win->odd && is_plain(win, start, end)) {
		s->d->last = LINE_NEW;
		s->d->checked = 1;
		win->odd = ODD_NOT;
	}
	if (win->odd) {
		last = odd_line(s->d, win, start, end, nl + 1);
		barrier_var(last); // the compiler knows that it is 0 or 1, the verifier does not
		return last ? 1 : 0;
	}
	if (end == start) {
		win->head_end = nl + 1;
		return 1;
	}
	header_line(s->d, win, start, end);
	return 0;
}

// room_at returns how many bytes can be kept from off on, without those of
// the requests in the slots.
inline_ u32 room_at(const struct http1 *h, u32 off)
{
	u32 end = KEEP_ALL;

	UNROLLED
	for (int i = 0; i < SLOTS; i++) {
		const struct request *r = &h->slot[i];

		if (r->live && !r->seq && r->head_off >= off && r->head_off < end)
			end = r->head_off;
	}
	return end - off;
}

// begin_keep finds room for the bytes of the next head. One that is pipelined gets
// half as much: then there is always room for another.
noinline_ int begin_keep(struct http1 *h)
{
	struct dir *d;
	u32 room;

	if (!h)
		return 0;
	d = &h->q;
	d->keep_len = 0;
	if (h->head == h->tail) { // nearly always
		d->keep_off = 0;
		d->keep_max = KEEP_ONE;
		return 0;
	}
	if (d->keep_off > KEEP_ALL - KEEP_PIPELINED || room_at(h, d->keep_off) < KEEP_PIPELINED)
		d->keep_off = 0;
	room = room_at(h, d->keep_off);
	d->keep_max = room < KEEP_PIPELINED ? room : KEEP_PIPELINED;
	return 0;
}

inline_ void begin_head(struct http1 *h, struct dir *d, struct source *s, bool answers)
{
	d->state = D_HEAD;
	__builtin_memset(d->anew, 0, sizeof(d->anew));
	d->first = 1;
	d->checked = answers;
	d->length = -1;
	d->body = 0;
	d->left = 0;
	d->start_ns = s->now;
	if (!answers)
		begin_keep(h);
}

// keep_head copies bytes of a request's head for its event. Most heads are short, and
// there is no other: copying a few bytes more is quicker than asking the kernel.
inline_ void keep_head(struct http1 *h, struct dir *d, struct window *win, u32 from, u32 n)
{
	u32 room = d->keep_max - d->keep_len, to = d->keep_off + d->keep_len;

	if (d->keep_len >= d->keep_max)
		room = 0;
	if (n > room) {
		d->bits |= BIT_TRUNCATED;
		n = room;
	}
	barrier_var(n);
	barrier_var(from);
	barrier_var(to);
	if (!n || n > READ_MAX || from > CARRY_MAX || to > KEEP_ALL) // what the verifier takes for too far lies in win
		return;
	if (n <= KEEP_SHORT && h->head == h->tail && to <= KEEP_ALL - KEEP_SHORT)
		copy_short(h->kept + to, win->b + from, n);
	else
		bpf_probe_read_kernel(h->kept + to, n, win->b + from);
	d->keep_len += n;
}

// carry_rest keeps the unfinished line at the end of the window for the next step.
inline_ void carry_rest(struct dir *d, struct window *win, u32 end, bool answers)
{
	u32 rest = end - win->line, at;

	if (rest > CARRY_MAX)
		rest = long_line(d, win, win->line, end, answers);
	at = end - rest;
	barrier_var(rest);
	barrier_var(at);
	d->carry_len = 0;
	if (rest > CARRY_MAX || at > CARRY_MAX + READ_MAX)
		return;
	bpf_probe_read_kernel(d->carry, rest, win->b + at);
	d->carry_len = rest;
}

// scan_head consumes one step of a head. Returns the bytes consumed, 0 when the
// direction is not HTTP; s->complete tells that the head has ended (STEP_HEAD).
inline_ u32 scan_head(struct http1 *h, struct dir *d, struct source *s, struct window *win, bool answers)
{
	struct scan sc = {.win = win, .d = d};
	u32 carry = d->carry_len, n = s->left;

	s->complete = 0;
	if (n > READ_MAX)
		n = READ_MAX;
	if (carry > CARRY_MAX)
		return 0;
	if (carry)
		__builtin_memcpy(win->b, d->carry, CARRY_MAX);
	if (read_bytes(s, win->b + carry, n))
		return 0;
	if (!answers && d->first && !d->line && !common_method(win, 0) && plausible_method(win, carry + n) < 0)
		return 0;
	if (answers && d->head_seen == 0 && win->b[0] != 'H')
		return 0;
	sc.end = carry + n;
	win->base = s->done - carry;
	win->answers = answers;
	win->preface = !answers && !h->seen && !h->proxied;
	win->pos = 0;
	win->line = 0;
	win->head_end = 0;
	win->proxied = 0;
	win->odd = odd_next(d);
	bpf_loop(CARRY_MAX + READ_MAX, scan_line, &sc, 0);
	if (!d->bad && !win->head_end)
		carry_rest(d, win, sc.end, answers);
	if (d->bad)
		return 0;
	if (win->head_end) {
		s->complete = 1;
		d->carry_len = 0;
		n = win->head_end - carry;
	}
	if (n > READ_MAX)
		return 0;
	if (!answers)
		keep_head(h, d, win, carry, n);
	d->head_seen += n;
	return n;
}
