// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Every map, its bound and the reason for it.
#pragma once

#include "types.h"

// One entry per watched process; a node runs a few hundred pods.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct target);
} targets SEC(".maps");

// Bounded by the number of sockets: freed with them.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

// By thread id; taken out when the thread ends. No task storage: sk_msg programs
// may use that only since Linux 6.15 or so.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct thread);
} threads SEC(".maps");

// Server requests without an answer, by span id. More than this at once on a
// node only costs links.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct open_request);
} open_requests SEC(".maps");

// waiting is how many requests of a process wait to be forwarded to one target,
// and the XOR of their span ids.
struct waiting_key {
	u32 tgid;
	u32 target_hash;
};
struct waiting {
	u64 spans;
	u32 count;
	u32 _pad;
};

// Only for proxies that forward in batches. LRU: never taken out, because that
// would race with the next request for the target.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct waiting_key);
	__type(value, struct waiting);
} waitings SEC(".maps");

struct go_key {
	u64 goid;
	u32 tgid;
	u32 _pad;
};

// The request a goroutine works for. LRU, because a goroutine's end is not seen;
// big enough for the goroutines of the last minute that touched a request.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct go_key);
	__type(value, struct ref);
} goroutines SEC(".maps");

// go_kind is what is known of the goroutines that begin with the same function.
// GO_POOL: they outlive the request that started them and go on to other work
// (worker pools), so nothing is inherited through them. GO_LATE: they ask after
// the answer. GO_IN_TIME: only before it, so far.
enum { GO_POOL = 1, GO_LATE, GO_IN_TIME };
struct go_kind {
	u64 since_ns; // the first of them asked
	u32 asked;    // so many of them have asked for what they inherited
	u32 habit;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct go_key);
	__type(value, struct go_kind);
} go_kinds SEC(".maps");

// tie is the goroutine that asked for the next request of a connection.
struct tie {
	struct ref parent;
	u64 goid;
};

// By address of the socket. Taken out when the request is written or the socket closes.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct tie);
} go_ties SEC(".maps");

// User space sets the size. No wake-up per event: see emit.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

// A burst of a thousand short-lived processes fits.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 17);
} notices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_MAX);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct control);
} controls SEC(".maps");

// Outgoing connections of targets, by socket cookie. Two maps, because a verdict
// program is bound to the map: verdict_sockets has one, so that FIONREAD answers.
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, u64);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u64);
} verdict_sockets SEC(".maps");

inline_ void count(u32 what)
{
	u64 *n = bpf_map_lookup_elem(&counts, &what);

	if (n)
		*n += 1;
}

inline_ struct target *current_target(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&targets, &tgid);
}

inline_ struct thread *thread_of(u32 tid)
{
	return bpf_map_lookup_elem(&threads, &tid);
}

// In read-only data: the stack has no room for it.
const struct thread new_thread = {};

inline_ struct thread *thread_begun(u32 tid)
{
	struct thread *t = thread_of(tid);

	if (t)
		return t;
	if (bpf_map_update_elem(&threads, &tid, &new_thread, BPF_NOEXIST))
		count(DROP_TABLE_FULL);
	return thread_of(tid);
}

inline_ struct control *controlled(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&controls, &zero);
}
