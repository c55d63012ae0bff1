// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Bytes that moved through a socket of a watched process: which connection they belong
// to, and which room looks at them. HTTP/1 does so here; for any other protocol the
// programs go on with those of its room.
#pragma once

#include "flow/flow.h"
#include "http1/waking.h"
#include "propagate/bodies.h"
#include "include/session.h"
#include "recognise.h"

// is_stream tells whether a socket carries a stream of bytes: TCP, MPTCP or Unix.
inline_ bool is_stream(struct sock *sk)
{
	u16 family = sk->__sk_common.skc_family;

	if (sk->sk_type != SOCK_STREAM)
		return false;
	if (family == AF_INET || family == AF_INET6)
		return sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_MPTCP;
	return family == AF_UNIX;
}

// conn_of finds or begins the books of a connection; other sockets have none.
inline_ struct conn *conn_of(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c || !is_stream(sk))
		return c;
	return begin_conn(sk);
}

// pass_over passes over what odi_message or odi_waking has looked at already. False: that is all.
inline_ bool pass_over(struct feed *f, int bytes)
{
	struct conn *c = f->c;
	u32 ahead = c->ahead;

	c->ahead = 0;
	c->stop = 0;
	if (ahead == bytes) {
		c->sending_ns = 0;
		return false;
	}
	if (ahead > bytes) { // cannot happen: see surely_sent and one_piece
		if (f->h)
			lost_requests(f, &f->h->q);
		return false;
	}
	f->skip = ahead;
	return true;
}

// id_of_task is what bpf_get_current_pid_tgid returns, without another call.
inline_ u64 id_of_task(struct task_struct *task)
{
	return (u64)task->tgid << 32 | (u32)task->pid;
}

enum way_of_call { CALL_SENT, CALL_RECEIVED, CALL_WAITED };

// in_session tells whether a socket's call is one of a library that encrypts, on its way
// through a session of TLS, and notes that this is the session's socket.
apart_ bool in_session(struct sock *sk, struct conn *c, struct task_struct *task, enum way_of_call way)
{
	struct call *call = bpf_task_storage_get(&calls, task, 0, 0);
	struct pt_regs *regs = current_regs();

	if (!call || !call->under_way || !is_within(call, regs->sp))
		return false;
	if (way != CALL_SENT)
		call->waits = way == CALL_WAITED;
	if (call->sk == (u64)sk)
		return true;
	call->sk = call->sk ? SEVERAL_SOCKETS : (u64)sk;
	if (call->sk == call->known_sk)
		return true;
	remember_tuple(&call->ends, (u64)sk);
	call->fresh = c->fresh;
	call->opened_for = c->owner.span;
	return true;
}

// session_fails notes that the socket of a session is broken.
inline_ void session_fails(struct task_struct *task, int ret)
{
	struct call *call = bpf_task_storage_get(&calls, task, 0, 0);

	if (call && call->under_way && is_within(call, current_regs()->sp))
		call->fault = ret == -ECONNRESET ? FAULT_RESET : FAULT_TIMEOUT;
}

// begins_as_tls tells whether a record of TLS begins here: of a handshake, or of data
// where the beginning was not seen.
inline_ bool begins_as_tls(struct source *s)
{
	u8 b[3] = {};

	if (s->opaque || s->left < 3 || read_bytes(s, b, 3))
		return false;
	return (b[0] == 0x16 || b[0] == 0x17) && b[1] == 3 && b[2] <= 4;
}

// need_library has user space look for the library that encrypts: it was not there, or not
// known, when the target was added. Seldom where that does not help.
noinline_ int need_library(struct target *g)
{
	struct notice *n;
	u32 times;

	if (!g)
		return 0;
	times = __sync_fetch_and_add(&g->encrypted, 1);
	if (times & (times + 1))
		return 0;
	n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);
	if (!n) {
		count(DROP_NOTICE_FULL);
		return 0;
	}
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = NOTICE_TLS;
	n->tgid = bpf_get_current_pid_tgid() >> 32;
	n->pid = g->pid;
	bpf_ringbuf_submit(n, 0);
	return 0;
}

// encrypts_elsewhere has user space look, once for a connection that begins to encrypt
// outside of what probes see.
inline_ void encrypts_elsewhere(struct target *g, struct conn *c)
{
	if (c->role == ROLE_UNKNOWN)
		return;
	c->role = ROLE_UNKNOWN;
	need_library(g);
}

// moved handles bytes that moved through a socket of a watched process. It returns the
// room that goes on with them, 0 if that is done.
inline_ u32 moved(struct sock *sk, struct target *g, struct task_struct *task, int bytes, enum way_of_call call)
{
	bool sent = call == CALL_SENT;
	struct conn *c = conn_of(sk);
	struct feed f = {.g = g, .c = c, .win = scratch()};
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);
	struct tcp_sock *tp;

	if (!c)
		return is_dns(sk, sent) ? PROTOCOL_DNS : 0;
	if (!f.win)
		return 0;
	if (!c->flow)
		flow_met(sk, g, c);
	if (c->protocol) {
		if (!c->carries || (g->flags & T_MANY))
			take_out(g, c, sk);
		if (c->protocol == PROTOCOL_HANDSHAKE && !in_session(sk, c, task, call))
			encrypts_elsewhere(g, c);
		return c->protocol;
	}
	if (sent)
		nth_message(&f.src, c, regs, task->pid);
	else if (c->out == OUT_REQUEST)
		c->sending_ns = 0; // that was no beginning of a call that sends, see leaving
	if (c->ignored || c->role == ROLE_SERVER || (g->flags & T_MANY))
		take_out(g, c, sk);
	if (c->ignored) {
		in_session(sk, c, task, call);
		return 0;
	}
	if (sent)
		c->answering = 0;
	f.h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (sent)
		body_goes_on(g, c, sk, f.h);
	if (sent && (c->ahead | c->stop) && !pass_over(&f, bytes))
		return 0;
	if (!f.h && in_session(sk, c, task, call)) {
		c->protocol = PROTOCOL_HANDSHAKE;
		return PROTOCOL_HANDSHAKE;
	}
	tp = !sent || !f.h || c->role != ROLE_SERVER ? bpf_skc_to_tcp_sock(sk) : 0; // answers need none
	begun(c, tp, sent, bytes);
	if (!f.h && !worth_a_look(c, sent))
		return 0;
	f.w = who_runs(sk, id_of_task(task));
	f.w.waits = call == CALL_WAITED;
	if (tp)
		f.w.seq = read_so_far(tp);
	f.src.now = f.w.now;
	if (sent && c->sending_ns) { // a call may wait for room
		f.src.now = c->sending_ns;
		c->sending_ns = 0;
	}
	open_call(&f.src, &f.w, regs, bytes);
	if (f.src.many)
		open_message(&f.src, c, bytes);
	if (f.skip)
		bpf_loop(MAX_PIECES, skip_piece, &f, 0);
	if (!f.h && recognised(&f, sent)) {
		if (c->protocol == PROTOCOL_HANDSHAKE)
			encrypts_elsewhere(g, c);
		return c->protocol;
	}
	if (!f.h && !begin_books(&f, sk, sent)) {
		if (begins_as_tls(&f.src))
			need_library(g);
		return 0;
	}
	if (c->role == (sent ? ROLE_CLIENT : ROLE_SERVER))
		requests(&f, sk, bytes);
	else
		answers(&f, sk, bytes);
	if (c->turned)
		return PROTOCOL_HTTP1; // turned.h
	if (!sent && f.c->out && f.c->role == ROLE_CLIENT && !pending(f.h))
		put_back(f.g, f.c, sk);
	return 0;
}

// unsent takes back what odi_message has seen of a message that was not sent. Of a
// Unix socket all that was looked at is.
inline_ void unsent(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct http1 *h;
	u32 n;

	if (c) { // that ends the call
		c->many = 0;
		c->sending_ns = 0;
	}
	if (!c || !(c->ahead | c->stop))
		return;
	h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (h && c->ahead) {
		n = kept_ever(h) - h->tail_before;
		if (n && n <= h->last - h->first)
			h->last -= n;
		else if (n && h->first == h->last && n <= h->tail - h->head)
			h->tail -= n;
		h->q.state = D_IDLE;
	}
	c->ahead = 0;
	c->stop = 0;
}

// sent handles what a send call returned. It returns what moved does.
inline_ u32 sent(struct sock *sk, int ret)
{
	struct task_struct *task;
	struct target *g;

	if (!ret)
		return 0;
	task = bpf_get_current_task_btf();
	g = target_of(task->tgid);
	if (g && ret > 0)
		return moved(sk, g, task, ret, CALL_SENT);
	if (g)
		unsent(sk);
	return 0;
}

// received handles what a receive call returned. It returns what moved does.
inline_ u32 received(struct sock *sk, int ret, int flags)
{
	struct task_struct *task;
	struct target *g;

	// What MSG_TRUNC has dropped is missed by the next call (see unread.h).
	if ((ret < 0 && ret != -ECONNRESET && ret != -ETIMEDOUT) || (flags & (MSG_PEEK | MSG_TRUNC | MSG_ERRQUEUE)))
		return 0;
	task = bpf_get_current_task_btf();
	g = target_of(task->tgid);
	if (!g)
		return 0;
	if (ret > 0)
		return moved(sk, g, task, ret, flags & MSG_DONTWAIT ? CALL_RECEIVED : CALL_WAITED);
	if (ret)
		session_fails(task, ret);
	eof(sk, g, id_of_task(task), ret);
	return 0;
}
