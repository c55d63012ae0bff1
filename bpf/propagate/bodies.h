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

// body_goes_on runs behind each call that has sent something. Where odi_message has looked
// at it the connection is in the map.
static noinline_ int body_goes_on(struct target *g, struct conn *c, struct sock *sk, struct http1 *h)
{
	struct pt_regs *regs;
	u32 looked = c->ahead | c->stop;
	u64 left;
	bool in;

	if (!h || h->q.state != D_LEN || !c->mapped)
		return 0;
	left = h->q.left;
	if (!looked && c->out == OUT_ASKED)
		c->out = OUT_BODY;
	if (c->out == OUT_NOT ? left < BODY_LONG || !looked : c->out != OUT_BODY || left > BODY_ENDS)
		return 0;
	regs = current_regs();
	if (c->asked || !may_leave(g, c) || !names_socket(reg_nr(regs)) || is_blocking(sk))
		return 0;
	in = c->out == OUT_NOT;
	if (tell_of_socket(in ? NOTICE_TAKE_OUT : NOTICE_PUT_BACK, g, sk, reg_arg1(regs), true))
		c->out = in ? OUT_ASKED : OUT_BACK;
	return 0;
}
