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

#include "golang/tls.h"
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
	resume(call);
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

// func (c *Conn) clientHandshake(ctx context.Context) error, and serverHandshake: mostly once for each
// connection. What is known of another one at its address is out of date; of this one, it has written
// before, which began the handshake, or handshakes again.
SEC("uprobe.multi")
int odi_gotls_begin(struct raw_regs *ctx)
{
	u64 conn = ctx->r[CTX_GO_ARG0], session;
	struct target *g = current_target();
	struct session *s;

	if (!g)
		return 0;
	session = session_number(bpf_get_current_pid_tgid() >> 32, conn);
	s = books_in(conns, session);
	if (s && s->sk && s->sk == socket_below_tls(g, conn))
		return 0;
	end_session(session, FAULT_CLOSED);
	s = go_session(g, session, conn);
	if (s)
		s->c.begun = BEGUN_SEEN;
	return 0;
}

// go_plaintext handles what the goroutine moves. It returns what plaintext does.
inline_ u32 go_plaintext(u64 conn, u64 ptr, u64 n, bool sent)
{
	struct target *g = current_target();
	struct session *s;
	struct call *call;
	u64 session;

	if (!g)
		return 0;
	session = session_number(bpf_get_current_pid_tgid() >> 32, conn);
	call = go_moved(session, ptr, n);
	s = call ? go_session(g, session, conn) : 0;
	return s ? plaintext(s, call, g, sent) : 0;
}

// func (c *Conn) Write(b []byte) (int, error)
SEC("uprobe.multi")
int odi_gotls_write(struct raw_regs *ctx)
{
	u32 room = go_plaintext(ctx->r[CTX_GO_ARG0], ctx->r[CTX_GO_ARG1], ctx->r[CTX_GO_ARG2], true);

	if (room)
		bpf_tail_call(ctx, &sent_rooms, room);
	return 0;
}

// The call of memmove(to, from, n) in (*Conn).Read, whose receiver is on the stack.
SEC("uprobe.multi")
int odi_gotls_read(struct raw_regs *ctx)
{
	struct target *g = current_target();
	u64 conn = 0;
	u32 room;

	if (!g || !g->tls_slot || bpf_probe_read_user(&conn, sizeof(conn), (void *)(current_regs()->sp + g->tls_slot)))
		return 0;
	room = go_plaintext(conn, ctx->r[CTX_GO_ARG1], ctx->r[CTX_GO_ARG2], false);
	if (room)
		bpf_tail_call(ctx, &received_rooms, room);
	return 0;
}

// func (c *Conn) Close() error
SEC("uprobe.multi")
int odi_gotls_close(struct raw_regs *ctx)
{
	end_session(session_number(bpf_get_current_pid_tgid() >> 32, ctx->r[CTX_GO_ARG0]), FAULT_CLOSED);
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
