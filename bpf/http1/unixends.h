// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The close of Unix sockets, of which no tracepoint tells.
//
// Hooks: fentry of unix_release. Where the kernel refuses programs on functions, the two
//        tracepoints of engine.bpf.c once more, for calls that meet the end: they have
//        programs of their own because the stack of the others is full.
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

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_unix_read_end, struct sock *sk, int ret, int flags)
{
	if ((ret && ret != -ECONNRESET) || !is_unix(sk) || (flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	if (current_target() && (ret || at_end(sk)))
		closed_there(sk);
	return 0;
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_unix_write_end, struct sock *sk, int ret, int flags)
{
	if (ret == -EPIPE && is_unix(sk) && current_target())
		closed_there(sk);
	return 0;
}
