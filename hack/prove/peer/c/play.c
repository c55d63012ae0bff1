// SPDX-License-Identifier: Apache-2.0
// Plays one side of a conversation and reports it.
#include "peer.h"

static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static void close_step(struct player *p, int reset)
{
	struct linger l = {1, 0};
	struct stamp s;
	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	s = begin(p);
	close(p->fd);
	p->open = 0;
	end(p, s, 1, AT_END);
	end(p, s, 0, AT_END);
}

static int settle(struct player *p)
{
	int n = 1;
	for (int i = 0; i < 200000 && n; i++) {
		if (ioctl(p->fd, SIOCOUTQ, &n))
			return fault(p, "SIOCOUTQ: %s", strerror(errno));
		if (n)
			usleep(20);
	}
	return n ? fault(p, "the peer's kernel does not take what was sent") : 0;
}

// step: 1 means that the peer has gone, as it may.
static int step(struct player *p, struct op *o)
{
	int v = o->n;
	switch (o->kind) {
	case SEND:
		if (!send_step(p, o))
			return 0;
		if ((o->flags & MAY_FAIL) && (errno == EPIPE || errno == ECONNRESET)) {
			p->fault[0] = 0;
			return 1;
		}
		return -1;
	case RECV:
		return recv_step(p, o);
	case RECV_END:
		return recv_end(p);
	case HALF_CLOSE:
		return shutdown(p->fd, SHUT_WR) ? fault(p, "shutdown: %s", strerror(errno)) : 0;
	case CLOSE:
	case RESET:
		close_step(p, o->kind == RESET);
		return 0;
	case SLEEP:
		usleep(o->n);
		return 0;
	case SEND_BUF:
		return setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)) ? fault(p, "SO_SNDBUF") : 0;
	case NON_BLOCK:
		p->nowait = 1;
		return 0;
	case SETTLE:
		return settle(p);
	case CORK:
		p->cork = 1;
	}
	return 0;
}

static void report(struct player *p, unsigned port)
{
	pthread_mutex_lock(&printing);
	printf("{\"ID\":%u,\"Port\":%u,\"Fault\":\"%s\",\"Odd\":\"%s\",\"Times\":[", p->s->id, port, p->fault, p->odd && !p->fault[0] ? p->odd : "");
	for (uint32_t i = 0; i < p->s->pairs; i++) {
		int64_t *v = p->times[i].v;
		printf("%s{\"BeginFrom\":%lld,\"BeginTo\":%lld,\"FinishFrom\":%lld,\"FinishTo\":%lld,\"Delay\":%lld,\"Inside\":%s}", i ? "," : "", (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3], (long long)v[4], p->times[i].inside ? "true" : "false");
	}
	printf("],\"Headers\":[");
	for (uint32_t i = 0; i < p->heads; i++)
		printf("%s\"%s\"", i ? "," : "", p->head[i]);
	printf("]}\n");
	fflush(stdout);
	pthread_mutex_unlock(&printing);
}

void play(struct side *s, int place, uint8_t *buffer)
{
	struct player p = {.s = s, .open = 1, .buffer = buffer};
	unsigned port = 0;
	int how = 0;
	p.times = calloc(s->pairs + 1, sizeof(*p.times));
	p.head = calloc(s->inserts + 1, sizeof(*p.head));
	p.sched = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	p.fd = connection(place, &port);
	if (p.fd < 0) {
		fault(&p, "%s: %s", serving ? "accept" : "connect", strerror(errno));
		p.open = 0;
	}
	for (uint32_t i = 0; i < s->ops && p.open && !how; i++)
		how = step(&p, &s->op[i]);
	if (p.open)
		close_step(&p, 0);
	report(&p, port);
	if (p.file)
		close(p.file);
	close(p.sched);
	free(p.times);
	free(p.head);
	free(s->op);
	free(s->raw);
	free(s);
}
