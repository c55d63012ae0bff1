// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The commands of one call and their replies: one event. Replies come in the order of
// the commands, so that a connection needs no more than a queue.
#pragma once

#include "../exchange/asking.h"
#include "../include/ring.h"
#include "resp.h"

#define BATCHES 16   // of a connection, without all of their replies
#define CODE_MAX 24 // of an error: a word
#define EARLY_MAX 1024
#define CALL_OPEN (1U << 24) // more than there are commands in a call

// batch_event is what user space gets: the head of the request is said and name, the
// answer's is the code of its first error.
struct batch_event {
	struct request r;
	u32 said; // commands
	u8 mixed; // they have several names
	u8 name[WORD_MAX];
	u8 code[CODE_MAX];
	u8 _pad[3];
};

struct batch {
	struct batch_event e;
	u32 left; // replies that are still to come, and CALL_OPEN while the call is looked at
	u32 from; // the number of its first command
};

// redis is freed by the kernel with the socket.
struct redis {
	struct resp q; // commands
	struct resp a; // replies
	struct asker asker;
	u64 seen;  // commands
	u32 head;  // the oldest batch in use
	u32 tail;
	u32 asked; // commands, also those that were not kept
	u32 answered; // replies to them
	u32 early; // replies that were read before their commands were looked at
	u8 quiet; // what comes after the next reply are no replies
	u8 _pad[7];
	struct batch batch[BATCHES];
};

BOOKS(redises, struct redis, BOOKS_FEW);

inline_ struct batch *batch_at(struct redis *r, u32 n)
{
	return &r->batch[n & (BATCHES - 1)];
}

// say ends the oldest batch of a connection. False: there is none, or it ends elsewhere
// at this moment.
noinline_ int say(struct redis *r, u64 now, u32 fault)
{
	struct batch_event *e;
	struct batch *b;

	if (!r || r->head == r->tail)
		return 0;
	b = batch_at(r, r->head);
	if (!__sync_lock_test_and_set(&b->e.r.live, 0))
		return 0;
	b->e.r.end_ns = now;
	b->e.r.fault = fault;
	b->e.r.answer_len = sizeof(b->e.code);
	e = has_share(b->e.r.pid, sizeof(*e)) ? bpf_ringbuf_reserve(&events, sizeof(*e), 0) : 0;
	if (e) {
		__builtin_memcpy(e, &b->e, sizeof(*e));
		count(COUNT_EXCHANGES);
		bpf_ringbuf_submit(e, 0);
	} else {
		lose(b->e.r.pid, DROP_RING_FULL);
	}
	__sync_fetch_and_add(&r->head, 1);
	return 1;
}

// In read-only data: the stack has no room for it.
const struct batch_event new_event = {};

// begin_batch makes room for the commands of a call, 0 where there is none.
noinline_ int begin_batch(struct redis *r, struct conn *c, struct target *g, struct who *w, struct goroutine *room)
{
	struct batch *b;

	if (!r || !c || !g || !w || !room)
		return 0;
	if (r->tail - r->head >= BATCHES)
		return 0;
	b = batch_at(r, r->tail);
	__builtin_memcpy(&b->e, &new_event, sizeof(b->e));
	whose_call(&r->asker, c, g, w, room);
	tell_of(&b->e.r, &r->asker, c, g, w);
	b->e.r.head_len = sizeof(b->e) - sizeof(b->e.r) - CODE_MAX - sizeof(b->e._pad);
	b->left = CALL_OPEN;
	b->from = r->asked;
	b->e.r.live = 1;
	__sync_fetch_and_add(&r->tail, 1);
	return 1;
}

// end_call ends what a call has begun: all of its commands are known. Replies may have
// been read by another thread before.
noinline_ int end_call(struct redis *r, u32 n, u64 now)
{
	struct batch *b;
	u32 early, left;

	if (!r)
		return 0;
	b = batch_at(r, n);
	early = __sync_lock_test_and_set(&r->early, 0);
	left = *(volatile u32 *)&b->left - CALL_OPEN;
	if (early > left)
		early = left;
	if (__sync_fetch_and_add(&b->left, -(early + CALL_OPEN)) == early + CALL_OPEN)
		say(r, now, FAULT_NONE);
	return 0;
}

struct ending_batches {
	struct redis *r;
	u64 now;
	u32 fault;
	u32 _pad;
};

static long end_batch(u32 i, struct ending_batches *e)
{
	int more = say(e->r, e->now, e->fault);

	barrier_var(more); // the compiler knows that it is 0 or 1, the verifier does not
	return more ? 0 : 1;
}

// end_batches ends all batches of a connection: no more replies will come.
noinline_ int end_batches(struct redis *r, u32 fault)
{
	struct ending_batches e = {.r = r, .fault = fault};

	if (!r)
		return 0;
	e.now = bpf_ktime_get_ns();
	bpf_loop(BATCHES, end_batch, &e, 0);
	return 0;
}

static long forget_batch(u32 i, struct ending_batches *e)
{
	struct redis *r = e->r;
	struct batch *b;

	if (r->head == r->tail)
		return 1;
	b = batch_at(r, r->head);
	if (!__sync_lock_test_and_set(&b->e.r.live, 0))
		return 1;
	lose(b->e.r.pid, DROP_UNPARSABLE);
	__sync_fetch_and_add(&r->head, 1);
	return 0;
}

// forget_batches forgets what waits for replies: nobody can tell which are theirs.
noinline_ int forget_batches(struct redis *r)
{
	struct ending_batches e = {.r = r};

	if (!r)
		return 0;
	bpf_loop(BATCHES, forget_batch, &e, 0);
	return 0;
}
