// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Calls that meet the end of a connection: writes that fail, and for Unix sockets, of
// whose close no tracepoint tells, reads.
//
// Hooks: fentry of unix_release. Where the kernel refuses programs on functions, reads that
//        meet the end; everywhere writes: the programs on the two tracepoints of
//        engine.bpf.c go on with one of those below. These are apart because the stack of the others is full, and are not
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
} write_end SEC(".maps");

inline_ bool meets_end(struct sock *sk, int ret)
{
	return !unix_closes && (!ret || ret == -ECONNRESET) && is_unix(sk);
}

inline_ bool fails_for_good(int ret)
{
	return ret == -EPIPE || ret == -ECONNRESET;
}

// no_more_answers ends the requests of a server that can write no more. It may have read
// one from a connection that was reset before, and takes its time to close it.
inline_ void no_more_answers(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c && c->role == ROLE_SERVER)
		closing(sk, ST_CLOSE_WAIT, ST_DESTROYED);
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
int BPF_PROG(odi_write_end, struct sock *sk, int ret, int flags)
{
	if (!current_target())
		return 0;
	if (!is_unix(sk))
		no_more_answers(sk);
	else if (!unix_closes && ret == -EPIPE)
		closed_there(sk);
	return 0;
}
