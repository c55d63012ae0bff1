// Looks up each name that it reads, with the C library's resolver, and says what came of it.
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(void)
{
	char name[300];

	puts("ready");
	fflush(stdout);
	while (fgets(name, sizeof(name), stdin)) {
		struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = 0, *a;
		int n = 0, err;

		name[strcspn(name, "\n")] = 0;
		err = getaddrinfo(name, 0, &hints, &all);
		for (a = all; a; a = a->ai_next)
			n++;
		if (all)
			freeaddrinfo(all);
		printf("%s %d %s\n", name, n, err ? "true" : "false");
		fflush(stdout);
	}
	return 0;
}
