// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a client of MySQL's says, and what one call has moved.
#pragma once

#include "../exchange/turn.h"
#include "command.h"

struct my_turn {
	struct turn;
	struct mysql *m;
};

inline_ u32 le32(const u8 *b)
{
	return le24(b) | (u32)b[3] << 24;
}

// keep_text takes n bytes of a statement that lie in first, or in the source.
inline_ u32 keep_text(struct my_turn *t, const u8 *from, u32 n)
{
	struct command_event *e = &t->m->e;
	u32 at = e->text_len, have = n;

	if (at + have > TEXT_KEPT) {
		have = at < TEXT_KEPT ? TEXT_KEPT - at : 0;
		e->cut = 1;
	}
	barrier_var(have);
	barrier_var(at);
	if (!have || have > TEXT_KEPT || at >= TEXT_KEPT)
		return n;
	if (from) {
		if (have > FIRST_MAX)
			return 0;
		bpf_probe_read_kernel(e->text + at, have, from);
	} else if (t->src.opaque || read_bytes(&t->src, e->text + at, have)) {
		return 0;
	}
	e->text_len = at + have;
	return n;
}

// wants_tls tells whether a client answers the greeting with the flags alone, of which
// one asks for TLS, another for compression.
inline_ bool wants_tls(const struct packets *d)
{
	u32 flags = le32(d->first);

	return d->len == 32 && (flags & 0x800);
}

inline_ bool wants_compression(const struct packets *d)
{
	return le32(d->first) & (0x20 | 1U << 26);
}

// client_packet handles the first bytes of a packet. False: there is none.
inline_ bool client_packet(struct my_turn *t, struct packets *d)
{
	struct mysql *m = t->m;
	u8 command = d->first[0];

	d->take = 0;
	if (!m->ready) {
		if (d->head[3] == 1)
			t->over = wants_tls(d) || wants_compression(d);
		else if (d->head[3] == LOGIN_NUMBER) // no other packet of a client's has it
			t->over = wants_compression(d);
		return true;
	}
	if (d->head[3])
		return true; // it goes on: a file, or what authentication asks for
	if (!d->len || command > COM_LAST)
		return false;
	m->seen++;
	switch (command) {
	case COM_STMT_CLOSE:
		close_prepared(m, le32(d->first + 1));
		return true;
	case COM_QUIT:
	case COM_STMT_SEND_LONG_DATA:
		return true;
	case COM_BINLOG_DUMP:
	case COM_TABLE_DUMP:
	case COM_BINLOG_DUMP_GTID:
		t->over = 1;
		return true;
	}
	if (m->kind) // one is still waited for: nobody can tell whose the next answer is
		return false;
	begin_command_of(m, t->c, t->g, &t->w, t->room);
	m->kind = command;
	m->part = 0;
	m->first = 1;
	if (command == COM_QUERY || command == COM_STMT_PREPARE) {
		d->take = 1;
		keep_text(t, d->first + 1, d->first_len - 1);
	} else if (command == COM_STMT_EXECUTE) {
		take_prepared(m, le32(d->first + 1));
	}
	return true;
}

// packet_ends goes on behind a packet.
inline_ void packet_ends(struct packets *d)
{
	d->more = d->len == LONGEST;
	d->head_len = 0;
}

static long my_client_step(u32 i, struct my_turn *t)
{
	struct source *s = &t->src;
	struct packets *d = &t->m->q;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->head_len == HEAD_LEN && (d->more || d->first_len == d->want)) {
		n = s->left < d->skip ? s->left : d->skip;
		if (d->take)
			n = keep_text(t, 0, n);
		d->skip -= n <= d->skip ? n : 0;
	} else {
		n = head_read(s, d);
		if (n && s->complete && !d->more && !client_packet(t, d))
			n = 0;
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
