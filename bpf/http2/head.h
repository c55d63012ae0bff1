// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Reads the trace context out of the heads of requests, as user space does, which is too late for
// what their server asks for meanwhile. Fields are passed over but for their lengths; of the
// table that a client keeps alike (HPACK, RFC 7541) only that is known which its entries named
// traceparent are.
#pragma once

#include "../include/hex.h"
#include "event.h"

#define ENTRIES 1024 // of a table, the newest ones; one of the usual size has 128 at most
#define CONTEXTS 32
#define STATIC_ENTRIES 61
#define TRACE_LEN 55
#define TRACE_NAME_LEN 11
#define KEPT_MAX 64
#define STEPS_MAX 4096

// Where in a header block its reader is.
enum head_part { AT_FIELD, AT_INDEX, AT_LENGTH, AT_LENGTH_MORE, AT_TEXT };
enum field_kind { FIELD_INDEXED, FIELD_KEPT, FIELD_PLAIN, FIELD_SIZE };
// Whether a field is named traceparent. NAMED_BEFORE: its name was said before the connection
// was seen; nothing else has values of the form.
enum field_name { NAMED_NOT, NAMED_TRACE, NAMED_BEFORE };

struct context {
	u64 trace[2];
	u64 parent;
	u32 entry; // its number in the table
	u8 flags;
	u8 valid;
	u8 _pad[2];
};

// head is where the reader of a client's header blocks is.
struct head {
	u32 entries; // that the client has put into its table
	u32 number;  // an index or a length
	u32 left;    // bytes of a text that are to come
	u32 at;      // in the piece of the block; here, as of what is on the stack verifiers follow each value
	u32 bit;     // in a text in Huffman's code
	u8 shift;
	u8 part;  // enum head_part
	u8 kind; // enum field_kind
	u8 name; // enum field_name
	u8 value; // the text is the value
	u8 coded; // ... and in Huffman's code
	u8 kept;  // ... and is kept in text
	u8 have;  // bytes of it
	u8 lost;  // nothing is understood any more
	u8 found; // a field of the block is a traceparent
	u8 doubt; // ... which one nobody knows
	u8 fresh; // the block is that of a request
	u32 stream;
	u32 told;
	u64 reader; // the goroutine that reads the connection, and the one that has started it
	u64 starter;
	u64 span;
	struct context context; // of the block; first the one that was begun for it
	struct context value_is; // of the value in hand
	u64 is_trace[ENTRIES / 64];
	struct context contexts[CONTEXTS];
	u8 text[2 * KEPT_MAX]; // the second half is room for the verifier
	u8 plain[2 * KEPT_MAX];
};

// Only of connections to servers of Go's.
BOOKS(http2_heads, struct head, BOOKS_FEW);

// By the next six bits: the character, of those that a trace context has. Codes of five bits
// stand there twice (RFC 7541, appendix B).
const u8 hex_codes[64] = {
	'0', '0', '1', '1', '2', '2', 'a', 'a', 'c', 'c', 'e', 'e', [0x16] = '-', [0x19] = '3', '4', '5', '6', '7', '8', '9',
	[0x23] = 'b', 'd', 'f',
};

static long decode_char(u32 i, struct head **s)
{
	struct head *h = *s;
	u32 at = h->bit >> 3, code;
	u8 is;

	barrier_var(at);
	if (i >= KEPT_MAX || at >= KEPT_MAX)
		return 1;
	code = (u32)h->text[at] << 8 | h->text[at + 1];
	code = code >> (10 - (h->bit & 7)) & 63;
	is = hex_codes[code];
	h->plain[i] = is;
	h->bit += code < 20 ? 5 : 6;
	return !is;
}

// plain_text decodes what is in text. Returns it, 0: it is no trace context.
inline_ u8 *plain_text(struct head *h)
{
	u32 end = (u32)h->have * 8;

	if (!h->coded)
		return h->have == TRACE_LEN ? h->text : 0;
	if (h->have >= KEPT_MAX)
		return 0;
	h->text[h->have & (KEPT_MAX - 1)] = 0xff;
	h->bit = 0;
	if (bpf_loop(TRACE_LEN, decode_char, &h, 0) != TRACE_LEN || !h->plain[TRACE_LEN - 1])
		return 0;
	return h->bit <= end && end - h->bit < 8 ? h->plain : 0;
}

// read_context reads a value of traceparent (w3.org/TR/trace-context, 3.2).
noinline_ int read_context(struct head *h)
{
	struct context *c;
	u32 flags;
	u64 w;
	u8 *p;

	if (!h)
		return 0;
	c = &h->value_is;
	c->valid = 0;
	p = plain_text(h);
	if (!p || p[2] != '-' || p[35] != '-' || p[52] != '-' || (p[0] == 'f' && p[1] == 'f'))
		return 0;
	// Version and flags together are four digits; pad them to eight.
	w = (u64)p[0] | (u64)p[1] << 8 | (u64)p[53] << 16 | (u64)p[54] << 24 | (u64)0x30303030 << 32;
	if (!from_hex8(w, &flags) || !from_hex16(p + 3, &c->trace[0]) || !from_hex16(p + 19, &c->trace[1]) || !from_hex16(p + 36, &c->parent))
		return 0;
	c->flags = flags >> 8;
	c->valid = (c->trace[0] | c->trace[1]) && c->parent;
	return c->valid;
}

// set_entry notes whether the newest entry of the table is a trace context.
inline_ void set_entry(struct head *h, bool is)
{
	u32 n = h->entries++;
	u64 bit = 1ULL << (n & 63);
	struct context *to = &h->contexts[n & (CONTEXTS - 1)];

	n = n / 64 & (ENTRIES / 64 - 1);
	if (!is) {
		h->is_trace[n] &= ~bit;
		return;
	}
	h->is_trace[n] |= bit;
	__builtin_memcpy(to, &h->value_is, sizeof(*to));
	to->entry = h->entries - 1;
}

// take_value handles the value of a field.
inline_ void take_value(struct head *h)
{
	bool is = h->name == NAMED_TRACE;
	if (h->name != NAMED_NOT) {
		if (!h->kept)
			h->doubt |= is; // longer than it may be in this version
		h->value_is.valid = 0;
		if (h->kept && read_context(h))
			is = true;
		if (is && !h->found) {
			h->found = 1;
			if (h->value_is.valid)
				__builtin_memcpy(&h->context, &h->value_is, sizeof(h->context));
		}
	}
	if (h->kind == FIELD_KEPT)
		set_entry(h, is);
	h->part = AT_FIELD;
}

// take_entry handles a field that stands for an entry of the table.
noinline_ int take_entry(struct head *h)
{
	struct context *c;
	u32 back, n;

	if (!h)
		return 0;
	back = h->number - STATIC_ENTRIES - 1;
	n = h->entries - 1 - back;
	c = &h->contexts[n & (CONTEXTS - 1)];
	if (h->number <= STATIC_ENTRIES || back >= h->entries)
		return 0;
	if (back >= ENTRIES)
		h->doubt = 1;
	else if (h->is_trace[n / 64 & (ENTRIES / 64 - 1)] >> (n & 63) & 1) {
		if (c->entry != n)
			h->doubt = 1;
		else if (!h->found && c->valid)
			__builtin_memcpy(&h->context, c, sizeof(*c));
		h->found = 1;
	}
	return 0;
}

// entry_name tells what the name of an entry is.
inline_ u8 entry_name(const struct head *h)
{
	u32 back = h->number - STATIC_ENTRIES - 1, n = h->entries - 1 - back;

	if (h->number <= STATIC_ENTRIES)
		return NAMED_NOT;
	if (back >= h->entries || back >= ENTRIES)
		return NAMED_BEFORE;
	return h->is_trace[n / 64 & (ENTRIES / 64 - 1)] >> (n & 63) & 1 ? NAMED_TRACE : NAMED_NOT;
}

// take_index goes on behind the index of a field.
inline_ void take_index(struct head *h)
{
	h->part = AT_FIELD;
	if (h->kind == FIELD_SIZE)
		return;
	if (h->kind == FIELD_INDEXED) {
		take_entry(h);
		return;
	}
	h->value = h->number != 0;
	h->name = h->value ? entry_name(h) : NAMED_NOT;
	h->part = AT_LENGTH;
}

#define CODED_NAME TEXT8(0x4d, 0x83, 0x21, 0x6b, 0x1d, 0x85, 0xa9, 0x3f)

inline_ bool is_trace_name(const struct head *h)
{
	const u8 *t = h->text;

	if (h->coded)
		return h->have == 8 && *(u64 *)t == CODED_NAME;
	return h->have == TRACE_NAME_LEN && *(u64 *)t == TEXT8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') && t[8] == 'e' && t[9] == 'n' && t[10] == 't';
}

// end_text goes on behind a text. Not part of take_byte: calls may only be so deep.
noinline_ int end_text(struct head *h)
{
	if (!h)
		return 0;
	if (h->value) {
		take_value(h);
		return 0;
	}
	h->name = h->kept && is_trace_name(h) ? NAMED_TRACE : NAMED_NOT;
	h->value = 1;
	h->part = AT_LENGTH;
	return 0;
}

// take_length goes on behind the length of a text.
inline_ void take_length(struct head *h)
{
	u32 most = h->value ? TRACE_LEN : TRACE_NAME_LEN;

	h->left = h->number;
	h->have = 0;
	h->kept = h->number <= most && (!h->value || h->name != NAMED_NOT);
	h->part = AT_TEXT;
}

// begin_field handles the first byte of a field.
inline_ void begin_field(struct head *h, u8 is)
{
	u8 most = 15;

	h->kind = FIELD_PLAIN;
	if (is & 0x80) {
		h->kind = FIELD_INDEXED;
		most = 127;
	} else if (is & 0x40) {
		h->kind = FIELD_KEPT;
		most = 63;
	} else if (is & 0x20) {
		h->kind = FIELD_SIZE;
		most = 31;
	}
	h->number = is & most;
	h->shift = 0;
	if (h->number == most)
		h->part = AT_INDEX;
	else
		take_index(h);
}

// add_digit goes on with a number. True: it ends here.
inline_ bool add_digit(struct head *h, u8 is)
{
	h->number += (u32)(is & 127) << (h->shift & 31);
	h->shift += 7;
	h->lost |= h->shift > 28;
	return !(is & 128);
}

// take_byte takes one that is no text.
noinline_ int take_byte(struct head *h, u32 is)
{
	if (!h)
		return 0;
	switch (h->part) {
	case AT_FIELD:
		begin_field(h, is);
		break;
	case AT_INDEX:
		if (add_digit(h, is))
			take_index(h);
		break;
	case AT_LENGTH:
		h->coded = is >> 7;
		h->number = is & 127;
		h->shift = 0;
		if (h->number == 127)
			h->part = AT_LENGTH_MORE;
		else
			take_length(h);
		break;
	case AT_LENGTH_MORE:
		if (add_digit(h, is))
			take_length(h);
	}
	return 0;
}

struct head_walk {
	struct head *h;
	struct http2_event *e;
	u32 n;
	u32 _pad;
};

static long head_step(u32 i, struct head_walk *s)
{
	struct head *h = s->h;
	u32 at = h->at, n = s->n, have = h->have;

	barrier_var(at);
	if (h->part == AT_TEXT && !h->left) {
		end_text(h);
		return 0;
	}
	if (at >= CHUNK || at >= n || h->lost)
		return 1;
	if (h->part != AT_TEXT) {
		h->at = at + 1;
		take_byte(h, s->e->block.b[at]);
		return 0;
	}
	n -= at;
	if (n > h->left)
		n = h->left;
	h->at = at + n;
	h->left -= n;
	if (h->kept) {
		barrier_var(n);
		barrier_var(have);
		if (n > KEPT_MAX || have > KEPT_MAX - 1 || at + n > CHUNK || bpf_probe_read_kernel(h->text + have, n, s->e->block.b + at)) {
			h->lost = 1;
			return 1;
		}
		h->have = have + n;
	}
	return 0;
}

// read_head reads the next n bytes of a header block. Returns 1 at its end.
noinline_ int read_head(struct head *h, u32 n)
{
	struct http2_event *e = room_in(http2_rooms);
	struct head_walk s = {.h = h, .e = e, .n = n};

	if (!h || !e)
		return 0;
	if (e->n.bits & NOTE_FIRST) {
		h->part = AT_FIELD;
		h->found = h->doubt = 0;
		h->fresh = (e->n.bits & NOTE_NEW) != 0;
		h->context.valid = 0;
	}
	h->at = 0;
	bpf_loop(STEPS_MAX, head_step, &s, 0);
	if (!(e->n.bits & NOTE_LAST))
		return 0;
	h->lost |= h->part != AT_FIELD;
	return 1;
}
