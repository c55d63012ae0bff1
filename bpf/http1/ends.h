// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ends of connections: what becomes of the requests that have no answer yet, or a
// part of one.
#pragma once

#include "unread.h"

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

// goes_on_reading tells whether a client can still read an answer: it has closed
// its own direction only, or there is something left to be read. Then what it reads
// tells how the requests end, or tcp_destroy_sock.
//
// So does a call that has read something and not told of it yet. A reset that comes
// while it reads is handled when it lets go of the socket (release_sock), before that;
// one that comes behind it may be handled on another processor.
inline_ bool goes_on_reading(struct sock *sk, struct http1 *h, struct tcp_sock *tp, int after)
{
	if (after == ST_FIN_WAIT1 && !(sk->sk_shutdown & RCV_SHUTDOWN))
		return true;
	if (sk->sk_receive_queue.qlen)
		return true;
	if (!tp || sk->sk_shutdown == SHUTDOWN_MASK) // closed by its process
		return false;
	return read_so_far(tp) != *(volatile u32 *)&h->read || __sync_fetch_and_add(&h->reading, 0);
}

// whose_fault tells how the oldest request ends. An answer that its reader did not
// wait for to the end, with the status in hand, is nobody's fault.
inline_ u32 whose_fault(struct sock *sk, struct http1 *h, struct conn *c, int before)
{
	struct request *r = &h->slot[h->head & (SLOTS - 1)];
	bool answered = h->head != h->tail && (r->bits & BIT_ANSWERED);

	if (!answered)
		return fault_of(sk);
	if ((h->a.state == D_CLOSE || h->a.state == D_TAIL) && !sk->sk_err)
		return FAULT_NONE;
	if (c->role == ROLE_CLIENT)
		return sk->sk_err ? fault_of(sk) : FAULT_NONE;
	return sk->sk_err || before == ST_CLOSE_WAIT ? FAULT_NONE : FAULT_CLOSED;
}

#define ST_DESTROYED 0 // no state of the kernel's: the socket goes

// room_closing does so for a connection of another room, see rooms.h.
inline_ void room_closing(struct conn *c, struct sock *sk, u32 fault);

// brings_more tells whether a connection of another room that is closing can still bring
// answers.
inline_ bool brings_more(struct sock *sk, int after)
{
	if (after == ST_DESTROYED)
		return false;
	return (after == ST_FIN_WAIT1 && !(sk->sk_shutdown & RCV_SHUTDOWN)) || sk->sk_receive_queue.qlen;
}

// end_unanswered ends the requests of a connection that is closing.
inline_ void end_unanswered(struct sock *sk, struct http1 *h, struct conn *c, struct tcp_sock *tp, int before)
{
	struct ending e = {.h = h, .c = c, .w = {.sk = (u64)sk, .now = bpf_ktime_get_ns()}};
	u32 tgid = h->tgid;

	e.g = bpf_map_lookup_elem(&targets, &tgid);
	if (tp)
		e.w.seq = read_so_far(tp);
	if (c->role == ROLE_CLIENT && e.g)
		catch_up(h, c, e.g, &e.w, 0);
	finish(h, c, e.g, &e.w, whose_fault(sk, h, c, before));
	end_all(&e, fault_of(sk));
}

// closing ends what will never be answered. It may run in any task.
inline_ void closing(struct sock *sk, int before, int after)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct tcp_sock *tp;
	struct http1 *h;
	u64 key = (u64)sk;

	if (!c)
		return;
	if (c->protocol && !brings_more(sk, after))
		room_closing(c, sk, fault_of(sk));
	h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	tp = bpf_skc_to_tcp_sock(sk);
	if (h && pending(h) && !(c->role == ROLE_CLIENT && after != ST_DESTROYED && goes_on_reading(sk, h, tp, after)))
		end_unanswered(sk, h, c, tp, before);
	if (after == ST_DESTROYED && c->role != ROLE_SERVER) // it may have ended before its first write
		bpf_map_delete_elem(&go_ties, &key);
}

inline_ struct who who_runs(struct sock *sk, u64 id)
{
	struct who w = {.sk = (u64)sk, .tgid = id >> 32, .tid = (u32)id, .now = bpf_ktime_get_ns()};

	return w;
}

// at_end tells whether a receive call that returned nothing has met the end of
// the connection, and was not just asked for nothing.
inline_ bool at_end(struct sock *sk)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);
	u64 nr = reg_nr(regs);

	return (nr != NR_read && nr != NR_recvfrom) || reg_arg3(regs);
}

// Set by user space where the close of a Unix socket is seen. Elsewhere a call that
// meets the end tells that the other side has closed.
const volatile u8 unix_closes = 0;

// closed_there handles a Unix socket of which a call has met the end. If the other end
// is closed, all of that one's calls have told what they did. A server can answer no
// more, unless a call has just done so and not told of it yet.
inline_ void closed_there(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct sock *other;

	if (!c || sk->sk_shutdown != SHUTDOWN_MASK)
		return;
	if (c->role == ROLE_SERVER && !*(volatile u8 *)&c->answering)
		closing(sk, ST_CLOSE_WAIT, ST_CLOSE);
	other = other_end(sk);
	if (other)
		closing(other, 0, ST_DESTROYED);
}

// eof ends the requests of a client that has met the end of the connection, or an
// error. An answer may end with the connection.
inline_ void eof(struct sock *sk, struct target *g, u64 id, int ret)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct ending e;
	struct http1 *h;

	if (!c || c->role != ROLE_CLIENT)
		return;
	h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (!h || !pending(h) || (!ret && !at_end(sk)))
		return;
	e = (struct ending){.h = h, .c = c, .g = g, .w = who_runs(sk, id)};
	if (tp)
		e.w.seq = read_so_far(tp);
	catch_up(h, c, g, &e.w, 0);
	if (!ret && (h->a.state == D_CLOSE || h->a.state == D_TAIL))
		ended(h, c, g, &e.w);
	end_all(&e, ret == -ECONNRESET ? FAULT_RESET : ret == -ETIMEDOUT ? FAULT_TIMEOUT : FAULT_CLOSED);
}
