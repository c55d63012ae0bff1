// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Where the books of connections are, and the room in which a call is looked at. The same
// headers make two objects: that of sockets, and that of sessions (SESSIONS), whose
// programs run on probes in user space.
#pragma once

#include "kernel.h"

// How many connections there are at most where their number is bounded: of all protocols and those
// of HTTP/1, of any other. Each costs 16 bytes before it is there, in every table.
#define BOOKS_MANY 32768
#define BOOKS_FEW 16384

#ifndef SESSIONS

// Books live with the socket, and are freed with it.
#define BOOKS(name, books, most)                                                          \
	struct {                                                                          \
		__uint(type, BPF_MAP_TYPE_SK_STORAGE);                                    \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                     \
		__type(key, int);                                                         \
		__type(value, books);                                                     \
	} name SEC(".maps")

#define books_in(name, sk) bpf_sk_storage_get(&name, sk, 0, 0)
#define books_begun(name, sk) bpf_sk_storage_get(&name, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE)
#define books_ended(name, sk) bpf_sk_storage_delete(&name, sk)
#define books_gone(name, sk) // with the socket

// Room is the processor's: for tracepoints only, as nothing preempts them.
#define ROOM(name, room)                                                                  \
	struct {                                                                          \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                  \
		__uint(max_entries, 1);                                                   \
		__type(key, u32);                                                         \
		__type(value, room);                                                      \
	} name SEC(".maps")

#define room_in(name)                                                                     \
	({                                                                                \
		u32 zero_ = 0;                                                            \
		bpf_map_lookup_elem(&name, &zero_);                                       \
	})

#define connection_number(sk) bpf_get_socket_cookie(sk)

// The two programs of a room that is apart: moved is called with all that moves.
// trace_sock_send_length(struct sock *sk, int ret, int flags), and the same for receiving.
#define ROOM_PROGRAMS(room, moved)                                                        \
	SEC("tp_btf/sock_send_length")                                                    \
	int BPF_PROG(odi_##room##_sent, struct sock *sk, int ret, int flags)              \
	{                                                                                 \
		if (ret > 0)                                                              \
			moved(sk, ret, true);                                             \
		return 0;                                                                 \
	}                                                                                 \
	SEC("tp_btf/sock_recv_length")                                                    \
	int BPF_PROG(odi_##room##_received, struct sock *sk, int ret, int flags)          \
	{                                                                                 \
		if (ret > 0)                                                              \
			moved(sk, ret, false);                                            \
		return 0;                                                                 \
	}

// What is said of every request, and of one that gets no header.
#define SOURCE_BITS 0
#define NO_HEADER DROP_HEADER_NOT_WRITTEN

#else

// Programs on probes in user space have no socket, nor its storage: books are kept by the
// number of the session (session.h), which stands for a socket wherever a header hands one
// on. Taken out when the session ends.
#define BOOKS(name, books, most)                                                          \
	_Static_assert(sizeof(books) <= NO_BOOKS, "they begin as no_books");              \
	struct {                                                                          \
		__uint(type, BPF_MAP_TYPE_HASH);                                          \
		__uint(max_entries, most);                                                \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                     \
		__type(key, u64);                                                         \
		__type(value, books);                                                     \
	} name SEC(".maps")

// In read-only data: what books begin as.
#define NO_BOOKS 16384
const u8 no_books[NO_BOOKS] = {};

#define books_in(name, at)                                                                \
	({                                                                                \
		u64 key_ = (u64)(at);                                                     \
		bpf_map_lookup_elem(&name, &key_);                                        \
	})
#define books_begun(name, at)                                                             \
	({                                                                                \
		u64 key_ = (u64)(at);                                                     \
		void *books_ = bpf_map_lookup_elem(&name, &key_);                         \
		if (!books_) {                                                            \
			bpf_map_update_elem(&name, &key_, no_books, BPF_NOEXIST);         \
			books_ = bpf_map_lookup_elem(&name, &key_);                       \
		}                                                                         \
		books_;                                                                   \
	})
#define books_ended(name, at)                                                             \
	({                                                                                \
		u64 key_ = (u64)(at);                                                     \
		bpf_map_delete_elem(&name, &key_);                                        \
	})
#define books_gone(name, at) books_ended(name, at)

// Room is the thread's: these programs can be preempted.
#define ROOM(name, room)                                                                  \
	struct {                                                                          \
		__uint(type, BPF_MAP_TYPE_TASK_STORAGE);                                  \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                     \
		__type(key, int);                                                         \
		__type(value, room);                                                      \
	} name SEC(".maps")

#define room_in(name) bpf_task_storage_get(&name, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE)

#define connection_number(at) number_of_session((u64)(at))

// The programs of a room go on with what the thread's call has moved.
#define ROOM_PROGRAMS(room, moved)                                                        \
	SEC("uprobe.multi")                                                               \
	int odi_##room##_sent(void *ctx)                                                  \
	{                                                                                 \
		struct call *call = call_of_thread();                                     \
		if (call)                                                                 \
			moved((struct sock *)call->session, call->n, true);               \
		return 0;                                                                 \
	}                                                                                 \
	SEC("uprobe.multi")                                                               \
	int odi_##room##_received(void *ctx)                                              \
	{                                                                                 \
		struct call *call = call_of_thread();                                     \
		if (call)                                                                 \
			moved((struct sock *)call->session, call->n, false);              \
		return 0;                                                                 \
	}

#define SOURCE_BITS BIT_TLS
#define NO_HEADER DROP_HEADER_IMPOSSIBLE

#endif
