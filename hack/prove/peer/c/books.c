// SPDX-License-Identifier: Apache-2.0
// Keeps the books of a connection: when bytes moved, and whether they are the right ones.
#include "peer.h"

void die(const char *what)
{
	perror(what);
	exit(1);
}

int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t delay(struct player *p)
{
	char b[64];
	long long ran = 0, waited = 0;
	ssize_t n = pread(p->sched, b, sizeof(b) - 1, 0);
	if (n <= 0)
		return 0;
	b[n] = 0;
	sscanf(b, "%lld %lld", &ran, &waited);
	return waited;
}

int fault(struct player *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(p->fault, sizeof(p->fault), format, args);
	va_end(args);
	return -1;
}

struct stamp begin(struct player *p)
{
	struct stamp s = {delay(p), now()};
	return s;
}

static int passed(struct mark m, int in, uint32_t to)
{
	return m.in == (uint32_t)in && (m.off == AT_END) == (to == AT_END) && (m.off < to || to == AT_END);
}

void end(struct player *p, struct stamp s, int in, uint32_t to)
{
	int64_t at = 0, waited = 0;
	uint32_t from = p->moved[in];
	p->moved[in] = to;
	for (int k = 0; k < 2; k++) {
		uint32_t *next = k ? &p->finishes : &p->begins;
		while (*next < p->s->pairs && passed(k ? p->s->pair[*next].finish : p->s->pair[*next].begin, in, to)) {
			struct times *t = &p->times[*next];
			if (!at) {
				at = now();
				waited = delay(p) - s.delay;
			}
			t->v[2 * k] = s.at;
			t->v[2 * k + 1] = at;
			t->v[4] += waited;
			if (!k)
				t->inside = p->s->pair[*next].begin.off != from;
			(*next)++;
		}
	}
}

// quote writes at most 40 bytes so that JSON takes them.
static void quote(char *to, const uint8_t *b, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < 40; i++)
		to += b[i] >= ' ' && b[i] < 127 && b[i] != '"' && b[i] != '\\' ? sprintf(to, "%c", b[i]) : sprintf(to, "<%02x>", b[i]);
	*to = 0;
}

static int compare(struct player *p, const uint8_t *b, uint32_t n)
{
	uint32_t rest = p->s->in_len - p->at, i = 0;
	char came[200], sent[200];
	if (n <= rest && !memcmp(b, p->s->in + p->at, n)) {
		p->at += n;
		return 0;
	}
	while (i < n && i < rest && b[i] == p->s->in[p->at + i])
		i++;
	quote(came, b + i, n - i);
	quote(sent, p->s->in + p->at + i, rest - i);
	return fault(p, "byte %u differs: %s came, %s was sent", p->at + i, came, sent);
}

static int fits(uint8_t c, uint32_t i)
{
	static const char pattern[] = "traceparent: 00-................................-................-..\r\n";
	if (pattern[i] != '.')
		return c == (uint8_t)pattern[i];
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// feed compares what came with what was sent, but for one header at each insert.
int feed(struct player *p, const uint8_t *b, uint32_t n)
{
	while (n) {
		uint32_t k = n;
		if (p->heads < p->s->inserts && p->s->insert[p->heads] == p->at) {
			uint8_t c = *b++;
			n--;
			p->hold[p->held++] = c;
			if (!fits(c, p->held - 1)) {
				k = p->held;
				p->held = 0;
				p->heads++;
				if (compare(p, p->hold, k))
					return -1;
			} else if (p->held == HEADER) {
				memcpy(p->head[p->heads++], p->hold + 13, 55);
				p->held = 0;
			}
			continue;
		}
		if (p->heads < p->s->inserts && k > p->s->insert[p->heads] - p->at)
			k = p->s->insert[p->heads] - p->at;
		if (compare(p, b, k))
			return -1;
		b += k;
		n -= k;
	}
	return 0;
}
