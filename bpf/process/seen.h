// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The two numbers of a process: the kernel's programs know it by the one of the
// root PID namespace, user space by the one that its own /proc shows.
//
// odi_find: iter/task, which resolves the one it is asked for in the namespace of
//           whoever opens it. Needs Linux 6.1.
#pragma once

#include "../include/maps.h"

// The PID namespace of user space, which looks for itself first.
const volatile u64 own_ns;
const volatile u32 own_level;

// number_of reads the number at one level of namespaces.
inline_ void number_of(struct pid *pid, u32 level, struct upid *to)
{
	u64 at = (u64)pid + bpf_core_field_offset(struct pid, numbers) + level * (u64)bpf_core_type_size(struct upid);

	if (bpf_probe_read_kernel(to, sizeof(*to), (void *)at))
		to->ns = 0;
}

// seen_as is what user space calls the process of a task; 0 where it cannot see it.
inline_ u32 seen_as(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	struct upid own = {};

	if (!pid || BPF_CORE_READ(pid, level) < own_level)
		return 0;
	number_of(pid, own_level, &own);
	return (u64)own.ns == own_ns ? own.nr : 0;
}

// above is the cgroup above another.
inline_ struct kernfs_node *above(struct kernfs_node *kn)
{
	struct kernfs_node___rcu *late = (void *)kn;

	if (bpf_core_field_exists(late->__parent))
		return BPF_CORE_READ(late, __parent);
	return BPF_CORE_READ(kn, parent);
}

SEC("iter/task")
int odi_find(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct found f = {};
	struct upid inner = {};
	struct kernfs_node *kn;
	struct pid *pid;

	if (!task)
		return 0;
	pid = BPF_CORE_READ(task, group_leader, thread_pid);
	if (!pid)
		return 0;
	f.level = BPF_CORE_READ(pid, level);
	number_of(pid, f.level, &inner);
	f.ns = (u64)inner.ns;
	f.tgid = BPF_CORE_READ(task, tgid);
	f.pid = seen_as(task);
	f.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	f.live = BPF_CORE_READ(task, signal, live.counter);
	kn = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	for (int i = 0; i < FOUND_GROUPS && kn; i++) {
		f.groups[i] = BPF_CORE_READ(kn, id);
		kn = above(kn);
	}
	bpf_seq_write(ctx->meta->seq, &f, sizeof(f));
	return 0;
}
