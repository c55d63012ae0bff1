// SPDX-License-Identifier: Apache-2.0
// The peer in C: plays the same scripts as package peer with the same system calls,
// one thread for each connection. Usage: peer server FAMILY WIDTH | peer client FAMILY PORT...
#include "peer.h"

#define WAITING 4

const char *family;
int serving, width, *listeners;
char **places;

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct side *waiting[WAITING];
	int count, ended;
};

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
