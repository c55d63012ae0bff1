// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a server of MySQL's says: when an answer ends, and the code of an error.
#pragma once

#include "client.h"

#define MORE_RESULTS 8 // of the status: SERVER_MORE_RESULTS_EXISTS
#define STATUS_AT 3 // in a packet that ends a part
#define EOF_LEN 5 // of one where the client wants the old kind: it ends the columns, too

// number_len is how many bytes a number takes whose first one is b.
inline_ u32 number_len(u8 b)
{
	return b < 0xfb ? 1 : b == 0xfc ? 3 : b == 0xfd ? 4 : 9;
}

// more_follow tells by the status whether another result follows. at is where it stands.
inline_ bool more_follow(const struct packets *d, u32 at)
{
	barrier_var(at);
	return at < FIRST_MAX && at < d->first_len && (d->first[at] & MORE_RESULTS);
}

// ends_result tells whether a packet is the last one of a result.
inline_ bool ends_result(struct mysql *m, struct packets *d)
{
	u8 type = d->first[0];

	if (type == 0xff)
		return true;
	if (m->first && type == 0)
		return true;
	if (type != 0xfe || d->len >= LONGEST)
		return false;
	if (m->first) // the old way to say that there is nothing
		return true;
	m->part++;
	return d->len != EOF_LEN || m->part == 2;
}

// has_more tells whether another result follows the one that ends with a packet.
inline_ bool has_more(const struct packets *d)
{
	u8 type = d->first[0];
	u32 at;

	if (type == 0xff)
		return false;
	if (type == 0xfe)
		return more_follow(d, STATUS_AT);
	at = 1 + number_len(d->first[1]);
	barrier_var(at);
	if (at >= FIRST_MAX)
		return false;
	return more_follow(d, at + number_len(d->first[at]));
}

// let_in handles what the server says before the first command.
inline_ void let_in(struct mysql *m, const struct packets *d)
{
	if (d->head[3] && d->first[0] == 0)
		m->ready = 1;
}

// server_packet handles the first bytes of a packet of an answer.
inline_ void server_packet(struct my_turn *t, struct packets *d)
{
	struct mysql *m = t->m;

	if (!m->ready) {
		let_in(m, d);
		return;
	}
	if (!m->kind)
		return;
	if (!m->e.r.answered_ns)
		m->e.r.answered_ns = t->w.now;
	if (d->first[0] == 0xff)
		m->e.code = d->first[1] | (u16)d->first[2] << 8;
	switch (m->kind) {
	case COM_QUERY:
	case COM_STMT_EXECUTE:
		if (!ends_result(m, d)) {
			m->first = 0;
			return;
		}
		m->first = 1;
		m->part = 0;
		if (has_more(d))
			return;
		break;
	case COM_STMT_PREPARE: // the columns that follow are nobody's
		if (d->first[0] == 0)
			keep_prepared(m, le32(d->first + 1));
		break;
	}
	answered_all(m, t->w.now, FAULT_NONE);
}

static long my_server_step(u32 i, struct my_turn *t)
{
	struct source *s = &t->src;
	struct packets *d = &t->m->a;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->head_len == HEAD_LEN && (d->more || d->first_len == d->want)) {
		n = s->left < d->skip ? s->left : d->skip;
		d->skip -= n;
	} else {
		n = head_read(s, d);
		if (n && s->complete && !d->more && d->len)
			server_packet(t, d);
	}
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	if (d->head_len == HEAD_LEN && (d->more || d->first_len == d->want) && !d->skip)
		packet_ends(d);
	consume(s, n);
	return !s->total || t->over;
}
