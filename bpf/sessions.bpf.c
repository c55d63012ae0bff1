//go:build ignore
// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests of the watched processes over TLS, seen where their libraries take and give
// plaintext.
//
// Hooks: probes in user space, on functions of libraries of watched processes only; and
//        what ends a socket, by the programs of engine.bpf.c.
// State: as for sockets, but kept by the number of the session (include/storage.h).
// Loaded when the first target has such a function, with the maps of engine.bpf.c.
#define SESSIONS

#include "plaintext.h"
#include "tls/openssl.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("uprobe.multi")
int odi_ssl_enter(struct raw_regs *ctx)
{
	ssl_enter(ctx, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("uprobe.multi")
int odi_ssl_return(struct raw_regs *ctx)
{
	u32 function = bpf_get_attach_cookie(ctx), room;
	struct call *call = call_of_thread();
	struct session *s;
	struct target *g;
	bool sent;

	if (!call)
		return 0;
	s = ssl_return(ctx, call, function);
	if (!s)
		return 0;
	g = current_target();
	if (!g)
		return 0;
	sent = sends(function);
	room = plaintext(s, call, g, sent);
	if (sent)
		s->tried_ns = 0;
	if (room && sent)
		bpf_tail_call(ctx, &sent_rooms, room);
	else if (room)
		bpf_tail_call(ctx, &received_rooms, room);
	return 0;
}

SEC("uprobe.multi")
int odi_ssl_free(struct raw_regs *ctx)
{
	end_session(session_number(bpf_get_current_pid_tgid() >> 32, ctx->r[CTX_ARG0]), FAULT_CLOSED);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(odi_session_close, struct sock *sk, int before, int after)
{
	end_session_of(sk);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(odi_session_destroyed, struct sock *sk)
{
	end_session_of(sk);
	return 0;
}
