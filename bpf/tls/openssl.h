// SPDX-License-Identifier: (MIT OR GPL-2.0)
// OpenSSL's functions that take plaintext and give it. What they have moved is sure when
// they return: one that could not write all is called again with the same buffer.
//
// The socket of a session is the one that moves bytes between entry and return. A session
// over memory has none: its program moves the ciphertext by itself, at any time.
#pragma once

#include "../include/session.h"

// The cookies of probes: bpf/openssl has the same.
enum ssl_function { SSL_READ = 1, SSL_READ_EX, SSL_WRITE, SSL_WRITE_EX, SSL_HANDSHAKE, SSL_FREE, SSL_WRITE_EX2 };

inline_ bool sends(u32 function)
{
	return function == SSL_WRITE || function == SSL_WRITE_EX || function == SSL_WRITE_EX2;
}

// moved_at is where a function leaves how much it has moved, 0: it returns that.
inline_ u64 moved_at(struct raw_regs *ctx, u32 function)
{
	u64 fourth = ctx->r[CTX_ARG3], fifth = ctx->r[CTX_ARG4];

	barrier_var(fourth); // the verifier wants each register to be read by itself
	barrier_var(fifth);
	switch (function) {
	case SSL_READ_EX:
	case SSL_WRITE_EX:
		return fourth;
	case SSL_WRITE_EX2:
		return fifth;
	}
	return 0;
}

// set_aside keeps the call that the thread is in, while one within it counts.
inline_ void set_aside(struct call *call)
{
	call->outer.buf = call->buf;
	call->outer.moved_at = call->moved_at;
	call->outer.sp = call->sp;
	call->outer.entered_ns = call->entered_ns;
	call->outer.function = call->function;
}

// resume goes on with the call that was set aside, now that the one within it has returned.
inline_ void resume(struct call *call)
{
	if (!call->outer.function || call->under_way)
		return;
	call->under_way = call->session;
	call->buf = call->outer.buf;
	call->moved_at = call->outer.moved_at;
	call->sp = call->outer.sp;
	call->entered_ns = call->outer.entered_ns;
	call->function = call->outer.function;
	call->outer.function = 0;
}

// answers_back tells whether a call within another one is of the same session, which writes from where it
// was told that its handshake is over: the call that it is within reads, or shakes hands. One that writes
// within one that does is the same call, by another name.
inline_ bool answers_back(const struct call *call, u64 session, u32 function)
{
	return call->under_way == session && sends(function) && !sends(call->function);
}

// ssl_enter notes that the thread calls a function of a session. In a call that it is in
// already, it is mostly a session below another one, which carries it: the one above counts.
inline_ void ssl_enter(struct raw_regs *ctx, u32 function)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 sp = current_regs()->sp;
	struct session *s;
	struct call *call;
	u64 session;

	if (!target_of(task->tgid))
		return;
	call = bpf_task_storage_get(&calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		count(DROP_TABLE_FULL);
		return;
	}
	session = session_number(task->tgid, ctx->r[CTX_ARG0]);
	if (call->under_way && sp < call->sp && is_within(call, sp)) {
		if (!answers_back(call, session, function))
			return;
		set_aside(call);
	} else {
		call->outer.function = 0;
		call->sk = 0;
		call->fault = 0;
	}
	call->under_way = session;
	call->session = session;
	call->buf = ctx->r[CTX_ARG1];
	call->moved_at = moved_at(ctx, function);
	call->sp = sp;
	call->entered_ns = bpf_ktime_get_ns();
	call->function = function;
	s = books_in(conns, call->under_way);
	call->known_sk = s ? s->sk : 0;
	call->waits = s ? s->waits : 0;
	if (s && sends(function) && !s->tried_ns)
		s->tried_ns = call->entered_ns;
}

// returned tells how many bytes a call has moved.
inline_ u32 returned(struct raw_regs *ctx, const struct call *call, u32 function)
{
	int ret = ctx->r[CTX_RET];
	u64 much = 0;

	if (function == SSL_HANDSHAKE || ret <= 0)
		return 0;
	if (!call->moved_at)
		return ret;
	if (bpf_probe_read_user(&much, sizeof(much), (void *)call->moved_at) || much > 0x7fffffff)
		return 0;
	return much;
}

// shaken_hands notes a handshake: what begins with one that was seen is seen from its
// beginning. Bytes have moved in it, so it was not over before; or it could not end at once.
inline_ void shaken_hands(struct session *s, const struct call *call, int ret)
{
	if (ret != 1)
		s->shaking = 1;
	else if ((call->sk || s->shaking) && !s->c.begun)
		s->c.begun = BEGUN_SEEN;
}

// associate notes the socket that a call has moved bytes of.
inline_ void associate(struct session *s, struct call *call, u64 session)
{
	u64 sk = call->sk;

	s->waits = call->waits;
	if (!sk || sk == s->sk || s->sk == SEVERAL_SOCKETS)
		return;
	if (s->sk || sk == SEVERAL_SOCKETS) {
		s->sk = SEVERAL_SOCKETS;
		return;
	}
	s->ends = call->ends;
	s->c.fresh = call->fresh;
	s->c.owner.span = call->opened_for;
	s->sk = sk;
	bpf_map_update_elem(&socket_sessions, &sk, &session, BPF_ANY);
}

// ssl_return ends a call. 0: it has moved no plaintext.
inline_ struct session *ssl_return(struct raw_regs *ctx, struct call *call, u32 function)
{
	u64 session = call->under_way;
	struct session *s;
	u32 n;

	if (!session || call->function != function || current_regs()->sp - call->sp > sizeof(u64))
		return 0;
	call->under_way = 0;
	n = returned(ctx, call, function);
	if (!n && function != SSL_HANDSHAKE && !call->sk && !call->fault)
		return 0;
	s = begin_session(session, bpf_get_current_pid_tgid() >> 32);
	if (!s)
		return 0;
	associate(s, call, session);
	if (call->fault)
		s->fault = call->fault;
	if (function == SSL_HANDSHAKE)
		shaken_hands(s, call, ctx->r[CTX_RET]);
	if (!n)
		return 0;
	if (sends(function) && !s->tried_ns)
		s->tried_ns = call->entered_ns;
	call->session = session;
	call->ptr = call->buf;
	call->n = n;
	call->now = bpf_ktime_get_ns();
	return s;
}
