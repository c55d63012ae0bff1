// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Frames of HTTP/2: finds where they, and the header blocks in them, begin and end.
// Source: RFC 9113, sections 3.4, 4 and 6.
//
// Header blocks are compressed (HPACK) by what the blocks before have said: user space
// reads them, and gets all of them, in their order.
#pragma once

#include "../exchange/beginning.h"

#define PROTOCOL_HTTP2 5 // struct request: as in the value of the room

#define PREFACE_LEN 24
#define FRAME_HEAD 9
#define CHUNK 1024 // bytes of a header block in one event; most have one
#define BLOCK_MAX (1U << 16) // of header block that one request has; more is no conversation
#define TYPE_MAX 0x60 // extensions have numbers below it

enum frame_type { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITISED = 0x20 };

// Where in a frame a direction is. PART_SYNC: not known, it was joined midway. PART_FIELDS: in what comes before a header block, or
// in the fields of a frame without one.
enum frame_part { PART_SYNC, PART_HEAD, PART_PREFACE, PART_FIELDS, PART_BLOCK, PART_REST };

// What user space is told. TELL_BLOCK: bytes of a header block. TELL_END: a body's end,
// with its stream. TELL_CLOSED: all streams end. TELL_LOST: ... and nobody knows how.
// TELL_TURNED: the connection begins with the head of a request of HTTP/1.
enum tell { TELL_NOTHING, TELL_BLOCK, TELL_END, TELL_RESET, TELL_GOAWAY, TELL_CLOSED, TELL_LOST, TELL_TURNED };

// frames is one direction of a connection.
struct frames {
	u32 left;   // bytes of the frame's payload that are still to come
	u32 pad;    // ... of which are padding, at its end
	u32 stream;
	u32 block_of; // whose header block goes on with a CONTINUATION, 0: nobody's
	u32 block_len; // bytes of it so far
	u32 events;    // told of this direction
	u8 part;
	u8 type;
	u8 flags;
	u8 block_flags; // of the frame that the header block began in
	u8 block_type;
	u8 told_first;  // the block's first bytes were told of
	u8 kind;  // enum tell: what is to be told of what was just taken
	u8 fresh; // ... of a request that begins
	u8 head_len;
	u8 want;
	u8 _pad[6];
	u8 head[56]; // of which the first PREFACE_LEN are used, the rest is room for the verifier
};

inline_ u32 be32_at(const u8 *b)
{
	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

inline_ u32 be24_at(const u8 *b)
{
	return (u32)b[0] << 16 | (u32)b[1] << 8 | b[2];
}

#define TEXT8(a, b, c, d, e, f, g, h)                                                     \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |      \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

// is_http2_preface tells whether a client begins with HTTP/2 here.
inline_ bool is_http2_preface(const u8 *b)
{
	return *(u64 *)b == TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T') &&
	       *(u64 *)(b + 8) == TEXT8('T', 'P', '/', '2', '.', '0', '\r', '\n') &&
	       *(u64 *)(b + 16) == TEXT8('\r', '\n', 'S', 'M', '\r', '\n', '\r', '\n');
}

// is_settings tells whether a server begins here: with its settings.
inline_ bool is_settings(const struct beginning *b)
{
	u32 len = be24_at(b->b);

	if (b->n < FRAME_HEAD || b->b[3] != SETTINGS || b->b[4] || be32_at(b->b + 5) || len % 6 || len > 32 * 6 || b->total < FRAME_HEAD + len)
		return false;
	if (!len)
		return b->total == FRAME_HEAD;
	return b->n >= FRAME_HEAD + 6 && !b->b[9] && b->b[10] && b->b[10] <= 16;
}

// is_request tells whether a client that is in the middle of something sends this: a
// header block, whole, with GET or POST among its first fields (RFC 7541, appendix A); or
// no more than the head of its frame, which is how servers of Go's read.
inline_ bool is_request(const struct beginning *b)
{
	u32 len = be24_at(b->b), stream = be32_at(b->b + 5), at = FRAME_HEAD;

	if (b->n < FRAME_HEAD || !len || len > 1 << 14)
		return false;
	if (b->b[3] != HEADERS || !(b->b[4] & END_HEADERS) || b->b[4] & ~(END_STREAM | END_HEADERS | PRIORITISED))
		return false;
	if (b->b[4] & PRIORITISED)
		at += 5;
	if (!(stream & 1) || stream >> 24)
		return false;
	if (b->total == FRAME_HEAD)
		return true;
	if (b->n < FRAME_HEAD + 8 || b->total < FRAME_HEAD + len)
		return false;
	return (b->b[at] | 1) == 0x83 || (b->b[at + 1] | 1) == 0x83 || (b->b[at + 2] | 1) == 0x83;
}

// is_answer tells whether a server that is in the middle of something goes on with a
// frame here, where the newest request is known.
noinline_ int is_answer(struct beginning *b, u32 newest)
{
	u32 len, stream;

	if (!b || b->n < FRAME_HEAD)
		return 0;
	len = be24_at(b->b);
	stream = be32_at(b->b + 5);
	switch (b->b[3]) {
	case HEADERS:
		return len && len <= 1 << 14 && (b->b[4] & ~END_STREAM) == END_HEADERS && stream & 1 && stream <= newest;
	case WINDOW_UPDATE:
		return len == 4 && !b->b[4] && stream <= newest;
	case PING:
		return len == 8 && !(b->b[4] & ~ACK) && !stream;
	case SETTINGS:
		return !len && b->b[4] == ACK && !stream;
	}
	return 0;
}

// http2_begins tells whether a connection begins with HTTP/2 here.
noinline_ int http2_begins(struct beginning *b)
{
	if (!b)
		return BEGINS_NOT;
	if (b->n >= 4 && is_reserved(b->b)) // servers of Go's read 14 bytes first
		return !b->midway || (b->n >= 8 && *(u64 *)b->b == TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T')) ? BEGINS_CLIENT : BEGINS_NOT;
	if (b->midway)
		return is_request(b) ? BEGINS_CLIENT : BEGINS_NOT;
	return is_settings(b) ? BEGINS_SERVER : BEGINS_NOT;
}

#define AHEAD 512

// ahead is what was read of a call ahead: a read costs more than its bytes do, and frames are short.
struct ahead {
	u64 at; // address of the first byte
	u32 n;
	u32 _pad;
	u8 b[AHEAD + 32]; // the rest is room for the verifier
};

ROOM(aheads, struct ahead);

// read_ahead returns where in a->b the next n bytes of a call are, AHEAD: not there.
noinline_ u32 read_ahead(struct ahead *a, struct source *s, u32 n)
{
	u64 off;
	u32 m;

	if (!a || !s || n > AHEAD)
		return AHEAD;
	off = s->ptr - a->at;
	if (off < AHEAD && off + n <= a->n)
		return off;
	m = s->left < AHEAD ? s->left : AHEAD;
	a->n = 0;
	barrier_var(m);
	if (m < n || m > AHEAD || read_bytes(s, a->b, m))
		return AHEAD;
	a->at = s->ptr;
	a->n = m;
	return 0;
}

// take_whole takes the head of a frame that is there as a whole. False: it is not.
inline_ bool take_whole(struct source *s, struct frames *d, struct ahead *a)
{
	u32 off = read_ahead(a, s, FRAME_HEAD);

	barrier_var(off);
	if (off >= AHEAD)
		return false;
	*(u64 *)d->head = *(u64 *)(a->b + off);
	d->head[8] = a->b[off + 8];
	return true;
}

// take_head completes what is wanted of a frame. Returns the bytes consumed, 0: they
// cannot be read; s->complete: all is there.
noinline_ u32 take_head(struct source *s, struct frames *d, struct ahead *a)
{
	u32 n, to;

	if (!s || !d || !a)
		return 0;
	s->complete = 0;
	to = d->head_len;
	if (to >= d->want)
		return 0;
	n = d->want - to;
	if (n > s->left)
		n = s->left;
	barrier_var(n);
	barrier_var(to);
	if (!n || n > PREFACE_LEN || to > 31 || s->opaque)
		return 0;
	if ((n != FRAME_HEAD || to || !take_whole(s, d, a)) && read_bytes(s, d->head + to, n))
		return 0;
	d->head_len = to + n;
	s->complete = d->head_len == d->want;
	return n;
}

inline_ void next_part(struct frames *d, u8 part, u8 want)
{
	d->part = part;
	d->want = want;
	d->head_len = 0;
}

// is_sound tells whether a frame can be of its type. Types that nobody knows are to be
// ignored; what lies far out is no frame.
inline_ bool is_sound(const struct frames *d, u32 by_client)
{
	if (d->block_of)
		return d->type == CONTINUATION && d->stream == d->block_of;
	switch (d->type) {
	case HEADERS:
		return d->stream && (!by_client || d->stream & 1);
	case DATA:
		return d->stream != 0;
	case PRIORITY:
		return d->left == 5;
	case RST_STREAM:
		return d->stream && d->left == 4;
	case SETTINGS:
		return !d->stream && d->left % 6 == 0;
	case PUSH_PROMISE:
		return d->stream && !by_client;
	case PING:
		return !d->stream && d->left == 8;
	case GOAWAY:
		return !d->stream && d->left >= 8;
	case WINDOW_UPDATE:
		return d->left == 4;
	case CONTINUATION:
		return false;
	}
	return d->type < TYPE_MAX;
}

// fields_of returns how many bytes come before what is of interest in a frame.
inline_ u32 fields_of(const struct frames *d)
{
	u32 padded = d->flags & PADDED ? 1 : 0;

	switch (d->type) {
	case HEADERS:
		return padded + (d->flags & PRIORITISED ? 5 : 0);
	case PUSH_PROMISE:
		return padded + 4;
	case RST_STREAM:
		return 4;
	case GOAWAY:
		return 8;
	}
	return 0;
}

// begin_frame handles the head of a frame. False: it is none.
inline_ bool begin_frame(struct frames *d, u32 by_client)
{
	u32 fields;

	d->left = be24_at(d->head);
	d->type = d->head[3];
	d->flags = d->head[4];
	d->stream = be32_at(d->head + 5) & 0x7fffffff;
	d->pad = 0;
	if (!is_sound(d, by_client))
		return false;
	if (d->type == HEADERS || d->type == PUSH_PROMISE) {
		d->block_of = d->stream;
		d->block_len = 0;
		d->block_flags = d->flags;
		d->block_type = d->type;
		d->told_first = 0;
	}
	fields = fields_of(d);
	if (fields > d->left)
		return false;
	if (fields)
		next_part(d, PART_FIELDS, fields);
	else
		next_part(d, d->block_of ? PART_BLOCK : PART_REST, 0);
	return true;
}

// begin_payload handles the fields of a frame. False: they cannot be.
inline_ bool begin_payload(struct frames *d)
{
	bool block = d->block_of != 0;

	d->left -= d->want;
	if (block && d->flags & PADDED)
		d->pad = d->head[0];
	next_part(d, block ? PART_BLOCK : PART_REST, 0);
	return d->pad <= d->left;
}

// is_ended tells whether a frame ends the body of an answer.
inline_ bool is_ended(const struct frames *d, u32 by_client)
{
	return !by_client && d->type == DATA && d->flags & END_STREAM && !d->left;
}

// told_of tells what is to be told of a frame whose fields have just been read.
inline_ u8 told_of(const struct frames *d, u32 by_client)
{
	if (d->part == PART_BLOCK)
		return d->left == d->pad ? TELL_BLOCK : TELL_NOTHING;
	if (d->part != PART_REST)
		return TELL_NOTHING;
	if (d->type == RST_STREAM)
		return TELL_RESET;
	if (d->type == GOAWAY)
		return TELL_GOAWAY;
	return is_ended(d, by_client) ? TELL_END : TELL_NOTHING;
}

// understood handles what is there as a whole. False: it is no HTTP/2.
noinline_ int understood(struct frames *d, u32 by_client)
{
	int is = 0;

	if (!d)
		return 0;
	switch (d->part) {
	case PART_PREFACE:
		is = is_http2_preface(d->head);
		next_part(d, PART_HEAD, FRAME_HEAD);
		return is;
	case PART_HEAD:
		is = begin_frame(d, by_client);
		break;
	case PART_FIELDS:
		is = begin_payload(d);
	}
	d->kind = told_of(d, by_client);
	return is;
}

// payload takes up to n bytes of a frame's payload. Returns how many.
noinline_ u32 payload(struct frames *d, u32 n, u32 by_client)
{
	if (!d)
		return 0;
	if (n > d->left)
		n = d->left;
	if (d->part == PART_BLOCK) {
		if (n > d->left - d->pad)
			n = d->left - d->pad;
		if (n > CHUNK)
			n = CHUNK;
		d->block_len += n;
		d->kind = TELL_BLOCK;
	}
	d->left -= n;
	if (is_ended(d, by_client))
		d->kind = TELL_END;
	return d->block_len > BLOCK_MAX ? 0 : n;
}

// go_on goes on behind what was told of a frame.
noinline_ int go_on(struct frames *d)
{
	if (!d)
		return 0;
	d->kind = TELL_NOTHING;
	if (d->part == PART_BLOCK && d->left == d->pad) {
		d->part = PART_REST;
		if (d->flags & END_HEADERS)
			d->block_of = 0;
	}
	if (d->part == PART_REST && !d->left)
		next_part(d, PART_HEAD, FRAME_HEAD);
	return 0;
}
