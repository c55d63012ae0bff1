// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A finished request on its way to user space.
#pragma once

#include "../include/ring.h"
#include "proxied.h"
#include "queue.h"

// short_event is the event of nearly all requests. One of a fixed size is written
// without asking the kernel for each part; what is behind the head is nobody's.
struct short_event {
	struct request r;
	struct short_head head;
};

// short_room is room for a short event, 0 where the event is no short one, or the ring
// is full. Whoever gets it tests it once: verifiers before 6.4 or so forget the answer.
inline_ struct short_event *short_room(struct http1 *h, struct request *r)
{
	if (r->seq || h->proxied || r->head_len > KEEP_SHORT || r->head_off > KEEP_ALL - KEEP_SHORT)
		return 0;
	if (!has_share(r->pid, sizeof(struct short_event)))
		return 0;
	return bpf_ringbuf_reserve(&events, sizeof(struct short_event), 0);
}

inline_ void write_short(struct short_event *to, struct http1 *h, struct request *r)
{
	u32 off = r->head_off;

	to->r = *r;
	barrier_var(off);
	if (off <= KEEP_ALL - KEEP_SHORT)
		copy_short(&to->head, h->kept + off, r->head_len);
}

// sent_event counts an event that is sent. Sending it wakes the reader only if it has
// read all that came before: while it pauses, it looks again by itself.
inline_ void sent_event(struct request *r)
{
	count(COUNT_EXCHANGES);
	if (r->bits & BIT_TRUNCATED)
		lose(r->pid, DROP_TRUNCATED);
}

// long_share says whether its process may send an event that is no short one. long_event
// does not ask that itself: together they would need more stack than there is.
inline_ bool long_share(struct request *r)
{
	return has_share(r->pid, sizeof(*r) + (r->head_len < KEEP_ONE ? r->head_len : KEEP_ONE));
}

// long_event sends an event that is no short one. False: the ring is full.
noinline_ int long_event(struct http1 *h, struct request *r, u64 sk)
{
	struct preface *pre;
	struct bpf_dynptr to;
	struct queued *q;
	u32 off, n;

	if (!h || !r)
		return false;
	pre = h->proxied ? &h->preface : 0;
	q = r->seq ? queued_of(sk, r->seq - 1) : 0;
	off = r->head_off;
	n = r->head_len;
	barrier_var(n);
	barrier_var(off);
	if (n > KEEP_ONE)
		n = KEEP_ONE;
	if (off + n > KEEP_ALL || (r->seq && !q))
		n = 0;
	r->head_len = n;
	if (pre)
		r->bits |= BIT_PROXIED;
	if (bpf_ringbuf_reserve_dynptr(&events, sizeof(*r) + n + (pre ? sizeof(*pre) : 0), 0, &to)) {
		bpf_ringbuf_discard_dynptr(&to, 0);
		return false;
	}
	bpf_dynptr_write(&to, 0, r, sizeof(*r), 0);
	barrier_var(off); // keep the check on the register that is used
	if (n && q)
		bpf_dynptr_write(&to, sizeof(*r), q->head, n, 0);
	else if (n && off <= KEEP_ALL - KEEP_PIPELINED) // what the verifier takes for too far lies in win
		bpf_dynptr_write(&to, sizeof(*r), h->kept + off, n, 0);
	if (pre)
		bpf_dynptr_write(&to, sizeof(*r) + n, pre, sizeof(*pre), 0);
	bpf_ringbuf_submit_dynptr(&to, 0);
	return true;
}
