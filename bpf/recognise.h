// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which room a connection belongs to, by the bytes that it begins with.
#pragma once

#include "http1/books.h"
#include "rooms.h"

// worth_a_look tells whether a request may begin with these bytes. Where the
// beginning of a connection was not seen, one may begin wherever the way changes.
inline_ bool worth_a_look(struct conn *c, bool sent)
{
	u8 way = sent ? WAY_SENT : WAY_RECEIVED, last = c->last;

	c->last = way;
	return c->begun == BEGUN_SEEN || last != way;
}

// recognised finds the room whose protocol a connection begins with, 0 if there is
// none. HTTP/1 is the one that begins with a word, other than HTTP/2's.
inline_ u32 recognised(struct feed *f, bool sent)
{
	struct conn *c = f->c;
	struct beginning *b = begins_with(&f->src, c);

	if (!b || (is_letter(b->b[0]) && (b->n < 2 || b->b[1]) && !is_reserved(b->b)))
		return 0;
	c->protocol = room_of(b);
	if (!c->protocol)
		return 0;
	c->role = (b->by == BEGINS_CLIENT) == sent ? ROLE_CLIENT : ROLE_SERVER;
	c->tgid = f->w.tgid;
	return c->protocol;
}
