// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The protocol of PostgreSQL, version 3: finds messages.
// Source: the PostgreSQL manual, "Frontend/Backend Protocol", "Message Formats".
//
// A message is its type, its length, and so many bytes; the first one of a client has no
// type.
#pragma once

#include "../exchange/beginning.h"

#define PROTOCOL_POSTGRES 3 // struct request: as in the value of the room

#define MESSAGE_MAX (1U << 30) // the server takes no more
#define STARTUP_MAX 10000 // MAX_STARTUP_PACKET_LENGTH of the server
#define ASKS_TLS 80877103
#define ASKS_GSS 80877104
#define TEXT_MAX 512 // kept of a statement
#define PARAMS_MAX 96 // kept of what a connection begins with
#define LOOK_MAX 64
#define NAME_MAX 64 // of a prepared statement: NAMEDATALEN of the server

// What is taken of a message's body. TAKE_PORTAL, TAKE_NAME: strings that end with a zero.
enum take { TAKE_NOTHING, TAKE_TEXT, TAKE_PARAMS, TAKE_PORTAL, TAKE_BOUND, TAKE_NAME, TAKE_CODE };

// stream is one direction of a connection.
struct stream {
	u32 skip;  // bytes of the message that are still to come
	u32 taken; // bytes of what is taken so far
	u64 hash;  // of the name so far
	u8 untyped; // the next message has no type
	u8 single;  // the next answer is one byte
	u8 take;    // enum take
	u8 type;
	u8 head_len;
	u8 _pad[3];
	u8 head[16];
};

inline_ u32 be32(const u8 *b)
{
	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

struct pg_name {
	struct beginning *b;
	u32 at;
	u8 ended;
	u8 odd;
	u8 _pad[2];
};

// A name that does not end within what is looked at is one if so much of it is.
#define LONG_NAME 16

// starts_text tells whether a statement can begin so.
inline_ bool starts_text(u8 c) { return is_letter(c) || c == ' ' || c == '\n' || c == '\t'; }

static long pg_name_byte(u32 i, struct pg_name *e)
{
	u32 at = e->at;
	u8 c;

	barrier_var(at);
	if (at >= BEGINNING_MAX || at >= e->b->n)
		return 1;
	c = e->b->b[at];
	e->at = at + 1;
	if (!c) {
		e->ended = 1;
		return 1;
	}
	e->odd = !is_letter(c) && (u8)(c - '0') > 9 && c != '_' && c != '-' && c != '.';
	return e->odd;
}

// behind_name returns where what is behind a name of a portal or a statement begins, 0: it
// is none; BEGINNING_MAX: a long one, which ends behind what is looked at.
noinline_ u32 behind_name(struct beginning *b, u32 at)
{
	struct pg_name e = {.at = at};

	if (!b)
		return 0;
	e.b = b;
	bpf_loop(BEGINNING_MAX, pg_name_byte, &e, 0);
	if (e.odd)
		return 0;
	if (e.ended)
		return e.at;
	return e.at >= at + LONG_NAME ? BEGINNING_MAX : 0;
}

// is_named tells whether the names of a Parse or a Bind are some, and what is behind them
// is a statement, or how many formats there are.
inline_ bool is_named(struct beginning *b)
{
	u32 at = behind_name(b, 5);

	if (at && at < BEGINNING_MAX && b->b[0] == 'B')
		at = behind_name(b, at);
	if (!at || at >= BEGINNING_MAX)
		return at;
	barrier_var(at);
	if (at >= BEGINNING_MAX || at >= b->n)
		return false;
	return b->b[0] == 'P' ? starts_text(b->b[at]) : !b->b[at];
}

// is_statement tells whether a client that is in the middle of something says this: a
// query that is all of the call, or what prepares or executes one.
inline_ bool is_statement(struct beginning *b)
{
	u32 len, next;

	if (b->n < 8 || (b->b[0] != 'Q' && b->b[0] != 'P' && b->b[0] != 'B'))
		return false;
	len = be32(b->b + 1);
	if (len < 6 || len >= b->total)
		return false;
	if (b->b[0] == 'Q')
		return len + 1 == b->total && starts_text(b->b[5]);
	next = len + 1;
	barrier_var(next);
	if (next > BEGINNING_MAX - 5 || next + 5 > b->n)
		return is_named(b);
	switch (b->b[next]) {
	case 'B':
	case 'D':
	case 'E':
	case 'H':
	case 'S':
		return !b->b[next + 1];
	}
	return false;
}

// postgres_begins tells whether a client of PostgreSQL begins here.
noinline_ int postgres_begins(struct beginning *b)
{
	u32 len, code;

	if (!b || b->n < 8)
		return 0;
	if (b->b[0])
		return b->midway && is_statement(b);
	len = be32(b->b);
	code = be32(b->b + 4);
	if (b->total > len || (b->midway && b->total != len)) // Kafka's begin so, and are longer by four
		return 0;
	if (code == ASKS_TLS || code == ASKS_GSS)
		return len == 8;
	return code >> 16 == 3 && len > 8 && len <= STARTUP_MAX;
}

// head_of completes the head of a message. Returns the bytes consumed, 0: they cannot be
// read; s->complete: it is whole.
noinline_ u32 head_of(struct source *s, struct stream *d)
{
	u32 want, n, to;

	if (!s || !d)
		return 0;
	s->complete = 0;
	want = d->single ? 1 : d->untyped ? 8 : 5;
	to = d->head_len;
	if (to >= want)
		return 0;
	n = want - to;
	if (n > s->left)
		n = s->left;
	barrier_var(n);
	barrier_var(to);
	if (!n || n > 8 || to > 8 || s->opaque || read_bytes(s, d->head + to, n))
		return 0;
	d->head_len = to + n;
	s->complete = d->head_len == want;
	return n;
}

struct look_at {
	u8 b[LOOK_MAX];
};

// name_of takes bytes of a string up to its end, which completes the source, and hashes
// them. Returns how many; 0: they cannot be read.
noinline_ u32 name_of(struct source *s, struct stream *d, struct look_at *look)
{
	u32 n, end = LOOK_MAX;
	u64 hash;

	if (!s || !d || !look)
		return 0;
	s->complete = 0;
	n = s->left < d->skip ? s->left : d->skip;
	if (n > LOOK_MAX)
		n = LOOK_MAX;
	barrier_var(n);
	if (!n || n > LOOK_MAX || s->opaque || read_bytes(s, look->b, n))
		return 0;
	hash = d->hash;
	UNROLLED // a call for each byte costs more than what it does
	for (u32 i = 0; i < LOOK_MAX; i++) {
		barrier_var(n); // or the compiler counts the turns by it, and does not unroll
		if (i >= n || !look->b[i]) {
			end = i + 1;
			break;
		}
		hash = (hash ^ look->b[i]) * 0x100000001b3ULL; // FNV-1a
	}
	d->hash = hash;
	if (end <= n && !look->b[(end - 1) & (LOOK_MAX - 1)]) {
		s->complete = 1;
		n = end;
	}
	return n;
}
