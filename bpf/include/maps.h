// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Every map, its bound and the reason for it.
#pragma once

#include "storage.h"
#include "types.h"

// One entry per watched process; a node runs a few hundred pods.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct target);
} targets SEC(".maps");

// Targets without the probe that T_WATCHES asks for: see maps_for. User space puts
// a target in and takes it out; the programs do when it forks, executes and ends. As
// many as targets.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u8);
} held SEC(".maps");

#ifndef SESSIONS
BOOKS(conns, struct conn, BOOKS_MANY);

// socket_below returns the address of a connection's socket.
inline_ u64 socket_below(u64 sk) { return sk; }
#else
BOOKS(conns, struct session, BOOKS_MANY);

// socket_below returns the address of a session's socket, 0: not known.
inline_ u64 socket_below(u64 session)
{
	struct session *s = books_in(conns, session);

	return s && s->sk != SEVERAL_SOCKETS ? s->sk : 0;
}
#endif

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
	u32 own; // the proxy has asked for it while nobody waited: a health check
};

// Only for proxies that forward in batches: user space makes room for what they do
// (0.7 MiB) when the first one is added. LRU: never taken out, because that would race
// with the next request for the target.
struct waiting_table {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__uint(key_size, sizeof(struct waiting_key));
	__uint(value_size, sizeof(struct waiting));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct waiting_table);
} waitings SEC(".maps");

inline_ void *waiting_room(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&waitings, &zero);
}

// By value: verifiers before 6.3 or so take only keys that lie on the stack.
inline_ struct open_request *open_request_of(u64 span)
{
	return bpf_map_lookup_elem(&open_requests, &span);
}

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
	__type(value, struct work);
} goroutines SEC(".maps");

// The parts of the requests that are served now and have some. LRU, as the requests' are.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, struct go_key);
	__type(value, struct parts);
} go_parts SEC(".maps");

// go_kind is what is known of the goroutines that begin with the same function.
struct go_kind {
	u32 ended;    // so many that asked for a request had ended before its answer
	u32 outlived; // one lasted, or asked, after the answer: this kind inherits nothing
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
	u64 tied; // 0: that request was written
};

// By address of the socket, as long as it lives: to take a tie out with each request and
// make it anew costs more than all the rest. As many as sockets in their map.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct tie);
} go_ties SEC(".maps");

// grpc_key is a frame that waits for the goroutine that writes its connection, or a stream
// that this one begins.
struct grpc_key {
	u64 at; // address of the frame, or id of the goroutine
	u32 tgid;
	u32 stream; // 0: a frame
};
struct grpc_tie {
	struct tie tie;
	u32 turn; // of the target
	u32 _pad;
};

// LRU: a frame that is given up is not seen, and of a stream nobody needs to know for longer
// than it takes to send its first frame. As many as goroutines may wait for streams at once.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct grpc_key);
	__type(value, struct grpc_tie);
} grpc_ties SEC(".maps");

// User space sets the size. No wake-up per event: see emit.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

// A burst of a hundred programs fits, or of four thousand forks: the reader does nothing
// that waits. User space maps all of it twice, which its memory counts.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
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

// Outgoing connections of targets, by socket cookie. All are in the first map,
// which has the sk_msg program; those behind a verdict program, which is bound to
// a map, are in the second as well.
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

#ifndef SESSIONS
	if (n)
		*n += 1;
#else
	if (n)
		__sync_fetch_and_add(n, 1); // another thread may come in between
#endif
}

// loser is whose loss it was, by its number in user space; 0: a process that is gone.
struct loser {
	u32 pid;
	u32 what; // enum drop
};

// What the counts are made of, as far as it is known: LRU, so that many processes
// that lose something push out those that do not any more.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct loser);
	__type(value, u64);
} losers SEC(".maps");

// lose counts what a process has lost. Not inline: its key needs a stack.
noinline_ int lose(u32 pid, u32 what)
{
	struct loser who = {.pid = pid, .what = what};
	u64 *n, one = 1;

	count(what);
	n = bpf_map_lookup_elem(&losers, &who);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&losers, &who, &one, BPF_NOEXIST); // one less where two come first
	return 0;
}

// Most system calls on sockets come from processes that are no targets. Each is
// remembered until the next target is added: the numbers in added say when that was.
#define STRANGERS 1024
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRANGERS);
	__type(key, u32);
	__type(value, u64); // the sum of added << 32 | tgid
} strangers SEC(".maps");

enum { ADDED_BY_USER, ADDED_BY_FORK, ADDED_MAX };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ADDED_MAX);
	__type(key, u32);
	__type(value, u32);
} added SEC(".maps");

inline_ u32 added_by(u32 who)
{
	volatile u32 *n = bpf_map_lookup_elem(&added, &who);

	return n ? *n : 0;
}

// target_of reads what was added before it looks: a target that comes in between
// makes stale at once what is remembered here.
inline_ struct target *target_of(u32 tgid)
{
	u32 at = tgid & (STRANGERS - 1);
	u64 mark = (u64)(added_by(ADDED_BY_USER) + added_by(ADDED_BY_FORK)) << 32 | tgid;
	u64 *stranger = bpf_map_lookup_elem(&strangers, &at);
	struct target *g;

	if (stranger && *stranger == mark)
		return 0;
	g = bpf_map_lookup_elem(&targets, &tgid);
	if (!g && stranger)
		*(volatile u64 *)stranger = mark;
	return g;
}

// fork_added makes known that a child has become a target.
inline_ void fork_added(void)
{
	u32 at = ADDED_BY_FORK, *n = bpf_map_lookup_elem(&added, &at);

	if (n)
		__sync_fetch_and_add(n, 1);
}

inline_ struct target *current_target(void)
{
	return target_of(bpf_get_current_pid_tgid() >> 32);
}

// propagates tells whether the requests of a process get headers. No stranger is asked about.
inline_ bool propagates(u32 tgid)
{
	struct target *g = bpf_map_lookup_elem(&targets, &tgid);

	return g && (g->flags & T_PROPAGATE);
}

// hold notes that a target's probe is missing.
inline_ void hold(struct target *g, u32 tgid)
{
	u8 yes = 1;

	if ((g->flags & T_WATCHES) && bpf_map_update_elem(&held, &tgid, &yes, BPF_ANY))
		g->flags &= ~T_PROPAGATE;
}

inline_ bool is_held(u32 tgid)
{
	return bpf_map_lookup_elem(&held, &tgid) != 0;
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
