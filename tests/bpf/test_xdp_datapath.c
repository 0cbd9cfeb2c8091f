/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XDP datapath on real devices. Needs root; everything is in namespaces of
 * this process and of two children, and goes away with them.
 *
 *   caller (child)            relay (this process)              callee (child)
 *   a 10.78.1.2 ----- to_a 10.78.1.1    to_b 10.78.2.1 ----- b 10.78.2.2
 */
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

static void shell(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd))
		fail_msg("failed: %s", cmd);
}

static int ns_of(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* A child that does nothing but keep a namespace alive, as long as this process lives. */
static pid_t host_start(int *ns)
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

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* Without a program of its own a veth does not pass on what is redirected into its peer. */
static void pass_on(const char *name)
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

static int socket_at(int ns, const char *ip, uint16_t port)
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

static void link_up(const char *here, const char *there, pid_t pid, int ns, int subnet)
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

static int hosts_up(void **state)
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

static int hosts_down(void **state)
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

static struct tandem_datapath_config config(void)
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

static struct tandem_datapath *relay_open(const struct tandem_datapath_config *cfg)
{
	struct tandem_datapath *dp;
	char why[256];

	if (ops->open(&dp, cfg, why, sizeof(why)))
		fail_msg("%s", why);
	return dp;
}

/* From the caller's port to the relay's, and on to the callee. */
static struct tandem_flow_spec spec_of(uint64_t id, uint16_t port, uint16_t from)
{
	struct tandem_flow_spec s = { .id = id, .media_id = id };
	struct egress *eg = &s.egress[EGRESS_RTP];

	tandem_ip_parse(&s.key.local, "10.78.1.1");
	s.key.local_port = htons(port);
	tandem_ip_parse(&s.key.remote, from ? "10.78.1.2" : "::");
	s.key.remote_port = htons(from);
	eg->flags = EGRESS_F_ACTIVE;
	tandem_ip_parse(&eg->local, "10.78.2.1");
	eg->local_port = htons((uint16_t)(port + 2));
	tandem_ip_parse(&eg->remote, "10.78.2.2");
	eg->remote_port = htons(6004);
	s.pts[0] = (struct pt_map){ .pt = 8, .pt_out = 8, .clock_hz = 8000 };
	return s;
}

static int set(struct tandem_datapath *dp, const struct tandem_flow_spec *spec)
{
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = *spec, .result = 1 };

	assert_int_equal(ops->apply(dp, &c, 1), 0);
	return c.result;
}

static int removal(struct tandem_datapath *dp, uint64_t id)
{
	struct tandem_change c = { .op = TANDEM_FLOW_REMOVE, .spec.id = id, .result = 1 };

	assert_int_equal(ops->apply(dp, &c, 1), 0);
	return c.result;
}

static void send_rtp(int fd, uint16_t port, uint16_t seq, uint32_t ssrc)
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
static int received(int wait_ms, uint16_t *from_port)
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

static void exchange(uint16_t first, uint16_t count)
{
	for (uint16_t seq = first; seq < first + count; seq++) {
		send_rtp(net.caller_fd, BASE, seq, 1);
		assert_int_equal(received(WAIT_MS, NULL), seq);
	}
}

static uint64_t counter(struct tandem_datapath *dp, enum reason reason)
{
	struct reason_counters c;

	assert_int_equal(ops->counters(dp, &c), 0);
	return c.packets[reason];
}

static bool program_on(const char *name)
{
	uint32_t id = 0;

	return bpf_xdp_query_id((int)if_nametoindex(name), 0, &id) == 0 && id != 0;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- tests ---- */

static void forwards(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	uint16_t port;
	(void)state;

	assert_string_equal(ops->describe(dp), "native on to_a, native on to_b");
	assert_int_equal(ops->event_fd(dp), -1);
	assert_int_equal(set(dp, &spec), 0);
	send_rtp(net.caller_fd, BASE, 0, 1);
	assert_int_equal(received(WAIT_MS, &port), 0);
	assert_int_equal(port, BASE + 2);
	exchange(1, 49);
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_true(s.offloaded);
	assert_int_equal(s.fast_packets, 50);
	assert_int_equal(s.flow.packets, 50);
	assert_int_equal(s.stream_count, 1);
	assert_int_equal(s.streams[0].received, 50);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 50);

	/* A change in place keeps the counts; other streams are found in their table. */
	spec.egress[0].local_port = htons(BASE + 8);
	assert_int_equal(set(dp, &spec), 0);
	for (uint32_t ssrc = 2; ssrc < 6; ssrc++) {
		send_rtp(net.caller_fd, BASE, 7, ssrc);
		assert_int_equal(received(WAIT_MS, &port), 7);
		assert_int_equal(port, BASE + 8);
	}
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.flow.packets, 54);
	assert_int_equal(s.stream_count, 5);

	assert_int_equal(removal(dp, 1), 0);
	send_rtp(net.caller_fd, BASE, 1, 1);
	assert_int_equal(received(100, NULL), -1);
	assert_int_equal(counter(dp, REASON_idle_port), 1);
	assert_int_equal(ops->read(dp, 1, &s), -ENOENT);

	ops->close(dp, false);
	assert_false(program_on("to_a"));
	assert_int_equal(access(net.dir, F_OK), -1);
}

static void shared_port(void **state)
{
	enum { CALLERS = 20 };
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	int fds[CALLERS];
	(void)state;

	for (uint16_t i = 0; i < CALLERS; i++) {
		struct tandem_flow_spec spec = spec_of(i + 1U, BASE, (uint16_t)(5100 + i));

		fds[i] = socket_at(net.caller_ns, "10.78.1.2", (uint16_t)(5100 + i));
		assert_int_equal(set(dp, &spec), 0);
	}
	assert_int_equal(removal(dp, 1), 0); /* the one in the direct slot */
	for (uint16_t i = 1; i < CALLERS; i++) {
		send_rtp(fds[i], BASE, i, 1);
		assert_int_equal(received(WAIT_MS, NULL), i);
	}
	send_rtp(fds[0], BASE, 0, 1);
	assert_int_equal(received(100, NULL), -1);
	assert_int_equal(counter(dp, REASON_unknown_source), 1);
	for (int i = 0; i < CALLERS; i++)
		close(fds[i]);
	ops->close(dp, false);
}

static void keep_h(const struct tandem_flow_spec *spec, void *arg)
{
	struct tandem_flow_spec *all = arg;

	assert_in_range(spec->id, 1, 2);
	all[spec->id - 1] = *spec;
}

/* The controller dies; packets go on; the next one takes over and counts on. */
static void survives(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004), rtcp = spec_of(2, BASE, 5005);
	struct tandem_flow_spec listed[2];
	struct tandem_flow_stats s;
	(void)state;

	rtcp.media_id = 1; /* shares the port, and refers to the other */
	assert_int_equal(set(dp, &rtcp), 0);
	assert_int_equal(set(dp, &spec), 0);
	exchange(0, 30);
	ops->close(dp, true);
	assert_true(program_on("to_a"));
	exchange(30, 10);

	cfg.nexthop_age_ms = 50;
	dp = relay_open(&cfg);
	assert_int_equal(ops->list(dp, keep_h, listed), 0);
	assert_memory_equal(&listed[0], &spec, sizeof(spec));
	assert_memory_equal(&listed[1], &rtcp, sizeof(rtcp));
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.flow.packets, 40);
	assert_int_equal(set(dp, &spec), 0);
	exchange(40, 10);
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.flow.packets, 50);
	assert_int_equal(s.streams[0].received, 50);
	assert_int_equal(s.streams[0].gaps, 0);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 50);
	ops->close(dp, true);

	/* With one interface less, the program leaves the other. */
	cfg.interfaces_count = 1;
	dp = relay_open(&cfg);
	assert_true(program_on("to_a"));
	assert_false(program_on("to_b"));
	ops->close(dp, false);
	assert_false(program_on("to_a"));
}

static void other_configuration(void **state)
{
	struct tandem_datapath_config cfg = config(), other = config();
	struct tandem_datapath *dp = relay_open(&cfg), *second;
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	char why[256];
	(void)state;

	assert_int_equal(ops->open(&second, &cfg, why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "another relay"));

	/* Refused while there are calls, which go on; taken when there are none. */
	assert_int_equal(set(dp, &spec), 0);
	ops->close(dp, true);
	other.port_max += 2;
	other.flow_capacity += 4;
	assert_int_equal(ops->open(&dp, &other, why, sizeof(why)), -EBUSY);
	print_message("%s\n", why);
	exchange(0, 5);
	dp = relay_open(&cfg);
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.flow.packets, 5);
	assert_int_equal(removal(dp, 1), 0);
	ops->close(dp, true);
	dp = relay_open(&other);
	assert_int_equal(set(dp, &spec), 0);
	ops->close(dp, true);

	cfg.fresh = true;
	dp = relay_open(&cfg);
	assert_int_equal(ops->read(dp, 1, &s), -ENOENT);
	send_rtp(net.caller_fd, BASE, 1, 1);
	assert_int_equal(received(100, NULL), -1);
	ops->close(dp, false);
}

static void interfaces_differ(void **state)
{
	static const char *const mixed[] = { "to_a", "br0" };
	static const char *const missing[] = { "to_a", "nowhere0" };
	struct tandem_datapath_config cfg = config();
	struct tandem_probe probe;
	struct tandem_datapath *dp;
	char why[256];
	(void)state;

	assert_int_equal(ops->probe(&cfg, &probe), 0);
	assert_string_equal(probe.detail, "native on to_a; native on to_b");
	assert_false(program_on("to_a"));
	assert_int_equal(access(net.dir, F_OK), -1);

	shell("ip link add br0 type bridge && ip link set br0 up");
	cfg.interfaces = mixed;
	assert_int_equal(ops->probe(&cfg, &probe), 0);
	assert_string_equal(probe.detail, "native on to_a; generic on br0 (its driver has no XDP)");
	dp = relay_open(&cfg);
	assert_string_equal(ops->describe(dp), "native on to_a, generic on br0");
	ops->close(dp, false);
	shell("ip link del br0");

	/* What fails leaves nothing behind. */
	cfg.interfaces = missing;
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), -ENODEV);
	assert_string_equal(why, "there is no interface nowhere0");
	assert_false(program_on("to_a"));
	assert_int_equal(ops->probe(&cfg, &probe), -EOPNOTSUPP);
	assert_false(probe.usable);
	assert_non_null(strstr(probe.detail, "there is no interface nowhere0"));

	enter(net.relay_ns);
	pass_on("to_b");
	cfg.interfaces = interfaces;
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), -EBUSY);
	assert_string_equal(why, "to_b: another XDP program is on it");
	assert_false(program_on("to_a"));
	assert_int_equal(bpf_xdp_detach((int)if_nametoindex("to_b"), 0, NULL), 0);
	cfg.interfaces_count = 0;
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), -EINVAL);
}

/* An interface that cannot be redirected to: punted, so io_uring forwards it. */
static void plane_joins(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = spec, .result = 1 };
	struct tandem_flow_stats s;
	struct tandem_plane *plane;
	char why[256];
	(void)state;

	assert_int_equal(tandem_plane_open(&plane, "auto", &cfg, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_string_equal(tandem_plane_name(plane), "xdp");
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, 0);
	exchange(0, 20);
	shell("ip neigh del 10.78.2.2 dev to_b");
	usleep(150000);	 /* the next hop ages */
	exchange(20, 1); /* the kernel asks who has it */
	shell("ip neigh replace 10.78.2.2 lladdr 02:00:00:00:02:02 dev to_b nud permanent");
	exchange(21, 20);
	assert_int_equal(tandem_plane_read(plane, 1, &s), 0);
	assert_true(s.offloaded);
	assert_string_equal(s.datapath, "xdp");
	assert_int_equal(s.fast_packets, 40);
	assert_int_equal(s.slow_packets, 1);
	assert_int_equal(s.flow.packets, 41);
	assert_int_equal(s.stream_count, 1);
	assert_int_equal(s.streams[0].received, 41);
	assert_int_equal(s.streams[0].max_seq - s.streams[0].base_seq + 1, 41);
	tandem_plane_close(plane, false);

	assert_int_equal(tandem_plane_open(&plane, "uring", &cfg, why, sizeof(why)), 0);
	assert_string_equal(tandem_plane_name(plane), "uring");
	tandem_plane_close(plane, false);
}

static void source_h(const struct tandem_unknown_source *src, void *arg)
{
	*(struct tandem_unknown_source *)arg = *src;
}

static void plane_learns(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = spec_of(1, BASE, 0) };
	struct tandem_unknown_source src = { 0 };
	struct tandem_plane *plane;
	struct pollfd pfd = { .events = POLLIN };
	char why[256];
	(void)state;

	assert_int_equal(tandem_plane_open(&plane, "xdp", &cfg, why, sizeof(why)), 0);
	c.spec.flags = RULE_F_LEARN;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	send_rtp(net.caller_fd, BASE, 1, 1);
	pfd.fd = tandem_plane_event_fd(plane);
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	tandem_plane_dispatch(plane, source_h, &src);
	assert_int_equal(src.flow_id, 1);
	assert_int_equal(src.remote.port, 5004);
	c.spec.key.remote = src.remote.ip;
	c.spec.key.remote_port = htons(src.remote.port);
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	exchange(2, 5);
	tandem_plane_close(plane, false);
}

static long resident_kb(void)
{
	long unused, pages;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_int_equal(fscanf(file, "%ld %ld", &unused, &pages), 2);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static long free_kb(void)
{
	char line[128];
	long kb = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), file) && sscanf(line, "MemAvailable: %ld", &kb) != 1)
		;
	fclose(file);
	return kb;
}

static void much(void **state)
{
	enum { RULES = 10000 };
	struct tandem_datapath_config cfg = config();
	struct tandem_change *changes = calloc(RULES, sizeof(*changes));
	struct tandem_datapath *dp;
	long before = free_kb(), own = resident_kb();
	double at = seconds();
	(void)state;

	cfg.port_min = 10000;
	cfg.port_max = 10000 + 2 * RULES - 1;
	cfg.flow_capacity = 1000000;
	cfg.stream_capacity = 4096;
	dp = relay_open(&cfg);
	print_message("1,000,000 flows: %ld MB of kernel memory, %ld MB resident, open %.2f s\n",
		      (before - free_kb()) / 1024, (resident_kb() - own) / 1024, seconds() - at);

	for (uint64_t i = 0; i < RULES; i++) {
		changes[i].op = TANDEM_FLOW_SET;
		changes[i].spec = spec_of(i + 1, (uint16_t)(10000 + 2 * i), 5004);
	}
	at = seconds();
	assert_int_equal(ops->apply(dp, changes, RULES), 0);
	print_message("set %d rules: %.0f ns each\n", RULES, (seconds() - at) * 1e9 / RULES);
	for (int i = 0; i < RULES; i++) {
		assert_int_equal(changes[i].result, 0);
		changes[i].op = TANDEM_FLOW_REMOVE;
	}

	/* And behind one port. */
	for (uint64_t i = 0; i < RULES; i++) {
		struct tandem_flow_spec spec = spec_of(RULES + i + 1, 10000, (uint16_t)(20000 + i));

		assert_int_equal(set(dp, &spec), 0);
	}
	at = seconds();
	ops->close(dp, true);
	dp = relay_open(&cfg);
	print_message("took over %d rules in %.2f s\n", 2 * RULES, seconds() - at);
	at = seconds();
	assert_int_equal(ops->apply(dp, changes, RULES), 0);
	print_message("removed %d rules: %.0f ns each\n", RULES, (seconds() - at) * 1e9 / RULES);
	for (int i = 0; i < RULES; i++)
		assert_int_equal(changes[i].result, 0);
	free(changes);
	ops->close(dp, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards),	     cmocka_unit_test(shared_port),
		cmocka_unit_test(survives),	     cmocka_unit_test(other_configuration),
		cmocka_unit_test(interfaces_differ), cmocka_unit_test(plane_joins),
		cmocka_unit_test(plane_learns),	     cmocka_unit_test(much),
	};

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root: namespaces and XDP\n");
		fprintf(stderr, "SKIPPED test_xdp_datapath: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, hosts_up, hosts_down);
}
