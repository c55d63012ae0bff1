// SPDX-License-Identifier: (MIT OR GPL-2.0)
// HTTP/1.1: recognises requests and responses and finds where they end.
//
// A connection has two directions, requests and answers; each is parsed by its
// own incremental machine, because they run on different CPUs at a time. They
// meet in a queue of slots: the request side fills at tail, the answer side
// finishes at head. A slot is one event.
#pragma once

#include "../include/hex.h"
#include "../include/source.h"

#define READ_MAX 512  // bytes of a head looked at per step
#define CARRY_MAX 128 // an unfinished line longer than this is none we need
#define WIN_SIZE (CARRY_MAX + READ_MAX + 80) // room to read past the end
#define KEEP_ONE 1024 // of a request head: target, Host, User-Agent come first
#define KEEP_ALL (KEEP_ONE + READ_MAX)
#define METHOD_MAX 20 // with the space; the longest registered one has 17 (UPDATEREDIRECTREF)
#define SLOTS 4       // pipelined requests; more are counted, not kept
#define TRIES_MAX 8   // beginnings that are not HTTP before we stop looking

// D_LOST: no framing known, look at the start of each call. D_IDLE: between messages.
enum dir_state { D_LOST, D_IDLE, D_HEAD, D_LEN, D_CHUNK, D_CLOSE, D_TAIL };
enum chunk_phase { C_SIZE, C_DATA, C_AFTER, C_TRAILER };

struct dir {
	u64 left;     // bytes left of the body or chunk
	u64 body;     // bytes of the body so far
	s64 length;   // Content-Length, -1: none
	u64 start_ns; // first byte of the head
	u64 trace[2];
	u64 parent;
	u32 line1_pos;  // end of the first line, from the start of the source
	u32 trace_pos;  // value of traceparent, from the start of the source
	u16 keep_off;
	u16 keep_len;
	u8 state;
	u8 phase;
	u8 ext;      // chunk extension, ignored
	u8 want_hash;
	union {
		u64 anew[3]; // all that begins at 0 with every head
		struct {
			u32 head_seen;  // bytes of the head so far
			u32 target_hash;
			u16 status;
			u8 first;    // the first line is still to come
			u8 skip;     // in the middle of a line too long to look at
			u8 bad;
			u8 bits;
			u8 has_trace; // 1: valid, 2: there is one, but not a valid one
			u8 tflags;
			u8 chunked;
			u8 carry_len;
			u8 split;    // the head began in an earlier source
			u8 _pad[5];
		};
	};
	u8 carry[CARRY_MAX];
};

// window is what is looked at in one step. Where the scan is stands here and not
// on the stack: the verifier would follow each value through every line.
struct window {
	u8 b[WIN_SIZE];
	u32 pos;
	u32 line;     // start of the current line
	u32 head_end; // behind the empty line, 0: not yet
	u32 odd;      // the line is the first one, or the rest of one
};

struct http1 {
	struct dir q; // requests
	struct dir a; // answers
	u64 seen;     // requests recognised on this connection
	u64 ids[2];   // states of next_id, 0: to be seeded
	u32 head;
	u32 tail;
	u64 g;        // who.g of the last request
	u32 owed;     // answers to requests that were not kept
	u32 tgid;
	u32 read;       // clients: copied_seq up to which the answers were looked at
	u32 asked_read; // clients: copied_seq when the last request was sent
	u32 asked_tail; // ... and the slot of that request
	u32 lost;       // the rest of an answer without a head may follow
	struct tuple ends;
	struct request slot[SLOTS];
	u8 resp[RESP_KEEP];
	u8 kept[KEEP_ALL];
	struct window win; // for odi_message
};

// Bounded by the number of HTTP connections: freed with the socket.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct http1);
} http1s SEC(".maps");

// For tracepoints only: nothing preempts them. The sk_msg program, which runs in
// its sender's context, has a window per connection.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct window);
} scratches SEC(".maps");

inline_ struct window *scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

#define BLOCK 32

// copy_blocks copies n bytes, and up to a block more.
inline_ void copy_blocks(u8 *to, const u8 *from, u32 n)
{
#pragma nounroll
	for (u32 at = 0; at < READ_MAX; at += BLOCK) {
		barrier_var(at); // or both bounds become one, which older verifiers do not understand
		if (at >= n)
			break;
		*(u64 *)(to + at) = *(u64 *)(from + at);
		*(u64 *)(to + at + 8) = *(u64 *)(from + at + 8);
		*(u64 *)(to + at + 16) = *(u64 *)(from + at + 16);
		*(u64 *)(to + at + 24) = *(u64 *)(from + at + 24);
	}
}
