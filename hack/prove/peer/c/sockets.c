// SPDX-License-Identifier: Apache-2.0
// Listens, accepts and connects.
#include "peer.h"

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
	int domain = 0, room = 16 << 20;
	socklen_t n = sizeof(domain);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) && domain == AF_UNIX) // as unixBuffer in socket.go
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
}

int connection(int i, unsigned *port)
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

void listen_all(void)
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
