// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Keeps ioctl(FIONREAD) true for sockets in socket maps, and lets them go again
// without losing a byte.
//
// Some kernels answer FIONREAD for a socket in a map with what waits behind a
// verdict program, and so with 0 where there is none. Connections of programs
// that are known to ask it, or are seen to, are in a second map as well, which
// has one. Bytes in that queue are lost when a socket has left both maps.
//
// Hooks: fentry of the ioctl of IPv4 and IPv6 sockets sees who asks, whatever
//        library the program has; it runs for no other file. Kernels that refuse
//        it (lockdown, arm64 before 6.4) get a uprobe per target.
#pragma once

#include "../include/maps.h"

SEC("sk_skb/stream_verdict")
int odi_arrived(struct __sk_buff *skb)
{
	return SK_PASS;
}

// need_guard has user space start the guard: a connection goes behind the verdict
// program of somebody who has not asked.
inline_ void need_guard(void)
{
	struct notice *n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);

	if (!n) {
		count(DROP_NOTICE_FULL);
		return;
	}
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = NOTICE_GUARD;
	bpf_ringbuf_submit(n, 0);
}

// first_poll tells user space of a target's first FIONREAD.
inline_ void first_poll(struct target *g)
{
	struct notice *n = bpf_ringbuf_reserve(&notices, sizeof(*n), 0);

	if (!n) {
		count(DROP_NOTICE_FULL);
		return;
	}
	g->flags |= T_POLLS;
	__builtin_memset(n, 0, sizeof(*n));
	n->kind = NOTICE_POLLS;
	n->pid = g->pid;
	bpf_ringbuf_submit(n, 0);
}

// asks handles an ioctl on a socket, before it is answered. Only outgoing
// connections are in a socket map.
inline_ int asks(struct sock *sk, u32 cmd)
{
	struct target *g = cmd == FIONREAD ? current_target() : 0;
	struct conn *c;

	if (!g || (g->flags & (T_POLLS | T_PROPAGATE)) != T_PROPAGATE)
		return 0;
	c = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (c && c->role != ROLE_SERVER)
		first_poll(g);
	return 0;
}

// int inet_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
SEC("fentry/inet_ioctl")
int BPF_PROG(odi_asks_v4, struct socket *sock, u32 cmd)
{
	return asks(sock->sk, cmd);
}

// int inet6_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
SEC("fentry/inet6_ioctl")
int BPF_PROG(odi_asks_v6, struct socket *sock, u32 cmd)
{
	return asks(sock->sk, cmd);
}

// ioctl(int fd, unsigned long request, ...) of the C library, where the kernel
// refuses the two above. On each target of its own, until the first FIONREAD.
SEC("uprobe.multi")
int odi_ioctl(struct raw_regs *ctx)
{
	struct target *g = ctx->r[CTX_ARG1] == FIONREAD ? current_target() : 0;

	if (g && !(g->flags & T_POLLS))
		first_poll(g);
	return 0;
}

// queued tells whether bytes wait behind the verdict program.
inline_ bool queued(struct sock *sk)
{
	struct sk_psock *p = (void *)((u64)BPF_CORE_READ(sk, sk_user_data) & ~7ULL); // the low bits are flags
	struct list_head *first;

	if (!p)
		return false;
	first = BPF_CORE_READ(p, ingress_msg.next);
	return first != __builtin_preserve_access_index(&p->ingress_msg) || BPF_CORE_READ(p, ingress_skb.qlen);
}

// What odi_release writes for a socket that stays: its queue must be read first,
// or it has just left the verdict program, of which a run may still go on.
enum { STAYS_QUEUED = 1, STAYS_LEAVING };

// odi_release takes sockets out of the socket maps, and writes a byte for each
// that stays. They leave the verdict program first: once its last run has ended
// nothing more is queued, and what is can be read, because the socket is in the
// other map.
SEC("iter/sockmap")
int odi_release(struct bpf_iter__sockmap *ctx)
{
	struct control *ctl = controlled();
	struct sock *sk = ctx->sk;
	u8 why = STAYS_QUEUED;
	struct conn *c;
	u32 tgid;
	u64 key;

	if (!sk || !ctl || !ctx->key)
		return 0;
	if (ctl->former) {
		c = bpf_sk_storage_get(&conns, sk, 0, 0);
		tgid = c ? c->tgid : 0;
		if (!c || propagates(tgid))
			return 0;
	}
	key = bpf_get_socket_cookie(sk);
	if (!queued(sk)) {
		if (bpf_map_delete_elem(&verdict_sockets, &key)) { // it was not in there
			bpf_map_delete_elem(&sockets, &key);
			return 0;
		}
		why = STAYS_LEAVING;
	}
	bpf_seq_write(ctx->meta->seq, &why, sizeof(why));
	return 0;
}
