// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which starts of programs user space hears of, besides those of targets: those
// that somebody may have selected. It is decided here, because a notice costs user
// space half a millisecond of CPU and the caller a wake-up on its way.
//
// Where programs are selected by name, one passes by the name of its executable or
// the one that it was called by (the end of argv[0]); elsewhere unless its cgroup is
// known to be nobody's. In doubt it passes: user space
// looks for itself.
#pragma once

#include "../include/maps.h"

// As user space knows them: hash_of in bpf/wanted.go.
#define NAME_SEED 0xcbf29ce484222325ULL
#define NAME_PRIME 0x100000001b3ULL
#define NAME_MAX_ 256 // file names have 255 bytes at most

struct wants {
	u32 named; // only programs of the names that follow
	u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wants);
} wants SEC(".maps");

// Hashes of names. A user types a handful; more than fit select everything.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u8);
} wanted_names SEC(".maps");

// Cgroups that nobody has selected, by group_of. User space forgets them when the
// selection changes, and now and then; what does not fit is looked at.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u8);
} nobodys SEC(".maps");

// Room for one name per CPU: the stack has none.
struct name_room {
	char c[NAME_MAX_];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct name_room);
} name_rooms SEC(".maps");

// hash_name is FNV-1a of what follows the last slash; NAME_SEED: nothing does.
inline_ u64 hash_name(const struct name_room *name)
{
	u64 h = NAME_SEED;

	for (int i = 0; i < NAME_MAX_; i++) {
		u8 c = name->c[i];

		if (!c)
			break;
		h = c == '/' ? NAME_SEED : (h ^ c) * NAME_PRIME;
	}
	return h;
}

// is_wanted_name also says yes where the name did not fit or is no name.
inline_ bool is_wanted_name(const struct name_room *name, long len)
{
	u64 h;

	if (len <= 1 || len >= NAME_MAX_)
		return true;
	h = hash_name(name);
	return h == NAME_SEED || bpf_map_lookup_elem(&wanted_names, &h);
}

inline_ bool has_wanted_name(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct name_room *name;
	u32 zero = 0;
	long n;

	name = bpf_map_lookup_elem(&name_rooms, &zero);
	if (!name)
		return true;
	n = bpf_probe_read_kernel_str(name, sizeof(*name), BPF_CORE_READ(mm, exe_file, f_path.dentry, d_name.name));
	if (is_wanted_name(name, n))
		return true;
	n = bpf_probe_read_user_str(name, sizeof(*name), (void *)BPF_CORE_READ(mm, arg_start));
	return is_wanted_name(name, n);
}

inline_ u64 id_of(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, kn, id);
}

// id_in is the id of a task's cgroup for one controller, which may be in a hierarchy
// of its own.
inline_ u64 id_in(struct css_set *set, u32 controller)
{
	u64 at = (u64)set + bpf_core_field_offset(struct css_set, subsys) + 8 * controller;
	struct cgroup_subsys_state *state;

	if (bpf_probe_read_kernel(&state, sizeof(state), (void *)at))
		return 0;
	return id_of(BPF_CORE_READ(state, cgroup));
}

// group_of tells where a task belongs: a hash of the ids of its cgroups, in version
// 2 and in the two hierarchies of version 1 that every container runtime uses. The
// kernel gives an id only once.
inline_ u64 group_of(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	u64 h = (NAME_SEED ^ id_of(BPF_CORE_READ(set, dfl_cgrp))) * NAME_PRIME;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		h = (h ^ id_in(set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id))) * NAME_PRIME;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		h = (h ^ id_in(set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id))) * NAME_PRIME;
	return h;
}

inline_ bool only_named(void)
{
	u32 zero = 0;
	struct wants *w = bpf_map_lookup_elem(&wants, &zero);

	return w && w->named;
}

inline_ bool is_nobodys(struct task_struct *task)
{
	u64 group = group_of(task);

	return bpf_map_lookup_elem(&nobodys, &group) != 0;
}

// is_wanted decides about a program that the current task has just started.
inline_ bool is_wanted(struct task_struct *task)
{
	return only_named() ? has_wanted_name(task) : !is_nobodys(task);
}

// is_missed decides about the end of a process that was no target. Those that are
// selected by name become targets.
inline_ bool is_missed(struct task_struct *task)
{
	return !only_named() && !is_nobodys(task);
}
