// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Who called whom: finds the server request that a client request belongs to.
// A missing parent is a pity, a wrong one is a lie: every doubt means no parent.
// That a request is the only open one proves nothing: timers, flushers and health
// checks run at any time.
#pragma once

#include "goroutine.h"

// less counts down what another CPU may have counted down to 0 in between.
inline_ void less(u32 *n)
{
	if (*n && !__sync_fetch_and_add(n, -1))
		__sync_fetch_and_add(n, 1);
}

// polled tells whether a socket is registered with epoll: then its thread waits
// for many things at once. So may it be where nobody knows the socket.
inline_ bool polled(u64 sk)
{
	sk = socket_below(sk);
	return !sk || BPF_CORE_READ((struct sock *)sk, sk_socket, file, f_ep) != 0;
}

// sleeps tells how often the current thread has waited for something.
inline_ u64 sleeps(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	return task->nvcsw;
}

// note_waiting counts a request among those that wait for the same target, or no more.
inline_ void note_waiting(struct target *g, const struct ref *r, u32 tgid, bool more)
{
	struct waiting_key key = {.tgid = tgid, .target_hash = r->target_hash};
	struct waiting none = {}, *w;
	void *room = g->flags & T_BATCHES ? waiting_room() : 0;

	if (!room)
		return;
	w = bpf_map_lookup_elem(room, &key);
	if (!w && more) {
		bpf_map_update_elem(room, &key, &none, BPF_NOEXIST);
		w = bpf_map_lookup_elem(room, &key);
	}
	if (!w || (!more && !w->count))
		return;
	__sync_fetch_and_xor(&w->spans, r->span);
	if (more)
		__sync_fetch_and_add(&w->count, 1);
	else
		less(&w->count);
}

// settle ends the waiting of a request: it has asked somebody, or has an answer.
inline_ void settle(struct target *g, struct open_request *o)
{
	if (!__sync_lock_test_and_set(&o->settled, 1))
		note_waiting(g, &o->ref, o->tgid, false);
}

// has_run tells for how many ns the current thread has run, as of the last time that its
// scheduler looked: a tick may be missing.
inline_ u64 has_run(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	return task->se.sum_exec_runtime;
}

// thread_parent: the request that this thread has received and not answered. It
// must be known to do one thing at a time: it waited in the call that read the
// request, as no event loop does, or its process has earned trust. A client that
// is polled is another thread's, or a loop's.
inline_ bool thread_parent(struct target *g, struct who *w, struct thread *t, struct ref *out)
{
	struct open_request *o;

	if (!t || !t->cur || g->trust == TRUST_MOVED || (g->flags & T_STRICT))
		return false;
	o = open_request_of(t->cur);
	if (!o || o->tgid != w->tgid || o->tid != w->tid)
		return false;
	if ((!o->waits && g->streak < TRUST_STREAK) || polled(w->sk))
		return false;
	*out = o->ref;
	return true;
}

// batch_parent: the only waiting request for this target. Such a proxy receives
// many requests before it forwards the first. A target that it has asked for while
// nobody waited is one of its own.
inline_ bool batch_parent(struct target *g, struct who *w, struct ref *out)
{
	struct waiting_key key = {.tgid = w->tgid, .target_hash = w->target_hash};
	struct waiting *same, own = {.own = 1};
	struct open_request *o;
	void *room = waiting_room();

	if (!room)
		return false;
	same = bpf_map_lookup_elem(room, &key);
	if (!same) {
		bpf_map_update_elem(room, &key, &own, BPF_NOEXIST);
		return false;
	}
	if (!same->count)
		same->own = 1;
	if (same->count != 1 || same->own)
		return false;
	o = open_request_of(same->spans);
	if (!o || o->tgid != w->tgid || o->settled)
		return false;
	settle(g, o);
	*out = o->ref;
	return true;
}

// direct_owner: the request that the current thread goes on with, because it has
// just read the end of it or of an answer that it needed, and done nothing since.
inline_ u64 direct_owner(struct thread *t)
{
	u64 span = t ? t->direct : 0;

	if (!span)
		return 0;
	t->direct = 0;
	return has_run() - t->direct_ns < DIRECT_NS && t->switches == sleeps() ? span : 0;
}

// proxy_parent: what the thread goes on with now, or went on with when it connected.
inline_ bool proxy_parent(struct who *w, struct conn *c, struct ref *out)
{
	struct open_request *o;
	u64 span = c->owner.span;

	if (!c->fresh)
		span = direct_owner(thread_of(w->tid));
	o = span ? open_request_of(span) : 0;
	if (!o || o->tgid != w->tgid)
		return false;
	*out = o->ref;
	return true;
}

// parent_of fills out and returns how, LINK_NONE where no parent is certain.
inline_ int parent_of(struct target *g, struct who *w, struct conn *c, struct ref *out)
{
	struct tie *tie;
	u64 sk = socket_below(w->sk);

	if (g->flags & T_GO) {
		tie = bpf_map_lookup_elem(&go_ties, &sk);
		if (tie && __sync_lock_test_and_set(&tie->tied, 0)) {
			*out = tie->parent;
			w->goid = tie->goid;
			return out->span ? LINK_GOROUTINE : LINK_NONE;
		}
		if (g->writeloop_pc && w->startpc == g->writeloop_pc)
			return LINK_NONE; // writes for others; only a tie can tell for whom
		return goroutine_parent(g, w, out) ? LINK_GOROUTINE : LINK_NONE;
	}
	if (g->flags & T_BATCHES)
		return batch_parent(g, w, out) ? LINK_PROXY : LINK_NONE;
	if (g->flags & T_PROXY)
		return proxy_parent(w, c, out) ? LINK_PROXY : LINK_NONE;
	return thread_parent(g, w, thread_of(w->tid), out) ? LINK_THREAD : LINK_NONE;
}

// find_parent makes the parent of the request that c sends its owner and returns
// how it was found; LINK_NONE: no parent is certain, and c has no owner.
noinline_ int find_parent(struct target *g, struct who *w, struct conn *c)
{
	int how;

	if (!g || !w || !c)
		return LINK_NONE;
	how = parent_of(g, w, c, &c->owner);
	if (how == LINK_NONE)
		__builtin_memset(&c->owner, 0, sizeof(c->owner));
	return how;
}

// helps tells whether the current thread is of Java's pool whose threads do other
// work while theirs waits.
inline_ bool helps(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	u64 name = 0;

	// Programs of the kind sk_msg may not ask for the name.
	bpf_probe_read_kernel(&name, sizeof(name), &task->comm);
	return name == COMM8('F', 'o', 'r', 'k', 'J', 'o', 'i', 'n');
}

// serve notes that the current task has received a request; piped: while another
// one of the same connection has no answer.
inline_ void serve(struct target *g, struct who *w, struct open_request *o, bool piped)
{
	struct open_request *before;
	struct thread *t;

	if (bpf_map_update_elem(&open_requests, &o->ref.span, o, BPF_ANY))
		count(DROP_TABLE_FULL);
	t = thread_begun(w->tid);
	if (!t || (g->flags & T_PROXY))
		return;
	before = t->cur ? open_request_of(t->cur) : 0;
	if (before && before->tid == w->tid && before->tgid == w->tgid && !piped)
		g->trust = TRUST_MOVED;
	if (!t->served && helps())
		g->trust = TRUST_MOVED;
	else if (o->waits && g->trust == TRUST_STRICT)
		g->trust = TRUST_THREAD;
	t->cur = piped ? 0 : o->ref.span; // of two, which it works on is not seen
	t->served = 1;
}

// served notes that a request has its answer (w->tid != 0) or will never have one.
inline_ void served(struct target *g, struct who *w, u64 span, u64 goid, u32 tgid, u32 tid)
{
	struct thread *t;

	if (g->flags & T_GO) {
		served_go(g, w, span, goid, tgid);
		return;
	}
	if (!w->tid || (g->flags & T_PROXY))
		return;
	t = thread_of(w->tid);
	if (t && t->cur == span)
		t->cur = 0;
	if (g->streak >= TRUST_STREAK || g->trust == TRUST_MOVED || w->tid != tid || w->tgid != tgid)
		return;
	if (polled(w->sk))
		g->streak = 0; // its threads wait for many things at once
	else if (g->open && __sync_fetch_and_add(&g->streak, 1) + 1 >= TRUST_STREAK && !(g->flags & T_STRICT))
		g->trust = TRUST_THREAD;
}
