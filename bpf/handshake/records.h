// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What is kept of a handshake while it is under way, and which of its records says what.
#pragma once

#include "../exchange/ends.h"
#include "../exchange/turn.h"

#define PROTOCOL_HANDSHAKE 8 // struct request: as in the value of the room
_Static_assert(PROTOCOL_HANDSHAKE == ROOM_OF_ENCRYPTED, "rooms hand over to this one");

// So much of what each side says in the clear is kept: a ClientHello with a key for
// post-quantum exchange has some 1,700 bytes, and what a certificate begins with has its dates.
#define SAID_MAX 1728
// ... at most so much of it at once.
#define SAID_PIECE 256

#define RECORD_HEAD 5
#define RECORD_MAX (16384 + 2048)
// An encrypted alert of TLS 1.3 has two bytes, their type and a tag. Anything else that a
// side sends first has more.
#define ENCRYPTED_ALERT_MAX 19

enum record { RECORD_CHANGE = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA, RECORD_HEARTBEAT };
enum message { HELLO_CLIENT = 1, HELLO_SERVER };

// How a handshake ends. ENDED_CLOSED: with its connection, see request.fault.
enum shaken { SHAKES, ENDED_DONE, ENDED_ALERT, ENDED_SECRET_ALERT, ENDED_OTHER, ENDED_CLOSED };

// Bits of handshake_note.bits. SHOOK_RESUMED says so up to TLS 1.2. SHOOK_BY_CLIENT: the alert is
// the client's.
enum { SHOOK_RESUMED = 1, SHOOK_EARLY = 2, SHOOK_AGAIN = 4, SHOOK_BY_CLIENT = 8 };

// way_said is one side: where it is in its records, and what it has sent.
struct way_said {
	u8 head[2 * 8]; // half of it is room for the verifier
	u32 left;    // bytes of the record that have not come
	u16 kept;    // bytes of messages
	u16 len;     // of the record
	u8 got;      // bytes of its head
	u8 records;  // so many have come, or more
	u8 changed;  // what comes is encrypted (TLS 1.2)
	u8 finished; // ... and has ended the handshake
	u8 data;     // a record of data has come
	u8 again;    // a message has come since the client was told to begin again
	u8 _pad[2];
};

// handshake_note is the head of an event, behind struct request; what the client has said in the
// clear follows, in SAID_MAX bytes, and then what the server has.
struct handshake_note {
	u16 client; // bytes
	u16 server;
	u8 ended; // enum shaken
	u8 bits;
	u8 alert[2]; // level and description
};

// handshake is freed when it has ended, or with the socket. Its last part is the event.
struct handshake {
	struct way_said c;
	struct way_said s;
	u32 begun; // a ClientHello has come
	u32 over;  // it was told of
	struct request r;
	struct handshake_note n;
	u8 client[SAID_MAX];
	u8 server[SAID_MAX];
	u8 _room[SAID_PIECE]; // for the verifier
};

// The kernel makes room by powers of two.
_Static_assert(sizeof(struct handshake) < 4000, "one page has it");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct handshake);
} handshakes SEC(".maps");

// The first bytes of the random of a ServerHello that has the client begin again (RFC 8446, 4.1.3).
#define BEGIN_AGAIN 0x11619ae574ad21cfULL

inline_ void note_again(struct handshake *h)
{
	u64 random;

	__builtin_memcpy(&random, h->server + 6, sizeof(random));
	if (h->s.records || h->s.kept < 38 || random != BEGIN_AGAIN)
		return;
	h->n.bits |= SHOOK_AGAIN;
	h->c.changed = 0; // that said nothing: it is TLS 1.3
}

// said handles a record of messages.
inline_ u32 said(struct handshake *h, struct way_said *d, bool by_client)
{
	if (by_client && !h->begun) {
		if (h->c.kept < 4 || h->client[0] != HELLO_CLIENT)
			return ENDED_OTHER;
		h->begun = 1;
	}
	if (!by_client)
		note_again(h);
	else if (h->n.bits & SHOOK_AGAIN)
		d->again = 1;
	if (d->changed)
		d->finished = 1;
	return h->c.finished && h->s.finished ? ENDED_DONE : SHAKES;
}

// changed handles the record before what is encrypted. TLS 1.3 has it only for old devices.
inline_ u32 changed(struct handshake *h, struct way_said *d, bool by_client)
{
	if (h->n.bits & SHOOK_AGAIN)
		return SHAKES;
	d->changed = 1;
	if (!by_client && !h->c.changed)
		h->n.bits |= SHOOK_RESUMED;
	return SHAKES;
}

// alerted handles an alert. Warnings end nothing, but that of the connection's end.
inline_ u32 alerted(struct handshake *h, struct way_said *d, bool by_client)
{
	bool secret = d->len != 2;

	if (!secret && h->n.alert[0] == 1 && h->n.alert[1])
		return SHAKES;
	if (by_client)
		h->n.bits |= SHOOK_BY_CLIENT;
	return secret ? ENDED_SECRET_ALERT : ENDED_ALERT;
}

// data_came handles a record of data, which in TLS 1.3 any encrypted one claims to be. The client's
// first one ends the handshake. With early data, which the server may have refused unread, the
// server's does.
inline_ u32 data_came(struct handshake *h, struct way_said *d, bool by_client)
{
	u8 early = h->n.bits & SHOOK_EARLY, again = h->n.bits & SHOOK_AGAIN, first = !d->data;
	bool ends;

	if (h->c.finished) // TLS 1.2: it does not wait for the server
		return SHAKES;
	d->data = 1;
	if (by_client && !h->s.records) {
		h->n.bits |= SHOOK_EARLY;
		return SHAKES;
	}
	ends = early && !again ? !by_client : by_client && (!again || d->again);
	if (d->len <= ENCRYPTED_ALERT_MAX && (ends || (!by_client && first))) {
		if (by_client)
			h->n.bits |= SHOOK_BY_CLIENT;
		return ENDED_SECRET_ALERT;
	}
	return ends ? ENDED_DONE : SHAKES;
}

// record_came handles a record that has come whole.
inline_ u32 record_came(struct handshake *h, struct way_said *d, bool by_client)
{
	u32 ended = SHAKES;

	d->got = 0;
	switch (d->head[0]) {
	case RECORD_CHANGE:
		ended = changed(h, d, by_client);
		break;
	case RECORD_ALERT:
		ended = alerted(h, d, by_client);
		break;
	case RECORD_HANDSHAKE:
		ended = said(h, d, by_client);
		break;
	case RECORD_DATA:
		ended = data_came(h, d, by_client);
		break;
	}
	if (d->records < 255)
		d->records++;
	return ended;
}

// is_record tells whether a record of TLS may begin so. A connection begins with a message of the
// client's.
inline_ bool is_record(struct handshake *h, struct way_said *d, bool by_client)
{
	u8 type = d->head[0];

	d->len = d->head[3] << 8 | d->head[4];
	if (type < RECORD_CHANGE || type > RECORD_HEARTBEAT || d->head[1] != 3 || d->len > RECORD_MAX)
		return false;
	return type == RECORD_HANDSHAKE || h->begun;
}
