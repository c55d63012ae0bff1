// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The header of the PROXY protocol (haproxy.org/download/3.0/doc/proxy-protocol.txt)
// that a balancer sends before the first request of a connection. Its bytes go to
// user space with each request, which reads the client's address.
#pragma once

#include "head.h"

#define PROXY2_FIXED 16 // signature, command, family, length
#define PROXY2_KEPT 52  // ... and two IPv6 addresses with their ports

// keep_preface keeps what begins at b, of which sizeof(struct preface) bytes can be read.
inline_ void keep_preface(struct http1 *h, const void *b)
{
	bpf_probe_read_kernel(&h->preface, sizeof(h->preface), b);
	h->proxied = 1;
}

// keep_line keeps the PROXY line that scan_head has met.
inline_ void keep_line(struct http1 *h, struct window *win)
{
	u32 at = win->proxied - 1;

	barrier_var(at);
	if (at <= WIN_SIZE - sizeof(struct preface))
		keep_preface(h, win->b + at);
}

// The signature is \r \n \r \n \0 \r \n Q U I T \n.
inline_ u8 signature_byte(u32 i)
{
	u64 low = WORD8('\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q');
	u64 high = WORD8('U', 'I', 'T', '\n', 0, 0, 0, 0);

	return i < 8 ? low >> (i * 8) : high >> ((i - 8) * 8);
}

struct matching {
	const struct window *win;
	u32 n;
	u32 from; // bytes of the signature that have come before
};

static long match_byte(u32 i, struct matching *m)
{
	return i >= m->n || win_byte(m->win, i) != signature_byte(m->from + i);
}

// step_preface takes the next bytes of a binary header, however they are cut.
// d->carry has what is kept of it. Where it turns out to be none, there were only
// empty lines: a head goes on. It returns the bytes consumed, 0: neither.
noinline_ u32 step_preface(struct dir *d, struct source *s, struct window *win)
{
	struct matching m = {.win = win};
	u32 have, n, want, same;

	if (!d || !s || !win)
		return 0;
	have = d->carry_len;
	s->complete = 0;
	if (d->left) { // what is not kept
		n = s->left < d->left ? s->left : d->left;
		d->left -= n;
		s->complete = !d->left;
		return n;
	}
	want = have < 12 ? 12 : have < PROXY2_FIXED ? PROXY2_FIXED : d->ext;
	n = want - have;
	if (n > s->left)
		n = s->left;
	barrier_var(n);
	if (!n || n > PROXY2_KEPT || read_bytes(s, win->b, n))
		return 0;
	if (have < 12) {
		m.n = n;
		m.from = have;
		same = bpf_loop(13, match_byte, &m, 0) - 1;
		if (same < n && have + same > 4)
			return 0;
		if (same < n) {
			d->state = D_HEAD;
			d->carry_len = 0;
			return same;
		}
	}
	barrier_var(have);
	if (have > CARRY_MAX - PROXY2_KEPT)
		return 0;
	bpf_probe_read_kernel(d->carry + have, n, win->b);
	have += n;
	d->carry_len = have;
	if (have == PROXY2_FIXED) { // the rest's length is in the last two bytes
		want = PROXY2_FIXED + ((u32)d->carry[14] << 8 | d->carry[15]);
		d->ext = want < PROXY2_KEPT ? want : PROXY2_KEPT;
		d->length = want - d->ext;
		want = d->ext;
	}
	if (have >= PROXY2_FIXED && have == want) {
		d->left = d->length;
		s->complete = !d->left;
	}
	return n;
}
