// SPDX-License-Identifier: (MIT OR GPL-2.0)
// An answer that turns its connection to HTTP/2 (RFC 7540, 3.2): HTTP/1.1 101 with the line
// "Upgrade: h2c". What was asked for is answered in HTTP/2, as its first stream.
#pragma once

#include "exchange.h"

#ifndef SESSIONS // within TLS nobody does so

// Its first entry is 1 where user space has loaded the programs that go on.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} may_turn SEC(".maps");

struct token_search {
	struct window *win;
	u32 found;
	u32 _pad;
};

// is_token tells whether the value h2c stands here, and the line ends with it.
static long is_token(u32 i, struct token_search *s)
{
	if (i + 5 > s->win->head_end)
		return 1;
	s->found = (win_word(s->win, i) & 0xffffffffffULL) == WORD8(' ', 'h', '2', 'c', '\r', 0, 0, 0);
	return s->found;
}

// turns_to_http2 tells whether the answer whose head has just ended turns the connection,
// which has one request then, and notes how many bytes of the call come before what is
// HTTP/2.
noinline_ int turns_to_http2(struct http1 *h, struct conn *c, struct window *win, u32 done)
{
	struct token_search s = {.win = win};
	u32 zero = 0, *may = bpf_map_lookup_elem(&may_turn, &zero);

	if (!h || !c || !win || !may || !*may)
		return 0;
	if (!c->tcp || h->proxied || h->q.state != D_IDLE || pending(h) != 1 || done > 0xffff)
		return 0;
	if (h->head == h->tail || h->slot[h->head & (SLOTS - 1)].seq)
		return 0;
	bpf_loop(CARRY_MAX + READ_MAX, is_token, &s, 0);
	if (s.found)
		c->turned = done;
	return s.found;
}

inline_ bool turns(struct http1 *h, struct conn *c, struct window *win, u32 done)
{
	return c->ignored && h->a.status == 101 && turns_to_http2(h, c, win, done);
}

#else

inline_ bool turns(struct http1 *h, struct conn *c, struct window *win, u32 done)
{
	return false;
}

#endif
