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
#include "http1/ends.h"
#include "http1/unixends.h"
#include "http1/waking.h"
#include "process/process.h"
#include "propagate/propagate.h"
#include "propagate/verdict.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

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

// requests handles bytes that may be requests. A connection that did not begin
// with one is looked at no more, if its beginning was seen.
inline_ void requests(struct feed *f, struct sock *sk, int bytes)
{
	struct http1 *h = f->h;

	if (f->c->role == ROLE_SERVER && f->c->tcp)
		caught_up(h, &f->w, bytes);
	look_at_requests(f, sk);
	if (h->seen) {
		bool whole = f->c->role == ROLE_SERVER && h->q.state == D_IDLE && pending(h) == 1;

		in_hand(f->g, &f->w, whole ? h->slot[h->head & (SLOTS - 1)].span : 0);
		return;
	}
	if (h->q.state == D_LOST)
		end_books(f->c, sk);
}

inline_ void answers(struct feed *f, struct sock *sk, int bytes)
{
	struct http1 *h = f->h;

	if (f->c->role == ROLE_CLIENT) {
		__sync_lock_test_and_set(&h->reading, 1);
		catch_up(h, f->c, f->g, &f->w, bytes);
	}
	look_at_answers(f, sk);
	if (f->c->role == ROLE_CLIENT)
		__sync_lock_test_and_set(&h->reading, 0);
	in_hand(f->g, &f->w, f->c->role == ROLE_CLIENT && !pending(h) ? f->c->owner.span : 0);
	if (!unix_closes && h->a.state == D_CLOSE && h->ends.family == AF_UNIX && f->c->role == ROLE_SERVER)
		ended(h, f->c, f->g, &f->w);
}

// conn_of finds or begins the books of a connection; other sockets have none.
inline_ struct conn *conn_of(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c || !is_stream(sk))
		return c;
	return begin_conn(sk);
}

// worth_a_look tells whether a request may begin with these bytes. Where the
// beginning of a connection was not seen, one may begin wherever the way changes.
inline_ bool worth_a_look(struct conn *c, bool sent)
{
	u8 way = sent ? WAY_SENT : WAY_RECEIVED, last = c->last;

	c->last = way;
	return c->begun == BEGUN_SEEN || last != way;
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

enum call { CALL_SENT, CALL_RECEIVED, CALL_WAITED };

// moved handles bytes that moved through a socket of a watched process.
inline_ void moved(struct sock *sk, struct target *g, struct task_struct *task, int bytes, enum call call)
{
	bool sent = call == CALL_SENT;
	struct conn *c = conn_of(sk);
	struct feed f = {.g = g, .c = c, .win = scratch()};
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);
	struct tcp_sock *tp;

	if (!c || !f.win)
		return;
	if (sent)
		nth_message(&f.src, c, regs, task->pid);
	else if (c->out)
		c->sending_ns = 0; // that was no beginning of a call that sends, see leaving
	if (c->ignored || c->role == ROLE_SERVER || (g->flags & T_MANY))
		take_out(g, c, sk);
	if (c->ignored)
		return;
	if (sent)
		c->answering = 0;
	f.h = bpf_sk_storage_get(&http1s, sk, 0, 0);
	if (sent && (c->ahead | c->stop) && !pass_over(&f, bytes))
		return;
	tp = !sent || !f.h || c->role != ROLE_SERVER ? bpf_skc_to_tcp_sock(sk) : 0; // answers need none
	begun(c, tp, sent, bytes);
	if (!f.h && !worth_a_look(c, sent))
		return;
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
	if (!f.h && !begin_books(&f, sk, sent))
		return;
	if (c->role == (sent ? ROLE_CLIENT : ROLE_SERVER))
		requests(&f, sk, bytes);
	else
		answers(&f, sk, bytes);
	if (!sent && f.c->out && f.c->role == ROLE_CLIENT && !pending(f.h))
		put_back(f.g, f.c, sk);
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

// sent handles what a send call returned.
inline_ int sent(struct sock *sk, int ret)
{
	struct task_struct *task;
	struct target *g;

	if (!ret)
		return 0;
	task = bpf_get_current_task_btf();
	g = target_of(task->tgid);
	if (g && ret > 0)
		moved(sk, g, task, ret, CALL_SENT);
	else if (g)
		unsent(sk);
	return 0;
}

// received handles what a receive call returned.
inline_ int received(struct sock *sk, int ret, int flags)
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
		moved(sk, g, task, ret, flags & MSG_DONTWAIT ? CALL_RECEIVED : CALL_WAITED);
	else
		eof(sk, g, id_of_task(task), ret);
	return 0;
}

// trace_sock_send_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_send_length")
int BPF_PROG(odi_sent, struct sock *sk, int ret, int flags)
{
	if (ret > 0) // apart, as what follows needs room on the stack
		return sent(sk, ret);
	sent(sk, ret);
	if (meets_end(sk, ret))
		bpf_tail_call(ctx, &unix_write_end, 0);
	return 0;
}

// trace_sock_recv_length(struct sock *sk, int ret, int flags)
SEC("tp_btf/sock_recv_length")
int BPF_PROG(odi_received, struct sock *sk, int ret, int flags)
{
	if (ret > 0) // apart, as what follows needs room on the stack
		return received(sk, ret, flags);
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

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(odi_sent_unix, struct socket *sock, void *msg, u64 size, int ret)
{
	return sent(sock->sk, ret);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(odi_received_unix, struct socket *sock, void *msg, u64 size, int flags, int ret)
{
	return received(sock->sk, ret, flags);
}

// For kernels before 6.5, where sendfile and splice do not pass sendmsg.
SEC("fexit/inet_sendpage")
int BPF_PROG(odi_sent_page, struct socket *sock, void *page, int offset, u64 size, int flags, int ret)
{
	return sent(sock->sk, ret);
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
	c->begun = BEGUN_UNKNOWN;
	c->ahead = 0;
	c->stop = 0;
	c->leave = 0;
	c->out = 0;
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
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	c->fresh = 1;
	// Parts of an MPTCP connection carry a protocol of their own, and are no
	// sockets for a socket map.
	if ((g->flags & T_PROPAGATE) && sk->sk_protocol == IPPROTO_TCP && !encrypted((u64)sk))
		c->want = maps_for(g, c->tgid);
	if ((g->flags & (T_PROXY | T_BATCHES)) == T_PROXY)
		c->owner.span = direct_owner(thread_of((u32)bpf_get_current_pid_tgid()), bpf_ktime_get_ns());
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
	return 0;
}

// trace_tcp_destroy_sock(struct sock *sk)
// A connection that was reset has been closed before its process lets it go.
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(odi_destroyed, struct sock *sk)
{
	closing(sk, ST_CLOSE, ST_DESTROYED);
	return 0;
}
