// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The protocol of MySQL and MariaDB, version 10: finds packets.
// Source: the MySQL manual of internals, "Client/Server Protocol"; MariaDB's Knowledge
// Base, "Clients & Utilities: Server-Client Protocols".
//
// A packet is the length of its payload (three bytes, the lowest first), a number, and
// the payload. The server speaks first.
#pragma once

#include "../exchange/beginning.h"

#define PROTOCOL_MYSQL 4 // struct request: as in the value of the room

#define HEAD_LEN 4
#define FIRST_MAX 16 // looked at of a payload
#define LONGEST 0xffffff // a payload of this length goes on in the next packet
#define GREETING 10

enum command {
	COM_QUIT = 1,
	COM_QUERY = 3,
	COM_BINLOG_DUMP = 18,
	COM_STMT_PREPARE = 22,
	COM_STMT_EXECUTE = 23,
	COM_STMT_SEND_LONG_DATA = 24,
	COM_STMT_CLOSE = 25,
	COM_TABLE_DUMP = 19,
	COM_BINLOG_DUMP_GTID = 30,
	COM_LAST = 32,
};

// packets is one direction of a connection.
struct packets {
	u32 skip; // bytes of the payload that are still to come
	u32 len;  // of the payload
	u8 head_len;
	u8 first_len; // bytes of first
	u8 want;  // ... that are looked at before the packet is handled
	u8 more;  // the packet goes on with the one before
	u8 take;  // the rest of it is the text of a statement
	u8 _pad[3];
	u8 head[8];
	u8 first[2 * FIRST_MAX];
};

inline_ u32 le24(const u8 *b)
{
	return (u32)b[0] | (u32)b[1] << 8 | (u32)b[2] << 16;
}

#define EXECUTE_LEN 10 // of what every execution has: its command, number, flags, and a one
#define CURSOR_LAST 7  // of the flags

// is_command tells whether a client that is in the middle of something says this: a text
// to be executed or prepared, or the execution of what was prepared before. Servers number
// what is prepared from one on, for each connection.
inline_ bool is_command(const struct beginning *b, u32 len)
{
	switch (b->b[4]) {
	case COM_QUERY:
	case COM_STMT_PREPARE:
		return is_letter(b->b[5]);
	case COM_STMT_EXECUTE:
		if (len < EXECUTE_LEN || b->n < HEAD_LEN + EXECUTE_LEN || b->b[9] > CURSOR_LAST || b->b[8])
			return false;
		return (b->b[5] || b->b[6] || b->b[7]) && b->b[10] == 1 && !b->b[11] && !b->b[12] && !b->b[13];
	}
	return false;
}

#define LOGIN_MIN 32 // flags, the longest packet, a character set, and nothing up to here
#define LOGIN_NUMBER 2 // in a session of TLS: the greeting and the wish for TLS came before
#define FLAG_41 2 // of the second byte of the flags: the protocol since MySQL 4.1
#define FLAG_TLS 8 // ... TLS

// is_login tells whether a client says who it is, as the first in a session of TLS. MariaDB has
// flags of its own in the last four of what is nothing elsewhere.
inline_ bool is_login(const struct beginning *b, u32 len)
{
	u8 any = 0;

	if (len < LOGIN_MIN || b->n < HEAD_LEN + LOGIN_MIN || (b->b[5] & (FLAG_41 | FLAG_TLS)) != (FLAG_41 | FLAG_TLS))
		return false;
	for (u32 i = HEAD_LEN + 9; i < HEAD_LEN + LOGIN_MIN - 4; i++)
		any |= b->b[i];
	return !any;
}

// mysql_begins tells whether a server greets here, a client says who it is or, where the
// beginning was not seen, says a command that is all of the call.
noinline_ int mysql_begins(struct beginning *b)
{
	u32 len;

	if (!b || b->n < 8)
		return BEGINS_NOT;
	len = le24(b->b);
	if (len + HEAD_LEN != b->total)
		return BEGINS_NOT;
	if (b->b[3])
		return b->b[3] == LOGIN_NUMBER && !b->midway && is_login(b, len) ? BEGINS_CLIENT : BEGINS_NOT;
	if (b->b[4] == GREETING && len > 30 && (u8)(b->b[5] - '0') <= 9)
		return BEGINS_SERVER;
	return b->midway && is_command(b, len) ? BEGINS_CLIENT : BEGINS_NOT;
}

// head_read completes the head of a packet, and then the first bytes of its payload.
// Returns the bytes consumed, 0: they cannot be read; s->complete: all is there.
noinline_ u32 head_read(struct source *s, struct packets *d)
{
	u32 n, to;

	if (!s || !d)
		return 0;
	s->complete = 0;
	if (d->head_len < HEAD_LEN) {
		to = d->head_len;
		n = HEAD_LEN - to;
		if (n > s->left)
			n = s->left;
		barrier_var(n);
		barrier_var(to);
		if (!n || n > HEAD_LEN || to > HEAD_LEN || s->opaque || read_bytes(s, d->head + to, n))
			return 0;
		d->head_len = to + n;
		if (d->head_len < HEAD_LEN)
			return n;
		d->len = le24(d->head);
		d->skip = d->len;
		d->first_len = 0;
		d->want = d->len < FIRST_MAX ? d->len : FIRST_MAX;
		s->complete = !d->want || d->more;
		return n;
	}
	to = d->first_len;
	n = d->want - to;
	if (n > s->left)
		n = s->left;
	barrier_var(n);
	barrier_var(to);
	if (!n || n > FIRST_MAX || to > FIRST_MAX || s->opaque || read_bytes(s, d->first + to, n))
		return 0;
	d->first_len = to + n;
	d->skip -= n;
	s->complete = d->first_len == d->want;
	return n;
}
