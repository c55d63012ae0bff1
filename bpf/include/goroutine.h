// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which request a goroutine works for: the one that it has received itself, or
// that of the goroutine which started it, where both the start and the habit of
// its kind are known.
#pragma once

#include "maps.h"

// g.atomicstatus; it stands right before g.goid in every release.
#define G_WAITING 4
#define G_SCAN 0x1000
// A P takes so many ids at a time.
#define ID_BATCH 16

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

// who_calls is the task in a function of Go's, of which a register has the goroutine.
inline_ struct who who_calls(struct raw_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct who w = {.tgid = id >> 32, .tid = (u32)id, .g = ctx->r[CTX_GO_G], .sp = ctx->r[CTX_SP]};

	return w;
}

inline_ struct work *work_of(u32 tgid, u64 goid)
{
	struct go_key key = {.goid = goid, .tgid = tgid};

	return goid ? bpf_map_lookup_elem(&goroutines, &key) : 0;
}

// kind_of finds what is known of goroutines that start with one function.
inline_ struct go_kind *kind_of(u32 tgid, u64 startpc)
{
	struct go_key key = {.goid = startpc, .tgid = tgid};

	return bpf_map_lookup_elem(&go_kinds, &key);
}

// kind_begun finds or begins it.
inline_ struct go_kind *kind_begun(u32 tgid, u64 startpc)
{
	struct go_key key = {.goid = startpc, .tgid = tgid};
	struct go_kind fresh = {}, *kind = bpf_map_lookup_elem(&go_kinds, &key);

	if (kind)
		return kind;
	bpf_map_update_elem(&go_kinds, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&go_kinds, &key);
}

// read_ids reads the ids that the P of the current goroutine hands out next, and the
// newest that any P has taken: none but goroutines that are started from now on will
// have those, and later ones.
inline_ void read_ids(struct target *g, struct who *w, struct work *mine)
{
	u64 m = 0, p = 0, ids[2];

	mine->ids = mine->newest = 0;
	mine->handed = 0;
	if (g->parts && g->goidgen && bpf_probe_read_user(&mine->newest, 8, (void *)g->goidgen))
		mine->newest = 0;
	if (!g->parts || !g->m_off || bpf_probe_read_user(&m, 8, (void *)(w->g + g->m_off)) ||
	    bpf_probe_read_user(&p, 8, (void *)(m + g->p_off)))
		return;
	if (!p && bpf_probe_read_user(&p, 8, (void *)(m + g->oldp_off)))
		return;
	if (!p || bpf_probe_read_user(ids, sizeof(ids), (void *)(p + g->ids_off)) || ids[1] - ids[0] > ID_BATCH)
		return;
	mine->ids = ids[0];
	mine->handed = ids[1] - ids[0];
}

// judge_part tells, at the answer, whether a goroutine that was started for the
// request has ended by now. One that waits goes on without the request; one that
// runs may be at its end.
noinline_ int judge_part(struct target *g, struct part *part, u32 tgid)
{
	struct go_kind *kind;
	struct {
		u32 status, lock;
		u64 goid;
	} now;

	if (!g || !part)
		return 0;
	kind = kind_of(tgid, part->kind);
	if (!kind || bpf_probe_read_user(&now, sizeof(now), (void *)(part->g + g->goid_off - 8)))
		return 0;
	now.status &= ~G_SCAN;
	if (now.goid != part->goid || now.status > G_WAITING)
		__sync_fetch_and_add(&kind->ended, 1);
	else if (now.status == G_WAITING)
		kind->outlived = 1;
	return 0;
}

inline_ struct parts *parts_of(u32 tgid, u64 goid)
{
	struct go_key key = {.goid = goid, .tgid = tgid};

	return bpf_map_lookup_elem(&go_parts, &key);
}

inline_ void judge_parts(struct target *g, struct parts *all, u32 tgid)
{
	if (!all)
		return;
	UNROLLED
	for (int i = 0; i < PARTS; i++) {
		if (all->part[i].g)
			judge_part(g, &all->part[i], tgid);
		all->part[i].g = 0;
	}
}

// In read-only data: the stack has no room for it.
const struct parts no_parts = {};

// note_part notes that goroutine w does a part of what its parent does.
inline_ void note_part(struct work *up, struct who *w)
{
	struct go_key key = {.goid = w->parent_goid, .tgid = w->tgid};
	struct parts *all;
	struct part *part;
	u8 at = up->noted;

	if (!at) // those of an earlier request are void
		bpf_map_update_elem(&go_parts, &key, &no_parts, BPF_ANY);
	up->noted = at < 255 ? at + 1 : PARTS;
	all = bpf_map_lookup_elem(&go_parts, &key);
	if (!all)
		return;
	part = &all->part[at & (PARTS - 1)];
	part->g = w->g;
	part->goid = w->goid;
	part->kind = w->startpc;
}

// started tells whether goroutine w was started for the request that its parent
// serves now: 1: it was, -1: for an earlier one, 0: unknown.
inline_ int started(const struct work *up, struct who *w)
{
	if (up->bound)
		return 0;
	if (up->first || (w->goid >= up->ids && w->goid < up->ids + up->handed) || (up->newest && w->goid > up->newest))
		return 1;
	return w->goid < up->ids && w->goid + ID_BATCH >= up->ids + up->handed ? -1 : 0;
}

// ends_in_time tells whether goroutines of this kind end before the answer.
inline_ bool ends_in_time(const struct go_kind *kind, bool sure)
{
	return !kind->outlived && kind->ended >= (sure ? KIND_ENDED_MIN : KIND_ENDED_MANY);
}

inline_ void fill_from(struct ref *out, const struct work *work)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->trace[0] = work->trace[0];
	out->trace[1] = work->trace[1];
	out->span = work->span;
	out->incoming = work->incoming;
	out->tflags = work->tflags;
}

// is_still tells whether what was read of a goroutine was its own: it may have been forgotten
// meanwhile (forget_server), and another one put in its place.
inline_ bool is_still(const struct work *work, u32 tgid, u64 goid, u64 span)
{
	return work == work_of(tgid, goid) && work->span == span;
}

// inherited_parent finds the request that the goroutine which started this one serves.
inline_ bool inherited_parent(struct target *g, struct who *w, struct ref *out)
{
	struct work *up = work_of(w->tgid, w->parent_goid), *root = up, *own;
	struct go_key key = {.goid = w->goid, .tgid = w->tgid};
	struct go_kind *kind;
	int start;

	if (!up || !up->span)
		return false;
	kind = kind_begun(w->tgid, w->startpc);
	if (up->bound)
		root = work_of(w->tgid, up->root);
	if (!kind || !root || root->span != up->span)
		return false;
	g->parts = 1;
	start = started(up, w);
	if (root->ended == ENDED_UNWANTED)
		return false;
	if (root->ended || start < 0)
		kind->outlived = 1;
	if (kind->outlived)
		return false;
	fill_from(out, up);
	bpf_map_update_elem(&goroutines, &key, up, BPF_ANY);
	own = bpf_map_lookup_elem(&goroutines, &key); // the stack has no room for a copy
	if (own && !is_still(up, w->tgid, w->parent_goid, out->span)) {
		own->span = 0;
		return false;
	}
	if (own) {
		if (!own->bound)
			own->root = w->parent_goid;
		own->bound = 1;
		own->noted = 0;
		own->sure = start > 0;
	}
	if (start > 0)
		note_part(up, w);
	return ends_in_time(kind, start > 0);
}

// goroutine_parent finds the request that goroutine w->goid works for: its own,
// or that of the goroutine that started it. Only a server has any.
inline_ bool goroutine_parent(struct target *g, struct who *w, struct ref *out)
{
	struct work *own, *root;
	struct go_kind *kind;

	if (!w->goid || !g->serves || g->trust == TRUST_MOVED)
		return false;
	own = work_of(w->tgid, w->goid);
	if (!own)
		return inherited_parent(g, w, out);
	if (!own->span)
		return false;
	fill_from(out, own);
	if (!own->bound)
		return own->ended != ENDED && is_still(own, w->tgid, w->goid, out->span);
	kind = kind_of(w->tgid, w->startpc);
	root = work_of(w->tgid, own->root);
	if (root && root->span == own->span && !root->ended)
		return kind && ends_in_time(kind, own->sure);
	if (root && root->span == own->span && root->ended == ENDED_UNWANTED)
		return false; // that it goes on says nothing of its kind
	own->span = 0; // it outlived its request: goroutines started there may be a pool
	if (kind)
		kind->outlived = 1;
	return false;
}

// In read-only data: the stack has no room for it.
const struct work no_work = {};

// serve_go notes that a goroutine has received a request. One that reads a second
// request before it has answered the first, from another connection, is a loop:
// what others do for it cannot be told apart. It returns where the request belongs.
inline_ struct work *serve_go(struct target *g, struct who *w, bool piped)
{
	struct go_key key = {.goid = w->goid, .tgid = w->tgid};
	struct work *mine = work_of(w->tgid, w->goid);
	bool first = !mine;

	if (!g->serves)
		g->serves = 1;
	if (!mine && w->goid) {
		bpf_map_update_elem(&goroutines, &key, &no_work, BPF_ANY);
		mine = bpf_map_lookup_elem(&goroutines, &key);
	}
	if (!mine)
		return 0;
	if (mine->span && !mine->ended && !mine->bound && !piped)
		g->trust = TRUST_MOVED;
	mine->noted = 0;
	mine->first = first;
	mine->ended = ENDED_NOT;
	mine->bound = 0;
	read_ids(g, w, mine);
	return mine;
}

// served_go notes that the request of a goroutine is over.
inline_ void served_go(struct target *g, struct who *w, u64 span, u64 goid, u32 tgid)
{
	struct work *mine = work_of(tgid, goid);

	if (!mine || mine->span != span)
		return;
	mine->ended = ENDED;
	if (mine->noted && w->tid && w->tgid == tgid)
		judge_parts(g, parts_of(tgid, goid), tgid);
	mine->noted = 0;
}
