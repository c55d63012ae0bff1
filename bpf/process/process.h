// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Starts and ends of processes, as notices; targets follow their children.
//
// Hooks: sched_process_exec, sched_process_exit (once per process, when the last
//        thread has gone), task_newtask (targets only).
#pragma once

#include "../include/link.h"

inline_ void notify(u32 kind, struct task_struct *task, u32 parent, u32 target)
{
	struct notice *n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);

	if (!n) {
		count(DROP_NOTICE_FULL);
		return;
	}
	n->key = 0;
	n->kind = kind;
	n->pid = task->tgid;
	n->parent = parent;
	n->target = target;
	bpf_probe_read_kernel(n->comm, sizeof(n->comm), &task->comm);
	bpf_ringbuf_submit(n, 0);
}

// trace_sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
SEC("tp_btf/sched_process_exec")
int BPF_PROG(odi_exec, struct task_struct *task)
{
	struct target *g = current_target();

	if (g) { // another program: what was known about the old one is wrong
		g->flags &= ~(T_GO | T_ROUNDTRIP | T_PROXY | T_POLLS | T_STRICT | T_BATCHES);
		g->trust = TRUST_STRICT;
		g->streak = 0;
		g->pools = 0;
	}
	notify(NOTICE_EXEC, task, task->real_parent->tgid, g != 0);
	return 0;
}

// A thread that ends while the request that started it is open was made for it.
inline_ void join_request(struct task_struct *task)
{
	struct target *g = current_target();
	struct thread *t;

	if (!g || g->joined >= JOINED_MIN)
		return;
	t = thread_of(task->pid);
	if (t && t->inherited && open_request_of(t->cur.span))
		__sync_fetch_and_add(&g->joined, 1);
}

// trace_sched_process_exit(struct task_struct *p, ...)
SEC("tp_btf/sched_process_exit")
int BPF_PROG(odi_exit, struct task_struct *task)
{
	u32 tgid = task->tgid, tid = task->pid;

	if (task->signal->live.counter)
		join_request(task);
	bpf_map_delete_elem(&threads, &tid);
	if (task->signal->live.counter)
		return 0;
	notify(NOTICE_EXIT, task, task->real_parent->tgid, bpf_map_delete_elem(&targets, &tgid) == 0);
	return 0;
}

// A thread started by a request works for it, until it proves to outlive it.
inline_ void inherit_request(struct task_struct *task, struct target *g)
{
	struct thread *from, *to;

	if ((g->flags & (T_GO | T_PROXY | T_STRICT)) || g->trust == TRUST_MOVED)
		return;
	from = thread_of((u32)bpf_get_current_pid_tgid());
	if (!from || !from->cur.span)
		return;
	to = thread_begun(task->pid);
	if (!to)
		return;
	to->cur = from->cur;
	to->inherited = 1;
}

// trace_task_newtask(struct task_struct *task, unsigned long clone_flags)
SEC("tp_btf/task_newtask")
int BPF_PROG(odi_newtask, struct task_struct *task, u64 clone_flags)
{
	struct target *g = current_target(), child;
	u32 tgid;

	if (!g)
		return 0;
	if (clone_flags & CLONE_THREAD) {
		inherit_request(task, g);
		return 0;
	}
	if (!(g->flags & T_CHILDREN))
		return 0;
	child = *g;
	child.open_xor = 0;
	child.open = 0;
	child.streak = 0;
	child.trust = TRUST_STRICT;
	child.pools = 0;
	child.waiting = 0;
	child.joined = 0;
	child.crowded = 0;
	child.strays = 0;
	child.alone = 0;
	child.clients = 0;
	child.linked = 0;
	tgid = task->tgid;
	if (bpf_map_update_elem(&targets, &tgid, &child, BPF_ANY))
		count(DROP_TABLE_FULL);
	fork_added();
	notify(NOTICE_FORK, task, bpf_get_current_pid_tgid() >> 32, 1);
	return 0;
}
