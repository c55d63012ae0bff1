// SPDX-License-Identifier: Apache-2.0
// What the parts of the peer in C share.
#pragma once
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

struct stamp { int64_t delay, at; };

extern const char *family;
extern int serving, width, *listeners;
extern char **places; // ports, or the names of unix sockets with an @ before

// books.c
void die(const char *what);
int64_t now(void);
int fault(struct player *p, const char *format, ...);
struct stamp begin(struct player *p);
void end(struct player *p, struct stamp s, int in, uint32_t to);
int feed(struct player *p, const uint8_t *b, uint32_t n);

// calls.c
int send_step(struct player *p, struct op *o);
int recv_step(struct player *p, struct op *o);
int recv_end(struct player *p);

// sockets.c
int connection(int i, unsigned *port);
void listen_all(void);

// play.c
void play(struct side *s, int place, uint8_t *buffer);
