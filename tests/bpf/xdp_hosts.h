/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A relay on real devices between two hosts. Needs root; everything is in namespaces
 * of this process and of two children, and goes away with them.
 *
 *   caller (child)            relay (this process)              callee (child)
 *   a 10.78.1.2 ----- to_a 10.78.1.1    to_b 10.78.2.1 ----- b 10.78.2.2
 */
#ifndef TANDEM_TEST_XDP_HOSTS_H
#define TANDEM_TEST_XDP_HOSTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/plane.h"

#define BASE	30000
#define PORTS	100
#define WAIT_MS 1000

static const struct tandem_datapath_ops *const ops = &tandem_xdp_ops;

/* ---- the hosts ---- */

static struct {
	int relay_ns, caller_ns, callee_ns;
	pid_t caller, callee;
	int caller_fd, callee_fd;
	char dir[64];
} net;

static inline void shell(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd))
		fail_msg("failed: %s", cmd);
}

static inline int ns_of(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* A child that does nothing but keep a namespace alive, as long as this process lives. */
static inline pid_t host_start(int *ns)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ns = ns_of(pid);
	return pid;
}

static inline void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* Without a program of its own a veth does not pass on what is redirected into its peer. */
static inline void pass_on(const char *name)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", insns, 2, NULL);

	assert_true(prog >= 0);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex(name), prog, XDP_FLAGS_DRV_MODE, NULL),
			 0);
	close(prog);
}

static inline int socket_at(int ns, const char *ip, uint16_t port)
{
	struct tandem_endpoint at = { .port = port };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	enter(ns);
	tandem_ip_parse(&at.ip, ip);
	len = tandem_endpoint_to_sockaddr(&at, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	enter(net.relay_ns);
	return fd;
}

static inline void link_up(const char *here, const char *there, pid_t pid, int ns, int subnet)
{
	shell("ip link add name %s address 02:00:00:00:%02d:01 type veth peer name %s "
	      "address 02:00:00:00:%02d:02",
	      here, subnet, there, subnet);
	shell("ip link set dev %s netns %d", there, (int)pid);
	shell("ip addr add 10.78.%d.1/24 dev %s && ip link set dev %s up", subnet, here, here);
	shell("ethtool -K %s tx off gro off >/dev/null", here);
	shell("ip neigh add 10.78.%d.2 lladdr 02:00:00:00:%02d:02 dev %s nud permanent", subnet,
	      subnet, here);
	enter(ns);
	shell("ip addr add 10.78.%d.2/24 dev %s && ip link set dev %s up && ip link set lo up",
	      subnet, there, there);
	shell("ip route add default via 10.78.%d.1", subnet);
	shell("ethtool -K %s tx off gro off >/dev/null", there);
	pass_on(there);
	enter(net.relay_ns);
}

static inline int hosts_up(void **state)
{
	(void)state;
	snprintf(net.dir, sizeof(net.dir), "/sys/fs/bpf/tandem-xdp-test-%d", (int)getpid());
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	net.relay_ns = ns_of(getpid());
	shell("ip link set lo up");
	net.caller = host_start(&net.caller_ns);
	net.callee = host_start(&net.callee_ns);
	link_up("to_a", "a", net.caller, net.caller_ns, 1);
	link_up("to_b", "b", net.callee, net.callee_ns, 2);
	net.caller_fd = socket_at(net.caller_ns, "10.78.1.2", 5004);
	net.callee_fd = socket_at(net.callee_ns, "10.78.2.2", 6004);
	return 0;
}

static inline int hosts_down(void **state)
{
	(void)state;
	close(net.caller_fd);
	close(net.callee_fd);
	kill(net.caller, SIGKILL);
	kill(net.callee, SIGKILL);
	waitpid(net.caller, NULL, 0);
	waitpid(net.callee, NULL, 0);
	return 0;
}

/* ---- the relay ---- */

static const char *const interfaces[] = { "to_a", "to_b" };

static inline struct tandem_datapath_config config(void)
{
	struct tandem_datapath_config cfg = { .locals_count = 2,
					      .port_min = BASE,
					      .port_max = BASE + PORTS - 1,
					      .flow_capacity = 2 * PORTS + 64,
					      .stream_capacity = 256,
					      .nexthop_age_ms = 100,
					      .bpf_dir = net.dir,
					      .interfaces = interfaces,
					      .interfaces_count = 2 };

	tandem_ip_parse(&cfg.locals[0].ip, "10.78.1.1");
	tandem_ip_parse(&cfg.locals[1].ip, "10.78.2.1");
	return cfg;
}

static inline struct tandem_datapath *relay_open(const struct tandem_datapath_config *cfg)
{
	struct tandem_datapath *dp;
	char why[256] = "";

	if (ops->open(&dp, cfg, why, sizeof(why)))
		fail_msg("%s", why);
	return dp;
}

/* From the caller's port to the relay's, and on to the callee. */
static inline struct tandem_flow_spec spec_of(uint64_t id, uint16_t port, uint16_t from)
{
	struct tandem_flow_spec s = { .id = id, .media_id = id };
	struct tandem_egress *eg = &s.egress[EGRESS_RTP];

	tandem_ip_parse(&s.key.local, "10.78.1.1");
	s.key.local_port = htons(port);
	tandem_ip_parse(&s.key.remote, from ? "10.78.1.2" : "::");
	s.key.remote_port = htons(from);
	eg->flags = EGRESS_F_ACTIVE;
	tandem_ip_parse(&eg->local, "10.78.2.1");
	eg->local_port = htons((uint16_t)(port + 2));
	tandem_ip_parse(&eg->remote, "10.78.2.2");
	eg->remote_port = htons(6004);
	s.pts.pt[0] = 8;
	s.pts.clock_hz[0] = 8000;
	s.egress[EGRESS_RTP].pt_out[0] = 8;
	return s;
}

static inline int set(struct tandem_datapath *dp, const struct tandem_flow_spec *spec)
{
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = *spec, .result = 1 };

	assert_int_equal(ops->apply(dp, &c, 1), 0);
	return c.result;
}

static inline int removal(struct tandem_datapath *dp, uint64_t id)
{
	struct tandem_change c = { .op = TANDEM_FLOW_REMOVE, .spec.id = id, .result = 1 };

	assert_int_equal(ops->apply(dp, &c, 1), 0);
	return c.result;
}

static inline void send_rtp(int fd, uint16_t port, uint16_t seq, uint32_t ssrc)
{
	struct tandem_endpoint to = { .port = port };
	unsigned char buf[172] = { 0x80, 8, (unsigned char)(seq >> 8), (unsigned char)seq };
	struct sockaddr_storage ss;
	socklen_t len;

	ssrc = htonl(ssrc);
	memcpy(buf + 8, &ssrc, 4);
	tandem_ip_parse(&to.ip, "10.78.1.1");
	len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, len), sizeof(buf));
}

/* Sequence number of what arrived at the callee, from which port of the relay; -1: nothing. */
static inline int received(int wait_ms, uint16_t *from_port)
{
	struct pollfd pfd = { .fd = net.callee_fd, .events = POLLIN };
	struct tandem_endpoint from;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	unsigned char buf[2048];

	if (poll(&pfd, 1, wait_ms) != 1)
		return -1;
	assert_int_equal(recvfrom(net.callee_fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len),
			 172);
	tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss);
	if (from_port)
		*from_port = from.port;
	return buf[2] << 8 | buf[3];
}

/* Payload type of what has arrived, without waiting; -1: nothing. */
static inline int received_pt(uint16_t *from_port)
{
	struct tandem_endpoint from;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	unsigned char buf[2048];

	if (recvfrom(net.callee_fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&ss, &len) <
	    0)
		return -1;
	tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss);
	*from_port = from.port;
	return buf[1] & 0x7f;
}

static inline void exchange(uint16_t first, uint16_t count)
{
	for (uint16_t seq = first; seq < first + count; seq++) {
		send_rtp(net.caller_fd, BASE, seq, 1);
		assert_int_equal(received(WAIT_MS, NULL), seq);
	}
}

static inline uint64_t counter(struct tandem_datapath *dp, enum reason reason)
{
	struct reason_counters c;

	assert_int_equal(ops->counters(dp, &c), 0);
	return c.packets[reason];
}

static inline bool program_on(const char *name)
{
	uint32_t id = 0;

	return bpf_xdp_query_id((int)if_nametoindex(name), 0, &id) == 0 && id != 0;
}

static inline double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Without root there is nothing to test: says so, and returns true. */
static inline bool skipped(const char *test)
{
	if (geteuid() == 0)
		return false;
	printf("1..0 # SKIP needs root: namespaces and XDP\n");
	fprintf(stderr, "SKIPPED %s: needs root\n", test);
	return true;
}

#endif
