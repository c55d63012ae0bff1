// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Questions that watched processes ask servers of DNS (port 53), over UDP and TCP, and what
// they are answered. The messages go to user space, as far as they tell that; there they are
// paired, and put together where several belong to one lookup.
//
// Hooks: the programs of engine.bpf.c go on with those below. A socket of UDP is no stream: a
//        message is a call's, or one of those that a sendmmsg call sends.
#pragma once

#include "../exchange/asking.h"
#include "../include/ring.h"
#include "../exchange/beginning.h"
#include "../exchange/ends.h"

#define PROTOCOL_DNS 7 // struct request: as in the value of the room

inline_ u32 dns_begins(struct beginning *b) { return BEGINS_NOT; } // known by its port, see opening

#ifdef SESSIONS

// Of sockets alone: what asks over TLS does so by another port.
inline_ void dns_closed(struct sock *sk, u32 fault) {}

#else

#define DNS_PORT 53
#define DNS_KEPT 288 // a length, a header and a question, whose name has 255 bytes at most
#define DNS_PIECES 4

enum dns_tell { DNS_SENT = 1, DNS_RECEIVED, DNS_CLOSED };

// dns_note is the head of an event, behind struct request; what the call has moved follows.
struct dns_note {
	u64 conn; // cookie of the socket
	u32 size; // bytes that were moved
	u8 kind;  // enum dns_tell
	u8 stream;
	u8 moves; // what is done on a thread may change it: Go
	u8 _pad;
};

struct dns_event {
	struct request r;
	struct dns_note n;
	u8 head[2 * DNS_KEPT]; // half of it is room for the verifier
};

// For tracepoints only: nothing preempts them.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct dns_event);
} dns_rooms SEC(".maps");

// dns is freed by the kernel with the socket.
struct dns {
	u64 cookie;
	u64 many_at;  // the messages of the sendmmsg call under way
	u32 many_tid; // ... its thread
	u32 many;     // ... how many of them were sent
	u32 pid;
	u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dns);
} dns_sockets SEC(".maps");

// addressee is where the address lies that a message is sent to, 0 if there is none. Not
// inline: the compiler would read it and the registers by one instruction.
noinline_ u64 addressee(u64 message)
{
	struct msghdr_ msg;

	return bpf_probe_read_user(&msg, sizeof(msg), (void *)message) ? 0 : msg.name;
}

// named_port is the port that a call names, of a socket that is connected to none. The same
// place in the addresses of IPv4 and IPv6.
inline_ u16 named_port(void)
{
	struct pt_regs *regs = current_regs();
	u64 nr = reg_nr(regs), at = 0;
	u16 port = 0;

	if (nr == NR_sendto)
		at = reg_arg5(regs);
	else if (nr == NR_sendmsg || nr == NR_sendmmsg)
		at = addressee(reg_arg2(regs));
	if (at && bpf_probe_read_user(&port, sizeof(port), (void *)(at + 2)))
		port = 0;
	return port;
}

// is_dns tells whether a socket that is no stream asks servers of DNS.
inline_ bool is_dns(struct sock *sk, bool sent)
{
	u16 family = sk->__sk_common.skc_family;

	if (sk->sk_protocol != IPPROTO_UDP || (family != AF_INET && family != AF_INET6))
		return false;
	if (sk->__sk_common.skc_dport)
		return sk->__sk_common.skc_dport == bpf_htons(DNS_PORT);
	if (sent)
		return named_port() == bpf_htons(DNS_PORT);
	return bpf_sk_storage_get(&dns_sockets, sk, 0, 0) != 0;
}

// is_dns_stream tells whether a connection that opens leads to a server of DNS.
inline_ bool is_dns_stream(struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_dport == bpf_htons(DNS_PORT);
}

struct dns_gather {
	struct source s;
	struct dns_event *e;
	u32 held;
	u32 _pad;
};

// gather_piece takes what a piece has, as long as there is room.
static long gather_piece(u32 i, struct dns_gather *t)
{
	u32 n, at = t->held;

	if (!t->s.left && !next_piece(&t->s))
		return 1;
	n = t->s.left < DNS_KEPT - at ? t->s.left : DNS_KEPT - at;
	barrier_var(n);
	barrier_var(at);
	if (!n || n > DNS_KEPT || at > DNS_KEPT || read_bytes(&t->s, t->e->head + at, n))
		return 1;
	t->held = at + n;
	consume(&t->s, n);
	return t->held >= DNS_KEPT || !t->s.total;
}

// find_message finds the message of a sendmmsg call that was sent.
inline_ void find_message(struct source *s, struct dns *d, struct pt_regs *regs, u32 tid)
{
	u64 at = reg_arg2(regs), count = reg_arg3(regs);

	if (reg_nr(regs) != NR_sendmmsg || count < 2) {
		d->many = 0;
		return;
	}
	if (d->many_at != at || d->many_tid != tid || d->many >= MESSAGES_MAX)
		d->many = 0;
	d->many_at = at;
	d->many_tid = tid;
	if (!open_vector(s, at + d->many * sizeof(struct mmsghdr_)))
		return;
	s->opaque = 0;
	d->many++;
	if (d->many >= count)
		d->many = 0;
}

inline_ struct dns *dns_of(struct sock *sk, struct target *g)
{
	struct dns *d = bpf_sk_storage_get(&dns_sockets, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!d) {
		count(DROP_TABLE_FULL);
		return 0;
	}
	if (!d->cookie)
		d->cookie = bpf_get_socket_cookie(sk);
	d->pid = g->pid;
	return d;
}

inline_ void dns_moved(struct sock *sk, int bytes, bool sent)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);
	struct target *g = target_of(task->tgid);
	struct dns_gather t = {};
	struct who w = {};
	struct dns *d;
	u32 zero = 0, n;

	if (!g)
		return;
	d = dns_of(sk, g);
	t.e = bpf_map_lookup_elem(&dns_rooms, &zero);
	if (!d || !t.e)
		return;
	open_call(&t.s, &w, regs, bytes);
	if (sent)
		find_message(&t.s, d, regs, task->pid);
	if (t.s.opaque)
		return;
	bpf_loop(DNS_PIECES, gather_piece, &t, 0);
	__builtin_memcpy(&t.e->r, &no_request, sizeof(t.e->r));
	t.e->r.start_ns = bpf_ktime_get_ns();
	t.e->r.end_ns = t.e->r.start_ns;
	t.e->r.pid = g->pid;
	t.e->r.tid = task->pid;
	t.e->r.role = ROLE_CLIENT;
	t.e->r.protocol = PROTOCOL_DNS;
	remember_tuple(&t.e->r.ends, (u64)sk);
	n = t.held;
	barrier_var(n);
	if (n > DNS_KEPT)
		return;
	t.e->r.head_len = sizeof(t.e->n) + n;
	t.e->n.conn = d->cookie;
	t.e->n.size = bytes;
	t.e->n.kind = sent ? DNS_SENT : DNS_RECEIVED;
	t.e->n.stream = sk->sk_type == SOCK_STREAM;
	t.e->n.moves = (g->flags & T_GO) != 0;
	if ((!has_share(g->pid, sizeof(t.e->r) + sizeof(t.e->n) + n) ||
	     bpf_ringbuf_output(&events, t.e, sizeof(t.e->r) + sizeof(t.e->n) + n, 0)) && sent)
		lose(g->pid, DROP_RING_FULL);
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_dns_sent, struct sock *sk, int ret, int flags)
{
	if (ret > 0)
		dns_moved(sk, ret, true);
	return 0;
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_dns_received, struct sock *sk, int ret, int flags)
{
	if (ret > 0)
		dns_moved(sk, ret, false);
	return 0;
}

// dns_closed tells that a connection brings no more answers.
inline_ void dns_closed(struct sock *sk, u32 fault)
{
	struct dns *d = bpf_sk_storage_get(&dns_sockets, sk, 0, 0);
	struct {
		struct request r;
		struct dns_note n;
	} *e;

	if (!d)
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return; // user space forgets the connection some day
	__builtin_memcpy(&e->r, &no_request, sizeof(e->r));
	e->r.start_ns = bpf_ktime_get_ns();
	e->r.end_ns = e->r.start_ns;
	e->r.pid = d->pid;
	e->r.role = ROLE_CLIENT;
	e->r.protocol = PROTOCOL_DNS;
	e->r.head_len = sizeof(e->n);
	__builtin_memset(&e->n, 0, sizeof(e->n));
	e->n.conn = d->cookie;
	e->n.kind = DNS_CLOSED;
	e->n.stream = 1;
	bpf_ringbuf_submit(e, 0);
}

#endif
