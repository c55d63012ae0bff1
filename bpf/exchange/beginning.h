// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The first bytes of a connection, by which a room recognises its protocol.
#pragma once

#include "../include/source.h"

#define BEGINNING_MAX 64

// Whose bytes a connection of a protocol begins with.
enum begins { BEGINS_NOT, BEGINS_CLIENT, BEGINS_SERVER };

// beginning is what a call has moved, as far as it lies in one piece.
struct beginning {
	u8 b[BEGINNING_MAX];
	u32 n;
	u32 total;  // bytes that the call has moved
	u32 midway; // what came before was not seen: it may be an answer, or anything
	u32 by;     // enum begins: what the room says of it
};

ROOM(beginnings, struct beginning);

inline_ bool is_letter(u8 c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// is_reserved tells whether four bytes are those of the method that no request of HTTP/1
// has: HTTP/2 begins with it (RFC 9113, 3.4).
inline_ bool is_reserved(const u8 *b)
{
	return b[0] == 'P' && b[1] == 'R' && b[2] == 'I' && b[3] == ' ';
}

// begins_with reads the first bytes of a call, 0 where there are none to be read.
inline_ struct beginning *begins_with(struct source *s, struct conn *c)
{
	struct beginning *b;
	u32 n;

	if (s->opaque || (!s->left && !next_piece(s)) || !s->left)
		return 0;
	b = room_in(beginnings);
	n = s->left < BEGINNING_MAX ? s->left : BEGINNING_MAX;
	barrier_var(n);
	if (!b || n > BEGINNING_MAX || read_bytes(s, b->b, n))
		return 0;
	b->n = n;
	b->total = s->total;
	b->midway = c->begun != BEGUN_SEEN;
	return b;
}
