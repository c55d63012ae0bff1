// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests over Unix sockets are looked at before their receiver is woken, so that it
// does not read them before it is told whose they are (unix.h).
//
// trace_sk_data_ready comes once for each buffer that a call has put into the
// receiver's queue (unix_stream_sendmsg in net/unix/af_unix.c), in the sender's
// context. Only the first buffer of a call is looked at; the rest is when the call has
// returned.
#pragma once

#include "books.h"

// What one buffer takes at least of a longer message, if the sender's SO_SNDBUF lets it.
#define PIECE_MAX 32768
#define VECTOR_MAX 1024 // IOV_MAX

struct vector {
	u64 at;
	u32 left; // entries
	u32 most;
	u32 sum;
	u32 _pad;
};

static long add_entry(u32 i, struct vector *v)
{
	struct iovec_ e;

	if (!v->left || v->sum > v->most || bpf_probe_read_user(&e, sizeof(e), (void *)v->at))
		return 1;
	v->at += sizeof(e);
	v->left--;
	v->sum = e.len > v->most ? v->most + 1 : v->sum + (u32)e.len;
	return 0;
}

// message_length is how many bytes the call that the current task is in has to send;
// more than most: most + 1 or more. 0: not known.
inline_ u32 message_length(struct source *s, u32 most)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);
	struct vector v = {.at = s->iov, .left = s->iovs, .most = most};
	u64 n = reg_arg3(regs);

	if (s->opaque)
		return 0;
	if (!s->iov)
		return n > most ? most + 1 : n;
	bpf_loop(VECTOR_MAX, add_entry, &v, 0);
	return v.left && v.sum <= most ? 0 : v.sum;
}

// open_piece finds the buffers of the call that the current task is in, up to so many
// bytes, and returns how many there are; 0 where the call sends several messages. Not inline, as the verifier then follows one
// way only behind it.
noinline_ u32 open_piece(struct source *s, struct who *w, u32 most)
{
	u32 n;

	if (!s || !w || sends_many())
		return 0;
	open_call(s, w, current_regs(), most);
	n = message_length(s, most);
	if (s->total > n)
		s->total = n;
	if (s->left > n)
		s->left = n;
	return n;
}

// one_piece returns how many bytes of a message are in its first buffer for sure.
inline_ u32 one_piece(struct sock *from)
{
	u32 half = ((u32)from->sk_sndbuf >> 1) - 64;

	return half < PIECE_MAX ? half : PIECE_MAX;
}

// look_ahead feeds the n bytes of f to the request machine, as far as they are in the
// first buffer: only the first head where there are more, nothing where that does not
// end there. False: nothing.
inline_ bool look_ahead(struct feed *f, struct sock *from, u32 n, u32 most)
{
	u32 state = f->h->q.state;

	f->one = (most - n) >> 31;
	if (f->one && (state == D_LEN || state == D_CHUNK))
		return false; // its bytes can be counted once they are sent
	look_at_requests(f, from);
	if (f->pushed || f->stuck || state == D_HEAD || !f->one)
		return true;
	f->h->q.state = state;
	return false;
}

// waking looks at what the current task sends to a Unix socket, which knows already
// that there is something to be read, but is not told yet.
inline_ void waking(struct sock *to, struct target *g)
{
	struct sock *from = other_end(to);
	struct feed f = {.g = g, .win = scratch()};
	u32 n, most;

	if (!from || !f.win || to->sk_type != SOCK_STREAM)
		return;
	f.c = begin_conn(from);
	if (!f.c || f.c->ignored || f.c->ahead || f.c->stop)
		return;
	if (f.c->role == ROLE_SERVER) {
		f.c->answering = 1;
		return;
	}
	f.c->stop = 1;
	f.w = who_runs(from, bpf_get_current_pid_tgid());
	f.c->sending_ns = f.w.now;
	f.src.now = f.w.now;
	begun(f.c, 0, true, 0);
	f.h = bpf_sk_storage_get(&http1s, from, 0, 0);
	if (!f.h && f.c->last == WAY_SENT)
		return;
	most = one_piece(from);
	n = open_piece(&f.src, &f.w, most);
	if (!n)
		return;
	if (!f.h && !begin_books(&f, from, true))
		return;
	if (!look_ahead(&f, from, n, most))
		return;
	f.c->ahead = f.stuck && n <= most ? n : f.src.done;
	f.c->stop = f.c->ahead < n;
	in_hand(g, &f.w, 0);
	if (!f.h->seen && f.h->q.state == D_LOST)
		end_books(f.c, from);
}
