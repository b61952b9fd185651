// The floor: sends ready-made netlink messages and reads the answers without
// parsing them, so that what it takes is the kernel's own time.
//
//	floor send FILE N        N messages a datagram, ACK on the last of each
//	floor dump FILE REPEAT   the requests of FILE one after the other, REPEAT times
//
// It prints {"ns": …, "cpu": …, "objects": …}; see floor.go for the same in Go.
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char in[32768];
static int fd;
static unsigned seq;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// answers reads until the end of a dump or the ACK of message seq, and counts
// the objects.
static long answers(void)
{
	long objects = 0;

	for (;;) {
		int n = recv(fd, in, sizeof in, 0);
		struct nlmsghdr *h = (void *)in;

		if (n < 0)
			die("recv");
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return objects;
			if (h->nlmsg_type != NLMSG_ERROR) {
				objects++;
				continue;
			}
			struct nlmsgerr *e = NLMSG_DATA(h);
			if (e->error) {
				fprintf(stderr, "message %u: %s\n", h->nlmsg_seq, strerror(-e->error));
				exit(1);
			}
			if (h->nlmsg_seq == seq)
				return objects;
		}
	}
}

static long send_all(char *p, char *end, int per)
{
	long sent = 0;

	while (p < end) {
		char *first = p;
		struct nlmsghdr *h = NULL;

		for (int i = 0; i < per && p < end; i++, sent++) {
			h = (void *)p;
			h->nlmsg_seq = ++seq;
			p += NLMSG_ALIGN(h->nlmsg_len);
		}
		h->nlmsg_flags |= NLM_F_ACK;
		if (send(fd, first, p - first, 0) < 0)
			die("send");
		answers();
	}
	return sent;
}

static long dump_all(char *p, char *end)
{
	long objects = 0;

	while (p < end) {
		struct nlmsghdr *h = (void *)p;

		h->nlmsg_seq = ++seq;
		if (send(fd, p, h->nlmsg_len, 0) < 0)
			die("send");
		objects += answers();
		p += NLMSG_ALIGN(h->nlmsg_len);
	}
	return objects;
}

int main(int argc, char **argv)
{
	FILE *f = argc == 4 ? fopen(argv[2], "r") : NULL;
	int one = 1, n = f ? atoi(argv[3]) : 0;
	long long began, cpu;
	long objects = 0, size;
	char *messages;

	if (!f || n < 1)
		die("floor send|dump FILE N");
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	messages = malloc(size);
	if (fread(messages, 1, size, f) != (size_t)size)
		die(argv[2]);
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
	if (!strcmp(argv[1], "send")) {
		began = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		objects = send_all(messages, messages + size, n);
		n = 1;
	} else {
		if (n > 1)
			dump_all(messages, messages + size); // warms up, as all variants do
		began = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		for (int i = 0; i < n; i++)
			objects = dump_all(messages, messages + size);
	}
	printf("{\"ns\": %lld, \"cpu\": %lld, \"objects\": %ld}\n", (now(CLOCK_MONOTONIC) - began) / n,
	       (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n, objects);
	return 0;
}
