// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Both ends of a connection.
#pragma once

#include "../include/maps.h"

// remember_tuple keeps both ends of a connection: they are 0 once it is closed,
// and reading them costs more than copying.
inline_ void remember_tuple(struct tuple *t, u64 sk)
{
	struct sock_common *c = (void *)sk;

	t->family = BPF_CORE_READ(c, skc_family);
	if (t->family == AF_UNIX)
		return;
	t->lport = BPF_CORE_READ(c, skc_num);
	t->pport = __builtin_bswap16(BPF_CORE_READ(c, skc_dport));
	if (t->family == AF_INET) {
		*(u32 *)t->local = BPF_CORE_READ(c, skc_rcv_saddr);
		*(u32 *)t->peer = BPF_CORE_READ(c, skc_daddr);
		return;
	}
	bpf_probe_read_kernel(t->local, 16, &c->skc_v6_rcv_saddr);
	bpf_probe_read_kernel(t->peer, 16, &c->skc_v6_daddr);
}

// ends_of does so for a connection, of whose socket nothing may be known.
inline_ void ends_of(struct tuple *t, u64 at)
{
#ifndef SESSIONS
	remember_tuple(t, at);
#else
	struct session *s = books_in(conns, at);

	if (s && s->sk != SEVERAL_SOCKETS)
		*t = s->ends;
#endif
}
