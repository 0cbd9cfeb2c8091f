/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest's test client is made of. The relay is the first network namespace:
 *
 *     a                        relay                       b
 *     10.1.0.2  va0 ---- va1   10.1.0.1
 *     fd01::2                  fd01::1
 *                              10.2.0.1   vb1 ---- vb0     10.2.0.2
 *                              fd02::1                     fd02::2
 *
 * Groups of a test's own are 239.77.0.0/16 and ff15::77:0:0/96. It owns ports 20000 to 20015 on its four addresses.
 */
#ifndef TANDEM_TESTS_KMOD_CLIENT_H
#define TANDEM_TESTS_KMOD_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/datapath.h"

#define PORT_MIN    20000
#define PORT_MAX    20015
#define RECEIVE_MS  3000 /* emulation is slow */
#define NOTHING_MS  150
#define PACKET_SIZE 4096

static int failures;

static inline bool ok(bool good, const char *name)
{
	printf("%sok - %s\n", good ? "" : "not ", name);
	fflush(stdout);
	failures += !good;
	return good;
}

static inline void die(const char *what)
{
	printf("not ok - %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline struct tandem_endpoint at(const char *ip, uint16_t port)
{
	struct tandem_endpoint ep = { .port = port };

	if (tandem_ip_parse(&ep.ip, ip))
		die(ip);
	return ep;
}

/* Enter a network namespace made by ip(8); "relay" is the one the client began in. */
static inline void enter(const char *name)
{
	static int relay = -1;
	char path[64];
	int fd;

	if (relay < 0)
		relay = open("/proc/self/ns/net", O_RDONLY);
	if (strcmp(name, "relay") == 0) {
		if (setns(relay, CLONE_NEWNET))
			die("setns");
		return;
	}
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

/* Let a device compute checksums, or have them computed before packets reach it. */
static inline void set_offload(const char *netns, const char *device, bool on)
{
	struct ethtool_value value = { ETHTOOL_STXCSUM, on };
	struct ifreq ifr = { .ifr_data = (char *)&value };
	int fd;

	enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		die("SIOCETHTOOL");
	close(fd);
	enter("relay");
}

static inline int udp_socket(const char *netns, const char *ip, uint16_t port)
{
	struct tandem_endpoint ep = at(ip, port);
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&ep, &ss);
	int fd, on = 1;

	enter(netns);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len))
		die(ip);
	if (ss.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
	enter("relay");
	return fd;
}

static inline void send_to(int fd, const char *ip, uint16_t port, const void *data, size_t len)
{
	struct tandem_endpoint ep = at(ip, port);
	struct sockaddr_storage ss;
	socklen_t ss_len = tandem_endpoint_to_sockaddr(&ep, &ss);

	if (sendto(fd, data, len, 0, (struct sockaddr *)&ss, ss_len) != (ssize_t)len)
		die("sendto");
}

struct received {
	unsigned char data[PACKET_SIZE];
	ssize_t len; /* below 0: nothing came */
	struct tandem_endpoint from;
	int tos;
};

static inline void receive(int fd, int wait_ms, struct received *r)
{
	char control[64];
	struct sockaddr_storage ss;
	struct iovec iov = { r->data, sizeof(r->data) };
	struct msghdr msg = { &ss, sizeof(ss), &iov, 1, control, sizeof(control), 0 };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct cmsghdr *c;

	memset(r, 0, sizeof(*r));
	r->len = -1;
	if (poll(&p, 1, wait_ms) != 1)
		return;
	r->len = recvmsg(fd, &msg, 0);
	tandem_endpoint_from_sockaddr(&r->from, (struct sockaddr *)&ss);
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		r->tos = *CMSG_DATA(c);
}

static inline bool nothing(int fd)
{
	struct received r;

	receive(fd, NOTHING_MS, &r);
	return r.len < 0;
}

static inline bool came_as(const struct received *r, const void *data, size_t len, const char *ip,
			   uint16_t port)
{
	struct tandem_endpoint from = at(ip, port);

	if (r->len == (ssize_t)len && !memcmp(r->data, data, len) &&
	    tandem_endpoint_equal(&r->from, &from))
		return true;
	printf("# %zd bytes:", r->len);
	for (ssize_t i = 0; i < r->len && i < 32; i++)
		printf(" %02x", r->data[i]);
	puts("");
	return false;
}

static inline struct tandem_datapath_config relay_config(void)
{
	static const char *const locals[] = { "10.1.0.1", "10.2.0.1", "fd01::1", "fd02::1" };
	struct tandem_datapath_config cfg = {
		.locals_count = 4,
		.port_min = PORT_MIN,
		.port_max = PORT_MAX,
		.flow_capacity = 4 * 16 + 8,
		.stream_capacity = 16,
		.fan_capacity = 8,
		.leg_capacity = 1024,
		.nexthop_age_ms = 1000,
	};

	for (size_t i = 0; i < 4; i++)
		cfg.locals[i].ip = at(locals[i], 0).ip;
	return cfg;
}

static inline void set_egress(struct tandem_egress *eg, struct tandem_endpoint from,
			      struct tandem_endpoint to)
{
	eg->flags = EGRESS_F_ACTIVE;
	eg->local = from.ip;
	eg->local_port = htons(from.port);
	eg->remote = to.ip;
	eg->remote_port = htons(to.port);
}

/* A flow from remote at local, which leaves from out to to; RTCP too. */
static inline struct tandem_flow_spec flow_spec(uint64_t id, struct tandem_endpoint remote,
						struct tandem_endpoint local,
						struct tandem_endpoint out,
						struct tandem_endpoint to)
{
	struct tandem_flow_spec spec = { .id = id, .media_id = id };

	spec.key.remote = remote.ip;
	spec.key.remote_port = htons(remote.port);
	spec.key.local = local.ip;
	spec.key.local_port = htons(local.port);
	set_egress(&spec.egress[EGRESS_RTP], out, to);
	set_egress(&spec.egress[EGRESS_RTCP], out, to);
	spec.pts.clock_hz[0] = 8000; /* of payload type 0 */
	spec.egress[EGRESS_RTP].pt_out[0] = 8;
	return spec;
}

/*
 * Packets sent until SIGTERM comes, which whoever waits for "# flowing" sends; a minute at most.
 * It is said once more than enough of them have come through.
 */
struct flood {
	time_t end;
	unsigned long got, enough;
	bool flowing;
};

static volatile sig_atomic_t flood_ended;

static inline void flood_end_h(int sig)
{
	flood_ended = 1;
}

static inline void flood_begin(struct flood *f, unsigned long enough)
{
	*f = (struct flood){ .end = time(NULL) + 60, .enough = enough };
	signal(SIGTERM, flood_end_h);
}

static inline bool flood_goes_on(struct flood *f)
{
	if (!f->flowing && f->got > f->enough) {
		f->flowing = true;
		puts("# flowing");
		fflush(stdout);
	}
	return !flood_ended && time(NULL) < f->end;
}

/* What is tested. */
static const struct tandem_datapath_ops *ops = &tandem_kmod_ops;

static inline int change(struct tandem_datapath *dp, enum tandem_change_op op,
			 const struct tandem_flow_spec *spec)
{
	struct tandem_change c = { .op = op, .spec = *spec };
	int err = ops->apply(dp, &c, 1);

	return err ? err : c.result;
}

#endif
