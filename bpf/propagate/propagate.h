// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Writes traceparent into outgoing HTTP/1.1 requests.
//
// Hooks: sock_ops puts new outgoing connections of targets into a socket map;
//        sk_msg sees what is sent on them, in the sender's context, before it leaves.
// Rule:  a request gets at most one header and never a second one; a message that
//        cannot be handled as a whole leaves as it came.
// Needs: cgroup v2; user space adds the connections that were open before.
#pragma once

#include "../http1/feed.h"

#define HEADER_LEN 70 // "traceparent: 00-<32>-<16>-<2>\r\n"
#define HEADER_POS_MAX 16384
#define PULL_MAX 8192 // one element up to here; bigger messages are split anyway

inline_ void write_hex16(u8 *to, u64 v)
{
	*(u64 *)to = to_hex8((u32)v);
	*(u64 *)(to + 8) = to_hex8((u32)(v >> 32));
}

// insert_header puts the header behind the request line.
inline_ bool insert_header(struct sk_msg_md *msg, struct request *r, u32 pos)
{
	u8 h[72] = "traceparent: 00-00000000000000000000000000000000-0000000000000000-00\r\n";
	u8 *data, *end;
	u64 flags = to_hex8(r->tflags);

	barrier_var(pos);
	if (!pos || pos > HEADER_POS_MAX)
		return false;
	write_hex16(h + 16, r->trace[0]);
	write_hex16(h + 32, r->trace[1]);
	write_hex16(h + 49, r->span);
	h[66] = (u8)flags;
	h[67] = (u8)(flags >> 8);
	if (bpf_msg_push_data(msg, pos, HEADER_LEN, 0))
		return false;
	// Three elements would leave as three segments.
	bpf_msg_pull_data(msg, 0, msg->size <= PULL_MAX ? msg->size : pos + HEADER_LEN, 0);
	data = (void *)(long)msg->data;
	end = (void *)(long)msg->data_end;
	if (data + pos + HEADER_LEN > end) {
		bpf_msg_pop_data(msg, pos, HEADER_LEN, 0);
		return false;
	}
	__builtin_memcpy(data + pos, h, HEADER_LEN);
	return true;
}

// overwrite_span makes a forwarded traceparent name this hop.
inline_ bool overwrite_span(struct sk_msg_md *msg, struct request *r, u32 pos)
{
	u8 *data = (void *)(long)msg->data, *end = (void *)(long)msg->data_end;

	pos += 36;
	barrier_var(pos);
	if (pos > HEADER_POS_MAX || data + pos + 16 > end)
		return false;
	write_hex16(data + pos, r->span);
	return true;
}

// write_trace handles the first request that begins and ends its head in msg.
inline_ void write_trace(struct sk_msg_md *msg, struct feed *f)
{
	struct request *r = &f->h->slot[f->inject_slot & (SLOTS - 1)];
	bool ok = false;

	if (!(f->g->flags & T_PROPAGATE) || f->has_trace == 2)
		return;
	if (f->whole)
		ok = f->has_trace ? overwrite_span(msg, r, f->trace_pos) : insert_header(msg, r, f->line1_pos);
	if (ok)
		r->bits |= BIT_INJECTED;
	else
		count(DROP_HEADER_NOT_WRITTEN);
}

// view makes the bytes of msg the source of f.
inline_ void view(struct sk_msg_md *msg, struct feed *f)
{
	struct source *s = &f->src;
	u64 data = (u64)(long)msg->data, end = (u64)(long)msg->data_end;

	s->ptr = data;
	s->left = end - data;
	s->total = msg->size;
	s->kernel = 1;
	s->done = 0;
}

SEC("sk_msg")
int odi_message(struct sk_msg_md *msg)
{
	struct feed f = {};
	struct control *ctl;
	struct conn *c;

	f.g = current_target();
	if (!f.g || !msg->sk || !msg->size)
		return SK_PASS;
	c = bpf_sk_storage_get(&conns, msg->sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!c)
		return SK_PASS;
	c->msg = 1;
	c->mapped = 1;
	if (c->ignored || c->role == ROLE_SERVER)
		return SK_PASS;
	ctl = controlled();
	f.w.now = bpf_ktime_get_ns();
	if (!ctl || f.w.now > ctl->lease_ns)
		return SK_PASS; // nobody would report the span that the header names
	f.c = c;
	f.w.sk = (u64)(long)msg->sk;
	f.w.tgid = bpf_get_current_pid_tgid() >> 32;
	f.w.tid = (u32)bpf_get_current_pid_tgid();
	f.src.now = f.w.now;
	f.h = bpf_sk_storage_get(&http1s, msg->sk, 0, 0);
	if (f.h && f.h->q.state == D_LEN && f.h->q.left >= msg->size) {
		f.src.opaque = 1;
		f.src.left = f.src.total = msg->size;
		feed_requests(&f);
		return SK_PASS;
	}
	if ((u64)(long)msg->data_end - (u64)(long)msg->data < msg->size)
		bpf_msg_pull_data(msg, 0, msg->size, 0);
	view(msg, &f);
	if (!f.src.left)
		return SK_PASS;
	if (!f.h) {
		if (!first_bytes(&f)) {
			c->ignored = 1; // the tracepoint has it taken out of the map
			return SK_PASS;
		}
		f.h = bpf_sk_storage_get(&http1s, msg->sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!f.h)
			return SK_PASS;
		c->role = ROLE_CLIENT;
		c->tgid = f.w.tgid;
	}
	f.win = &f.h->win;
	if (!feed_requests(&f) || (!f.h->seen && f.h->q.state == D_LOST))
		c->ignored = 1;
	else if (f.pushed)
		write_trace(msg, &f);
	return SK_PASS;
}

SEC("sockops")
int odi_connected(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct conn *c;
	u32 tgid;
	u64 key;

	if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || !sk)
		return 1;
	c = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (!c || !c->want)
		return 1;
	tgid = c->tgid;
	if (!bpf_map_lookup_elem(&targets, &tgid))
		return 1; // let go of since it began to connect: nobody would take it out again
	key = bpf_get_socket_cookie(ops);
	if (bpf_sock_hash_update(ops, &sockets, &key, BPF_ANY) ||
	    (c->want == 2 && bpf_sock_hash_update(ops, &verdict_sockets, &key, BPF_ANY)))
		count(DROP_TABLE_FULL);
	return 1;
}
