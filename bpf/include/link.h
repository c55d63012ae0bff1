// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Who called whom: finds the server request that a client request belongs to.
// A missing parent is a pity, a wrong one is a lie: every doubt means no parent.
#pragma once

#include "maps.h"

// runs_on reads the first n bytes of w->g and tells whether w->sp is on its stack,
// which no other goroutine has at the same time.
inline_ bool runs_on(struct goroutine *b, u32 n, struct who *w)
{
	if (!read_part(b, n, w->g))
		return false;
	return w->sp >= b->w[0] && w->sp <= b->w[1];
}

// read_goroutine reads the id, and what it descends from, from g, which Go keeps
// in thread-local storage (amd64) or a register (arm64). Leaves 0 where the stack
// pointer is not on g's stack: then g is not the goroutine that made the call.
noinline_ int read_goroutine(struct target *t, struct who *w, u32 ancestry, struct goroutine *b)
{
	struct task_struct *task;
	struct pt_regs *regs;
	u32 n;

	if (!t || !w || !b)
		return 0;
	w->goid = 0;
	w->parent_goid = 0;
	w->startpc = 0;
	if (!(t->flags & T_GO))
		return 0;
	n = t->goid_off + 8;
	if (!w->sp || !w->g || !runs_on(b, n, w)) {
		task = (void *)bpf_get_current_task_btf();
		regs = (void *)bpf_task_pt_regs((void *)task);
		w->sp = regs->sp;
#if defined(__TARGET_ARCH_x86)
		if (bpf_probe_read_user(&w->g, 8, (void *)(task->thread.fsbase - 8)))
			return 0;
#else
		w->g = regs->regs[28];
#endif
		if (!runs_on(b, n, w))
			return 0;
	}
	w->goid = goroutine_word(b, n - 8);
	if (!ancestry || !t->parent_off)
		return 0;
	n = t->startpc_off + 8 - t->parent_off;
	if (!read_part(b, n, w->g + t->parent_off))
		return 0;
	w->parent_goid = b->w[0];
	w->startpc = goroutine_word(b, n - 8);
	return 0;
}

// note_waiting counts a request among those that wait for the same target, or no more.
inline_ void note_waiting(struct target *g, const struct ref *r, u32 tgid, bool more)
{
	struct waiting_key key = {.tgid = tgid, .target_hash = r->target_hash};
	struct waiting none = {}, *w;

	if (!(g->flags & T_BATCHES))
		return;
	w = bpf_map_lookup_elem(&waitings, &key);
	if (!w && more) {
		bpf_map_update_elem(&waitings, &key, &none, BPF_NOEXIST);
		w = bpf_map_lookup_elem(&waitings, &key);
	}
	if (!w || (!more && !w->count))
		return;
	__sync_fetch_and_xor(&w->spans, r->span);
	__sync_fetch_and_add(&w->count, more ? 1 : -1);
}

// settle ends the waiting of a request: it has asked somebody, or has an answer.
inline_ void settle(struct target *g, struct open_request *o)
{
	if (__sync_lock_test_and_set(&o->settled, 1))
		return;
	if (g->waiting)
		__sync_fetch_and_add(&g->waiting, -1);
	note_waiting(g, &o->ref, o->tgid, false);
}

inline_ bool alive(const struct ref *r, u64 now)
{
	return r->span && (!r->ended_ns || now - r->ended_ns < PARENT_EXPIRY_NS);
}

// still_open tells whether the request that a goroutine inherited is still being served.
inline_ bool still_open(u32 tgid, const struct ref *r)
{
	struct go_key key = {.goid = r->root, .tgid = tgid};
	struct ref *root = bpf_map_lookup_elem(&goroutines, &key);

	return root && root->span == r->span && !root->ended_ns;
}

// kind_of finds or begins what is known of goroutines that start like this one.
inline_ struct go_kind *kind_of(struct who *w)
{
	struct go_key key = {.goid = w->startpc, .tgid = w->tgid};
	struct go_kind fresh = {.since_ns = w->now}, *kind = bpf_map_lookup_elem(&go_kinds, &key);

	if (kind)
		return kind;
	bpf_map_update_elem(&go_kinds, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&go_kinds, &key);
}

// certain tells whether work of a goroutine that inherited up can only be up's:
// its kind has shown to be no pool, or there is no other request.
inline_ bool certain(struct target *g, struct go_kind *kind, const struct ref *up, u64 now)
{
	if (kind->asked >= KIND_ASKED_MIN && now - kind->since_ns >= KIND_AGE_NS)
		return true;
	return !g->open || (g->open == 1 && !up->ended_ns);
}

// inherited_parent finds the request that the goroutine which started this one served.
inline_ bool inherited_parent(struct target *g, struct who *w, struct ref *out)
{
	struct go_key key = {.goid = w->parent_goid, .tgid = w->tgid};
	struct ref *up = w->parent_goid ? bpf_map_lookup_elem(&goroutines, &key) : 0, *own;
	struct go_kind *kind;

	if (!up || !alive(up, w->now) || (up->bound && !still_open(w->tgid, up)))
		return false;
	kind = kind_of(w);
	if (!kind || kind->habit == GO_POOL)
		return false;
	// The one that started it may have done so in an earlier request. Only its
	// first request tells for sure whether goroutines of this kind ask in time.
	if (up->ended_ns)
		kind->habit = GO_LATE;
	else if (!kind->habit && !up->again)
		kind->habit = GO_IN_TIME;
	if (up->again && kind->habit != GO_IN_TIME)
		return false;
	*out = *up;
	out->bound = 1;
	key.goid = w->goid;
	bpf_map_update_elem(&goroutines, &key, up, BPF_ANY);
	own = bpf_map_lookup_elem(&goroutines, &key); // the stack has no room for a copy
	if (own)
		own->bound = 1;
	__sync_fetch_and_add(&kind->asked, 1);
	return certain(g, kind, out, w->now);
}

// goroutine_parent finds the request that goroutine w->goid works for: its own,
// or that of the goroutine that started it.
inline_ bool goroutine_parent(struct target *g, struct who *w, struct ref *out)
{
	struct go_key key = {.goid = w->goid, .tgid = w->tgid};
	struct go_kind *kind;
	struct ref *own;

	if (!w->goid)
		return false;
	own = bpf_map_lookup_elem(&goroutines, &key);
	if (!own)
		return inherited_parent(g, w, out);
	if (!own->span)
		return false;
	*out = *own;
	if (!own->bound)
		return alive(own, w->now);
	kind = kind_of(w);
	if (still_open(w->tgid, own))
		return kind && kind->habit != GO_POOL && certain(g, kind, own, w->now);
	own->span = 0; // It outlived its request: goroutines started there are a pool.
	if (kind)
		kind->habit = GO_POOL;
	return false;
}

// thread_parent: the request that this thread serves or was started for.
inline_ bool thread_parent(struct target *g, struct thread *t, struct ref *out)
{
	struct open_request *o;

	if (!t || !t->cur.span || g->trust != TRUST_THREAD)
		return false;
	o = open_request_of(t->cur.span);
	if (t->inherited && !o) {
		g->pools = 1;
		return false;
	}
	if (!o || (t->inherited && (g->pools || g->joined < JOINED_MIN)))
		return false;
	*out = o->ref;
	return true;
}

// single_parent: the only open request of the process.
inline_ bool single_parent(struct target *g, struct who *w, struct thread *t, struct ref *out)
{
	u64 span = g->open_xor;
	struct open_request *o;

	if (!g->open && t && t->background < BACKGROUND_MIN) {
		g->strays++;
		t->background += !t->served;
	}
	if (g->open != 1 || g->crowded || (t && t->background >= BACKGROUND_MIN))
		return false;
	g->alone++;
	if (g->strays >= STRAYS_MIN && g->strays * STRAYS_SHARE >= g->alone)
		return false;
	o = open_request_of(span);
	if (!o || o->tgid != w->tgid)
		return false;
	// What a new thread does first belongs to the request that started it.
	if (t && t->inherited && !t->asked && t->cur.span != span)
		return false;
	// A thread that serves requests itself works for its own, unless work is
	// known to move between threads.
	if (g->trust != TRUST_MOVED && !(g->flags & T_STRICT) && t && t->served && o->tid != w->tid)
		return false;
	*out = o->ref;
	return true;
}

// batch_parent: the only waiting request for this target. Such a proxy receives
// many requests before it forwards the first.
inline_ bool batch_parent(struct target *g, struct who *w, struct ref *out)
{
	struct waiting_key key = {.tgid = w->tgid, .target_hash = w->target_hash};
	struct waiting *same = bpf_map_lookup_elem(&waitings, &key);
	struct open_request *o;
	u64 span = g->open_xor;

	if (same && same->count)
		span = same->count == 1 ? same->spans : 0;
	else if (!g->waiting)
		g->pools = 1; // it asks on its own account, such as for health
	else if (g->crowded || g->pools)
		return false; // rewritten, and another request may be the one that asks
	o = span ? open_request_of(span) : 0;
	if (!o || o->tgid != w->tgid || o->settled)
		return false;
	settle(g, o);
	*out = o->ref;
	return true;
}

// proxy_parent: the owner of the last socket operation of this thread, or of
// the connect of this connection.
inline_ bool proxy_parent(struct target *g, struct who *w, struct thread *t, struct conn *c, struct ref *out)
{
	struct open_request *o;
	u64 span = 0;
	u32 others;

	if (c->fresh && c->owner.span)
		span = c->owner.span;
	else if (t)
		span = t->owner.span;
	o = span ? open_request_of(span) : 0;
	if (!o || o->tgid != w->tgid || o->upstream)
		return false;
	// Where the target was rewritten, no other request may be the one that asks.
	others = g->waiting - (o->settled || !g->waiting ? 0 : 1);
	settle(g, o);
	if (o->ref.target_hash != w->target_hash && !(c->fresh && c->sure) && others)
		return false;
	o->upstream = 1;
	*out = o->ref;
	return true;
}

// parent_of fills out and returns how, LINK_NONE where no parent is certain.
inline_ int parent_of(struct target *g, struct who *w, struct conn *c, struct ref *out)
{
	struct thread *t;
	struct tie *tie;
	u64 sk = w->sk;
	int how = LINK_NONE;

	if (g->flags & T_GO) {
		tie = bpf_map_lookup_elem(&go_ties, &sk);
		if (tie) {
			*out = tie->parent;
			w->goid = tie->goid;
			bpf_map_delete_elem(&go_ties, &sk);
			return out->span ? LINK_GOROUTINE : LINK_NONE;
		}
		if (g->writeloop_pc && w->startpc == g->writeloop_pc)
			return LINK_NONE; // writes for others; only a tie can tell for whom
		return goroutine_parent(g, w, out) ? LINK_GOROUTINE : LINK_NONE;
	}
	t = thread_begun(w->tid);
	if (g->flags & T_BATCHES)
		return batch_parent(g, w, out) ? LINK_PROXY : LINK_NONE;
	if (g->flags & T_PROXY)
		return proxy_parent(g, w, t, c, out) ? LINK_PROXY : LINK_NONE;
	if (thread_parent(g, t, out))
		how = LINK_THREAD;
	else if (single_parent(g, w, t, out))
		how = LINK_SINGLE;
	if (t)
		t->asked = 1;
	return how;
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

// serve_go notes that a goroutine has received a request.
inline_ void serve_go(struct target *g, struct who *w, struct ref *r)
{
	struct go_key key = {.goid = w->goid, .tgid = w->tgid};
	struct ref *mine = w->goid ? bpf_map_lookup_elem(&goroutines, &key) : 0;

	r->root = w->goid;
	r->again = mine && mine->span && !mine->bound;
	if (mine) // cheaper than to replace the entry
		*mine = *r;
	else if (w->goid)
		bpf_map_update_elem(&goroutines, &key, r, BPF_ANY);
	__sync_fetch_and_add(&g->open, 1);
}

// serve notes that the current task has received a request.
inline_ void serve(struct target *g, struct who *w, struct open_request *o)
{
	struct open_request *before;
	struct thread *t;

	if (g->flags & T_GO) {
		serve_go(g, w, &o->ref);
		return;
	}
	if (bpf_map_update_elem(&open_requests, &o->ref.span, o, BPF_ANY))
		count(DROP_TABLE_FULL);
	// Starting from none heals what a lost end may have left behind.
	if (!__sync_fetch_and_add(&g->open, 1)) {
		g->open_xor = o->ref.span;
		g->waiting = 1;
		g->crowded = 0;
	} else {
		__sync_fetch_and_xor(&g->open_xor, o->ref.span);
		__sync_fetch_and_add(&g->waiting, 1);
		g->crowded = 1;
	}
	note_waiting(g, &o->ref, w->tgid, true);
	t = thread_begun(w->tid);
	if (!t)
		return;
	if (t->cur.span && !t->inherited) {
		before = open_request_of(t->cur.span);
		if (before && before->tid == w->tid && before->tgid == w->tgid)
			g->trust = TRUST_MOVED;
	}
	t->cur = o->ref;
	t->owner = o->ref;
	t->served = 1;
	t->background = 0;
	t->inherited = 0;
}

// served notes that a request has its answer (w->tid != 0) or will never have one.
inline_ void served(struct target *g, struct who *w, u64 span, u64 goid, u32 tgid, u32 tid)
{
	struct thread *t;

	if (g->flags & T_GO) {
		struct go_key key = {.goid = goid, .tgid = tgid};
		struct ref *r = bpf_map_lookup_elem(&goroutines, &key);

		if (r && r->span == span)
			r->ended_ns = w->now;
		return;
	}
	__sync_fetch_and_xor(&g->open_xor, span);
	if (!w->tid)
		return;
	t = thread_of(w->tid);
	if (t && t->cur.span == span)
		t->cur.span = 0;
	if (g->trust != TRUST_STRICT || (g->flags & (T_STRICT | T_PROXY)))
		return;
	if (w->tid == tid && g->open && __sync_fetch_and_add(&g->streak, 1) + 1 >= TRUST_STREAK)
		g->trust = TRUST_THREAD;
}
