// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A command and its answer: one event for those that execute a statement. A client sends
// the next command when it has the answer to the last one.
#pragma once

#include "../exchange/asking.h"
#include "../include/ring.h"
#include "packet.h"

#define TEXT_KEPT 512
#define PREPARED 16 // statements of a connection whose text is kept
#define PREPARED_TEXT 240 // ... so much of it

// command_event is what user space gets; all behind the request is its head, of which
// text_len bytes of text are sent.
struct command_event {
	struct request r;
	u16 text_len;
	u16 code; // of the error, 0: none
	u8 cut;   // the text was longer
	u8 unknown; // it was prepared before, and is not kept
	u8 _pad[2];
	u8 text[TEXT_KEPT];
};

struct prepared_text {
	u32 id; // 0: none
	u16 len;
	u8 cut;
	u8 _pad;
	u8 text[PREPARED_TEXT];
};

// mysql is freed by the kernel with the socket.
struct mysql {
	struct packets q; // of the client
	struct packets a; // of the server
	struct asker asker;
	u32 seen; // commands
	u32 next; // prepared text to be replaced
	u8 ready; // the client was let in
	u8 kind;  // enum command: what is waited for, 0: nothing
	u8 part;  // of its answer: how many packets that end a part have come
	u8 first; // ... the next packet is the first of a result
	u32 _pad;
	struct command_event e;
	u8 room[TEXT_KEPT]; // what the verifier takes for too far lies here
	struct prepared_text prepared[PREPARED];
};

BOOKS(mysqls, struct mysql, BOOKS_FEW);

// answered_all ends the command that is waited for.
noinline_ int answered_all(struct mysql *m, u64 now, u32 fault)
{
	struct command_event *e;
	bool tells;
	u32 n;

	if (!m)
		return 0;
	e = &m->e;
	tells = m->kind == COM_QUERY || m->kind == COM_STMT_EXECUTE;
	m->kind = 0;
	if (!__sync_lock_test_and_set(&e->r.live, 0) || !tells)
		return 0;
	e->r.end_ns = now;
	e->r.fault = fault;
	n = e->text_len;
	barrier_var(n);
	if (n > TEXT_KEPT)
		n = TEXT_KEPT;
	e->r.head_len = sizeof(*e) - sizeof(e->r) - TEXT_KEPT + n;
	if (!has_share(e->r.pid, sizeof(*e)) || bpf_ringbuf_output(&events, e, sizeof(*e) - TEXT_KEPT + n, 0))
		lose(e->r.pid, DROP_RING_FULL);
	else
		count(COUNT_EXCHANGES);
	return 1;
}

// begin_command_of begins what is kept of a command.
noinline_ int begin_command_of(struct mysql *m, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct command_event *e;

	if (!m || !c || !g || !w || !room)
		return 0;
	e = &m->e;
	e->text_len = 0;
	e->code = 0;
	e->cut = 0;
	e->unknown = 0;
	whose_call(&m->asker, c, g, w, room);
	tell_of(&e->r, &m->asker, c, g, w);
	e->r.live = 1;
	return 1;
}

struct by_id {
	struct mysql *m;
	u32 id;
	u32 at; // PREPARED: none
};

static long same_id(u32 i, struct by_id *s)
{
	u32 at = i;

	barrier_var(at);
	if (at >= PREPARED || s->m->prepared[at].id != s->id)
		return 0;
	s->at = at;
	return 1;
}

// keep_prepared keeps the text of the statement that the server has given a number.
noinline_ int keep_prepared(struct mysql *m, u32 id)
{
	struct by_id s = {.m = m, .id = id, .at = PREPARED};
	struct prepared_text *p;
	u32 n;

	if (!m || !id)
		return 0;
	bpf_loop(PREPARED, same_id, &s, 0);
	if (s.at >= PREPARED) {
		s.id = 0; // a free place
		bpf_loop(PREPARED, same_id, &s, 0);
	}
	if (s.at >= PREPARED)
		s.at = m->next++;
	p = &m->prepared[s.at & (PREPARED - 1)];
	p->id = id;
	n = m->e.text_len;
	p->cut = m->e.cut || n > PREPARED_TEXT;
	p->len = n < PREPARED_TEXT ? n : PREPARED_TEXT;
	bpf_probe_read_kernel(p->text, PREPARED_TEXT, m->e.text);
	return 0;
}

// close_prepared frees the place of a statement that the client has closed.
noinline_ int close_prepared(struct mysql *m, u32 id)
{
	struct by_id s = {.m = m, .id = id, .at = PREPARED};

	if (!m)
		return 0;
	bpf_loop(PREPARED, same_id, &s, 0);
	if (s.at < PREPARED)
		m->prepared[s.at & (PREPARED - 1)].id = 0;
	return 0;
}

// take_prepared gives a command the text of the statement that it executes.
noinline_ int take_prepared(struct mysql *m, u32 id)
{
	struct by_id s = {.m = m, .id = id, .at = PREPARED};
	struct prepared_text *p;

	if (!m)
		return 0;
	bpf_loop(PREPARED, same_id, &s, 0);
	if (s.at >= PREPARED) {
		m->e.unknown = 1;
		return 0;
	}
	p = &m->prepared[s.at & (PREPARED - 1)];
	m->e.text_len = p->len;
	m->e.cut = p->cut;
	bpf_probe_read_kernel(m->e.text, PREPARED_TEXT, p->text);
	return 0;
}
