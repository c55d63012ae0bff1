// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A received request becomes what others can be children of: of the thread or the
// goroutine that has read it.
#pragma once

#include "../include/link.h"

// fill_ref is what others need to become children of a request. incoming is the span id
// in the trace context that came with it, 0: none.
inline_ void fill_ref(struct ref *ref, struct request *r, u64 incoming)
{
	ref->trace[0] = r->trace[0];
	ref->trace[1] = r->trace[1];
	ref->span = r->span;
	ref->incoming = incoming;
	ref->tflags = r->tflags;
	ref->target_hash = r->target_hash;
}

// thread_serves notes that the current thread serves a request; piped: others on its
// connection have no answer yet. It and its siblings are not inline, as their stacks
// would be their caller's too.
noinline_ int thread_serves(struct target *g, struct request *r, struct who *w, u64 incoming, u32 piped)
{
	struct open_request o = {};

	if (!g || !r || !w)
		return 0;
	fill_ref(&o.ref, r, incoming);
	o.tgid = w->tgid;
	o.tid = w->tid;
	o.waits = w->waits;
	serve(g, w, &o, piped != 0);
	return 0;
}

noinline_ int goroutine_serves(struct target *g, struct request *r, struct who *w, u64 incoming, u32 piped)
{
	struct work *mine;

	if (!g || !r || !w)
		return 0;
	mine = serve_go(g, w, piped != 0);
	if (!mine)
		return 0;
	mine->trace[0] = r->trace[0];
	mine->trace[1] = r->trace[1];
	mine->span = piped ? 0 : r->span; // which of several it works on is not seen
	mine->incoming = incoming;
	mine->tflags = r->tflags;
	return 0;
}

// begin_waiting counts the request among those that wait to be forwarded.
noinline_ int begin_waiting(struct target *g, struct request *r, u32 tgid)
{
	struct ref ref = {};

	if (!g || !r)
		return 0;
	ref.span = r->span;
	ref.target_hash = r->target_hash;
	note_waiting(g, &ref, tgid, true);
	return 0;
}

// in_hand notes what the thread of an nginx has in hand after each operation: the
// request that is now complete, or the one that has got an answer it needed.
inline_ void in_hand(struct target *g, struct who *w, u64 span)
{
	struct thread *t;

	if ((g->flags & (T_PROXY | T_BATCHES)) != T_PROXY)
		return;
	t = thread_begun(w->tid);
	if (!t)
		return;
	t->direct = span;
	t->direct_ns = has_run();
	t->switches = sleeps();
}
