/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicast groups on real devices: flows that arrive on one, and egresses to one. */
#include "tests/bpf/xdp_hosts.h"

#define GROUP_IN  "239.78.1.1"
#define GROUP_OUT "239.78.2.2"
#define ALONE	  "10.78.1.9" /* a second source */
#define TTL	  7

static struct {
	int out;   /* at the callee, a member */
	int back;  /* at the caller, likewise */
	int other; /* at the caller, from ALONE */
} sockets;

static void join(int fd, const char *group, const char *device_ip)
{
	struct ip_mreq mreq;

	inet_pton(AF_INET, group, &mreq.imr_multiaddr);
	inet_pton(AF_INET, device_ip, &mreq.imr_interface);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)), 0);
}

static int member(int ns, const char *device_ip, uint16_t port)
{
	const int on = 1;
	int fd = socket_at(ns, GROUP_OUT, port);

	enter(ns);
	join(fd, GROUP_OUT, device_ip);
	enter(net.relay_ns);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)), 0);
	return fd;
}

static int groups_up(void **state)
{
	hosts_up(state);
	enter(net.caller_ns);
	shell("ip addr add " ALONE "/24 dev a");
	enter(net.relay_ns);
	sockets.out = member(net.callee_ns, "10.78.2.2", 7000);
	sockets.back = member(net.caller_ns, "10.78.1.2", 7002);
	sockets.other = socket_at(net.caller_ns, ALONE, 5004);
	return 0;
}

static int groups_down(void **state)
{
	close(sockets.out);
	close(sockets.back);
	close(sockets.other);
	return hosts_down(state);
}

static struct tandem_datapath_config groups_config(void)
{
	struct tandem_datapath_config cfg = config();

	cfg.fan_capacity = 4;
	cfg.leg_capacity = 16;
	return cfg;
}

/* From the group, and from source, or any ("::"), on to the callee. */
static struct tandem_flow_spec group_spec(uint64_t id, const char *source)
{
	struct tandem_flow_spec s = spec_of(id, BASE, 5004);

	tandem_ip_parse(&s.key.local, GROUP_IN);
	tandem_ip_parse(&s.key.remote, source);
	s.key.remote_port = 0;
	return s;
}

static void send_to_group(int fd, uint16_t seq)
{
	unsigned char buf[172] = { 0x80, 8, (unsigned char)(seq >> 8), (unsigned char)seq };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(BASE) };

	inet_pton(AF_INET, GROUP_IN, &to.sin_addr);
	buf[11] = 1;
	assert_int_equal(sendto(fd, buf, sizeof(buf), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(buf));
}

static void any_source(void **state)
{
	struct tandem_datapath_config cfg = groups_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = group_spec(1, "::");
	struct tandem_flow_stats s;
	(void)state;

	assert_int_equal(set(dp, &spec), 0);
	for (uint16_t i = 0; i < 20; i++) {
		send_to_group(i & 1 ? sockets.other : net.caller_fd, i);
		assert_int_equal(received(WAIT_MS, NULL), i);
	}
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.fast_packets, 20);
	assert_int_equal(removal(dp, 1), 0);
	send_to_group(net.caller_fd, 1);
	assert_int_equal(received(100, NULL), -1);
	ops->close(dp, false);
}

/* From one source only; and over a takeover. */
static void one_source(void **state)
{
	struct tandem_datapath_config cfg = groups_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = group_spec(1, "10.78.1.2");
	(void)state;

	assert_int_equal(set(dp, &spec), 0);
	for (uint16_t i = 0; i < 20; i++) {
		if (i == 10) {
			ops->close(dp, true);
			dp = relay_open(&cfg);
		}
		send_to_group(sockets.other, 1000);
		send_to_group(net.caller_fd, i);
		assert_int_equal(received(WAIT_MS, NULL), i);
	}
	assert_int_equal(received(100, NULL), -1);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 20);
	ops->close(dp, false);
}

/* Sequence number of what a member got; -1: nothing. Also the TTL that it came with. */
static int member_got(int fd, int *ttl)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	unsigned char buf[2048];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	if (poll(&pfd, 1, WAIT_MS) != 1 || recvmsg(fd, &msg, 0) != 172)
		return -1;
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(ttl, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(*ttl));
	return buf[2] << 8 | buf[3];
}

static void to_group(struct tandem_egress *eg, const char *local, uint16_t port)
{
	eg->flags = EGRESS_F_ACTIVE;
	tandem_ip_parse(&eg->local, local);
	tandem_ip_parse(&eg->remote, GROUP_OUT);
	eg->local_port = htons(BASE + 20);
	eg->remote_port = htons(port);
	eg->ttl = TTL;
}

/* To a group, by one device and by the other; the address to send from decides. */
static void leaves(void **state)
{
	struct tandem_datapath_config cfg = groups_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	int ttl;
	(void)state;

	for (uint16_t i = 0; i < 20; i++) {
		bool back = i >= 10;

		to_group(&spec.egress[0], back ? "10.78.1.1" : "10.78.2.1", back ? 7002 : 7000);
		assert_int_equal(set(dp, &spec), 0);
		send_rtp(net.caller_fd, BASE, i, 1);
		assert_int_equal(member_got(back ? sockets.back : sockets.out, &ttl), i);
		assert_int_equal(ttl, TTL);
	}
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.fast_packets, 20);
	ops->close(dp, false);
}

/* From a group to two groups and a host. */
static void many(void **state)
{
	enum { LEGS = 3 };
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + LEGS * sizeof(fan->legs[0]));
	struct tandem_datapath_config cfg = groups_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = group_spec(1, "::");
	int ttl;
	(void)state;

	fan->branch_count = 1;
	fan->leg_count = LEGS;
	fan->branches[0] = (struct branch){ .flags = BRANCH_F_ANY, .count = LEGS };
	to_group(&fan->legs[0].leg.egress, "10.78.2.1", 7000);
	to_group(&fan->legs[1].leg.egress, "10.78.1.1", 7002);
	fan->legs[2].leg.egress = spec.egress[0];
	for (uint32_t i = 0; i < LEGS; i++)
		fan->legs[i].id = i;
	spec.fan = fan;
	assert_int_equal(set(dp, &spec), 0);
	for (uint16_t i = 0; i < 20; i++) {
		send_to_group(net.caller_fd, i);
		assert_int_equal(received(WAIT_MS, NULL), i);
		assert_int_equal(member_got(sockets.out, &ttl), i);
		assert_int_equal(member_got(sockets.back, &ttl), i);
	}
	assert_int_equal(counter(dp, REASON_copies_sent), 20 * LEGS);
	free(fan);
	ops->close(dp, false);
}

/* The io_uring datapath joins the group, and gets what XDP punts. */
static void punted(void **state)
{
	struct tandem_datapath_config cfg = groups_config();
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = group_spec(1, "10.78.1.2") };
	struct tandem_flow_stats s;
	struct tandem_plane *plane;
	char why[256] = "";
	(void)state;

	c.spec.group_ifindex = if_nametoindex("to_a");
	assert_int_equal(tandem_plane_open(&plane, "xdp", &cfg, why, sizeof(why)), 0);
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, 0);
	send_to_group(net.caller_fd, 0);
	assert_int_equal(received(WAIT_MS, NULL), 0);
	shell("ip neigh del 10.78.2.2 dev to_b");
	usleep(150000); /* the next hop ages */
	send_to_group(net.caller_fd, 1);
	assert_int_equal(received(WAIT_MS, NULL), 1);
	shell("ip neigh replace 10.78.2.2 lladdr 02:00:00:00:02:02 dev to_b nud permanent");
	send_to_group(net.caller_fd, 2);
	assert_int_equal(received(WAIT_MS, NULL), 2);
	assert_int_equal(tandem_plane_read(plane, 1, &s), 0);
	assert_int_equal(s.fast_packets, 2);
	assert_int_equal(s.slow_packets, 1);
	assert_true(s.offloaded);
	tandem_plane_close(plane, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_source), cmocka_unit_test(one_source),
		cmocka_unit_test(leaves),     cmocka_unit_test(many),
		cmocka_unit_test(punted),
	};

	if (skipped("test_xdp_groups"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, groups_up, groups_down);
}
