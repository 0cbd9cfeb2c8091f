/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The least that a relay of sockets can do: one thread, two sockets a flow, epoll, recvmmsg,
 * sendmmsg. No checks but the kernel's on the source address, no statistics.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/relay.h"

#define EVENTS 64
#define BURST  32
#define ROOM   2048
#define STOP   UINT32_MAX /* in place of a flow number */

struct loop {
	int epoll;
	int *in, *out; /* by flow */
	uint32_t copies;
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	uint8_t data[BURST][ROOM];
};

static int open_socket(const struct lab_end *local, const struct lab_end *remote)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(local->port),
				 .sin_addr.s_addr = htonl(local->ip) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		a.sin_port = htons(remote->port);
		a.sin_addr.s_addr = htonl(remote->ip);
		if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
	}
	close(fd);
	return -errno;
}

static int open_flows(struct loop *loop, const struct relay_job *job)
{
	for (uint32_t i = 0; i < job->flows; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

		loop->in[i] = open_socket(&job->ways[i].in, &job->ways[i].source);
		if (loop->in[i] < 0)
			return loop->in[i];
		loop->out[i] = open_socket(&job->ways[i].out, &job->ways[i].sink);
		if (loop->out[i] < 0)
			return loop->out[i];
		if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->in[i], &ev))
			return -errno;
	}
	return 0;
}

static void relay_burst(struct loop *loop, uint32_t flow)
{
	int n;

	for (int i = 0; i < BURST; i++)
		loop->iov[i].iov_len = ROOM;
	n = recvmmsg(loop->in[flow], loop->msgs, BURST, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		loop->iov[i].iov_len = loop->msgs[i].msg_len;
	for (uint32_t k = 0; n > 0 && k < loop->copies; k++)
		sendmmsg(loop->out[flow], loop->msgs, (unsigned int)n, 0);
}

static void run(struct loop *loop)
{
	struct epoll_event events[EVENTS];

	for (int i = 0; i < BURST; i++) {
		loop->iov[i].iov_base = loop->data[i];
		loop->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &loop->iov[i],
							 .msg_iovlen = 1 };
	}
	for (;;) {
		int n = epoll_wait(loop->epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == STOP)
				return;
			relay_burst(loop, events[i].data.u32);
		}
	}
}

static int serve(const struct relay_job *job, char *why, size_t why_size)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event stop = { .events = EPOLLIN, .data.u32 = STOP };
	double began = tandem_bench_now();
	int err = -ENOMEM;

	if (!loop)
		return err;
	loop->copies = job->copies;
	loop->in = calloc(job->flows, sizeof(*loop->in));
	loop->out = calloc(job->flows, sizeof(*loop->out));
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->in && loop->out && loop->epoll >= 0)
		err = open_flows(loop, job);
	if (!err && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, tandem_relay_stop_fd(), &stop))
		err = -errno;
	if (err) {
		snprintf(why, why_size, "its sockets: %s", strerror(-err));
	} else {
		tandem_relay_ready(job, tandem_bench_now() - began, 0, 0);
		run(loop);
	}
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->in);
	free(loop->out);
	free(loop);
	return err;
}

const struct relay_kind tandem_relay_mmsg = {
	.name = "mmsg",
	.copies = true,
	.files = 2,
	.help = "loop of recvmmsg and sendmmsg",
	.serve = serve,
};
