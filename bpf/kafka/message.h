// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The protocol of Kafka: finds where requests and answers begin and end.
// Source: kafka.apache.org, "Kafka protocol guide".
//
// A message is its size and so many bytes. A request begins with the number of what is
// asked for (the key), the version of that, a number (the correlation), and what the
// client calls itself; its answer with the same number.
#pragma once

#include "../exchange/beginning.h"

#define PROTOCOL_KAFKA 6 // struct request: as in the value of the room

#define SIZE_LEN 4
#define REQUEST_MIN 10 // of a request: key, version, correlation, length of the client's name
#define REQUEST_MAX (100U << 20) // socket.request.max.bytes of brokers
#define ANSWER_MAX (1U << 30)
#define CLIENT_AT (SIZE_LEN + REQUEST_MIN)
#define CLIENT_MAX 200 // of a client's name, to take it for one

#define KEPT 1024 // bytes of a message in one event
#define ASKED_KEPT 512 // of a request: names lie before what is to be sent
#define NAMES_KEPT (64U << 10) // of what names topics

enum key { PRODUCE = 0, FETCH = 1, METADATA = 3, API_VERSIONS = 18, KEY_LAST = 92 };

// Versions that are known by 2026, and a few more; brokers take none below the first.
enum {
	PRODUCE_FIRST = 3,
	PRODUCE_LAST = 15,
	FETCH_FIRST = 4,
	FETCH_LAST = 20,
	API_VERSIONS_LAST = 6,
	VERSION_LAST = 20,
};

// The first versions whose numbers have no fixed length.
enum { PRODUCE_FLEXIBLE = 9, FETCH_FLEXIBLE = 12, FETCH_WITHOUT_REPLICA = 15 };

// messages is one direction of a connection.
struct messages {
	u64 begun_ns; // when the first byte of the message moved
	u32 left;     // bytes of the message that are still to come
	u32 wanted;   // ... of which so many are kept
	u32 held;     // bytes in head
	u32 size;
	u8 size_len;
	u8 looked; // what it begins with was looked at
	u8 _pad[6];
	u8 sizes[8];
	u8 head[2 * KEPT]; // half of it is room for the verifier
};

inline_ u32 be16_of(const u8 *b) { return (u32)b[0] << 8 | b[1]; }

inline_ u32 be32_of(const u8 *b)
{
	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

struct client_name {
	struct beginning *b;
	u32 end;
	u32 odd;
};

static long client_byte(u32 i, struct client_name *s)
{
	u32 at = CLIENT_AT + i;
	u8 c;

	barrier_var(at);
	if (at >= BEGINNING_MAX || at >= s->end || at >= s->b->n)
		return 1;
	c = s->b->b[at];
	s->odd = c < ' ' || c > '~';
	return s->odd;
}

// names_client tells whether a client says its name here, as far as it can be seen.
noinline_ int names_client(struct beginning *b)
{
	struct client_name s = {};
	u32 len;

	if (!b)
		return 0;
	len = be16_of(b->b + CLIENT_AT - 2);
	if (!len || len > CLIENT_MAX || CLIENT_AT + len > be32_of(b->b) + SIZE_LEN)
		return 0;
	s.b = b;
	s.end = CLIENT_AT + len;
	bpf_loop(BEGINNING_MAX - CLIENT_AT, client_byte, &s, 0);
	return !s.odd;
}

// has_version tells whether there is such a version of what is asked for.
inline_ bool has_version(u32 key, u32 version)
{
	switch (key) {
	case PRODUCE:
		return version >= PRODUCE_FIRST && version <= PRODUCE_LAST;
	case FETCH:
		return version >= FETCH_FIRST && version <= FETCH_LAST;
	case API_VERSIONS:
		return version <= API_VERSIONS_LAST;
	}
	return key <= KEY_LAST && version <= VERSION_LAST;
}

// asks_versions tells whether a client without a name asks what there is: the whole of a
// request is known, or that what follows can be read by servers that know less.
inline_ bool asks_versions(const struct beginning *b, u32 key, u32 version)
{
	u32 len = be16_of(b->b + CLIENT_AT - 2), size = be32_of(b->b);

	if (key != API_VERSIONS || (len && len != 0xffff))
		return false;
	return version < 3 ? size == REQUEST_MIN : size > REQUEST_MIN && size < 200 && b->n > CLIENT_AT && !b->b[CLIENT_AT];
}

// LONG_CLIENT is the length of a name behind which nothing can be seen of what is asked.
#define LONG_CLIENT (BEGINNING_MAX - CLIENT_AT - 24)

// asks_plainly tells whether what follows the name of a client is how messages are sent, or
// asked for: a client's Fetch has no replica, and takes some bytes of what is committed,
// or of all; a Produce wants no answer, one of the leader, or one of all.
inline_ bool asks_plainly(const struct beginning *b, u32 key, u32 version)
{
	u32 at = CLIENT_AT + be16_of(b->b + CLIENT_AT - 2), flexible = key == PRODUCE ? version >= PRODUCE_FLEXIBLE : version >= FETCH_FLEXIBLE;

	barrier_var(at);
	if (at > BEGINNING_MAX - 24 || at + 24 > b->n)
		return false;
	if (flexible && b->b[at++])
		return false;
	barrier_var(at);
	if (at > BEGINNING_MAX - 23)
		return false;
	if (key == PRODUCE) {
		if (flexible ? b->b[at] : b->b[at] != 0xff || b->b[at + 1] != 0xff) // of no transaction
			return false;
		at += flexible ? 1 : 2;
		barrier_var(at);
		if (at > BEGINNING_MAX - 21)
			return false;
		if (b->b[at] == 0xff ? b->b[at + 1] != 0xff : b->b[at] || b->b[at + 1] > 1)
			return false;
		return !b->b[at + 2]; // it waits for less than five hours
	}
	if (version < FETCH_WITHOUT_REPLICA) {
		if (be32_of(b->b + at) != 0xffffffff)
			return false;
		at += 4;
		barrier_var(at);
		if (at > BEGINNING_MAX - 19)
			return false;
	}
	return !b->b[at] && !b->b[at + 4] && be32_of(b->b + at + 8) && b->b[at + 12] <= 1;
}

// in_transaction tells whether what follows the name of a client is that of its transaction.
inline_ bool in_transaction(const struct beginning *b, u32 key, u32 version)
{
	u32 at = CLIENT_AT + be16_of(b->b + CLIENT_AT - 2);

	barrier_var(at);
	if (key != PRODUCE || at > BEGINNING_MAX - 4 || at + 4 > b->n)
		return false;
	if (version >= PRODUCE_FLEXIBLE)
		return !b->b[at] && b->b[at + 1] > 1 && b->b[at + 2] >= ' ';
	return !b->b[at] && b->b[at + 1] && b->b[at + 2] >= ' ';
}

// moves_records tells whether a client sends messages, or asks for some, as far as it can
// be seen.
inline_ bool moves_records(const struct beginning *b, u32 key, u32 version)
{
	return be16_of(b->b + CLIENT_AT - 2) > LONG_CLIENT || asks_plainly(b, key, version) || in_transaction(b, key, version);
}

// kafka_begins tells whether a client of Kafka's begins here or, where the beginning was
// not seen, whether one says here what can be nothing else: an answer has a number where
// a request has its key, and zeros or a length where that has a name.
noinline_ int kafka_begins(struct beginning *b)
{
	u32 size, key, version;

	if (!b || b->n < CLIENT_AT)
		return BEGINS_NOT;
	size = be32_of(b->b);
	key = be16_of(b->b + 4);
	version = be16_of(b->b + 6);
	if (size < REQUEST_MIN || size > REQUEST_MAX || b->b[8] & 0x80 || !has_version(key, version))
		return BEGINS_NOT;
	if (b->midway) {
		if (key > FETCH || size + SIZE_LEN != b->total || !names_client(b))
			return BEGINS_NOT;
		if (be16_of(b->b + CLIENT_AT - 2) > LONG_CLIENT) // else it is no answer of so many topics
			return be32_of(b->b + 8) > 16 ? BEGINS_CLIENT : BEGINS_NOT;
		return asks_plainly(b, key, version) ? BEGINS_CLIENT : BEGINS_NOT;
	}
	if (size + SIZE_LEN != b->total && (key != PRODUCE || size + SIZE_LEN < b->total))
		return BEGINS_NOT;
	if (asks_versions(b, key, version))
		return BEGINS_CLIENT;
	return names_client(b) && (key > FETCH || moves_records(b, key, version)) ? BEGINS_CLIENT : BEGINS_NOT;
}

// take_size completes the size of a message. Returns the bytes consumed, 0: they cannot
// be read; s->complete: it is there.
noinline_ u32 take_size(struct source *s, struct messages *d)
{
	u32 n, to;

	if (!s || !d)
		return 0;
	s->complete = 0;
	to = d->size_len;
	n = SIZE_LEN - to;
	if (n > s->left)
		n = s->left;
	barrier_var(n);
	barrier_var(to);
	if (!n || n > SIZE_LEN || to >= SIZE_LEN || s->opaque || read_bytes(s, d->sizes + to, n))
		return 0;
	d->size_len = to + n;
	s->complete = d->size_len == SIZE_LEN;
	return n;
}

// take_kept takes bytes of a message that are kept. Returns how many; 0: they cannot be read.
noinline_ u32 take_kept(struct source *s, struct messages *d)
{
	u32 n, to;

	if (!s || !d)
		return 0;
	to = d->held;
	n = d->wanted;
	if (n > s->left)
		n = s->left;
	if (to < KEPT && n > KEPT - to)
		n = KEPT - to;
	barrier_var(n);
	barrier_var(to);
	if (!n || n > KEPT || to >= KEPT || s->opaque || read_bytes(s, d->head + to, n))
		return 0;
	d->held = to + n;
	d->wanted -= n;
	return n;
}
