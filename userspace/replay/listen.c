/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/listen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BUFFER (64 << 20)
#define DATAGRAM_MAX   65536
#define POLL_MS	       20
#define NS_PER_MS      1000000L

struct tandem_listener {
	struct pollfd fds[TANDEM_REPLAY_LISTEN_MAX];
	unsigned int count;
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic uint64_t came; /* grows while something comes */
	struct tandem_heard *heard;
	size_t heard_count, room;
	uint64_t missed;
	uint32_t overflow[TANDEM_REPLAY_LISTEN_MAX]; /* SO_RXQ_OVFL */
	uint8_t buf[DATAGRAM_MAX];
};

static int fail(const struct tandem_endpoint *ep, int err)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	fprintf(stderr, "tandem: --listen %s: %s\n", tandem_endpoint_format(ep, text, sizeof(text)),
		strerror(err));
	return -err;
}

int tandem_listener_socket(const struct tandem_endpoint *ep)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(ep, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return fail(ep, errno);
	if (!bind(fd, (struct sockaddr *)&ss, len))
		return fd;
	err = fail(ep, errno);
	close(fd);
	return err;
}

static void prepare(int fd)
{
	int size = RECEIVE_BUFFER, on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
}

static void keep(struct tandem_listener *l, unsigned int i, size_t len)
{
	size_t room = l->room ? l->room * 2 : 4096;
	struct tandem_heard *heard;
	uint8_t *data;

	if (l->heard_count == TANDEM_LISTEN_MAX_PACKETS) {
		l->missed++;
		return;
	}
	if (l->heard_count == l->room) {
		heard = reallocarray(l->heard, room, sizeof(*heard));
		if (!heard) {
			l->missed++;
			return;
		}
		l->heard = heard;
		l->room = room;
	}
	data = malloc(len ? len : 1);
	if (!data) {
		l->missed++;
		return;
	}
	memcpy(data, l->buf, len);
	l->heard[l->heard_count++] = (struct tandem_heard){ data, (uint16_t)len, (uint16_t)i };
}

static void note_overflow(struct tandem_listener *l, unsigned int i, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&l->overflow[i], CMSG_DATA(c), sizeof(l->overflow[i]));
	}
}

static void receive(struct tandem_listener *l, unsigned int i)
{
	char control[64];
	struct iovec iov = { l->buf, sizeof(l->buf) };
	ssize_t len;

	for (;;) {
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };

		len = recvmsg(l->fds[i].fd, &msg, MSG_DONTWAIT);
		if (len < 0)
			return;
		note_overflow(l, i, &msg);
		keep(l, i, (size_t)len);
		atomic_fetch_add_explicit(&l->came, 1, memory_order_relaxed);
	}
}

static void *listen_thread(void *arg)
{
	struct tandem_listener *l = arg;

	while (!l->stop) {
		if (poll(l->fds, l->count, POLL_MS) < 1)
			continue;
		for (unsigned int i = 0; i < l->count; i++)
			receive(l, i);
	}
	return NULL;
}

int tandem_listener_start(struct tandem_listener **lp, const int *fds, unsigned int count)
{
	struct tandem_listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	for (; l->count < count; l->count++) {
		prepare(fds[l->count]);
		l->fds[l->count] = (struct pollfd){ .fd = fds[l->count], .events = POLLIN };
	}
	err = -pthread_create(&l->thread, NULL, listen_thread, l);
	if (err) {
		tandem_listener_free(l);
		return err;
	}
	l->running = true;
	*lp = l;
	return 0;
}

void tandem_listener_stop(struct tandem_listener *l, uint64_t wait_ns)
{
	const struct timespec step = { .tv_nsec = POLL_MS * NS_PER_MS };
	uint64_t seen = l->came, quiet = 0;

	while (quiet < wait_ns) {
		nanosleep(&step, NULL);
		quiet = l->came == seen ? quiet + POLL_MS * NS_PER_MS : 0;
		seen = l->came;
	}
	l->stop = true;
	pthread_join(l->thread, NULL);
	l->running = false;
	for (unsigned int i = 0; i < l->count; i++)
		l->missed += l->overflow[i];
}

const struct tandem_heard *tandem_listener_heard(const struct tandem_listener *l, size_t *count)
{
	*count = l->heard_count;
	return l->heard;
}

uint64_t tandem_listener_missed(const struct tandem_listener *l)
{
	return l->missed;
}

void tandem_listener_free(struct tandem_listener *l)
{
	if (!l)
		return;
	if (l->running)
		tandem_listener_stop(l, 0);
	for (size_t i = 0; i < l->heard_count; i++)
		free(l->heard[i].data);
	free(l->heard);
	free(l);
}
