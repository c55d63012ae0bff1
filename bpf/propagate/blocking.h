// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Lets connections out of the socket map, and blocking ones back in.
//
// A blocking recv on a socket in a map waits once (tcp_msg_wait_data in
// net/ipv4/tcp_bpf.c): what wakes it without bytes, a signal that the program
// handles or room in the send buffer, ends it with EAGAIN, which nobody expects.
// So where that may happen a blocking socket leaves the map within the call that
// sends a request, and user space puts it back when the answer has been read.
#pragma once

#include "../http1/feed.h"

#define O_NONBLOCK 04000 // the same on every architecture that odi runs on
#define SOCK_NOSPACE 2 // include/linux/net.h: a bit of socket.flags

// What odi_message has seen of the file that a message was sent by.
enum leave { LEAVE_NOT, LEAVE_MAP, LEAVE_CALLS };

inline_ bool is_blocking(struct sock *sk)
{
	return !(sk->sk_socket->file->f_flags & O_NONBLOCK);
}

// may_leave tells whether the first map is all that a connection is in. Those
// behind the verdict program stay: its queue is hardly ever empty for sure.
inline_ bool may_leave(struct target *g, struct conn *c)
{
	return c->want != 2 && !(g->flags & T_POLLS);
}

// tell_of_socket has user space move a connection. sending: it goes on sending meanwhile.
static noinline_ bool tell_of_socket(u32 kind, struct target *g, struct sock *sk, u32 fd, bool sending)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct notice *n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);

	if (!n) {
		count(DROP_NOTICE_FULL);
		return false;
	}
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->target = sending;
	n->key = bpf_get_socket_cookie(sk);
	n->pid = g->pid;
	n->fd = fd;
	n->start_ns = tp ? tp->bytes_sent : 0;
	bpf_ringbuf_submit(n, 0);
	return true;
}

// take_out asks user space to take a connection out of the socket map that must not
// be there.
inline_ void take_out(struct target *g, struct conn *c, struct sock *sk)
{
	if (!c->mapped || c->asked || c->out == OUT_REQUEST || !may_leave(g, c))
		return;
	c->asked = 1;
	tell_of_socket(NOTICE_TAKE_OUT, g, sk, 0, false);
}

// put_back asks user space to put a connection back whose last answer was read. One that was to leave for a long
// body (bodies.h) and is not back by now begins anew: OUT_ASKED would never end otherwise.
static noinline_ void put_back(struct target *g, struct conn *c, struct sock *sk)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	u64 nr = reg_nr(regs);

	if (c->asked || !may_leave(g, c) || (g->flags & (T_PROPAGATE | T_MANY)) != T_PROPAGATE)
		return;
	if (nr != NR_read && nr != NR_readv && nr != NR_recvfrom && nr != NR_recvmsg)
		return;
	if (c->out == OUT_REQUEST)
		tell_of_socket(NOTICE_PUT_BACK, g, sk, reg_arg1(regs), false);
	else if (tell_of_socket(NOTICE_PUT_BACK, g, sk, reg_arg1(regs), !is_blocking(sk)))
		c->out = OUT_BACK;
}

// HANDLES tells whether the program handles a signal. The kernel's own layout is
// known for constant numbers only, so no loop goes over them.
#define HANDLES(s, signal) ((u64)(s)->action[(signal) - 1].sa.sa_handler > 1)
#define HANDLES4(s, n) (HANDLES(s, n) || HANDLES(s, n + 1) || HANDLES(s, n + 2) || HANDLES(s, n + 3))

// handles_signals tells whether a signal may interrupt a call of this program that
// waits. Not asked for: what comes from a thread's own doing (ILL, TRAP, ABRT, BUS,
// FPE, SEGV, PIPE, SYS); INT, which ends a program in a terminal and which every
// Python handles; 32 and 33, which the C library has for itself.
inline_ bool handles_signals(void)
{
	struct sighand_struct *s = bpf_get_current_task_btf()->sighand;

	if (!s)
		return false;
	return HANDLES(s, 1) || HANDLES(s, 3) || HANDLES(s, 10) || HANDLES(s, 12) || HANDLES4(s, 14) || HANDLES4(s, 18) ||
	       HANDLES4(s, 22) || HANDLES4(s, 26) || HANDLES(s, 30) || HANDLES(s, 34) || HANDLES(s, 35) || HANDLES4(s, 36) ||
	       HANDLES4(s, 40) || HANDLES4(s, 44) || HANDLES4(s, 48) || HANDLES4(s, 52) || HANDLES4(s, 56) || HANDLES4(s, 60) ||
	       HANDLES(s, 64);
}

// wakes_for_room tells whether the sender has waited for room in the send buffer and
// the kernel still owes a wake-up for it, which comes while the program waits for the
// answer. It does not where the wake-up itself has ended that wait (sk_stream_write_space
// in net/core/stream.c), nor is that known while the wait goes on (sk_write_pending).
inline_ bool wakes_for_room(struct sock *sk)
{
	return !sk->sk_write_pending && (sk->sk_socket->flags >> SOCK_NOSPACE & 1);
}

// leaves_with notes what becomes of the connection once a message is on its way.
inline_ void leaves_with(struct feed *f, struct tcp_sock *tp)
{
	struct conn *c = f->c;

	c->leave = LEAVE_NOT;
	if (!may_leave(f->g, c))
		return;
	if (sends_many())
		f->g->flags |= T_MANY; // the tracepoint has its connections taken out
	if (c->want != 1)
		return;
	if (f->g->flags & T_MANY)
		c->leave = LEAVE_MAP; // sooner, where the call is still asked for
	else if (!is_blocking((void *)tp))
		c->leave = LEAVE_CALLS;
	else if (f->h && f->h->q.state == D_HEAD)
		return; // the rest comes in another call
	else if (c->ignored || (!(f->g->flags & T_ASKS_AGAIN) && handles_signals()))
		c->leave = LEAVE_MAP;
}

// caller returns the target whose call goes on; 0 where the network does something
// meanwhile. Kernels before 6.10 know the process of sock_ops programs by its task only.
inline_ struct target *caller(struct sock *sk)
{
	return sk && sk->sk_lock.owned ? target_of(bpf_get_current_task_btf()->tgid) : 0;
}

// leaving runs in every call of a sender (tcp_send_mss in net/ipv4/tcp.c), which
// holds the socket, behind odi_message and before anything is sent: the socket is
// out of the map when the call returns. Of a call on a socket that is out already it
// notes when it began, because it may wait for room.
inline_ void leaving(struct bpf_sock_ops *ops, struct conn *c)
{
	struct sock *sk = ops->sk ? (void *)bpf_skc_to_tcp_sock(ops->sk) : 0;
	struct target *g = caller(sk);
	u64 key;

	if (g && c->out == OUT_REQUEST && !c->sending_ns)
		c->sending_ns = bpf_ktime_get_ns();
	if (g && c->want == 1 && !c->out && !(g->flags & (T_ASKS_AGAIN | T_POLLS)) && is_blocking(sk) && wakes_for_room(sk))
		c->leave = LEAVE_MAP;
	if (c->leave == LEAVE_CALLS)
		bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags & ~BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
	if (c->leave == LEAVE_MAP) {
		key = bpf_get_socket_cookie(ops);
		bpf_map_delete_elem(&sockets, &key);
		c->out = OUT_REQUEST;
	}
	c->leave = LEAVE_NOT;
}
