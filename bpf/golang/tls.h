// SPDX-License-Identifier: (MIT OR GPL-2.0)
// crypto/tls of Go, where it takes plaintext and gives it.
//
// Hooks: the first instructions of (*Conn).Write, Close, clientHandshake and serverHandshake, at which
//        the receiver is in its register; and in (*Conn).Read the call that copies what was decrypted to
//        where the caller wants it. No return is probed: stacks of goroutines move.
// State: as any session, from its handshake to the close of it or its socket.
#pragma once

#include "../exchange/ends.h"
#include "../include/session.h"
#include "socket.h"

// go_socket finds the socket of a session. Not inline, to be checked by itself.
noinline_ int go_socket(struct target *g, struct session *s, u64 session, u64 conn)
{
	u64 sk;

	if (!g || !s)
		return 0;
	sk = socket_below_tls(g, conn);
	if (!sk)
		return 0;
	s->sk = sk;
	remember_tuple(&s->ends, sk);
	bpf_map_update_elem(&socket_sessions, &sk, &session, BPF_ANY);
	return 0;
}

// go_session finds or begins a session, with its socket.
inline_ struct session *go_session(struct target *g, u64 session, u64 conn)
{
	struct session *s = begin_session(session, bpf_get_current_pid_tgid() >> 32);

	if (s && !s->sk)
		go_socket(g, s, session, conn);
	return s;
}

// go_moved notes what a session moves now. 0: nothing.
inline_ struct call *go_moved(u64 session, u64 ptr, u64 n)
{
	struct call *call;

	if (!n)
		return 0;
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	call->session = session;
	call->ptr = ptr;
	call->n = n > 0x7fffffff ? 0x7fffffff : n;
	call->now = bpf_ktime_get_ns();
	return call;
}
