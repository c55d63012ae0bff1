// SPDX-License-Identifier: (MIT OR GPL-2.0)
// RESP2 and RESP3, the protocol of Redis: finds where commands and replies end.
// Source: redis.io, "Redis serialization protocol specification".
//
// A message is an element; one that has elements within is counted by how many are
// still to come, however deep they lie.
#pragma once

#include "../exchange/beginning.h"
#include "../include/hex.h"

#define PROTOCOL_REDIS 2 // struct request: as in the value of the room

#define LINE_MAX 32 // of a line: its type and number, or the code of an error
#define LINE_LOOK 64 // bytes of a line looked at per step
#define WORD_MAX 24 // of the name of a command
#define ELEMENTS_MAX (1U << 20) // the server takes no more

// What becomes of the next element of a command.
enum word { WORD_NOT, WORD_NEXT, WORD_TAKEN, WORD_SECOND };

// resp is one direction of a connection.
struct resp {
	u64 skip;  // bytes of a string that are still to come, with the end of its line
	u64 left;  // elements of the message that are still to come, 0: between messages
	u32 batch; // commands: which one the message belongs to
	u8 kept;   // ... which is kept
	u8 word;   // ... enum word
	u8 word_len;
	u8 want;    // so long is the word
	u8 pushed;  // replies: nobody has asked for it
	u8 failed;  // ... it is an error
	u8 line_len;
	u8 described; // ... its attributes come first
	u8 line[2 * LINE_MAX]; // room to copy one more
	u8 name[2 * WORD_MAX];
};

// look is room for what is looked at.
struct look {
	u8 b[LINE_LOOK + 8];
};

ROOM(looks, struct look);

struct search {
	const u8 *b;
	u32 n;
};

static long not_line_end(u32 i, struct search *s)
{
	u32 at = i;

	barrier_var(at);
	return at >= s->n || at >= LINE_LOOK || s->b[at] == '\n';
}

// line_of returns how many bytes a line has with its end, more than n where it does not end
// there. Most have less than eight.
inline_ u32 line_of(const struct look *l, u32 n)
{
	u64 x = *(const u64 *)l->b ^ BYTES('\n'), ends = (x - BYTES(1)) & ~x & BYTES(0x80);
	struct search at = {.b = l->b, .n = n};

	if (ends)
		return (((ends - 1) & BYTES(1)) * BYTES(1)) >> 56;
	return bpf_loop(LINE_LOOK, not_line_end, &at, 0);
}

// line_words is a line copied eight bytes at a time, wherever it lies.
struct line_words {
	u64 w[LINE_MAX / 8];
};

// take_line takes the bytes of one step up to the end of a line, which completes the
// source. Returns how many; 0: they cannot be read.
noinline_ u32 take_line(struct source *s, struct resp *d, struct look *l)
{
	u32 n, end, to;

	if (!s || !d || !l)
		return 0;
	s->complete = 0;
	n = s->left < LINE_LOOK ? s->left : LINE_LOOK;
	barrier_var(n);
	if (!n || n > LINE_LOOK || s->opaque || read_bytes(s, l->b, n))
		return 0;
	end = line_of(l, n);
	if (end <= n && end && l->b[(end - 1) & (LINE_LOOK - 1)] == '\n') {
		s->complete = 1;
		n = end;
	}
	to = d->line_len;
	if (to < LINE_MAX) {
		if (!to) // nearly always
			*(struct line_words *)d->line = *(struct line_words *)l->b;
		else
			bpf_probe_read_kernel(d->line + (to & (LINE_MAX - 1)), LINE_MAX, l->b);
		to += n;
		d->line_len = to < LINE_MAX ? to : LINE_MAX;
	}
	return n;
}

#define NO_NUMBER (-2)

struct digits {
	const u8 *b;
	s64 n;
	u32 len;
	u32 at;
};

static long digit(u32 i, struct digits *s)
{
	u32 at = s->at;
	u8 c;

	barrier_var(at);
	if (at >= LINE_MAX || at >= s->len)
		return 1;
	c = s->b[at] - '0';
	if (c > 9)
		return 1;
	s->n = s->n * 10 + c;
	s->at = at + 1;
	return 0;
}

// number reads what stands behind the type of an element, up to the end of its line.
// -1: there is no element. It has at most 10 digits.
noinline_ s64 number(struct resp *d)
{
	struct digits s = {};
	u32 end;

	if (!d)
		return NO_NUMBER;
	if (d->line_len == 4 && (u8)(d->line[1] - '0') <= 9 && d->line[2] == '\r') // nearly always
		return d->line[1] - '0';
	s.b = d->line;
	s.len = d->line_len;
	s.at = 1;
	if (d->line[1] == '-')
		return d->line_len == 5 && d->line[2] == '1' && d->line[3] == '\r' ? -1 : NO_NUMBER;
	bpf_loop(10, digit, &s, 0);
	end = s.at;
	barrier_var(end);
	if (end < 2 || end + 2 != s.len || end >= LINE_MAX || d->line[end & (LINE_MAX - 1)] != '\r')
		return NO_NUMBER;
	return s.n;
}

#define COMMAND(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

// is_common tells whether a command's name begins as those that programs use all the
// time: where the beginning of a connection was not seen, an array with another word
// may as well be a reply.
inline_ bool is_common(u32 w)
{
	switch (w & ~0x20202020U) {
	case COMMAND('G', 'E', 'T', '\r' & ~0x20):
	case COMMAND('S', 'E', 'T', '\r' & ~0x20):
	case COMMAND('D', 'E', 'L', '\r' & ~0x20):
	case COMMAND('T', 'T', 'L', '\r' & ~0x20):
	case COMMAND('M', 'G', 'E', 'T'):
	case COMMAND('M', 'S', 'E', 'T'):
	case COMMAND('P', 'I', 'N', 'G'):
	case COMMAND('H', 'G', 'E', 'T'):
	case COMMAND('H', 'S', 'E', 'T'):
	case COMMAND('H', 'D', 'E', 'L'):
	case COMMAND('H', 'M', 'G', 'E'):
	case COMMAND('I', 'N', 'C', 'R'):
	case COMMAND('D', 'E', 'C', 'R'):
	case COMMAND('E', 'X', 'I', 'S'):
	case COMMAND('E', 'X', 'P', 'I'):
	case COMMAND('E', 'V', 'A', 'L'):
	case COMMAND('E', 'X', 'E', 'C'):
	case COMMAND('M', 'U', 'L', 'T'):
	case COMMAND('L', 'P', 'U', 'S'):
	case COMMAND('R', 'P', 'U', 'S'):
	case COMMAND('L', 'P', 'O', 'P'):
	case COMMAND('R', 'P', 'O', 'P'):
	case COMMAND('B', 'L', 'P', 'O'):
	case COMMAND('B', 'R', 'P', 'O'):
	case COMMAND('L', 'R', 'A', 'N'):
	case COMMAND('S', 'A', 'D', 'D'):
	case COMMAND('S', 'R', 'E', 'M'):
	case COMMAND('S', 'M', 'E', 'M'):
	case COMMAND('Z', 'A', 'D', 'D'):
	case COMMAND('Z', 'R', 'A', 'N'):
	case COMMAND('X', 'A', 'D', 'D'):
	case COMMAND('X', 'R', 'E', 'A'):
	case COMMAND('X', 'A', 'C', 'K'):
	case COMMAND('P', 'U', 'B', 'L'):
	case COMMAND('S', 'E', 'L', 'E'):
	case COMMAND('S', 'E', 'T', 'E'):
	case COMMAND('H', 'E', 'L', 'L'):
	case COMMAND('I', 'N', 'F', 'O'):
		return true;
	}
	return false;
}

// after_number returns where the line ends whose digits begin at at, 0: it does not, or
// they are none. Not yet to say: BEGINNING_MAX.
inline_ u32 after_number(const struct beginning *b, u32 at)
{
	UNROLLED
	for (int i = 0; i < 8; i++) {
		if (at >= b->n || at >= BEGINNING_MAX - 8)
			return BEGINNING_MAX;
		if (i && b->b[at] == '\r')
			return at + 1 >= b->n ? BEGINNING_MAX : b->b[at + 1] == '\n' ? at + 2 : 0;
		if ((u8)(b->b[at] - '0') > 9)
			return 0;
		at++;
	}
	return 0;
}

// redis_begins tells whether a command begins here: an array of strings, the first of
// which is a word.
noinline_ int redis_begins(struct beginning *b)
{
	u32 at, first;

	if (!b || !b->n || b->b[0] != '*')
		return 0;
	at = after_number(b, 1);
	if (at == BEGINNING_MAX || (at && at >= b->n))
		return !b->midway;
	barrier_var(at);
	if (!at || at >= BEGINNING_MAX - 16 || b->b[at] != '$')
		return 0;
	at = after_number(b, at + 1);
	if (at == BEGINNING_MAX || (at && at >= b->n))
		return !b->midway;
	barrier_var(at);
	if (!at || at >= BEGINNING_MAX - 8 || !is_letter(b->b[at]))
		return 0;
	first = COMMAND(b->b[at], b->b[at + 1], b->b[at + 2], b->b[at + 3]);
	return !b->midway || (at + 4 <= b->n && is_common(first));
}
