/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The io_uring datapath between sockets on loopback.
 *
 *   caller (any port) --> :BASE [ relay ] :BASE+2 --> callee (any port)
 */
#ifndef TANDEM_TEST_URING_FIXTURE_H
#define TANDEM_TEST_URING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/uring/worker.h"

#define BASE	18000 /* below the range that the kernel hands out ports from */
#define PORTS	2100
#define WAIT_MS 2000

static const struct tandem_datapath_ops *const ops = &tandem_uring_ops;

struct phone {
	int fd;
	struct tandem_endpoint at;
};

struct fixture {
	struct tandem_datapath *dp;
	struct phone caller, callee;
	int fds_before;
};

static inline int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline struct phone phone_bind(const char *ip)
{
	struct phone p = { .at.port = 0 };
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1;

	assert_int_equal(tandem_ip_parse(&p.at.ip, ip), 0);
	len = tandem_endpoint_to_sockaddr(&p.at, &ss);
	p.fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(p.fd >= 0);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(getsockname(p.fd, (struct sockaddr *)&ss, &len), 0);
	tandem_endpoint_from_sockaddr(&p.at, (struct sockaddr *)&ss);
	setsockopt(p.fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	return p;
}

/* The kernel may hand out a port of the relay's; there a flow could not be opened. */
static inline struct phone phone_open(const char *ip)
{
	struct phone p = phone_bind(ip);

	while (p.at.port >= BASE && p.at.port < BASE + PORTS) {
		close(p.fd);
		p = phone_bind(ip);
	}
	return p;
}

static inline struct tandem_datapath_config config(void)
{
	struct tandem_datapath_config cfg = { .locals_count = 2,
					      .port_min = BASE,
					      .port_max = BASE + PORTS - 1,
					      .flow_capacity = 2 * PORTS + 600,
					      .stream_capacity = 64,
					      .fan_capacity = 16,
					      .leg_capacity = 1200 };

	tandem_ip_parse(&cfg.locals[0].ip, "127.0.0.1");
	tandem_ip_parse(&cfg.locals[1].ip, "::1");
	return cfg;
}

static inline int setup_mode(void **state, unsigned int without)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct tandem_datapath_config cfg = config();
	char why[256];

	f->fds_before = open_fds();
	if (tandem_uring_open(&f->dp, &cfg, without, why, sizeof(why))) {
		print_error("%s\n", why);
		return -1;
	}
	f->caller = phone_open("127.0.0.1");
	f->callee = phone_open("127.0.0.1");
	*state = f;
	return 0;
}

static inline int setup(void **state)
{
	return setup_mode(state, 0);
}

/* As on a kernel or with rights that allow no BPF program: a socket for each port. */
static inline int setup_sockets(void **state)
{
	return setup_mode(state, URING_WITHOUT_TRUNKS);
}

/* As on a kernel without multishot receive. */
static inline int setup_single(void **state)
{
	return setup_mode(state, URING_WITHOUT_MULTISHOT);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	int leaked;

	close(f->caller.fd);
	close(f->callee.fd);
	ops->close(f->dp, false);
	leaked = open_fds() - f->fds_before;
	if (leaked)
		print_error("%d descriptors leaked\n", leaked);
	free(f);
	return leaked;
}

/* A flow from remote to the relay's port, and from its port + 2 on to the other phone. */
static inline struct tandem_flow_spec spec_of(uint64_t id, const char *local, uint16_t port,
					      const struct phone *from, const struct phone *to)
{
	struct tandem_flow_spec s = { .id = id, .media_id = id };

	tandem_ip_parse(&s.key.local, local);
	s.key.local_port = htons(port);
	s.key.remote = from->at.ip;
	s.key.remote_port = htons(from->at.port);
	s.egress[EGRESS_RTP].flags = EGRESS_F_ACTIVE;
	tandem_ip_parse(&s.egress[EGRESS_RTP].local,
			tandem_ip_is_v4(&to->at.ip) ? "127.0.0.1" : "::1");
	s.egress[EGRESS_RTP].local_port = htons((uint16_t)(port + 2));
	s.egress[EGRESS_RTP].remote = to->at.ip;
	s.egress[EGRESS_RTP].remote_port = htons(to->at.port);
	s.pts.pt[0] = 8;
	s.pts.clock_hz[0] = 8000;
	s.egress[EGRESS_RTP].pt_out[0] = 8;
	return s;
}

static inline int set(struct fixture *f, const struct tandem_flow_spec *spec)
{
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = *spec, .result = 1 };

	assert_int_equal(ops->apply(f->dp, &c, 1), 0);
	return c.result;
}

/* A fan of so many legs, for the caller to free; its one branch, for any SSRC, has them all. */
static inline struct tandem_fan *fan_alloc(uint32_t legs)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]));

	fan->leg_count = legs;
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = (uint16_t)legs, .flags = BRANCH_F_ANY };
	return fan;
}

/* Leg n is named id and goes from a port of the relay to a phone. */
static inline struct tandem_egress *fan_leg(struct tandem_fan *fan, uint32_t n, uint32_t id,
					    uint16_t port, const struct tandem_endpoint *to)
{
	struct tandem_egress *eg = &fan->legs[n].leg.egress;

	fan->legs[n].id = id;
	tandem_ip_parse(&eg->local, tandem_ip_is_v4(&to->ip) ? "127.0.0.1" : "::1");
	eg->local_port = htons(port);
	eg->remote = to->ip;
	eg->remote_port = htons(to->port);
	return eg;
}

/* Counts of one leg, by its name. */
static inline struct tandem_leg_stats leg_of(struct fixture *f, uint64_t flow, uint32_t id)
{
	struct tandem_leg_stats legs[TANDEM_MAX_LEGS];
	size_t n;

	assert_int_equal(ops->read_legs(f->dp, flow, legs, TANDEM_MAX_LEGS, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (legs[i].id == id)
			return legs[i];
	}
	fail_msg("no leg %u", id);
	return (struct tandem_leg_stats){ 0 };
}

static inline int removal(struct fixture *f, uint64_t id)
{
	struct tandem_change c = { .op = TANDEM_FLOW_REMOVE, .spec.id = id, .result = 1 };

	assert_int_equal(ops->apply(f->dp, &c, 1), 0);
	return c.result;
}

static inline size_t rtp(unsigned char *buf, uint16_t seq, uint32_t ssrc)
{
	memset(buf, 0xd5, 172);
	buf[0] = 0x80;
	buf[1] = 8;
	buf[2] = (unsigned char)(seq >> 8);
	buf[3] = (unsigned char)seq;
	memset(buf + 4, 0, 4);
	ssrc = htonl(ssrc);
	memcpy(buf + 8, &ssrc, 4);
	return 172;
}

static inline void send_to(const struct phone *from, const char *ip, uint16_t port,
			   const void *data, size_t len)
{
	struct tandem_endpoint to = { .port = port };
	struct sockaddr_storage ss;
	socklen_t ss_len;

	tandem_ip_parse(&to.ip, ip);
	ss_len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(from->fd, data, len, 0, (struct sockaddr *)&ss, ss_len), len);
}

static inline void send_rtp(const struct phone *from, uint16_t port, uint16_t seq)
{
	unsigned char buf[172];

	send_to(from, "127.0.0.1", port, buf, rtp(buf, seq, 0x1234));
}

/* A loopback of our own, with routes and devices to our liking. False where that is forbidden. */
static inline bool own_network(void)
{
	return unshare(CLONE_NEWNET) == 0 && system("ip link set lo up multicast on") == 0;
}

/* Length of what came within WAIT_MS, or -1. */
static inline ssize_t receive(const struct phone *p, unsigned char *buf, size_t size,
			      uint16_t *from_port)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	struct sockaddr_storage ss;
	struct tandem_endpoint from;
	socklen_t len = sizeof(ss);
	ssize_t n;

	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -1;
	n = recvfrom(p->fd, buf, size, 0, (struct sockaddr *)&ss, &len);
	tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss);
	*from_port = from.port;
	return n;
}

static inline struct tandem_flow_stats stats_of(struct fixture *f, uint64_t id)
{
	struct tandem_flow_stats s;

	assert_int_equal(ops->read(f->dp, id, &s), 0);
	return s;
}

static inline uint64_t counter(struct fixture *f, enum reason reason)
{
	struct reason_counters c;

	assert_int_equal(ops->counters(f->dp, &c), 0);
	return c.packets[reason];
}

/*
 * What the worker has counted by now it is also done with, told of and all: a packet is counted
 * before that.
 */
static inline void settle(struct fixture *f)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(ops->apply(f->dp, NULL, 0), 0);
}

/*
 * Have all buffers come back, whatever became of what was in them? Looks into the worker's
 * state just after it has been round once more.
 */
static inline bool buffers_back(struct fixture *f)
{
	uint32_t held = f->dp->copies_fresh;

	settle(f);
	for (uint32_t i = f->dp->copies_free; i != TANDEM_NO_SLOT; i = f->dp->copies[i].next_free)
		held--;
	return !held && (!f->dp->multishot || f->dp->buffers_free == URING_BUFFERS);
}

static inline void await_buffers(struct fixture *f)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < WAIT_MS && !buffers_back(f); i++)
		nanosleep(&pause, NULL);
	assert_true(buffers_back(f));
}

/* Wait until the counter of a reason has reached a value. */
static inline void await_counter(struct fixture *f, enum reason reason, uint64_t value)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < WAIT_MS && counter(f, reason) < value; i++)
		nanosleep(&pause, NULL);
	settle(f);
	assert_int_equal(counter(f, reason), value);
}

#endif
