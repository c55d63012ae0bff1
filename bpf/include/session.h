// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Sessions of TLS, which are connections of their own: what a library hands to its
// program, and takes from it, is seen by probes in user space. Their ciphertext goes over
// a socket, which the socket's programs tell of.
#pragma once

#include "source.h"

// session_number is what a session is known by: the process, and the address of what its
// library keeps of it. Addresses are used again, after the session's end.
inline_ u64 session_number(u32 tgid, u64 at)
{
	u64 z = at + ((u64)tgid << 32 | tgid) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) | 1;
}

// call is a call of a library that encrypts, and what it has moved. A thread has one.
struct call {
	u64 under_way; // number of the session; 0: none
	u64 buf;
	u64 moved_at;  // where the library leaves how much it has moved, 0: it returns that
	u64 sp;        // at its first instruction
	u64 entered_ns;
	u64 sk;        // the socket that has moved bytes meanwhile, 0: none
	u64 known_sk;  // of the session, whose ends are known
	struct tuple ends; // of sk, if that is another one
	u64 opened_for; // fresh: the request that an nginx opened sk for, 0: none
	u32 function;  // enum function of the library's room
	u8 waits;      // a call that received has waited for bytes
	u8 fresh;      // sk was opened by its process, see conn
	u8 fault;      // enum fault: of the socket
	u8 _pad;
	// The call that this one is within, of the same session: see ssl_enter.
	struct outer {
		u64 buf;
		u64 moved_at;
		u64 sp;
		u64 entered_ns;
		u32 function; // 0: there is none
		u32 _pad;
	} outer;
	// What was moved, for the programs of rooms.
	u64 session;
	u64 ptr;
	u64 now; // when
	u32 n;   // bytes
	u32 _pad1;
};

// Taken out with the thread. Programs of both objects use it.
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

// The session of a socket, by its address: taken out by what ends the session.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BOOKS_MANY);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u64);
} socket_sessions SEC(".maps");

// What ends a socket goes on with the programs that end its session, if they are there.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} session_close SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} session_destroyed SEC(".maps");

inline_ struct call *call_of_thread(void)
{
	return bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
}

// So deep is the stack between the call of a library and its system calls. What lies
// elsewhere is no part of it: the call was left by longjmp, or the thread has several stacks.
#define LIBRARY_STACK (1 << 20)

// is_within tells whether a stack pointer is below that of a call.
inline_ bool is_within(const struct call *call, u64 sp)
{
	return sp <= call->sp && call->sp - sp < LIBRARY_STACK;
}

#ifndef SESSIONS

// open_turn finds what the current call on a socket has moved. It never fails.
inline_ bool open_turn(struct source *s, struct who *w, struct task_struct *task, u32 bytes)
{
	w->now = bpf_ktime_get_ns();
	open_call(s, w, (void *)bpf_task_pt_regs((void *)task), bytes);
	return true;
}

#else

// begin_session finds or begins what is kept of a session of a process, 0 where there is no room.
inline_ struct session *begin_session(u64 session, u32 tgid)
{
	struct session *s = books_begun(conns, session);

	if (!s) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	if (!s->number) {
		s->number = 1ULL << 63 | (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32(); // no cookie of a socket
		s->tgid = tgid;
	}
	return s;
}

inline_ u64 number_of_session(u64 session)
{
	struct session *s = books_in(conns, session);

	return s ? s->number : session;
}

// open_turn finds what the current call of a library has moved. False: there is none.
inline_ bool open_turn(struct source *s, struct who *w, struct task_struct *task, u32 bytes)
{
	struct call *call = call_of_thread();

	if (!call)
		return false;
	w->now = call->now;
	s->now = call->now;
	s->ptr = call->ptr;
	s->left = bytes;
	s->total = bytes;
	return true;
}

#endif
