// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Starts and ends of processes, as notices; targets follow their children.
//
// Hooks: sched_process_exec, sched_process_exit (once per process, when the last
//        thread has gone), task_newtask (targets only).
#pragma once

#include "../include/link.h"
#include "seen.h"
#include "wanted.h"

// describe fills in a notice about a task's process.
inline_ void describe(struct notice *n, u32 kind, struct task_struct *task, u32 parent)
{
	n->key = group_of(task);
	n->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	n->kind = kind;
	n->tgid = task->tgid;
	n->pid = seen_as(task);
	n->parent = parent;
	n->target = 1;
	n->fd = 0;
	bpf_probe_read_kernel(n->comm, sizeof(n->comm), &task->comm);
}

// notify tells of a process that user space can see.
inline_ void notify(u32 kind, struct task_struct *task, u32 parent, u32 target)
{
	struct notice *n;

	if (!seen_as(task))
		return;
	n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);
	if (!n) {
		count(DROP_NOTICE_FULL);
		return;
	}
	describe(n, kind, task, parent);
	n->target = target;
	bpf_ringbuf_submit(n, 0);
}

// Room for one notice of a program per CPU: the stack has none.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct program);
} programs SEC(".maps");

// name_groups writes the names of a task's cgroups, the innermost first.
inline_ void name_groups(struct program *p, struct task_struct *task)
{
	struct kernfs_node *kn = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	u32 at = 0;
	long n;

	UNROLLED
	for (int i = 0; i < PROGRAM_GROUPS; i++) {
		if (!kn)
			break;
		barrier_var(at);
		if (at > (PROGRAM_GROUPS - 1) * GROUP_MAX)
			break;
		n = bpf_probe_read_kernel_str(p->rest + at, GROUP_MAX, BPF_CORE_READ(kn, name));
		if (n <= 0)
			break;
		at += n;
		kn = above(kn);
	}
	p->groups_len = at;
}

// read_area reads what lies between two addresses of the current task, or the
// beginning of it. It returns how much.
inline_ u32 read_area(char *to, u32 max, u64 from, u64 end)
{
	u64 n = end > from ? end - from : 0;

	if (n > max)
		n = max;
	barrier_var(n);
	if (n > max || bpf_probe_read_user(to, n, (void *)from))
		return 0;
	return n;
}

// introduce tells of a target's new program, with what names it. It runs in the
// task whose program it is.
inline_ void introduce(struct task_struct *task)
{
	struct program *p;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u32 zero = 0, at, args, env;

	p = bpf_map_lookup_elem(&programs, &zero);
	if (!p)
		return;
	describe(&p->n, NOTICE_EXEC, task, seen_as(task->real_parent));
	name_groups(p, task);
	if (bpf_probe_read_kernel_str(p->name, sizeof(p->name), BPF_CORE_READ(mm, exe_file, f_path.dentry, d_name.name)) <= 0)
		p->name[0] = 0;
	at = p->groups_len;
	barrier_var(at);
	if (at > PROGRAM_GROUPS * GROUP_MAX)
		return;
	args = read_area(p->rest + at, ARGS_MAX, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
	p->args_len = args;
	at += args;
	barrier_var(at);
	if (at > PROGRAM_GROUPS * GROUP_MAX + ARGS_MAX)
		return;
	env = read_area(p->rest + at, ENV_MAX, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
	p->env_len = env;
	at += env;
	barrier_var(at);
	if (at > PROGRAM_GROUPS * GROUP_MAX + ARGS_MAX + ENV_MAX)
		return;
	if (bpf_ringbuf_output(&notices, p, __builtin_offsetof(struct program, rest) + at, 0))
		count(DROP_NOTICE_FULL);
}

// forget_state makes a target as new, but for its settings.
inline_ void forget_state(struct target *g)
{
	__builtin_memset(&g->open, 0, sizeof(*g) - __builtin_offsetof(struct target, open));
}

// trace_sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
SEC("tp_btf/sched_process_exec")
int BPF_PROG(odi_exec, struct task_struct *task)
{
	struct target *g = current_target();

	if (!g) {
		if (is_wanted(task))
			notify(NOTICE_EXEC, task, seen_as(task->real_parent), 0);
		return 0;
	}
	// Another program: what was known about the old one is wrong.
	g->flags &= ~(T_GO | T_ROUNDTRIP | T_PROXY | T_POLLS | T_STRICT | T_BATCHES | T_MANY | T_ASKS_AGAIN);
	g->turn = 0;
	hold(g, task->tgid);
	forget_state(g);
	introduce(task);
	return 0;
}

// trace_sched_process_exit(struct task_struct *p, ...)
SEC("tp_btf/sched_process_exit")
int BPF_PROG(odi_exit, struct task_struct *task)
{
	u32 tgid = task->tgid, tid = task->pid;
	bool known;

	bpf_map_delete_elem(&threads, &tid);
	if (task->signal->live.counter)
		return 0;
	bpf_map_delete_elem(&held, &tgid);
	known = bpf_map_delete_elem(&targets, &tgid) == 0;
	if (known || is_missed(task))
		notify(NOTICE_EXIT, task, seen_as(task->real_parent), known);
	return 0;
}

// trace_task_newtask(struct task_struct *task, unsigned long clone_flags)
SEC("tp_btf/task_newtask")
int BPF_PROG(odi_newtask, struct task_struct *task, u64 clone_flags)
{
	struct target *g = current_target(), child;
	u32 tgid;

	if (!g)
		return 0;
	// A thread that a request starts inherits nothing: it may be a pool's.
	if (clone_flags & CLONE_THREAD || !(g->flags & T_CHILDREN))
		return 0;
	child = *g;
	forget_state(&child);
	child.pid = seen_as(task);
	tgid = task->tgid;
	if (!(child.flags & (T_GO | T_POLLS)))
		hold(&child, tgid); // the probe is its parent's
	if (bpf_map_update_elem(&targets, &tgid, &child, BPF_ANY))
		count(DROP_TABLE_FULL);
	fork_added();
	notify(NOTICE_FORK, task, g->pid, 1);
	return 0;
}
