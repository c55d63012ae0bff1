// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The bytes of one system call (or one sk_msg), piece by piece. Protocols are
// parsed incrementally, so a head may arrive in any number of pieces.
#pragma once

#include "maps.h"

// More pieces than this in one call (chunks, iovec entries, pipelined requests)
// and the rest of the call is skipped: they take some milliseconds.
#define MAX_PIECES (1 << 17)

struct source {
	u64 ptr;   // current piece
	u64 iov;   // next iovec entry, 0: none
	u32 iovs;  // iovec entries left; this and iov lie as in a struct msghdr
	u32 left;  // bytes left in the piece
	u32 total; // bytes left altogether
	u32 done;  // bytes consumed
	u8 kernel; // ptr is a kernel address
	u8 opaque; // the bytes cannot be read, only counted
	u8 complete; // the last step ended a head or a body
	u8 many;     // the call sends several messages
	u16 message; // which of them
	u8 _pad[2];
	u64 now;
};

#define VECTOR_SIZE 16 // of msg_iov and msg_iovlen

#define MESSAGES_MAX 1024 // that one sendmmsg call sends

// struct mmsghdr of user space; the same on every 64-bit architecture.
struct mmsghdr_ {
	struct msghdr_ msg;
	u64 rest[4]; // control, its length, flags, what was sent
};

// current_regs is how the current task has entered the kernel.
inline_ struct pt_regs *current_regs(void)
{
	return (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
}

// sends_many tells whether the call sends several messages. Where a socket in a map
// takes one of them in part only, the kernel goes on with the next one all the same
// (tcp_bpf_sendmsg has read all of it, which is what __sys_sendmmsg asks for).
inline_ bool sends_many(void)
{
	struct pt_regs *regs = current_regs();

	return reg_nr(regs) == NR_sendmmsg && reg_arg3(regs) > 1;
}

// nth_message counts what a sendmmsg call has sent, and tells which of its messages
// that was. The call ends with the last one, an error, or one that is sent in part.
inline_ void nth_message(struct source *s, struct conn *c, struct pt_regs *regs, u32 tid)
{
	u64 at = reg_arg2(regs), count = reg_arg3(regs);

	if (reg_nr(regs) != NR_sendmmsg || count < 2) {
		c->many = 0;
		return;
	}
	if (c->many_at != at || c->many_tid != tid)
		c->many = 0;
	c->many_at = at;
	c->many_tid = tid;
	s->many = 1;
	s->message = c->many++;
	if (c->many >= count || c->many >= MESSAGES_MAX)
		c->many = 0;
}

// add_length adds up what is to be sent.
static long add_length(u32 i, struct source *s)
{
	struct iovec_ v;

	if (bpf_probe_read_user(&v, sizeof(v), (void *)(s->iov + i * sizeof(v))))
		return 1;
	s->done += v.len;
	return 0;
}

// open_vector finds the buffers of a message. It reads just that, to where it is kept: there is
// no stack for the whole of a struct msghdr. False: it cannot be read, and no piece is open.
inline_ bool open_vector(struct source *s, u64 at)
{
	if (bpf_probe_read_user(&s->iov, VECTOR_SIZE, (void *)(at + __builtin_offsetof(struct msghdr_, iov))))
		return false;
	s->left = 0; // the upper half of msg_iovlen
	return true;
}

// open_call finds the buffers of the system call that the current task is in.
inline_ void open_call(struct source *s, struct who *w, struct pt_regs *regs, u32 bytes)
{
	u64 arg = reg_arg2(regs);

	w->sp = regs->sp;
	s->total = bytes;
	s->done = 0;
	s->kernel = 0;
	s->opaque = 0;
	s->iov = 0;
	s->iovs = 0;
	s->left = 0;
	s->ptr = 0;
	switch (reg_nr(regs)) {
	case NR_read:
	case NR_write:
	case NR_sendto:
	case NR_recvfrom:
		s->ptr = arg;
		s->left = bytes;
		return;
	case NR_readv:
	case NR_writev:
		s->iov = arg;
		s->iovs = reg_arg3(regs);
		return;
	case NR_sendmmsg:
		if (reg_arg3(regs) != 1) // see open_message
			break;
	case NR_sendmsg:
	case NR_recvmsg:
		if (!open_vector(s, arg))
			break;
		return;
	}
	s->opaque = 1; // io_uring, splice, sendfile, 32-bit calls
	s->left = bytes;
}

// open_message finds the buffers of the message that was sent, where the call sends
// several. It was sent in part where the call ends with it; where it is shorter than
// what was sent, it is another one.
inline_ void open_message(struct source *s, struct conn *c, u32 bytes)
{
	struct pt_regs *regs = current_regs();
	u64 at = reg_arg2(regs) + s->message * sizeof(struct mmsghdr_);

	if (c->begun != BEGUN_SEEN)
		return;
	if (!open_vector(s, at)) {
		s->left = bytes;
		return;
	}
	bpf_loop(s->iovs, add_length, s, 0);
	if (s->done != bytes)
		c->many = 0;
	s->opaque = s->done < bytes;
	s->done = 0;
	if (s->opaque) {
		s->iov = 0;
		s->iovs = 0;
	} else {
		s->left = 0;
	}
}

// step_piece moves to the next iovec entry. Not inline, as the verifier would follow each
// way behind it.
noinline_ int step_piece(struct source *s)
{
	struct iovec_ v;

	if (!s || !s->iov || !s->iovs || bpf_probe_read_user(&v, sizeof(v), (void *)s->iov))
		return 0;
	s->iov += sizeof(v);
	s->iovs--;
	s->ptr = v.base;
	s->left = v.len > s->total ? s->total : v.len;
	return 1;
}

inline_ bool next_piece(struct source *s)
{
	int moved = step_piece(s);

	barrier_var(moved); // the compiler knows that it is 0 or 1, the verifier does not
	return moved != 0;
}

inline_ long read_bytes(struct source *s, void *to, u32 n)
{
	if (s->kernel)
		return bpf_probe_read_kernel(to, n, (void *)s->ptr);
	return bpf_probe_read_user(to, n, (void *)s->ptr);
}

// consume goes on behind bytes of the piece.
inline_ void consume(struct source *s, u32 n)
{
	s->ptr += n;
	s->left -= n;
	s->total -= n;
	s->done += n;
}
