// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which rule says whether the trace that a request begins is recorded: by what was kept of
// its first line.
#pragma once

#include "../exchange/linking.h"
#include "../exchange/rules.h"
#include "head.h"

#define EMPTY_MAX 4 // bytes of empty lines before a request
#define AUTHORITY_MAX 300 // "https://", a name, a port

inline_ u64 kept_word(const struct http1 *h, u32 at)
{
	barrier_var(at);
	if (at > KEEP_ALL + BLOCK - 8)
		return 0;
	return *(u64 *)(h->kept + at);
}

inline_ u8 kept_byte(const struct http1 *h, u32 at)
{
	barrier_var(at);
	if (at > KEEP_ALL + BLOCK - 1)
		return 0;
	return h->kept[at];
}

// differs compares eight bytes of a path.
inline_ u64 differs(const struct http1 *h, const struct rule *rule, u32 at, u32 k)
{
	return (*(u64 *)(h->kept + at + k * 8) ^ rule->path[k]) & rule->path_mask[k];
}

// fits_path compares the bytes of a path. With one branch: the verifier would follow each, and
// most paths differ soon.
inline_ bool fits_path(const struct http1 *h, const struct rule *rule)
{
	u32 at = h->fit.path;
	u64 differ = 0;
	u8 behind;

	if (at + rule->len >= h->fit.end)
		return false;
	behind = kept_byte(h, at + rule->len);
	barrier_var(at);
	if (at > KEEP_ALL + BLOCK - RULE_TEXT || differs(h, rule, at, 0))
		return false;
	UNROLLED
	for (u32 k = 1; k < RULE_TEXT / 8; k++) {
		differ |= differs(h, rule, at, k);
		barrier_var(differ); // one after the other: all at once they need stack
	}
	return !differ && (rule->prefix || ends_path(behind));
}

// fits tells whether rule i fits the request. The verifier looks at it by itself, and not on
// each way to it.
noinline_ int fits(struct http1 *h, struct rules *rules, u32 i)
{
	struct rule *rule;

	if (!h || !rules || i >= RULES_MAX)
		return 0;
	rule = &rules->rule[i];
	return !((kept_word(h, h->fit.begin) ^ rule->method) & rule->mask) && fits_path(h, rule);
}

struct fitting {
	struct http1 *h; // where it is stands in h->fit
	struct rules *rules;
};

static long try_rule(u32 i, struct fitting *f)
{
	int yes;

	if (i >= f->rules->count)
		return 1;
	yes = fits(f->h, f->rules, i);
	barrier_var(yes);
	if (!yes)
		return 0;
	f->h->fit.fits = i + 1;
	return 1;
}

// line_byte goes on to the end of a line.
static long line_byte(u32 i, struct http1 **s)
{
	struct http1 *h = *s;

	return kept_byte(h, h->fit.begin++) == '\n';
}

static long empty_byte(u32 i, struct http1 **s)
{
	struct http1 *h = *s;
	u8 c = kept_byte(h, h->fit.begin);

	if (c != '\r' && c != '\n')
		return 1;
	h->fit.begin++;
	return 0;
}

static long method_to_path(u32 i, struct http1 **s)
{
	struct http1 *h = *s;

	return kept_byte(h, h->fit.path++) == ' ';
}

static long authority_byte(u32 i, struct http1 **s)
{
	struct http1 *h = *s;
	u8 c = kept_byte(h, h->fit.path);

	if (c == ' ' || (c == '/' && ++h->fit.fits == 3))
		return 1;
	h->fit.path++;
	return 0;
}

// find_path finds the path in the first line of a request. Proxies get it behind a scheme and an
// authority.
inline_ void find_path(struct http1 *h)
{
	if (h->proxied && (kept_word(h, h->fit.begin) & 0xffffffffffffULL) == WORD8('P', 'R', 'O', 'X', 'Y', ' ', 0, 0))
		bpf_loop(sizeof(struct preface), line_byte, &h, 0);
	bpf_loop(EMPTY_MAX, empty_byte, &h, 0);
	h->fit.path = h->fit.begin;
	bpf_loop(METHOD_MAX, method_to_path, &h, 0);
	if (kept_byte(h, h->fit.path) != '/')
		bpf_loop(AUTHORITY_MAX, authority_byte, &h, 0);
}

// by_rule decides about a trace that a request begins.
noinline_ int by_rule(struct http1 *h, struct target *g, struct request *r)
{
	struct fitting f = {.h = h};
	u32 at;

	if (!h || !g || !r)
		return 0;
	f.rules = rules_of(g);
	if (!f.rules)
		return 0;
	h->fit.begin = r->head_off;
	h->fit.end = r->head_off + r->head_len;
	h->fit.fits = 0;
	find_path(h);
	h->fit.fits = 0;
	bpf_loop(RULES_MAX, try_rule, &f, 0);
	at = h->fit.fits - 1;
	barrier_var(at);
	if (at < RULES_MAX)
		r->tflags = recorded(f.rules->rule[at].left_out, r->trace);
	return 0;
}
