// SPDX-License-Identifier: (MIT OR GPL-2.0)
// A finished request on its way to user space.
#pragma once

#include "proxied.h"
#include "queue.h"

// Set by user space: a quarter of the ring.
const volatile u32 fill_mark = 1 << 20;

// write_event writes the event to the ring. It is sent later: until its cache
// lines have come, there is other work to do.
inline_ bool write_event(struct http1 *h, struct request *r, u64 sk, struct bpf_dynptr *to)
{
	u32 off = r->head_off, n = r->head_len;
	struct preface *pre = h->proxied ? &h->preface : 0;
	struct queued *q = r->seq ? queued_of(sk, r->seq - 1) : 0;

	barrier_var(n);
	barrier_var(off);
	if (n > KEEP_ONE)
		n = KEEP_ONE;
	if (off + n > KEEP_ALL || (r->seq && !q))
		n = 0;
	r->head_len = n;
	if (pre)
		r->bits |= BIT_PROXIED;
	if (bpf_ringbuf_reserve_dynptr(&events, sizeof(*r) + n + (pre ? sizeof(*pre) : 0), 0, to))
		return false;
	bpf_dynptr_write(to, 0, r, sizeof(*r), 0);
	barrier_var(off); // keep the check on the register that is used
	if (n && q)
		bpf_dynptr_write(to, sizeof(*r), q->head, n, 0);
	else if (n && off <= KEEP_ALL - KEEP_PIPELINED) // what the verifier takes for too far lies in win
		bpf_dynptr_write(to, sizeof(*r), h->kept + off, n, 0);
	if (pre)
		bpf_dynptr_write(to, sizeof(*r) + n, pre, sizeof(*pre), 0);
	return true;
}

// wakeup: the reader is woken only when it has nothing to do, or when the ring
// fills up while it pauses.
inline_ u64 wakeup(void)
{
	u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	return !waiting || waiting > fill_mark ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

inline_ void send_event(struct request *r, struct bpf_dynptr *event, bool written, u64 flags)
{
	if (!written) {
		bpf_ringbuf_discard_dynptr(event, 0);
		lose(r->pid, DROP_RING_FULL);
		return;
	}
	count(COUNT_EXCHANGES);
	if (r->bits & BIT_TRUNCATED)
		lose(r->pid, DROP_TRUNCATED);
	bpf_ringbuf_submit_dynptr(event, flags);
}
