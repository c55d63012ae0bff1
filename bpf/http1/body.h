// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Bodies: finds where they end. Only what is between chunks is ever read.
#pragma once

#include "http1.h"

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

// begin_request_body does so for a request; 1: nothing follows.
noinline_ int begin_request_body(struct dir *d)
{
	return d ? begin_body(d, false) : 0;
}
