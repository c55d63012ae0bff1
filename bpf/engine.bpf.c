//go:build ignore
// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Server and client requests of the watched processes, seen on their sockets.
//
// Hooks: sock_send_length and sock_recv_length fire for sockets only, in the
//        caller's context, after the bytes moved. No other system call pays.
//        Older kernels: fexit of the functions that do the same.
// Event: one per finished request (struct request and the bytes of its head).
// State: conns and http1s live with the socket, threads with the thread.
// Needs: BTF; Linux 6.3 (the two tracepoints), or 6.1 (fexit). No kprobes, no writes
//        to user memory.

#include "flow/flow.h"
#include "golang/golang.h"
#include "golang/grpc.h"
#include "golang/serve.h"
#include "http1/unixends.h"
#include "moved.h"
#include "process/process.h"
#include "propagate/socketmaps.h"
#include "propagate/propagate.h"
#include "propagate/verdict.h"
#include "turned.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_sent, struct sock *sk, int ret, int flags)
{
	if (ret > 0) { // apart, as what follows needs room on the stack
		u32 room = sent(sk, ret);

		if (room)
			bpf_tail_call(ctx, &sent_rooms, room);
		return 0;
	}
	sent(sk, ret);
	if (fails_for_good(ret))
		bpf_tail_call(ctx, &write_end, 0);
	return 0;
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_received, struct sock *sk, int ret, int flags)
{
	if (ret > 0) { // apart, as what follows needs room on the stack
		u32 room = received(sk, ret, flags);

		if (room)
			bpf_tail_call(ctx, &received_rooms, room);
		return 0;
	}
	received(sk, ret, flags);
	if (meets_end(sk, ret))
		bpf_tail_call(ctx, &unix_read_end, 0);
	return 0;
}

// trace_sk_data_ready(const struct sock *sk)
// In the sender's context where the socket is a Unix socket; it fires for others, too,
// so it is attached only when a target has a Unix socket (bpf/waking.go).
SEC("tp_btf/sk_data_ready")
int BPF_PROG(odi_waking, struct sock *sk)
{
	struct target *g;

	if (!is_unix(sk))
		return 0;
	g = current_target();
	if (g)
		waking(sk, g);
	return 0;
}

// For kernels without the two: the functions (net/ipv4/af_inet.c) that the code
// around them calls for a TCP socket, and for a Unix socket.
SEC("fexit/inet_sendmsg")
int BPF_PROG(odi_sent_v4, struct socket *sock, void *msg, u64 size, int ret)
{
	sent(sock->sk, ret);
	return 0;
}

SEC("fexit/inet6_sendmsg")
int BPF_PROG(odi_sent_v6, struct socket *sock, void *msg, u64 size, int ret)
{
	sent(sock->sk, ret);
	return 0;
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(odi_received_v4, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	received(sock->sk, ret, flags);
	return 0;
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(odi_received_v6, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	received(sock->sk, ret, flags);
	return 0;
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(odi_sent_unix, struct socket *sock, void *msg, u64 size, int ret)
{
	sent(sock->sk, ret);
	return 0;
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(odi_received_unix, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	received(sock->sk, ret, flags);
	return 0;
}

// For kernels before 6.5, where sendfile and splice do not pass sendmsg.
SEC("fexit/inet_sendpage")
int BPF_PROG(odi_sent_page, struct socket *sock, void *page, int offset, u64 size, int flags, int ret)
{
	sent(sock->sk, ret);
	return 0;
}

// maps_for chooses the socket maps for a new connection. While nobody would see a
// FIONREAD it goes where the answer is right; what may splice stays out.
inline_ u8 maps_for(struct target *g, u32 tgid)
{
	if (g->flags & T_MANY)
		return 0;
	if (g->flags & T_POLLS)
		return 2;
	if (!is_held(tgid))
		return 1;
	if (g->flags & T_PROXY)
		return 0;
	need_guard();
	return 2;
}

// begin_anew forgets what the socket was before: connect() may be called again.
inline_ void begin_anew(struct sock *sk, struct conn *c)
{
	u64 key = (u64)sk;

	bpf_sk_storage_delete(&http1s, sk);
	bpf_map_delete_elem(&go_ties, &key);
	c->role = ROLE_UNKNOWN;
	c->ignored = 0;
	c->protocol = 0;
	c->carries = 0;
	c->turned = 0;
	c->begun = BEGUN_UNKNOWN;
	c->ahead = 0;
	c->stop = 0;
	c->leave = 0;
	c->out = OUT_NOT;
}

// opening marks a connection of a target while its caller still runs.
inline_ void opening(struct sock *sk)
{
	struct target *g = current_target();
	struct conn *c;

	if (!g)
		return;
	c = conn_of(sk);
	if (!c)
		return;
	begin_anew(sk, c);
	flow_opening(sk, g, c);
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	c->fresh = 1;
	if (is_dns_stream(sk)) {
		c->protocol = PROTOCOL_DNS;
		c->role = ROLE_CLIENT;
		c->want = 0;
		return;
	}
	// Parts of an MPTCP connection carry a protocol of their own, and are no
	// sockets for a socket map.
	if ((g->flags & T_PROPAGATE) && sk->sk_protocol == IPPROTO_TCP && !encrypted((u64)sk))
		c->want = maps_for(g, c->tgid);
	if ((g->flags & (T_PROXY | T_BATCHES)) == T_PROXY)
		c->owner.span = direct_owner(thread_of((u32)bpf_get_current_pid_tgid()));
}

// may_have_session tells whether TLS may go over a socket: it speaks nothing else.
inline_ bool may_have_session(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	return c && (c->ignored || c->protocol == PROTOCOL_HANDSHAKE);
}

// trace_inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)
// Runs in the caller for connect and close, anywhere for what the peer does.
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(odi_state, struct sock *sk, int before, int after)
{
	if (after == ST_SYN_SENT)
		opening(sk);
	else if (after == ST_FIN_WAIT1 || after == ST_LAST_ACK || after == ST_CLOSE)
		closing(sk, before, after);
	if (after == ST_ESTABLISHED || after == ST_CLOSE)
		flow_state(sk, before, after);
	if (sk->sk_shutdown == SHUTDOWN_MASK && may_have_session(sk))
		bpf_tail_call(ctx, &session_close, 0);
	return 0;
}

// trace_tcp_destroy_sock(struct sock *sk)
// A connection that was reset has been closed before its process lets it go.
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(odi_destroyed, struct sock *sk)
{
	closing(sk, ST_CLOSE, ST_DESTROYED);
	if (may_have_session(sk))
		bpf_tail_call(ctx, &session_destroyed, 0);
	return 0;
}
