// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The close of Unix sockets, of which no tracepoint tells.
//
// Hooks: fentry of unix_release. Where the kernel refuses programs on functions, calls that
//        meet the end: the programs on the two tracepoints of engine.bpf.c go on with one of
//        those below. These are apart because the stack of the others is full, and are not
//        attached themselves because a run is paid for by every call on every socket.
#pragma once

#include "ends.h"

// static int unix_release(struct socket *sock)
SEC("fentry/unix_release")
int BPF_PROG(odi_unix_closed, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (sk)
		closing(sk, sk->sk_shutdown & RCV_SHUTDOWN ? ST_CLOSE_WAIT : 0, ST_DESTROYED);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} unix_read_end SEC(".maps");

// Another map: all programs of one are of the same tracepoint.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} unix_write_end SEC(".maps");

inline_ bool meets_end(struct sock *sk, int ret)
{
	return !unix_closes && (!ret || ret == -ECONNRESET || ret == -EPIPE) && is_unix(sk);
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_unix_read_end, struct sock *sk, int ret, int flags)
{
	if (!(flags & (MSG_PEEK | MSG_ERRQUEUE)) && current_target() && (ret || at_end(sk)))
		closed_there(sk);
	return 0;
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_unix_write_end, struct sock *sk, int ret, int flags)
{
	if (ret == -EPIPE && current_target())
		closed_there(sk);
	return 0;
}
