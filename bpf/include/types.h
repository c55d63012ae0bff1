// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What the engine keeps and what it sends to user space. No implicit padding:
// user space reads the same bytes.
#pragma once

#include "kernel.h"

enum role { ROLE_UNKNOWN, ROLE_SERVER, ROLE_CLIENT };
enum link { LINK_NONE, LINK_HEADER, LINK_GOROUTINE, LINK_THREAD, LINK_PROXY };
enum fault { FAULT_NONE, FAULT_CLOSED, FAULT_RESET, FAULT_TIMEOUT };

// Bits of request.bits.
enum { BIT_TRUNCATED = 1, BIT_INJECTED = 2, BIT_HEAD = 4, BIT_CONNECT = 8, BIT_ANSWERED = 16, BIT_PROXIED = 32, BIT_TIED = 64, BIT_TLS = 128 };

// Bits of target.flags. T_WATCHES: user space places a probe in the process, in its
// children, and anew in a program that it starts; until then it is held. T_MANY: it
// sends several messages by one call, T_ASKS_AGAIN: its runtime waits once more where a
// call that blocks is told EAGAIN; see propagate/blocking.h. T_STREAMS: which goroutine serves
// a stream of HTTP/2 is told, T_STREAM_POINTS: see stream_off.
enum { T_GO = 1, T_PROXY = 2, T_STRICT = 4, T_PROPAGATE = 8, T_CHILDREN = 16, T_ROUNDTRIP = 32, T_POLLS = 64, T_BATCHES = 128, T_WATCHES = 256, T_MANY = 512, T_ASKS_AGAIN = 1024, T_STREAMS = 2048, T_STREAM_POINTS = 4096 };

enum trust { TRUST_STRICT, TRUST_THREAD, TRUST_MOVED };

// A process whose threads do not wait in reads earns trust after this many
// overlapping requests in a row that each stayed on one thread.
#define TRUST_STREAK 16
// Goroutines of one kind are trusted to work for the request that started them
// after so many have ended before its answer, and none has lasted.
#define KIND_ENDED_MIN 2
// ... where it is not known for which of its parent's requests one was started.
#define KIND_ENDED_MANY 128
// So many of the goroutines that a request has started are looked at, by their kind.
#define PARTS 4
// What an nginx does after a request or an answer is complete, without having slept
// or touched another socket, it does because of that. A busy one may not sleep for
// long: it is no longer believed after it has run for so much. How long others had the
// processor meanwhile says nothing.
#define DIRECT_NS (20ULL * 1000ULL * 1000ULL)

// target is one watched process, by the number that the kernel gave it in the
// root PID namespace. User space writes the first part once, which children get
// as it is; the programs the rest, which begins with open and starts from zero
// in a child and after an exec.
struct target {
	u64 writeloop_pc; // start of net/http.(*persistConn).writeLoop, 0: unknown
	u64 goidgen; // address of runtime.sched.goidgen, the last id that any P has taken; 0: unknown
	u16 goid_off;
	u16 parent_off;
	u16 startpc_off;
	u16 pconn_off; // persistConn.conn
	u16 sysfd_off; // netFD.pfd.Sysfd
	u16 family_off; // netFD.family; sotype follows
	u16 flags;
	u16 m_off;      // g.m
	u16 p_off;      // m.p
	u16 oldp_off;   // m.oldp
	u16 ids_off;    // p.goidcache; goidcacheend follows
	u16 tls_slot;   // Go: where (*tls.Conn).Read keeps its receiver, above the stack pointer; 0: unknown
	u16 stream_off; // grpc-go: number of a transport.ServerStream, of what its first word points to with T_STREAM_POINTS
	u16 rules;      // number of its set of sampling_rules, 0: none
	u16 _pad0[2];
	u32 pid; // the process in user space's PID namespace
	u32 turn; // a number of this addition: what was noted under another one may be out of date; 0: another program runs since
	u64 left_out; // how many of 2^64 ids are those of traces that are not recorded, see recorded

	u32 open;      // number of open server requests
	u32 streak;    // overlapping requests in a row that stayed on one thread
	u32 trust;     // enum trust
	u32 parts;     // Go: requests start goroutines that ask for them
	u64 clients;   // client requests
	u64 linked;    // client requests with a parent
	u32 encrypted; // connections that began as TLS, outside of what probes see
	u32 serves;    // Go: it has received a request, so what it asks may have a parent
};

// ref is what another request needs to become a child of a server request.
struct ref {
	u64 trace[2];
	u64 span;
	u64 incoming; // span id in the traceparent that came in, 0: none
	u32 target_hash;
	u8 tflags;
	u8 _pad[3];
};

// part is a goroutine that was started for a request and has asked for it.
struct part {
	u64 g; // its address, 0: none
	u64 goid;
	u64 kind;
};

// parts are some of the goroutines that do a part of what another one does.
struct parts {
	struct part part[PARTS];
};

// Whether the request of a goroutine is over: it has its answer, or will never have one.
// ENDED_UNWANTED: a stream of HTTP/2 was given up; whoever serves it may go on.
enum ended { ENDED_NOT, ENDED, ENDED_UNWANTED };

// work is what a goroutine does. Short, as thousands are kept: room for parts is made
// where there are some.
struct work {
	u64 trace[2]; // as in struct ref
	u64 span;
	u64 incoming;
	union {
		struct {
			u64 ids;    // so many goroutines as handed, with ids from this one on, were started since it came; 0: unknown
			u64 newest; // ... and those with ids above this one; 0: unknown
		};
		u64 root; // bound: the goroutine that serves the request
	};
	u8 tflags;
	u8 handed;
	u8 noted; // so many were put into parts, over the first where it is full
	u8 ended; // enum ended
	u8 bound; // copied from the goroutine that started this one
	u8 first; // the goroutine has served no other request before
	u8 sure;  // bound: it was started for this request and no earlier one
	u8 _pad;
};

// open_request is a server request without a complete answer (not kept for Go).
struct open_request {
	struct ref ref;
	u32 tgid;
	u32 tid;
	u32 settled; // it has asked somebody, or has an answer
	u32 waits;   // its thread waited in the call that read it
};

// thread is taken out when the thread ends.
struct thread {
	u64 cur;       // request that it has received and not answered, 0: none
	u64 direct;    // nginx: owner of what the last socket operation completed, 0: none
	u64 direct_ns; // ... how long the thread had run by then, as its scheduler knows
	u64 switches;  // ... and how often the thread had slept by then
	u64 served;    // it has received requests
};

// conn is freed by the kernel with the socket.
struct conn {
	struct ref owner; // proxies: the request that this connection works for
	u32 tgid;
	u32 ahead;  // bytes of what is being sent that odi_message or odi_waking has looked at
	u64 sending_ns; // when that began, 0: neither has seen it
	u8 role;
	u8 ignored; // another protocol, or a tunnel
	u8 begun;   // enum begun
	u8 last;    // enum way: the last bytes of a connection that nothing is known of
	u8 want;    // when established: 1: into the socket map, 2: behind the verdict too
	u8 fresh;   // connected, no request sent yet
	u8 mapped;  // it is in a socket map
	u8 asked;   // user space was asked to take it out
	u8 stop;    // they have seen a part only of what is being sent
	u8 tcp;     // the socket has a copied_seq
	u8 leave;   // enum leave: with what is being sent
	u8 out;     // enum out
	u8 answering; // servers of Unix sockets: a call has sent something and not told of it yet
	u8 protocol; // PROTOCOL_* of a room whose programs are apart, 0: not known, or HTTP/1
	u16 many;   // messages of the sendmmsg call under way that were sent
	u64 many_at; // ... its messages
	u32 many_tid; // ... its thread
	u8 carries; // enum carries
	u8 flow;    // its flow was begun, or it has none
	u16 turned; // bytes of the call under way that came before it went on as HTTP/2
};

// What is known of a connection's beginning: one that was seen from its first byte
// and does not begin with a request is another protocol's for good.
enum begun { BEGUN_UNKNOWN, BEGUN_SEEN, BEGUN_BEFORE };
enum way { WAY_NONE, WAY_SENT, WAY_RECEIVED };

// Whether a room that is apart writes headers: then the connection stays in the map.
enum carries { CARRIES_NOT, CARRIES_MAYBE, CARRIES };

// Whether a connection has left the socket map for a while: OUT_REQUEST with a request
// (propagate/blocking.h); or it is asked to leave for the length of a body, is out,
// and is asked to come back (propagate/bodies.h).
enum out { OUT_NOT, OUT_REQUEST, OUT_ASKED, OUT_BODY, OUT_BACK };

// tuple is both ends of a connection.
struct tuple {
	u8 local[16];
	u8 peer[16];
	u16 lport;
	u16 pport;
	u16 family;
	u16 _pad;
};

#define SEVERAL_SOCKETS 1 // no address of one

// session is a connection below TLS, as a library's caller sees it.
struct session {
	struct conn c;
	u64 sk;       // address of its socket, 0: not known, SEVERAL_SOCKETS: more than one
	u64 number;   // as addresses are used again: of this one only
	u64 tried_ns; // when what is being written was tried first, 0: nothing is
	struct tuple ends;
	u32 tgid;
	u8 waits;     // who received last has waited for bytes
	u8 shaking;   // its beginning is seen
	u8 fault;     // enum fault: of its socket
	u8 _pad;
};

// handed is a client's request on its way over a Unix socket.
struct handed {
	u64 trace[2];
	u64 span;
	u64 parent; // span id in the header that it carries, if any
	u64 seal;   // see sealed; 0: void
	u32 tgid;   // of the client
	u32 tflags;
};

// handover is what is handed over to the server of a Unix socket.
struct handover {
	struct handed handed;
	u32 read; // heads of requests that the server has read
	u32 _pad;
};

// request is the event; the bytes of its head follow.
struct request {
	u64 start_ns;
	u64 answered_ns;
	u64 end_ns;
	u64 trace[2];
	u64 span;
	u64 parent;
	u64 goid;
	s64 req_body;  // -1: unknown
	s64 resp_body; // -1: unknown
	struct tuple ends;
	u32 pid;
	u32 tid;
	u32 target_hash;
	union {
		u32 live; // claimed by whoever finishes it
		u32 answer_len; // in the event: bytes of its answer that follow those of the head; 0: HTTP/1
	};
	u32 seq;  // its place in the queue + 1, where its head is kept; 0: not from there
	u16 status;
	u16 head_len;
	u16 head_off; // into http1.kept
	u8 role;
	u8 link;
	u8 tflags;
	u8 bits;
	u8 fault;
	u8 protocol; // PROTOCOL_* of its room
};

// who is the task that runs now.
struct who {
	u64 sk;   // address of the socket that it works on, as a key only
	u64 g;    // address of the goroutine; before: of one that it may be
	u64 sp;   // stack pointer of its user space, 0: not looked up yet
	u64 goid;
	u64 parent_goid;
	u64 startpc;
	u64 now;
	u32 tgid;
	u32 tid;
	u32 target_hash; // of the request in hand
	u32 seq; // how far the socket was read (conn.tcp), without the end of the connection
	u32 waits; // the call may wait for bytes
	u32 stream; // of HTTP/2, of the request in hand; 0: none
};

// goroutine is room for a part of a runtime.g: its stack comes first, the id soon after.
struct goroutine {
	u64 w[24];
};

inline_ u64 goroutine_word(const struct goroutine *b, u32 off)
{
	off >>= 3;
	barrier_var(off);
	return off < sizeof(b->w) / 8 ? b->w[off] : 0;
}

// read_part reads n bytes of a runtime.g.
inline_ bool read_part(struct goroutine *b, u32 n, u64 at)
{
	if (n < 8)
		return false;
	barrier_var(n); // or the checks become one, which older verifiers do not understand
	return n <= sizeof(*b) && !bpf_probe_read_user(b, n, (void *)at);
}

// control is what user space tells the programs while they run.
struct control {
	u64 lease_ns; // headers are written until then; user space extends it as long as it lives
	u32 former;   // odi_release: only the sockets of processes whose requests get no header leave the maps
	u32 aside;    // somebody else has socket maps here: nothing enters ours
};

// Process and housekeeping notices for user space.
enum notice_kind { NOTICE_EXEC = 1, NOTICE_EXIT, NOTICE_FORK, NOTICE_TAKE_OUT, NOTICE_POLLS, NOTICE_GUARD, NOTICE_PUT_BACK, NOTICE_UNIX, NOTICE_TLS };
struct notice {
	u64 key;      // NOTICE_TAKE_OUT, NOTICE_PUT_BACK: the socket; of a process: group_of
	u64 start_ns; // when the process started, since boot; NOTICE_PUT_BACK: bytes sent so far
	u32 kind;
	u32 tgid;   // in the root PID namespace
	u32 pid;    // the same process in user space's PID namespace
	u32 parent; // in user space's, too; 0: not in there
	u32 target; // NOTICE_PUT_BACK: it goes on sending
	u32 fd;     // NOTICE_PUT_BACK: the process's descriptor of the socket
	char comm[16];
};

#define PROGRAM_GROUPS 8
#define GROUP_MAX 128
#define ARGS_MAX 1024
#define ENV_MAX 4096

// program is the notice of a target's exec: what names the process, taken before it
// runs, because it may be gone when user space looks. Strings end with a zero.
struct program {
	struct notice n;
	u32 args_len;
	u32 env_len; // ENV_MAX: there may be more
	u32 groups_len;
	u32 _pad;
	char name[64]; // file name of the executable
	// Names of its cgroup (v2) and those above it; right behind them its arguments, and
	// behind those its environment. The last is room for the verifier.
	char rest[PROGRAM_GROUPS * GROUP_MAX + ARGS_MAX + ENV_MAX + GROUP_MAX];
};

#define FOUND_GROUPS 16

// found is what odi_find tells of a process.
struct found {
	u64 start_ns; // since boot
	u64 ns;       // its innermost PID namespace
	u32 level;    // of that namespace; the root's is 0
	u32 tgid;     // in the root PID namespace
	u32 pid;      // in user space's
	u32 live;     // threads that have not ended
	u64 groups[FOUND_GROUPS]; // its cgroup (v2) and those above it, by inode
};

// Reasons for losing something; names are in books.go in the same order.
enum drop {
	DROP_RING_FULL,
	DROP_PIPELINED,
	DROP_UNPARSABLE,
	DROP_UNREADABLE,
	DROP_TABLE_FULL,
	DROP_NOTICE_FULL,
	DROP_TOO_MANY_PIECES,
	DROP_HEADER_NOT_WRITTEN,
	DROP_HEADER_IMPOSSIBLE,
	DROP_TRUNCATED,
	COUNT_EXCHANGES,
	DROP_MAX,
};
