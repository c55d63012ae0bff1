// SPDX-License-Identifier: Apache-2.0
// The peer in C: plays the same scripts as package peer with the same system calls,
// one thread for each connection. Usage: peer server FAMILY WIDTH | peer client FAMILY PORT...
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <linux/sockios.h>
#include <time.h>
#include <unistd.h>

enum kind { SEND, RECV, RECV_END, HALF_CLOSE, CLOSE, RESET, SLEEP, SEND_BUF, NON_BLOCK, SETTLE, CORK };
enum how { PLAIN, VECTOR, SOCKET, MESSAGE, MORE, WHOLE_FILE, MANY };
#define MAY_FAIL 1
#define AT_END UINT32_MAX
#define PATIENCE 20
#define HEADER 70
#define BUFFER (1 << 20)
#define VECTORS 1024
#define WAITING 4

struct op { uint32_t kind, how, flags, n, count; const uint32_t *sizes; };
struct mark { uint32_t in, off; };
struct pair { struct mark begin, finish; };
struct times { int64_t v[5]; int inside; }; // begin from, to, finish from, to, delay

struct side {
	uint32_t id, ops, out_len, in_len, inserts, pairs;
	struct op *op;
	const uint32_t *insert;
	const struct pair *pair;
	const uint8_t *out, *in;
	uint8_t *raw;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct side *waiting[WAITING];
	int count, ended;
};

struct player {
	struct side *s;
	int fd, open, cork, nowait, file, sched;
	uint32_t sent, at, held, heads, begins, finishes, moved[2];
	uint8_t hold[HEADER];
	char (*head)[56];
	struct times *times;
	char fault[700];
	const char *odd;
	uint8_t *buffer;
};

static const char *family;
static int serving, width, *listeners;
static char **places; // ports, or the names of unix sockets with an @ before
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
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

static int fault(struct player *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(p->fault, sizeof(p->fault), format, args);
	va_end(args);
	return -1;
}

struct stamp { int64_t delay, at; };

static struct stamp begin(struct player *p)
{
	struct stamp s = {delay(p), now()};
	return s;
}

static int passed(struct mark m, int in, uint32_t to)
{
	return m.in == (uint32_t)in && (m.off == AT_END) == (to == AT_END) && (m.off < to || to == AT_END);
}

static void end(struct player *p, struct stamp s, int in, uint32_t to)
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
static int feed(struct player *p, const uint8_t *b, uint32_t n)
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

static int send_flags(struct player *p, uint32_t how, int last)
{
	return MSG_NOSIGNAL | (p->nowait ? MSG_DONTWAIT : 0) | ((how == MORE && !last) || p->cork ? MSG_MORE : 0);
}

static ssize_t send_piece(struct player *p, uint32_t how, uint32_t n, int flags)
{
	off_t off = p->sent;
	if (how == WHOLE_FILE) {
		if (!p->file) {
			p->file = memfd_create("body", MFD_CLOEXEC);
			for (uint32_t done = 0; done < p->s->out_len;) {
				ssize_t k = write(p->file, p->s->out + done, p->s->out_len - done);
				if (k <= 0)
					die("memory file");
				done += k;
			}
		}
		return sendfile(p->fd, p->file, &off, n);
	}
	if (how == PLAIN && !p->nowait && !p->cork)
		return write(p->fd, p->s->out + p->sent, n);
	return sendto(p->fd, p->s->out + p->sent, n, flags, 0, 0);
}

// send_pieces sends as many of the sizes in one call as it takes.
static ssize_t send_pieces(struct player *p, uint32_t how, const uint32_t *sizes, uint32_t count)
{
	struct iovec v[VECTORS];
	struct mmsghdr many[64] = {};
	uint32_t at = p->sent;
	ssize_t total = 0;
	int sent;
	for (uint32_t i = 0; i < count; i++) {
		v[i].iov_base = (void *)(p->s->out + at);
		v[i].iov_len = sizes[i];
		at += sizes[i];
	}
	struct msghdr m = {.msg_iov = v, .msg_iovlen = count};
	if (how == VECTOR && !p->nowait)
		return writev(p->fd, v, count);
	if (how != MANY)
		return sendmsg(p->fd, &m, send_flags(p, how, 1));
	if (count > 64)
		count = 64;
	for (uint32_t i = 0; i < count; i++) {
		many[i].msg_hdr.msg_iov = &v[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(p->fd, many, count, send_flags(p, how, 1));
	if (sent < 0)
		return -1;
	for (int i = 0; i < sent; i++) {
		total += many[i].msg_len;
		if (many[i].msg_len < v[i].iov_len)
			break;
	}
	return total;
}

// after keeps the books of a send call; where there is no room it waits for some.
static int after(struct player *p, struct stamp s, ssize_t n)
{
	struct pollfd f = {.fd = p->fd, .events = POLLOUT};
	if (n >= 0) {
		p->sent += n;
		end(p, s, 0, p->sent);
		return 0;
	}
	if (errno == EINTR)
		return 0;
	if (errno == EAGAIN && p->nowait && poll(&f, 1, PATIENCE * 1000) > 0)
		return 0;
	return fault(p, "sending byte %u: %s", p->sent, strerror(errno));
}

static int send_step(struct player *p, struct op *o)
{
	uint32_t last = p->sent + o->n, i = 0;
	if (o->how == PLAIN || o->how == SOCKET || o->how == MORE || o->how == WHOLE_FILE) {
		for (; i < o->count; i++) {
			for (uint32_t to = p->sent + o->sizes[i]; p->sent < to;) {
				struct stamp s = begin(p);
				if (after(p, s, send_piece(p, o->how, to - p->sent, send_flags(p, o->how, to == last))))
					return -1;
			}
		}
		return 0;
	}
	while (p->sent < last) {
		uint32_t used = 0, at = p->sent, rest = last - p->sent;
		struct stamp s = begin(p);
		ssize_t n;
		while (i + used < o->count && used < VECTORS && at + o->sizes[i + used] <= last)
			at += o->sizes[i + used++];
		n = used ? send_pieces(p, o->how, o->sizes + i, used) : send_pieces(p, o->how, &rest, 1);
		i = used ? i + used : o->count;
		if (after(p, s, n))
			return -1;
	}
	return 0;
}

static ssize_t read_once(struct player *p, uint32_t how, uint32_t size)
{
	struct iovec v[16];
	int count = 0;
	uint32_t at = 0;
	ssize_t n;
	for (uint32_t k = 7; size - at > k; k *= 3) {
		v[count++] = (struct iovec){p->buffer + at, k};
		at += k;
	}
	v[count++] = (struct iovec){p->buffer + at, size - at};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = count};
	switch (how) {
	case VECTOR:
	case MANY:
		return readv(p->fd, v, count);
	case MESSAGE:
		return recvmsg(p->fd, &m, 0);
	case SOCKET:
	case MORE:
		return recvfrom(p->fd, p->buffer, size, 0, 0, 0);
	case WHOLE_FILE:
		n = recvfrom(p->fd, p->buffer, size, MSG_PEEK, 0, 0);
		return n <= 0 ? n : read(p->fd, p->buffer, n);
	}
	return read(p->fd, p->buffer, size);
}

static int recv_step(struct player *p, struct op *o)
{
	int64_t since = now();
	for (uint32_t i = 0; p->at < o->n; i++) {
		struct stamp s = begin(p);
		ssize_t n = read_once(p, o->how, o->sizes[i % o->count]);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && now() - since < PATIENCE / 2 * 1000000000LL) {
			p->odd = "a call that waits said EAGAIN";
			continue;
		}
		if (n < 0)
			return fault(p, "reading byte %u: %s", p->at, strerror(errno));
		if (!n)
			return fault(p, "the connection ended before byte %u of %u", p->at, o->n);
		if (feed(p, p->buffer, n))
			return -1;
		end(p, s, 1, p->at);
	}
	return 0;
}

static int recv_end(struct player *p)
{
	int64_t since = now();
	for (;;) {
		struct stamp s = begin(p);
		ssize_t n = read(p->fd, p->buffer, 1 << 16);
		if (n > 0) {
			if (feed(p, p->buffer, n))
				return -1;
			end(p, s, 1, p->at);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (now() - since > PATIENCE / 2 * 1000000000LL)
				return fault(p, "the connection does not end");
			p->odd = "a call that waits said EAGAIN";
			continue;
		}
		end(p, s, 1, AT_END);
		end(p, s, 0, AT_END);
		return 0;
	}
}

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

static unsigned port_of(struct sockaddr_storage *a)
{
	if (a->ss_family == AF_UNIX)
		return 0;
	return ntohs(a->ss_family == AF_INET ? ((struct sockaddr_in *)a)->sin_port : ((struct sockaddr_in6 *)a)->sin6_port);
}

static socklen_t address(struct sockaddr_storage *a, const char *place)
{
	struct sockaddr_un *un = (void *)a;
	int port = atoi(place);
	struct sockaddr_in *v4 = (void *)a;
	struct sockaddr_in6 *v6 = (void *)a;
	int mapped = !strcmp(family, "mapped");
	memset(a, 0, sizeof(*a));
	if (!strcmp(family, "unix")) {
		un->sun_family = AF_UNIX;
		snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "%s", place + 1);
		return offsetof(struct sockaddr_un, sun_path) + strlen(place);
	}
	if (!strcmp(family, "v6") || (mapped && serving)) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		if (!mapped)
			v6->sin6_addr = in6addr_loopback;
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*v4);
}

static void bound(int fd)
{
	struct timeval t = {PATIENCE, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int connection(int i, unsigned *port)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	int one = 1, fd;
	if (serving) {
		fd = accept4(listeners[i], (void *)&a, &n, SOCK_CLOEXEC);
	} else {
		n = address(&a, places[i]);
		fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (void *)&a, n)) {
			close(fd);
			return -1;
		}
		n = sizeof(a);
		getsockname(fd, (void *)&a, &n);
	}
	if (fd >= 0) {
		*port = port_of(&a);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		bound(fd);
	}
	return fd;
}

static void play(struct side *s, int place, uint8_t *buffer)
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

static struct side *next(struct queue *q)
{
	struct side *s = 0;
	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->ended)
		pthread_cond_wait(&q->changed, &q->lock);
	if (q->count) {
		s = q->waiting[0];
		memmove(q->waiting, q->waiting + 1, --q->count * sizeof(s));
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return s;
}

static void put(struct queue *q, struct side *s)
{
	pthread_mutex_lock(&q->lock);
	while (s && q->count == WAITING)
		pthread_cond_wait(&q->changed, &q->lock);
	if (s)
		q->waiting[q->count++] = s;
	else
		q->ended = 1;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

static struct queue *queues;

static void *work(void *arg)
{
	int place = (int)(intptr_t)arg;
	uint8_t *buffer = malloc(BUFFER);
	struct side *s;
	while ((s = next(&queues[place])))
		play(s, place, buffer);
	free(buffer);
	return 0;
}

static struct side *read_side(void)
{
	uint32_t size, *w;
	struct side *s;
	if (fread(&size, 4, 1, stdin) != 1)
		return 0;
	s = calloc(1, sizeof(*s));
	s->raw = malloc(size + 4);
	if (!s->raw || fread(s->raw, 1, size, stdin) != size)
		die("reading a script");
	w = (uint32_t *)s->raw;
	s->id = *w++;
	s->ops = *w++;
	s->out_len = *w++;
	s->in_len = *w++;
	s->inserts = *w++;
	s->pairs = *w++;
	s->op = calloc(s->ops + 1, sizeof(*s->op));
	for (uint32_t i = 0; i < s->ops; i++) {
		struct op *o = &s->op[i];
		o->kind = *w++;
		o->how = *w++;
		o->flags = *w++;
		o->n = *w++;
		o->count = *w++;
		o->sizes = w;
		w += o->count;
	}
	s->insert = w;
	w += s->inserts;
	s->pair = (void *)w;
	s->out = (uint8_t *)(s->pair + s->pairs);
	s->in = s->out + s->out_len;
	return s;
}

static void listen_all(void)
{
	for (int i = 0; i < width; i++) {
		struct sockaddr_storage a;
		char place[40] = "0";
		socklen_t n;
		if (!strcmp(family, "unix"))
			snprintf(place, sizeof(place), "@odi-prove-%d-%d", getpid(), i);
		n = address(&a, place);
		listeners[i] = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(listeners[i], (void *)&a, n) || listen(listeners[i], 16))
			die("listen");
		n = sizeof(a);
		getsockname(listeners[i], (void *)&a, &n);
		bound(listeners[i]);
		if (port_of(&a))
			snprintf(place, sizeof(place), "%u", port_of(&a));
		printf("%s%s", i ? " " : "", place);
	}
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct side *s;
	pthread_t *threads;
	if (argc < 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	serving = !strcmp(argv[1], "server");
	family = argv[2];
	width = serving ? atoi(argv[3]) : argc - 3;
	places = argv + 3;
	listeners = calloc(width, sizeof(*listeners));
	queues = calloc(width, sizeof(*queues));
	threads = calloc(width, sizeof(*threads));
	if (serving)
		listen_all();
	for (int i = 0; i < width; i++) {
		pthread_mutex_init(&queues[i].lock, 0);
		pthread_cond_init(&queues[i].changed, 0);
		pthread_create(&threads[i], 0, work, (void *)(intptr_t)i);
	}
	while ((s = read_side()))
		put(&queues[s->id % width], s);
	for (int i = 0; i < width; i++)
		put(&queues[i], 0);
	for (int i = 0; i < width; i++)
		pthread_join(threads[i], 0);
	return 0;
}
