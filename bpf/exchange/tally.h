// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Requests that are not recorded are counted here with those that are like them, once user
// space has seen some, instead of an event for each.
//
// The counts only go up, and user space reads them by what they have grown: nothing is lost
// or counted twice however the two run. A tally that is given up loses its key first, and is
// another's only long after.
#pragma once

#include "../include/maps.h"

#define TALLIES 2048 // 0.5 MiB; what finds no place is an event, as before
#define TALLY_NAME 13 // words
#define TALLY_HOST 6
#define TALLY_TIMES 14 // bounds
#define TALLY_SIZES 12

// tally_key is all that the metrics of a request depend on, but what it took and moved.
struct tally_key {
	u32 pid;
	u32 turn; // of the target: other settings, another program
	u8 peer[16];
	u16 port; // of the server
	u16 family;
	u16 status;
	u8 role;
	u8 fault;
	u8 protocol;
	u8 tls;
	u8 link; // who told a server of its client matters to the service graph
	u8 _pad[5];
	u64 name[TALLY_NAME]; // as its room says
	u64 host[TALLY_HOST]; // whom a client has named
};

// range is what the values that are counted lie in: user space widens it by each event, so
// that it knows the least and the greatest.
struct range {
	u64 least;
	u64 most;
};

struct tally {
	struct range took; // ns
	struct range request; // bytes
	struct range response;
	u64 took_sum; // from here on it is the programs'
	u64 request_sum;
	u64 response_sum;
	u32 times[TALLY_TIMES + 1];
	u32 requests[TALLY_SIZES + 1];
	u32 responses[TALLY_SIZES + 1];
	u32 _pad;
};

// User space puts names in and takes them out.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TALLIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tally_key);
	__type(value, u32);
} tally_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TALLIES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct tally);
} tallies SEC(".maps");

// Upper bounds of the buckets, which they include; user space sets them.
const volatile u64 tally_times[TALLY_TIMES] = {};
const volatile u64 tally_sizes[TALLY_SIZES] = {};

// naming is where a key is made. An interrupt may come in between, and end requests too.
struct naming {
	struct tally_key key;
	u32 busy;
	u32 _pad;
};

ROOM(namings, struct naming);

// bucket_of tells how many bounds a value is above. Without branches: the verifier would follow each.
inline_ u32 bucket_of(const volatile u64 *bounds, u32 n, u64 value)
{
	u32 bucket = 0;

	UNROLLED
	for (u32 k = 0; k < n; k++) {
		u64 below = bounds[k] - value;

		barrier_var(below);
		bucket += below >> 63;
	}
	return bucket;
}

inline_ bool is_outside(const struct range *r, u64 value)
{
	return value < r->least || value > r->most;
}

// is_extreme tells whether a request took longer, or moved more, than all before, or less.
inline_ bool is_extreme(const struct tally *t, const struct request *r)
{
	if (is_outside(&t->took, r->end_ns - r->start_ns))
		return true;
	if (r->req_body >= 0 && is_outside(&t->request, r->req_body))
		return true;
	return r->resp_body >= 0 && is_outside(&t->response, r->resp_body);
}

// add_size counts a size that is known.
inline_ void add_size(u32 *buckets, u64 *sum, s64 size)
{
	u32 at = bucket_of(tally_sizes, TALLY_SIZES, size);

	if (size < 0 || at > TALLY_SIZES)
		return;
	__sync_fetch_and_add(&buckets[at], 1);
	__sync_fetch_and_add(sum, size);
}

// begin_key begins the key of a request that the room has named.
inline_ void begin_key(struct tally_key *k, struct request *r, u32 turn)
{
	k->pid = r->pid;
	k->turn = turn;
	__builtin_memcpy(k->peer, r->ends.peer, sizeof(k->peer));
	k->port = r->role == ROLE_CLIENT ? r->ends.pport : r->ends.lport;
	k->family = r->ends.family;
	k->status = r->status;
	k->role = r->role;
	k->fault = r->fault;
	k->protocol = r->protocol;
	k->tls = r->bits & BIT_TLS;
	k->link = r->link;
}

// tally_of finds where a request is counted, 0: nowhere.
inline_ struct tally *tally_of(struct naming *n)
{
	u32 *at = bpf_map_lookup_elem(&tally_names, &n->key);

	return at ? bpf_map_lookup_elem(&tallies, at) : 0;
}

// counted tells whether a request that is not recorded, and that its room has named, was
// counted: then nothing is to be told of it. It lets go of the key.
noinline_ int counted(struct request *r, u32 turn)
{
	struct naming *n = room_in(namings);
	struct tally *t;
	u64 took;
	u32 at;

	if (!r || !n)
		return 0;
	begin_key(&n->key, r, turn);
	t = turn ? tally_of(n) : 0;
	__sync_lock_test_and_set(&n->busy, 0);
	if (!t || is_extreme(t, r))
		return 0;
	took = r->end_ns - r->start_ns;
	at = bucket_of(tally_times, TALLY_TIMES, took);
	if (at > TALLY_TIMES)
		return 0;
	__sync_fetch_and_add(&t->took_sum, took);
	__sync_fetch_and_add(&t->times[at], 1); // user space reads this first, and the sizes last
	add_size(t->requests, &t->request_sum, r->req_body);
	add_size(t->responses, &t->response_sum, r->resp_body);
	return 1;
}
