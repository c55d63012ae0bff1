// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What names a request in the metrics: its first line without the query, and for a client
// the server that it names.
#pragma once

#include "../exchange/tally.h"
#include "rules.h"

#define HOST_FOUND 0
#define HOST_WORDS 128 // of a head, which is looked through for the host

// walk_head is where a head is looked through.
struct walk_head {
	struct http1 *h;
	u32 at;
	u32 end; // HOST_FOUND: at is where its name begins
};

// BELOW(w, c) has the highest bit of the first byte of w that is less than c, and no bit below it.
#define BELOW(w, c) (((w) - BYTES(c)) & ~(w) & BYTES(0x80))

// copy_text copies a part of a head with the byte that ends it: one that no line has, or where
// there is a query, its question mark. False: it does not end in so many words. Without branches:
// the verifier would follow each.
inline_ bool copy_text(u64 *to, u32 words, const u8 *from, bool query)
{
	u64 open = ~0ULL;

	UNROLLED
	for (u32 k = 0; k < words; k++) {
		u64 w = *(u64 *)(from + k * 8);
		u64 m = BELOW(w, ' ') | (query ? HAS(w, '?') : 0);

		to[k] = w & (((m & -m) << 1) - 1) & open;
		open &= ((m | -m) >> 63) - 1;
		barrier_var(open); // one after the other: all at once they need stack
	}
	return !open;
}

// host_line goes on to the next line of a head; it ends behind the name of the header.
static long host_line(u32 i, struct walk_head *s)
{
	u64 w = kept_word(s->h, s->at), m = HAS(w, '\n');

	if (s->at >= s->end)
		return 1;
	if (!m) {
		s->at += 8;
		return 0;
	}
	s->at += (((m - 1) & BYTES(1)) * BYTES(1)) >> 56;
	w = kept_word(s->h, s->at) | WORD8(0x20, 0x20, 0x20, 0x20, 0, 0, 0, 0);
	if ((w & 0xffffffffffULL) != WORD8('h', 'o', 's', 't', ':', 0, 0, 0))
		return 0;
	s->at += 5;
	s->end = HOST_FOUND;
	return 1;
}

// name_line puts the first line into the key of the processor. False: it does not fit, or an
// interrupt has come while another key was made. Whoever gets true lets go of it: each is called
// by itself, as there is no more stack for one below the other.
noinline_ int name_line(struct http1 *h, struct request *r)
{
	struct naming *n = room_in(namings);
	u32 off;

	if (!h || !r || !n || r->seq || r->bits & (BIT_TRUNCATED | BIT_CONNECT) || __sync_lock_test_and_set(&n->busy, 1))
		return 0;
	off = r->head_off;
	barrier_var(off);
	__builtin_memset(n->key.host, 0, sizeof(n->key.host));
	if (off <= KEEP_ALL + BLOCK - TALLY_NAME * 8 && copy_text(n->key.name, TALLY_NAME, h->kept + off, true))
		return 1;
	n->busy = 0;
	return 0;
}

// name_host adds whom a client has named. False: it has not, or at too great length; the key is
// let go of.
noinline_ int name_host(struct http1 *h, struct request *r)
{
	struct naming *n = room_in(namings);
	struct walk_head s = {.h = h};
	u32 at;

	if (!h || !r || !n)
		return 0;
	s.at = r->head_off;
	s.end = s.at + r->head_len;
	bpf_loop(HOST_WORDS, host_line, &s, 0);
	at = s.end == HOST_FOUND ? s.at : KEEP_ALL + BLOCK;
	barrier_var(at);
	if (at <= KEEP_ALL + BLOCK - TALLY_HOST * 8 && copy_text(n->key.host, TALLY_HOST, h->kept + at, false))
		return 1;
	n->busy = 0;
	return 0;
}
