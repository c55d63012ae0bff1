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

#include "golang/golang.h"
#include "process/process.h"
#include "propagate/propagate.h"
#include "propagate/verdict.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

inline_ bool is_tcp(struct sock *sk)
{
	u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP;
}

inline_ struct who who_runs(struct sock *sk, u64 id)
{
	struct who w = {.sk = (u64)sk, .tgid = id >> 32, .tid = (u32)id, .now = bpf_ktime_get_ns()};

	return w;
}

// take_out asks user space to take a connection out of the socket map: it does
// not speak HTTP/1, and only user space may do that. Those behind the verdict
// program stay: its queue is hardly ever empty for sure.
inline_ void take_out(struct target *g, struct conn *c, struct sock *sk)
{
	struct notice *n;

	if (!c->mapped || c->asked || (g->flags & T_POLLS))
		return;
	n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);
	if (!n) {
		count(DROP_NOTICE_FULL);
		return;
	}
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = NOTICE_TAKE_OUT;
	n->key = bpf_get_socket_cookie(sk);
	c->asked = 1;
	bpf_ringbuf_submit(n, 0);
}

// note_owner keeps what a proxy's thread works for.
inline_ void note_owner(struct target *g, struct http1 *h, struct conn *c)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];
	struct thread *t;

	if (!(g->flags & T_PROXY) || h->head == h->tail)
		return;
	t = thread_begun((u32)bpf_get_current_pid_tgid());
	if (!t)
		return;
	if (c->role == ROLE_SERVER)
		t->owner.span = r->span;
	else
		t->owner.span = c->owner.span;
}

inline_ void requests(struct feed *f, struct sock *sk)
{
	struct http1 *h = f->h;

	if (feed_requests(f)) {
		note_owner(f->g, h, f->c);
		return;
	}
	if (h->head == h->tail)
		bpf_sk_storage_delete(&http1s, sk);
	f->c->ignored = 1;
}

inline_ void answers(struct feed *f)
{
	note_owner(f->g, f->h, f->c);
	if (f->c->role == ROLE_CLIENT)
		catch_up(f->h, f->c, f->g, &f->w, f->src.total);
	feed_answers(f);
}

// conn_of finds or begins the books of a TCP connection; others have none.
inline_ struct conn *conn_of(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c || !is_tcp(sk))
		return c;
	return bpf_sk_storage_get(&conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

// moved handles bytes that moved through a socket of a watched process.
inline_ void moved(struct sock *sk, struct target *g, u64 id, int bytes, bool sent)
{
	struct conn *c = conn_of(sk);
	struct feed f = {.g = g, .c = c, .win = scratch()};
	u8 role = sent ? ROLE_CLIENT : ROLE_SERVER;

	if (!c || !f.win)
		return;
	if (c->ignored) {
		take_out(g, c, sk);
		return;
	}
	if (c->role == ROLE_SERVER)
		take_out(g, c, sk);
	if (sent && c->msg && c->role == ROLE_CLIENT) {
		c->msg = 0; // odi_message has seen it
		return;
	}
	f.w = who_runs(sk, id);
	f.src.now = f.w.now;
	open_call(&f.src, &f.w, bytes);
	f.h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (!f.h) {
		if (c->role != ROLE_UNKNOWN && c->role != role)
			return;
		if (!first_bytes(&f)) {
			if (++c->tries >= TRIES_MAX)
				c->ignored = 1;
			return;
		}
		f.h = bpf_sk_storage_get(&http1s, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!f.h) {
			count(DROP_TABLE_FULL);
			return;
		}
		c->role = role;
		c->tgid = f.w.tgid;
	}
	if (c->role == role)
		requests(&f, sk);
	else
		answers(&f);
	if (!f.h->seen && f.h->q.state == D_LOST && !c->ignored) {
		c->role = ROLE_UNKNOWN; // it only looked like a request
		bpf_sk_storage_delete(&http1s, sk);
	}
}

// sent handles what a send call returned.
inline_ int sent(struct sock *sk, int ret)
{
	struct target *g;
	u64 id;

	if (ret <= 0)
		return 0;
	id = bpf_get_current_pid_tgid();
	g = target_of(id >> 32);
	if (g)
		moved(sk, g, id, ret, true);
	return 0;
}

// eof ends answers that end with the connection.
inline_ void eof(struct sock *sk, struct target *g, u64 id)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct http1 *h;
	struct who w;

	if (!c || c->role != ROLE_CLIENT)
		return;
	h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (!h || h->head == h->tail)
		return;
	w = who_runs(sk, id);
	if (h->a.state == D_CLOSE || h->a.state == D_TAIL)
		ended(h, c, g, &w);
}

// received handles what a receive call returned.
inline_ int received(struct sock *sk, int ret, int flags)
{
	struct target *g;
	u64 id;

	if (ret < 0 || (flags & (MSG_PEEK | MSG_TRUNC | MSG_ERRQUEUE)))
		return 0;
	id = bpf_get_current_pid_tgid();
	g = target_of(id >> 32);
	if (!g)
		return 0;
	if (ret)
		moved(sk, g, id, ret, false);
	else
		eof(sk, g, id);
	return 0;
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_sent, struct sock *sk, int ret, int flags)
{
	return sent(sk, ret);
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_received, struct sock *sk, int ret, int flags)
{
	return received(sk, ret, flags);
}

// For kernels without the two: the functions (net/ipv4/af_inet.c) that the code
// around them calls for a TCP socket.
SEC("fexit/inet_sendmsg")
int BPF_PROG(odi_sent_v4, struct socket *sock, void *msg, u64 size, int ret)
{
	return sent(sock->sk, ret);
}

SEC("fexit/inet6_sendmsg")
int BPF_PROG(odi_sent_v6, struct socket *sock, void *msg, u64 size, int ret)
{
	return sent(sock->sk, ret);
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(odi_received_v4, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	return received(sock->sk, ret, flags);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(odi_received_v6, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	return received(sock->sk, ret, flags);
}

// For kernels before 6.5, where sendfile and splice do not pass sendmsg.
SEC("fexit/inet_sendpage")
int BPF_PROG(odi_sent_page, struct socket *sock, void *page, int offset, u64 size, int flags, int ret)
{
	return sent(sock->sk, ret);
}

// opening marks a connection of a target while its caller still runs.
inline_ void opening(struct sock *sk)
{
	struct target *g = current_target();
	struct open_request *o;
	struct thread *t;
	struct conn *c;

	if (!g)
		return;
	c = conn_of(sk);
	if (!c)
		return;
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	c->fresh = 1;
	c->role = ROLE_UNKNOWN;
	c->ignored = 0;
	if (g->flags & T_PROPAGATE)
		c->want = g->flags & T_POLLS ? 2 : 1;
	if ((g->flags & (T_PROXY | T_BATCHES)) != T_PROXY)
		return;
	t = thread_of((u32)bpf_get_current_pid_tgid());
	if (!t)
		return;
	c->owner.span = t->owner.span;
	o = open_request_of(c->owner.span);
	c->sure = o && !o->settled && g->waiting == 1;
	if (o)
		settle(g, o);
}

inline_ u8 fault_of(struct sock *sk)
{
	switch (sk->sk_err) {
	case ECONNRESET:
		return FAULT_RESET;
	case ETIMEDOUT:
		return FAULT_TIMEOUT;
	}
	return FAULT_CLOSED;
}

// closing ends what will never be answered. It may run in any task.
inline_ void closing(struct sock *sk, bool gone)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct who w = {};
	struct target *g;
	struct http1 *h;
	u64 key = (u64)sk;
	u32 tgid;

	if (!c)
		return;
	if (gone && c->role == ROLE_CLIENT)
		bpf_map_delete_elem(&go_ties, &key);
	h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (!h || (c->role == ROLE_CLIENT && !gone))
		return;
	if (h->head == h->tail)
		return;
	tgid = h->tgid;
	g = bpf_map_lookup_elem(&targets, &tgid);
	w.now = bpf_ktime_get_ns();
	w.sk = key;
	if (c->role == ROLE_CLIENT && g)
		catch_up(h, c, g, &w, 0);
	UNROLLED
	for (int i = 0; i < SLOTS && h->head != h->tail; i++) {
		bool whole = !i && (h->a.state == D_CLOSE || h->a.state == D_TAIL) && !sk->sk_err;

		finish(h, c, g, &w, whole ? FAULT_NONE : fault_of(sk));
	}
}

// trace_inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)
// Runs in the caller for connect and close, anywhere for what the peer does.
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(odi_state, struct sock *sk, int before, int after)
{
	if (after == ST_SYN_SENT)
		opening(sk);
	else if (after == ST_FIN_WAIT1 || after == ST_LAST_ACK || after == ST_CLOSE)
		closing(sk, after == ST_CLOSE);
	return 0;
}
