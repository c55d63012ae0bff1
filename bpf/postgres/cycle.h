// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What a client asks for until it waits for the server to be ready: one event. Every
// such cycle ends with one ReadyForQuery, in the order in which they began.
#pragma once

#include "../exchange/asking.h"
#include "../include/ring.h"
#include "message.h"

#define CYCLES 4 // of a connection, without their ends
#define STATEMENTS 16 // prepared ones of a connection whose text is kept
#define STATEMENT_MAX 240 // ... so much of it
#define CODE_LEN 5 // SQLSTATE

// cycle_event is what user space gets; all behind the request is its head, of which
// text_len bytes of text are sent.
struct cycle_event {
	struct request r;
	u32 said;     // statements that were executed
	u16 params_len;
	u16 text_len;
	u8 cut;       // the text was longer
	u8 unknown;   // one was prepared before, and is not kept
	u8 code[CODE_LEN + 1];
	u8 params[PARAMS_MAX];
	u8 text[TEXT_MAX];
};

struct cycle {
	struct cycle_event e;
};

struct statement {
	u64 hash; // of its name, 0: none
	u16 len;
	u8 cut;
	u8 _pad[5];
	u8 text[STATEMENT_MAX];
};

// postgres is freed by the kernel with the socket.
struct postgres {
	struct stream q; // of the client
	struct stream a; // of the server
	struct asker asker;
	u32 head; // the oldest cycle in use
	u32 tail; // without the open one
	u32 owed; // ends of cycles that were not kept
	u32 early; // ends that were read before their cycles were looked at
	u32 seen;  // messages of the client
	u8 open;   // a cycle has begun and waits for its last message
	u8 kept;   // ... and is kept
	u8 greeted; // the server was ready once
	u8 stream; // it copies in both directions from now on: replication
	u16 params_len;
	u8 _pad[6];
	u8 params[PARAMS_MAX];
	u32 next; // statement to be replaced
	u32 _pad1;
	struct statement statement[STATEMENTS];
	struct cycle cycle[CYCLES];
	u8 room[TEXT_MAX]; // what the verifier takes for too far lies here
};

BOOKS(postgreses, struct postgres, BOOKS_FEW);

inline_ struct cycle_event *cycle_at(struct postgres *p, u32 n)
{
	return &p->cycle[n & (CYCLES - 1)].e;
}

// end_cycle ends the oldest cycle of a connection. False: there is none, or it ends
// elsewhere at this moment. One that has executed nothing has prepared something, which may fail: nothing
// is executed then.
noinline_ int end_cycle(struct postgres *p, u64 now, u32 fault)
{
	struct cycle_event *e;
	u32 n;

	if (!p || p->head == p->tail)
		return 0;
	e = cycle_at(p, p->head);
	if (!__sync_lock_test_and_set(&e->r.live, 0))
		return 0;
	e->r.end_ns = now;
	e->r.fault = fault;
	if (!e->said && e->code[0])
		e->said = 1;
	n = e->text_len;
	barrier_var(n);
	if (n > TEXT_MAX)
		n = TEXT_MAX;
	e->r.head_len = sizeof(*e) - sizeof(e->r) - TEXT_MAX + n;
	if (!e->said)
		;
	else if (!has_share(e->r.pid, sizeof(*e)) || bpf_ringbuf_output(&events, e, sizeof(*e) - TEXT_MAX + n, 0))
		lose(e->r.pid, DROP_RING_FULL);
	else
		count(COUNT_EXCHANGES);
	__sync_fetch_and_add(&p->head, 1);
	return 1;
}

// begin_cycle makes room for what a client asks for next.
noinline_ int begin_cycle(struct postgres *p, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct cycle_event *e;

	if (!p || !c || !g || !w || !room)
		return 0;
	p->open = 1;
	p->kept = 0;
	if (p->owed || p->tail - p->head >= CYCLES) {
		lose(g->pid, DROP_PIPELINED);
		return 0;
	}
	p->kept = 1;
	e = cycle_at(p, p->tail);
	e->said = 0;
	e->text_len = 0;
	e->cut = 0;
	e->unknown = 0;
	__builtin_memset(e->code, 0, sizeof(e->code));
	e->params_len = p->params_len;
	__builtin_memcpy(e->params, p->params, PARAMS_MAX);
	whose_call(&p->asker, c, g, w, room);
	tell_of(&e->r, &p->asker, c, g, w);
	return 1;
}

// asked_for ends what a client says in a cycle: the server's end is waited for.
noinline_ int asked_for(struct postgres *p, u64 now)
{
	if (!p || !p->open)
		return 0;
	p->open = 0;
	if (!p->kept) {
		__sync_fetch_and_add(&p->owed, 1);
		return 0;
	}
	cycle_at(p, p->tail)->r.live = 1;
	__sync_fetch_and_add(&p->tail, 1);
	if (p->early) {
		p->early = 0;
		end_cycle(p, now, FAULT_NONE);
	}
	return 0;
}

struct ending_cycles {
	struct postgres *p;
	u64 now;
	u32 fault;
	u32 forget;
};

static long end_next(u32 i, struct ending_cycles *e)
{
	int more;

	if (e->forget && e->p->head != e->p->tail) {
		lose(cycle_at(e->p, e->p->head)->r.pid, DROP_UNPARSABLE);
		cycle_at(e->p, e->p->head)->said = 0;
		cycle_at(e->p, e->p->head)->code[0] = 0; // it would be told of as one that has failed
	}
	more = end_cycle(e->p, e->now, e->fault);
	barrier_var(more); // the compiler knows that it is 0 or 1, the verifier does not
	return more ? 0 : 1;
}

// end_cycles ends all cycles of a connection: the server will not be ready any more, or
// what it says is not understood (forget).
noinline_ int end_cycles(struct postgres *p, u32 fault, u32 forget)
{
	struct ending_cycles e = {.p = p, .fault = fault, .forget = forget};

	if (!p)
		return 0;
	e.now = bpf_ktime_get_ns();
	if (!forget)
		asked_for(p, e.now);
	bpf_loop(CYCLES, end_next, &e, 0);
	return 0;
}

struct lookup {
	struct postgres *p;
	u64 hash;
	u32 at; // STATEMENTS: none
	u32 _pad;
};

static long same_name(u32 i, struct lookup *s)
{
	u32 at = i;

	barrier_var(at);
	if (at >= STATEMENTS || s->p->statement[at].hash != s->hash)
		return 0;
	s->at = at;
	return 1;
}

// statement_of returns the place of a prepared statement, STATEMENTS if it has none.
inline_ u32 statement_of(struct postgres *p, u64 hash)
{
	struct lookup l = {.p = p, .hash = hash, .at = STATEMENTS};

	bpf_loop(STATEMENTS, same_name, &l, 0);
	return l.at;
}

// prepared keeps the text of the open cycle under the name of a statement.
noinline_ int prepared(struct postgres *p, u64 hash)
{
	struct cycle_event *e;
	struct statement *s;
	u32 at, n;

	if (!p || !p->kept)
		return 0;
	e = cycle_at(p, p->tail);
	at = statement_of(p, hash);
	if (at >= STATEMENTS)
		at = p->next++;
	s = &p->statement[at & (STATEMENTS - 1)];
	s->hash = hash;
	n = e->text_len;
	s->cut = e->cut || n > STATEMENT_MAX;
	s->len = n < STATEMENT_MAX ? n : STATEMENT_MAX;
	bpf_probe_read_kernel(s->text, STATEMENT_MAX, e->text);
	return 0;
}

// bound gives the open cycle the text of a prepared statement, if it has none.
noinline_ int bound(struct postgres *p, u64 hash)
{
	struct cycle_event *e;
	struct statement *s;
	u32 at;

	if (!p || !p->kept)
		return 0;
	e = cycle_at(p, p->tail);
	if (e->text_len)
		return 0;
	at = statement_of(p, hash);
	if (at >= STATEMENTS) {
		e->unknown = 1;
		return 0;
	}
	s = &p->statement[at & (STATEMENTS - 1)];
	e->text_len = s->len;
	e->cut = s->cut;
	bpf_probe_read_kernel(e->text, STATEMENT_MAX, s->text);
	return 0;
}
