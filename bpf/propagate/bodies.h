// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Lets connections out of the socket map while a long body goes over them. In the map each
// call that sends copies into pieces that leave one by one (tcp_bpf_push in
// net/ipv4/tcp_bpf.c), and runs odi_message, though nothing is to be written until the
// body ends.
//
// User space takes the connection out and puts it back, both while the body goes on: so
// much is left then that it is back before the next request. Those that block have
// another way, see blocking.h.
#pragma once

#include "blocking.h"

#define BODY_LONG (64ULL << 20) // bytes still to come for which leaving is worth it
#define BODY_ENDS (32ULL << 20) // ... with which it is to come back: 10 ms of the fastest sender

// names_socket tells whether a call that sends names the socket by its first argument.
inline_ bool names_socket(u64 nr)
{
	return nr == NR_write || nr == NR_writev || nr == NR_sendto || nr == NR_sendmsg || nr == NR_sendfile;
}

// body_goes_on runs behind each call that has sent a part of a body of known length, of
// which left bytes were to come before it. looked: odi_message has seen this call, so the
// connection is in the map.
static noinline_ int body_goes_on(struct target *g, struct conn *c, struct sock *sk, u64 left, u32 looked)
{
	struct pt_regs *regs = current_regs();

	if (!g || !c || !sk || !c->mapped)
		return 0;
	if (!looked && c->out == OUT_ASKED)
		c->out = OUT_BODY;
	if (c->out == OUT_NOT ? left < BODY_LONG || !looked : c->out != OUT_BODY || left > BODY_ENDS)
		return 0;
	if (c->asked || !may_leave(g, c) || !names_socket(reg_nr(regs)) || is_blocking(sk))
		return 0;
	if (c->out == OUT_NOT && tell_of_socket(NOTICE_TAKE_OUT, g, sk, 0, 0))
		c->out = OUT_ASKED;
	else if (c->out == OUT_BODY && tell_of_socket(NOTICE_PUT_BACK, g, sk, reg_arg1(regs), 1))
		c->out = OUT_BACK;
	return 0;
}
