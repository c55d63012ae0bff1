// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Redis and what speaks its protocol (Valkey, KeyDB, ...). One event for the commands
// that one call moves: a pipeline is one request of several commands.
//
// Of a command only its name is looked at, of a reply only its type: keys and values
// never leave the process's memory.
// Hooks: the programs of engine.bpf.c go on with those below.
#pragma once

#include "../exchange/turn.h"
#include "batch.h"

struct redis_turn {
	struct turn;
	struct redis *r;
	struct look *l;
	u32 batch;
	u8 opened;
	u8 kept;
	u8 _pad1[2];
};

// skipped passes over bytes of a string.
inline_ u32 skipped(struct source *s, struct resp *d)
{
	u32 n = s->left;

	if (n > d->skip)
		n = d->skip;
	d->skip -= n;
	return n;
}

#define NAME8(a, b, c, d, e, f, g, h)                                                     \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |      \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)
#define UPPER (~0x2020202020202020ULL)

// is_quiet tells whether a command makes of its connection a stream of messages.
inline_ bool is_quiet(const u8 *name)
{
	switch (*(u64 *)name & UPPER) {
	case NAME8('S', 'U', 'B', 'S', 'C', 'R', 'I', 'B'):
	case NAME8('P', 'S', 'U', 'B', 'S', 'C', 'R', 'I'):
	case NAME8('S', 'S', 'U', 'B', 'S', 'C', 'R', 'I'):
	case NAME8('M', 'O', 'N', 'I', 'T', 'O', 'R', 0):
	case NAME8('S', 'Y', 'N', 'C', 0, 0, 0, 0):
	case NAME8('P', 'S', 'Y', 'N', 'C', 0, 0, 0):
		return true;
	}
	return false;
}

// named handles the name of a command.
noinline_ int named(struct redis *r)
{
	struct resp *d;
	struct batch *b;

	if (!r)
		return 0;
	d = &r->q;
	b = batch_at(r, d->batch);
	d->word = WORD_NOT;
	if (is_quiet(d->name))
		r->quiet = 1;
	if ((*(u64 *)d->name & UPPER) == NAME8('C', 'L', 'I', 'E', 'N', 'T', 0, 0))
		d->word = WORD_SECOND; // CLIENT REPLY switches replies off
	if (!d->kept)
		return 0;
	if (b->e.said <= 1)
		__builtin_memcpy(b->e.name, d->name, WORD_MAX);
	else if (__builtin_memcmp(b->e.name, d->name, WORD_MAX))
		b->e.mixed = 1;
	return 0;
}

// take_word takes bytes of a command's name, which completes the source. Returns how
// many; 0: they cannot be read, or are no name.
noinline_ u32 take_word(struct source *s, struct resp *d)
{
	u32 n, at, have;

	if (!s || !d)
		return 0;
	s->complete = 0;
	n = skipped(s, d);
	at = d->word_len;
	if (at < WORD_MAX) {
		have = n < WORD_MAX ? n : WORD_MAX;
		barrier_var(have);
		if (!have || have > WORD_MAX || s->opaque || read_bytes(s, d->name + (at < WORD_MAX ? at : 0), have))
			return 0;
		d->word_len = at + have;
	}
	if (d->skip)
		return n;
	for (u32 i = 0; i < WORD_MAX; i++) {
		if (i >= d->want)
			d->name[i] = 0;
	}
	s->complete = 1;
	return is_letter(d->name[0]) ? n : 0;
}

// take_string takes bytes of a string of a command. Returns how many; 0: see take_word.
inline_ u32 take_string(struct redis_turn *t, struct resp *d)
{
	u32 n;

	if (d->word != WORD_TAKEN && d->word != WORD_SECOND + 1)
		return skipped(&t->src, d);
	n = take_word(&t->src, d);
	if (!n || !t->src.complete)
		return n;
	if (d->word == WORD_TAKEN) {
		named(t->r);
		return n;
	}
	d->word = WORD_NOT;
	t->over = (*(u32 *)d->name & ~0x20202020U) == COMMAND('R', 'E', 'P', 'L');
	return n;
}

// begin_command counts a command among those of the call.
inline_ void begin_command(struct redis_turn *t, struct resp *d)
{
	struct redis *r = t->r;
	struct batch *b;

	r->seen++;
	if (!t->opened) {
		t->opened = 1;
		t->kept = begin_batch(r, t->c, t->g, &t->w, t->room);
		t->batch = r->tail - 1;
		if (!t->kept)
			lose(t->g->pid, DROP_PIPELINED);
	}
	d->kept = t->kept;
	d->batch = t->batch;
	__sync_fetch_and_add(&r->asked, 1);
	if (!t->kept)
		return;
	b = batch_at(r, t->batch);
	b->e.said++;
	__sync_fetch_and_add(&b->left, 1);
}

static long command_step(u32 i, struct redis_turn *t)
{
	struct source *s = &t->src;
	struct resp *d = &t->r->q;
	s64 much;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->skip) {
		n = take_string(t, d);
		if (n && !d->skip)
			d->left--;
		goto taken;
	}
	n = take_line(s, d, t->l);
	if (!n || !s->complete)
		goto taken;
	much = number(d);
	if (!d->left) {
		if (d->line[0] != '*' || much < 1 || much > ELEMENTS_MAX)
			n = 0;
		if (n) {
			d->left = much;
			d->word = WORD_NEXT;
			begin_command(t, d);
		}
	} else if (d->line[0] != '$' || much < 0) {
		n = 0;
	} else {
		d->skip = much + 2;
		if (d->word == WORD_NEXT || d->word == WORD_SECOND) {
			d->word = d->word == WORD_NEXT ? WORD_TAKEN : WORD_SECOND + 1;
			d->word_len = 0;
			d->want = much < WORD_MAX ? much : WORD_MAX;
		}
	}
	d->line_len = 0;
taken:
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	consume(s, n);
	return !s->total || t->over;
}

// is_for tells whether a reply of a number is for a batch: those before it may be for commands
// that were not kept.
inline_ bool is_for(const struct batch *b, u32 number)
{
	return (int)(number - b->from) >= 0;
}

// replied handles the end of a reply. Not 0: what comes after it are none.
noinline_ int replied(struct redis *r, u64 now, u8 role)
{
	struct batch *b;

	if (!r || (r->a.pushed && !r->quiet))
		return 0;
	if (r->head == r->tail) {
		if ((int)(r->asked - r->answered) <= 0) {
			if (role != ROLE_CLIENT || r->early >= EARLY_MAX)
				return 0;
			__sync_fetch_and_add(&r->early, 1);
		}
		__sync_fetch_and_add(&r->answered, 1);
		return 0;
	}
	b = batch_at(r, r->head);
	if (!is_for(b, __sync_fetch_and_add(&r->answered, 1)))
		return 0;
	if (!b->e.r.answered_ns)
		b->e.r.answered_ns = now;
	b->e.r.bits |= BIT_ANSWERED;
	if (__sync_fetch_and_add(&b->left, -1) == 1)
		say(r, now, FAULT_NONE);
	return r->quiet && r->head == r->tail;
}

// The code of an error whose first word lies behind its length.
const u8 unnamed[CODE_MAX] = "ERR";

// note_error keeps the code of a batch's first error: the word that it begins with.
inline_ void note_error(struct redis *r, const u8 *code)
{
	struct batch *b = batch_at(r, r->head);

	if (r->head == r->tail || b->e.code[0] || !is_for(b, r->answered))
		return;
	__builtin_memcpy(b->e.code, code, CODE_MAX);
}

// begin_element handles the line that an element of a reply begins with. 0: it is none.
noinline_ int begin_element(struct redis *r)
{
	struct resp *d;
	s64 much = 0;
	bool first;
	u8 type;

	if (!r)
		return 0;
	d = &r->a;
	type = d->line[0];
	first = !d->left || (d->described && d->left == 1);
	if (first) {
		d->left = 1;
		d->pushed = type == '>';
		d->described = type == '|';
	}
	switch (type) {
	case '-':
		if (first)
			note_error(r, d->line + 1);
		// fallthrough
	case '+':
	case ':':
	case '_':
	case '#':
	case ',':
	case '(':
		d->left--;
		return 1;
	}
	much = number(d);
	if (much == NO_NUMBER)
		return 0;
	switch (type) {
	case '!':
		if (first)
			note_error(r, unnamed);
		// fallthrough
	case '$':
	case '=':
		if (much < 0)
			d->left--;
		else
			d->skip = much + 2;
		return 1;
	case '|':
		d->left++; // what it describes follows
		// fallthrough
	case '%':
		much *= 2;
		// fallthrough
	case '*':
	case '~':
	case '>':
		d->left += (much > 0 ? much : 0) - 1;
		return 1;
	}
	return 0;
}

static long reply_step(u32 i, struct redis_turn *t)
{
	struct source *s = &t->src;
	struct resp *d = &t->r->a;
	bool ends = false;
	u32 n;

	if (!s->total)
		return 1;
	if (!s->left)
		return !next_piece(s);
	if (d->skip) {
		n = skipped(s, d);
		if (!d->skip) {
			d->left--;
			ends = !d->left;
		}
	} else {
		n = take_line(s, d, t->l);
		if (n && s->complete) {
			if (!begin_element(t->r))
				n = 0;
			d->line_len = 0;
			ends = n && !d->left;
		}
	}
	if (!n || n > s->left) {
		t->stuck = 1;
		return 1;
	}
	consume(s, n);
	if (ends && replied(t->r, t->w.now, t->c->role))
		t->c->ignored = 1;
	return !s->total || t->c->ignored;
}

// redis_moved looks at bytes that moved through a socket of a watched process.
inline_ void redis_moved(struct sock *sk, int bytes, bool sent)
{
	struct redis_turn t = {};

	t.l = room_in(looks);
	if (!t.l || !begin_turn((struct turn *)&t, sk, bytes))
		return;
	t.r = books_begun(redises, sk);
	if (!t.r) {
		count(DROP_TABLE_FULL);
		return;
	}
	if (by_client((struct turn *)&t, sent))
		bpf_loop(MAX_PIECES, command_step, &t, 0);
	else
		bpf_loop(MAX_PIECES, reply_step, &t, 0);
	if (t.opened && t.kept)
		end_call(t.r, t.batch, t.w.now);
	if (t.c->ignored || is_followed((struct turn *)&t))
		return;
	forget_batches(t.r);
	leave((struct turn *)&t, t.r->seen);
	books_ended(redises, sk);
}

ROOM_PROGRAMS(redis, redis_moved)

// redis_closed ends the commands that will never be answered.
inline_ void redis_closed(struct sock *sk, u32 fault)
{
	struct redis *r = books_in(redises, sk);

	if (r)
		end_batches(r, fault);
	books_gone(redises, sk);
}
