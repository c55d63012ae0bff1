// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Writes traceparent into outgoing HTTP/1.1 requests.
//
// Hooks: sock_ops puts new outgoing connections of targets into a socket map;
//        sk_msg sees what is sent on them, in the sender's context, before it leaves.
// Rule:  a request gets at most one header and never a second one; a message that
//        cannot be handled as a whole leaves as it came.
// Needs: cgroup v2; user space adds the connections that were open before.
#pragma once

#include "blocking.h"

#define HEADER_LEN 70 // "traceparent: 00-<32>-<16>-<2>\r\n"
#define MERGE_MAX 8192 // one element up to here; bigger messages are split anyway
#define PULL_MAX 69632 // a longer head goes out without a header where it lies in pieces
#define SKB_ROOM 4096 // what a segment costs beside its bytes, at most

inline_ void write_hex16(u8 *to, u64 v)
{
	*(u64 *)to = to_hex8((u32)v);
	*(u64 *)(to + 8) = to_hex8((u32)(v >> 32));
}

// write_header writes HEADER_LEN bytes.
inline_ void write_header(u8 *to, struct request *r)
{
	*(u64 *)to = WORD8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r');
	*(u64 *)(to + 8) = WORD8('e', 'n', 't', ':', ' ', '0', '0', '-');
	write_hex16(to + 16, r->trace[0]);
	write_hex16(to + 32, r->trace[1]);
	to[48] = '-';
	write_hex16(to + 49, r->span);
	to[65] = '-';
	*(u16 *)(to + 66) = to_hex8(r->tflags);
	to[68] = '\r';
	to[69] = '\n';
}

// insert_header puts the header behind the request line.
inline_ bool insert_header(struct sk_msg_md *msg, struct request *r, u32 pos)
{
	u8 *data;
	long err;

	barrier_var(pos);
	if (!pos || pos > PULL_MAX || bpf_msg_push_data(msg, pos, HEADER_LEN, 0))
		return false;
	if (msg->size <= MERGE_MAX) // three elements would leave as three segments
		bpf_msg_pull_data(msg, 0, msg->size, 0);
	err = bpf_msg_pull_data(msg, pos, pos + HEADER_LEN, 0);
	data = (void *)(long)msg->data;
	if (err || data + HEADER_LEN > (u8 *)(long)msg->data_end) {
		bpf_msg_pop_data(msg, pos, HEADER_LEN, 0);
		return false;
	}
	write_header(data, r);
	return true;
}

// overwrite_span makes a forwarded traceparent name this hop.
inline_ bool overwrite_span(struct sk_msg_md *msg, struct request *r, u32 pos)
{
	u8 *data;

	pos += 36;
	barrier_var(pos);
	if (pos > PULL_MAX || bpf_msg_pull_data(msg, pos, pos + 16, 0))
		return false;
	data = (void *)(long)msg->data;
	if (data + 16 > (u8 *)(long)msg->data_end)
		return false;
	write_hex16(data, r->span);
	return true;
}

// may_write tells whether the connection is known to speak HTTP/1: from its first
// byte on, or by an answer. Where it was open before, the first message must be a
// request of a common method and nothing else.
inline_ bool may_write(struct feed *f)
{
	return f->whole && !f->h->unsure && (f->c->begun == BEGUN_SEEN || f->h->proven || !f->h->q.strict);
}

// write_trace handles the first request that begins and ends its head in msg.
inline_ void write_trace(struct sk_msg_md *msg, struct feed *f)
{
	u32 slot = f->slot & (SLOTS - 1), seq = f->seq;
	struct queued *q = f->queued ? queued_of(f->w.sk, seq) : 0;
	struct request *r = q ? &q->r : slot ? &f->h->slot[1] : &f->h->slot[0];
	bool ok = false;

	if (!(f->g->flags & T_PROPAGATE) || f->has_trace == 2)
		return;
	if (may_write(f) && (q || !f->queued))
		ok = f->has_trace ? overwrite_span(msg, r, f->trace_pos) : insert_header(msg, r, f->line1_pos);
	if (ok)
		r->bits |= BIT_INJECTED;
	else
		lose(f->g->pid, DROP_HEADER_NOT_WRITTEN);
}

// view makes at most n bytes of msg the source of f, as many as lie in one piece.
inline_ void view(struct sk_msg_md *msg, struct feed *f, u32 n)
{
	struct source *s = &f->src;
	u64 data = (u64)(long)msg->data, end = (u64)(long)msg->data_end;

	s->ptr = data;
	s->left = end - data < n ? end - data : n;
	s->total = s->left;
	s->kernel = 1;
	s->done = 0;
}

// surely_sent returns how many of the n bytes of a message the socket takes for
// sure, with a header more. What it takes in part comes again: that must not be
// looked at twice, and where the part ends before an inserted header, the kernel
// miscounts (tcp_bpf_send_verdict in net/ipv4/tcp_bpf.c). An empty queue takes one
// element of memory whatever its bound is, which insert_header makes of a short message.
inline_ u32 surely_sent(struct tcp_sock *tp, u32 n)
{
	struct sock *sk = (void *)tp;
	s64 room = (s64)sk->sk_sndbuf - sk->sk_wmem_queued - SKB_ROOM - HEADER_LEN;

	if (!sk->sk_wmem_queued && n + HEADER_LEN <= MERGE_MAX && n + HEADER_LEN <= tp->mss_cache)
		return n;
	return room > 0 ? room : 0;
}

// at_begin tells whether a request may begin, or go on, with the next n bytes.
inline_ bool at_begin(struct conn *c, struct http1 *h, u32 n)
{
	if (!h)
		return c->begun == BEGUN_SEEN || c->last != WAY_SENT;
	switch (h->q.state) {
	case D_LEN:
		return h->q.left < n;
	case D_TAIL:
		return false;
	}
	return true;
}

// look feeds the message to the request machine. Only its first head where the
// socket may not take the rest, or the rest lies elsewhere in memory; nothing
// where that head does not end there.
inline_ void look(struct sk_msg_md *msg, struct feed *f, u32 sure)
{
	u32 state = f->h->q.state, all = msg->size < sure ? msg->size : sure;
	bool body = state == D_LEN || state == D_CHUNK;

	f->win = &f->h->win;
	if (!body && (u64)(long)msg->data_end - (u64)(long)msg->data < all)
		bpf_msg_pull_data(msg, 0, all < PULL_MAX ? all : PULL_MAX, 0);
	view(msg, f, all);
	f->one = f->src.total < msg->size;
	if (f->one && body)
		return; // its bytes can be counted once they are sent
	feed_requests(f);
	if (f->pushed || f->stuck || state == D_HEAD || !f->one)
		return;
	f->h->q.state = state;
	f->src.done = 0;
}

// looked takes note of how much of the message was looked at.
inline_ void looked(struct sk_msg_md *msg, struct feed *f, u32 size)
{
	struct conn *c = f->c;

	if (f->stuck) {
		f->src.done = size;
		if (!f->h->seen && c->begun == BEGUN_SEEN)
			c->ignored = 1; // the tracepoint has it taken out of the map
	}
	c->ahead += f->src.done;
	c->stop = f->src.done < size;
	if (f->pushed)
		write_trace(msg, f);
}

// begin_client begins the books of a connection whose first message is a request.
inline_ bool begin_client(struct sk_msg_md *msg, struct feed *f)
{
	struct conn *c = f->c;

	view(msg, f, msg->size);
	if (!first_bytes(f)) // the tracepoint finds out what it is, and has it taken out of the map
		return false;
	f->h = bpf_sk_storage_get(&http1s, msg->sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!f->h)
		return false;
	c->role = ROLE_CLIENT;
	c->tgid = f->w.tgid;
	return true;
}

inline_ bool leased(u64 now)
{
	struct control *ctl = controlled();

	return ctl && now <= ctl->lease_ns; // else nobody would report the span that the header names
}

// message looks at a message on a connection that may carry requests of ours.
inline_ void message(struct sk_msg_md *msg, struct feed *f, struct tcp_sock *tp)
{
	struct conn *c = f->c;
	u32 size = msg->size;

	if (c->ignored || c->protocol || c->role == ROLE_SERVER || c->stop)
		return;
	c->stop = 1;
	f->w.now = bpf_ktime_get_ns();
	if (!c->ahead)
		c->sending_ns = f->w.now;
	if (!leased(f->w.now))
		return;
	f->w.sk = (u64)(long)msg->sk;
	f->w.tgid = bpf_get_current_pid_tgid() >> 32;
	f->w.tid = (u32)bpf_get_current_pid_tgid();
	f->w.seq = read_so_far(tp);
	f->src.now = f->w.now;
	begun(c, tp, true, 0);
	f->h = bpf_sk_storage_get(&http1s, msg->sk, 0, 0);
	if (!at_begin(c, f->h, size) || (!f->h && !begin_client(msg, f)))
		return;
	f->h->tail_before = kept_ever(f->h);
	f->writes = 1;
	look(msg, f, surely_sent(tp, size));
	looked(msg, f, size);
}

SEC("sk_msg")
int odi_message(struct sk_msg_md *msg)
{
	struct tcp_sock *tp;
	struct feed f = {};
	u32 size = msg->size;

	f.g = current_target();
	if (!f.g || !msg->sk || !size)
		return SK_PASS;
	f.c = bpf_sk_storage_get(&conns, msg->sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	tp = bpf_skc_to_tcp_sock(msg->sk);
	if (!f.c || !tp)
		return SK_PASS;
	f.c->mapped = 1;
	if (!(f.c->ahead | f.c->stop) && f.c->out != OUT_ASKED)
		f.c->out = OUT_NOT; // it was put back
	message(msg, &f, tp);
	leaves_with(&f, tp);
	if (f.c->carries == CARRIES)
		bpf_tail_call(msg, &message_rooms, f.c->protocol);
	return SK_PASS;
}

// connected puts a new connection of a target into the socket maps.
inline_ void connected(struct bpf_sock_ops *ops, struct conn *c)
{
	struct control *ctl = controlled();
	u64 key;

	if (!propagates(c->tgid) || !ctl || ctl->aside)
		return; // let go of since it began to connect: nobody would take it out again
	key = bpf_get_socket_cookie(ops);
	if (bpf_sock_hash_update(ops, &sockets, &key, BPF_ANY) ||
	    (c->want == 2 && bpf_sock_hash_update(ops, &verdict_sockets, &key, BPF_ANY)))
		count(DROP_TABLE_FULL);
	if (c->want == 1)
		bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG | BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
}

// half_closed takes a connection out that sends nothing more, see blocking.h.
inline_ void half_closed(struct bpf_sock_ops *ops)
{
	u64 key = bpf_get_socket_cookie(ops);

	bpf_map_delete_elem(&sockets, &key);
}

// is_ours tells apart what the program is called for, and what happens to come too.
inline_ bool is_ours(struct bpf_sock_ops *ops)
{
	switch (ops->op) {
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		return ops->args[0] == BPF_WRITE_HDR_TCP_CURRENT_MSS;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_STATE_CB:
		return true;
	}
	return false;
}

SEC("sockops")
int odi_connected(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct conn *c;

	if (!is_ours(ops) || !sk)
		return 1;
	c = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (!c || !c->want)
		return 1;
	if (ops->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB)
		leaving(ops, c);
	else if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		connected(ops, c);
	else if (ops->args[1] == BPF_TCP_FIN_WAIT1)
		half_closed(ops);
	return 1;
}
