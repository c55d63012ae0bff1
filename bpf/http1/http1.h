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

#define PROTOCOL_HTTP1 1 // struct request: as in the value of the room

#define READ_MAX 512  // bytes of a head looked at per step
#define CARRY_MAX 128 // of an unfinished line, so much is looked at again
#define WIN_SIZE (CARRY_MAX + READ_MAX + 80) // room to read past the end
#define KEEP_ALL 2048 // of the heads of the requests in the slots and of the next one
#define KEEP_ONE 1024 // of one request head: target, Host, User-Agent come first
#define KEEP_PIPELINED 512
#define KEEP_SHORT 256 // copied as a whole
#define METHOD_MAX 24 // with the space; the longest registered one has 17 (UPDATEREDIRECTREF)
#define SLOTS 2       // requests without an answer; more wait in the queue
#define QUEUE_MAX 62  // pipelined requests that wait; more are counted, not kept
#define BLOCK 32
#define TAIL_MIN 16   // of a line too long to look at: " HTTP/1.1\r" fits

// D_LOST: no framing known, look at the start of each call. D_IDLE: between
// messages. D_PROXY: in a header of the PROXY protocol, version 2.
enum dir_state { D_LOST, D_IDLE, D_HEAD, D_LEN, D_CHUNK, D_CLOSE, D_TAIL, D_PROXY };
enum chunk_phase { C_SIZE, C_DATA, C_AFTER, C_TRAILER };

// What the line is whose beginning was looked at already. LINE_NEW: it is still to come.
enum line { LINE_NEW, LINE_FIRST, LINE_CODING, LINE_LENGTH, LINE_OTHER };

// ODD_LINE: the first line, or the rest of one. ODD_FOLD: it may be folded. ODD_NAME: it
// must have a colon.
enum odd { ODD_NOT, ODD_LINE, ODD_FOLD, ODD_NAME };

// An answer that was read before its request was looked at, because another thread
// has sent that and not left its call yet.
enum early { EARLY_NONE, EARLY_BEGUN, EARLY_ENDED, EARLY_MANY };

struct dir {
	u64 left;     // bytes left of the body or chunk
	u64 body;     // bytes of the body so far
	s64 length;   // Content-Length, -1: none
	u64 start_ns; // first byte of the head
	u64 hash;     // of the target so far
	u64 trace[2];
	u64 parent;
	u32 line1_pos;  // end of the first line, from the start of the source
	u32 trace_pos;  // value of traceparent, from the start of the source
	u16 keep_off;
	u16 keep_len;
	u16 keep_max;
	u8 state;
	u8 phase;
	u8 ext;      // chunk extension, ignored
	u8 want_hash;
	u8 _pad[2];
	union {
		u64 anew[4]; // all that begins at 0 with every head
		struct {
			u32 head_seen;  // bytes of the head so far
			u32 target_hash;
			u16 status;
			u8 first;    // the first line is still to come
			u8 line;     // enum line: of a line too long to look at as a whole
			u8 last;     // enum line: of the line before, which may be folded
			u8 strict;   // an uncommon method: blanks are counted
			u8 blanks;   // ... in the part of the first line that has gone by
			u8 checked;  // the line behind the first one has a colon
			u8 bad;
			u8 bits;
			u8 has_trace; // 1: valid, 2: there is one, but not a valid one
			u8 tflags;
			u8 chunked;
			u8 expect;   // Expect: the body may never come
			u8 carry_len;
			u8 split;    // the head began in an earlier source
			u8 _pad1[6];
		};
	};
	u8 carry[CARRY_MAX];
};

// short_head is copied eight bytes at a time, wherever it lies, and half of it where
// that is enough.
struct short_head {
	struct {
		u64 w[KEEP_SHORT / 16];
	} half[2];
};

inline_ void copy_short(void *to, const void *from, u32 n)
{
	struct short_head *t = to;
	const struct short_head *f = from;

	t->half[0] = f->half[0];
	if (n > KEEP_SHORT / 2)
		t->half[1] = f->half[1];
}

// preface is a header of the PROXY protocol from its beginning; a line has at most 107 bytes.
struct preface {
	u8 b[112];
};

// window is what is looked at in one step. Where the scan is stands here and not
// on the stack: the verifier would follow each value through every line.
struct window {
	u8 b[WIN_SIZE];
	u32 pos;
	u32 line;     // start of the current line
	u32 head_end; // behind the empty line, 0: not yet
	u32 odd;      // enum odd: the line needs a closer look
	u32 proxied;  // a PROXY line was met, at this position + 1
	u32 base;     // position of b[0] in the source
	u16 answers;  // it is a response
	u16 preface;  // a PROXY line may come
	u32 _pad;
};

// fit is where a request is compared with rules of sampling.
struct fit {
	u32 begin; // of the method, in kept
	u32 path;
	u32 end;   // of the head
	u32 fits;  // number of the rule + 1, 0: none
};

struct http1 {
	struct dir q; // requests
	struct dir a; // answers
	u64 seen;     // requests recognised on this connection
	u64 ids[2];   // states of next_id, 0: to be seeded
	u32 head;     // slots: the oldest one in use
	u32 tail;
	u32 first;    // queue: the oldest request in it
	u32 last;
	u64 g;        // who.g of the last request
	u32 owed;     // answers to requests that were not kept
	u32 tgid;
	u32 read;       // copied_seq up to which this side was looked at
	u32 asked_read; // clients: copied_seq when the last request was sent
	u32 asked_last; // ... and how many there were up to it
	u32 tail_before; // tail before odi_message saw what is being sent
	u8 lost;       // the rest of an answer without a head may follow
	u8 proven;     // an answer to a request was recognised
	u8 unsure;     // the framing of requests was lost once: nothing is written any more
	u8 proxied;    // it began with a header of the PROXY protocol
	u8 early;      // enum early
	u8 _pad[3];
	u32 peer_read; // clients of Unix sockets: handover.read when the last answer was read
	u32 reading;   // clients: a call that has read answers is telling of them
	struct handed handed; // ... servers: for the next request
	struct tuple ends;
	struct fit fit;
	struct request slot[SLOTS];
	u8 kept[KEEP_ALL + BLOCK];
	struct window win; // for odi_message
	struct preface preface; // proxied: what the connection began with
};

BOOKS(http1s, struct http1, BOOKS_MANY);

// The sk_msg program, which runs in its sender's context, has a window per connection.
ROOM(scratches, struct window);

inline_ struct window *scratch(void)
{
	return room_in(scratches);
}

// pending is how many requests have no answer yet.
inline_ u32 pending(const struct http1 *h)
{
	return h->tail - h->head + h->last - h->first;
}
