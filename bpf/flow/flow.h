// SPDX-License-Identifier: (MIT OR GPL-2.0)
// How the TCP connections of watched processes are doing, encrypted or not: opened, failed,
// reset, their round trips, retransmitted segments and bytes, summed up per process and peer.
//
// The kernel counts all of that in struct tcp_sock. It is read when a connection ends, and by
// odi_flows, which user space runs for those that stay open. A packet costs nothing.
// Hooks: odi_state (engine.bpf.c) at opening, establishment and close; the first bytes of a
//        connection that a server has accepted; iter/bpf_sk_storage_map.
#pragma once

#include "../include/maps.h"

#define RTT_BOUNDS 14

// Upper bounds of the buckets of round trips, in microseconds; set by user space.
const volatile u32 rtt_bounds[RTT_BOUNDS];

enum flow_role { FLOW_SERVER = 1, FLOW_CLIENT };

// Why a connection was not made. FAILED_CLOSED: its program has given up. FAILED_UNSENT:
// nothing was sent, for want of a local port or a route.
enum flow_failure { FAILED_REFUSED, FAILED_TIMEOUT, FAILED_UNREACHABLE, FAILED_CLOSED, FAILED_UNSENT, FAILED_OTHER, FAILED_MAX };

// flow is freed by the kernel with the socket. User space makes those of connections that
// were open before.
struct flow {
	u64 sent; // bytes that were told of: those that the peer has acknowledged
	u64 received;
	u32 resent; // segments that were
	u32 pid;    // in user space's PID namespace
	u16 port;   // of the server
	u8 role;    // enum flow_role
	u8 _pad[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow);
} flows SEC(".maps");

// flow_key is whose connections are summed up, and to whom: a server's are not told apart by
// who calls, of whom there may be any number.
struct flow_key {
	u8 peer[16];
	u32 pid;
	u16 port;
	u8 role;
	u8 family; // of peer; 0: any
};

struct flow_sums {
	u64 opened;
	u64 failed[FAILED_MAX];
	u64 reset_sent;
	u64 reset_received;
	u64 timed_out;
	u64 sent; // bytes
	u64 received;
	u64 resent; // segments
	u64 rtt_us;
	u64 rtts[RTT_BOUNDS + 1];
};

// User space takes out what has ended. What does not fit is summed up per process.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key);
	__type(value, struct flow_sums);
} flow_sums SEC(".maps");

// In read-only data: the stack has no room for it.
const struct flow_sums no_sums = {};

inline_ struct flow_sums *sums_begun(struct flow_key *key)
{
	struct flow_sums *s = bpf_map_lookup_elem(&flow_sums, key);

	if (s)
		return s;
	bpf_map_update_elem(&flow_sums, key, &no_sums, BPF_NOEXIST);
	return bpf_map_lookup_elem(&flow_sums, key);
}

// sums_of finds or begins the sums of a connection.
inline_ struct flow_sums *sums_of(struct sock *sk, struct flow *f)
{
	struct flow_key key = {.pid = f->pid, .port = f->port, .role = f->role};
	struct flow_sums *s;

	if (f->role == FLOW_CLIENT) {
		key.family = sk->__sk_common.skc_family;
		if (key.family == AF_INET6)
			__builtin_memcpy(key.peer, sk->__sk_common.skc_v6_daddr.b, 16);
		else
			*(u32 *)key.peer = sk->__sk_common.skc_daddr;
	}
	s = sums_begun(&key);
	if (s)
		return s;
	__builtin_memset(key.peer, 0, sizeof(key.peer));
	key.port = 0;
	key.family = 0;
	s = sums_begun(&key);
	if (!s)
		count(DROP_TABLE_FULL);
	return s;
}

inline_ void sum(u64 *to, u64 n)
{
	if (n)
		__sync_fetch_and_add(to, n);
}

// add_rtt adds the round trip as the kernel smooths it.
inline_ void add_rtt(struct flow_sums *s, u32 us)
{
	u32 at = 0;

	if (!us)
		return;
	UNROLLED
	for (int i = 0; i < RTT_BOUNDS; i++)
		at += us > rtt_bounds[i];
	barrier_var(at);
	if (at > RTT_BOUNDS)
		return;
	sum(&s->rtt_us, us);
	sum(&s->rtts[at], 1);
}

// news takes what a counter has gone up by since it was told of. Two may tell at once: what
// the later one has told already is not told again.
inline_ u64 news(u64 *told, u64 now)
{
	u64 before = __sync_lock_test_and_set(told, now);

	return now > before ? now - before : 0;
}

// acknowledged is how many bytes have reached the peer. What was sent says less: bytes that
// did not leave the machine are sent again, and no retransmission. The first byte of a
// client's numbers is that of the SYN, the last one the FIN's.
inline_ u64 acknowledged(struct tcp_sock *tp, struct flow *f, u8 state)
{
	bool ends = state == ST_FIN_WAIT2 || state == ST_TIME_WAIT || state == ST_CLOSING || state == ST_LAST_ACK;
	u64 n = tp->bytes_acked, none = (f->role == FLOW_CLIENT) + (ends && tp->snd_una == tp->write_seq);

	return n > none ? n - none : 0;
}

// tell_flow adds what a connection has done since it was told of last.
inline_ void tell_flow(struct sock *sk, struct flow *f, struct flow_sums *s, u8 state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	u64 sent, received, resent;
	u32 before;

	if (!tp)
		return;
	sent = news(&f->sent, acknowledged(tp, f, state));
	// The peer's last byte has a number, and is none.
	received = news(&f->received, tp->bytes_received - (tp->bytes_received && (sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1)));
	before = __sync_lock_test_and_set(&f->resent, tp->total_retrans);
	resent = tp->total_retrans > before ? tp->total_retrans - before : 0;
	sum(&s->sent, sent);
	sum(&s->received, received);
	sum(&s->resent, resent);
	if (sent | received)
		add_rtt(s, tp->srtt_us >> 3);
}

// begin_flow begins what is kept of a connection.
inline_ struct flow *begin_flow(struct sock *sk, struct target *g, u8 role)
{
	struct flow *f = bpf_sk_storage_get(&flows, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!f) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	__builtin_memset(f, 0, sizeof(*f));
	f->pid = g->pid;
	f->role = role;
	f->port = role == FLOW_CLIENT ? bpf_ntohs(sk->__sk_common.skc_dport) : sk->__sk_common.skc_num;
	return f;
}

// flow_opening begins that of a connection that the current task begins to open.
inline_ void flow_opening(struct sock *sk, struct target *g, struct conn *c)
{
	c->flow = 1;
	if (sk->sk_protocol == IPPROTO_TCP)
		begin_flow(sk, g, FLOW_CLIENT);
}

// flow_met begins that of a connection which has moved its first bytes and is not known: one
// that was accepted. It has the backlog of the socket that listens, which it is a copy of
// (sk_clone in net/core/sock.c). Any other has begun while its process was being added.
apart_ void flow_met(struct sock *sk, struct target *g, struct conn *c)
{
	struct flow_sums *s;
	struct flow *f;

	c->flow = 1;
	if (sk->sk_protocol != IPPROTO_TCP || !sk->sk_max_ack_backlog || sk->__sk_common.skc_family == AF_UNIX || bpf_sk_storage_get(&flows, sk, 0, 0))
		return;
	f = begin_flow(sk, g, FLOW_SERVER);
	s = f ? sums_of(sk, f) : 0;
	if (s)
		sum(&s->opened, 1);
}

// failure_of tells why a connection was not made. Where the call that opens it fails by
// itself, the task is still in it.
inline_ u32 failure_of(struct sock *sk)
{
	switch (sk->sk_err) {
	case 0:
		return reg_nr((void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf())) == NR_connect ? FAILED_UNSENT : FAILED_CLOSED;
	case ECONNREFUSED:
		return FAILED_REFUSED;
	case ETIMEDOUT:
		return FAILED_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
		return FAILED_UNREACHABLE;
	}
	return FAILED_OTHER;
}

// ended_badly adds up what has ended a connection other than by closing it: a reset that came;
// the kernel's giving up; one that was sent, which leaves no error behind, but for what
// closes a connection that both sides have not closed.
inline_ void ended_badly(struct sock *sk, struct flow_sums *s, int before)
{
	switch (sk->sk_err) {
	case 0:
	case ECONNABORTED:
		if (before == ST_ESTABLISHED || before == ST_CLOSE_WAIT)
			sum(&s->reset_sent, 1);
		return;
	case ECONNRESET:
	case EPIPE:
		sum(&s->reset_received, 1);
		return;
	case ETIMEDOUT:
	case ENETUNREACH:
	case EHOSTUNREACH:
		sum(&s->timed_out, 1);
	}
}

// flow_state follows a connection. It may run in any task.
apart_ void flow_state(struct sock *sk, int before, int after)
{
	struct flow *f = bpf_sk_storage_get(&flows, sk, 0, 0);
	struct flow_sums *s = f ? sums_of(sk, f) : 0;
	u32 why;

	if (!s)
		return;
	if (after == ST_ESTABLISHED) {
		if (before == ST_SYN_SENT)
			sum(&s->opened, 1);
		return;
	}
	tell_flow(sk, f, s, before);
	if (before != ST_SYN_SENT) {
		ended_badly(sk, s, before);
		return;
	}
	why = failure_of(sk);
	if (why < FAILED_MAX)
		sum(&s->failed[why], 1);
}

SEC("iter/bpf_sk_storage_map")
int odi_flows(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct flow *f = ctx->value;
	struct sock *sk = ctx->sk;
	struct flow_sums *s;

	if (!sk || !f)
		return 0;
	s = sums_of(sk, f);
	if (s)
		tell_flow(sk, f, s, sk->__sk_common.skc_state);
	return 0;
}
