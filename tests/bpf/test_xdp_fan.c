/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows with many egresses on real devices: each copy arrives, once, as its leg wants it. */
#include "tests/bpf/fan_hosts.h"

/* Let the sockets of a host have copies for so many legs. */
static void sockets_open(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fds[i] = socket_at(net.callee_ns, callee(false), (uint16_t)(FAN_PORT + i));
	wire.b->bss->pass = 1;
}

static uint32_t sockets_count(const int *fds, uint32_t n)
{
	char buf[2048];
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		while (recv(fds[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			count++;
	}
	return count;
}

static void sockets_close(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		close(fds[i]);
	wire.b->bss->pass = 0;
}

static void send_size(uint32_t number, size_t size)
{
	struct tandem_endpoint to = { .port = FAN_AT };
	uint8_t buf[1472] = { 0 };
	struct sockaddr_storage ss;
	socklen_t len;

	rtp_fill(buf, number);
	tandem_ip_parse(&to.ip, relay_a(false));
	len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(net.caller_fd, buf, size, 0, (struct sockaddr *)&ss, len), size);
}

/* From sockets to sockets, whose checksums the stack verifies; of every size. */
static void sizes(void **state)
{
	enum { LEGS = 50 };
	static const struct fan_shape shape = { .legs = LEGS };
	static const size_t lengths[] = { 32, 33, RTP_SIZE, 1001, 1472 };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_leg_stats legs[LEGS];
	struct tandem_flow_stats s;
	int fds[LEGS];
	size_t n;
	(void)state;

	seen_clear();
	sockets_open(fds, LEGS);
	assert_int_equal(fan_set(dp, &shape, 0), 0);
	for (uint32_t i = 0; i < 5; i++)
		send_size(i, lengths[i]);
	settle();
	seen_all(&shape, 5);
	assert_int_equal(sockets_count(fds, LEGS), 5 * LEGS);
	assert_int_equal(ops->read(dp, 100, &s), 0);
	assert_int_equal(s.flow.packets, 5);
	assert_int_equal(ops->read_legs(dp, 100, legs, LEGS, &n), 0);
	assert_int_equal(n, LEGS);
	for (uint32_t i = 0; i < LEGS; i++) {
		assert_int_equal(legs[i].id, 1000 + i);
		assert_int_equal(legs[i].packets, 5);
		assert_int_equal(legs[i].octets, 32 + 33 + RTP_SIZE + 1001 + 1472);
		assert_int_equal(legs[i].lost, 0);
	}
	assert_int_equal(counter(dp, REASON_copies_sent), 5 * LEGS);
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	assert_int_equal(ops->read_legs(dp, 101, legs, LEGS, &n), -ENOENT);
	sockets_close(fds, LEGS);
	ops->close(dp, false);
}

/* As many as there can be, by one device and by two, of both families. */
static void shapes(void **state)
{
	static const struct fan_shape all[] = {
		{ .legs = 1 },
		{ .legs = 2 },
		{ .legs = 17 },
		{ .legs = 64 },
		{ .legs = 50, .both = true },
		{ .legs = 64, .both = true, .ip6 = true },
		{ .legs = 7, .ip6 = true },
	};
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	(void)state;

	feed_frame(0, FAN_AT, 0, false);
	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seen_clear();
		assert_int_equal(fan_set(dp, &all[i], 0), 0);
		feed_start(1);
		feed(2000, 2);
		seen_all(&all[i], 2000);
	}
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	ops->close(dp, false);
}

/* Packets in IPv6, and in a VLAN. */
static void arrives_as(void **state)
{
	static const struct fan_shape shape = { .legs = 30, .ip6 = true, .both = true };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_flow_spec spec = fan_spec(true);
	struct tandem_fan *fan = fan_make(&shape, 0);
	struct tandem_datapath *dp = relay_open(&cfg);
	(void)state;

	spec.fan = fan;
	for (int i = 0; i < 4; i++) {
		bool ip6 = i & 1;

		tandem_ip_parse(&spec.key.local, relay_a(ip6));
		tandem_ip_parse(&spec.key.remote, caller(ip6));
		assert_int_equal(set(dp, &spec), 0);
		feed_frame(0, FAN_AT, i & 2 ? 7 : 0, ip6);
		seen_clear();
		feed_start(1);
		feed(100, 2);
		seen_all(&shape, 100);
	}
	free(fan);
	ops->close(dp, false);
}

/* One-to-one frames and copies in the same queue towards a device, in every mixture. */
static void mixture(void **state)
{
	static const struct fan_shape shape = { .legs = 7 };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec plain = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	(void)state;

	assert_int_equal(set(dp, &plain), 0);
	seen_clear();
	feed_frame(0, BASE, 0, false);
	feed_frame(1, FAN_AT, 0, false);
	feed_frame(2, BASE, 0, false);
	for (uint32_t batch = 1; batch <= 32; batch++) {
		if (batch == 3) /* some have no program yet */
			assert_int_equal(fan_set(dp, &shape, 0), 0);
		feed_start(3);
		seen_clear();
		feed(240, batch);
		assert_int_equal(wire.b->bss->plain, 160);
		if (batch >= 3)
			seen_all(&shape, 80);
		else
			assert_int_equal(seen_sum(), 0);
	}
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_int_equal(s.fast_packets, 32 * 160);
	ops->close(dp, false);
}

/* RTCP: a branch of its own, with each leg's SSRC in the copy. */
static void rtcp(void **state)
{
	enum { LEGS = 5, RTCP_LEGS = 20 };
	static const struct fan_shape shape = { .legs = LEGS };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_endpoint to = { .port = FAN_AT };
	uint8_t sr[28] = { 0x80, 200, 0, 6, 0, 0, 0, 1 };
	struct sockaddr_storage ss;
	socklen_t len;
	(void)state;

	tandem_ip_parse(&to.ip, relay_a(false));
	len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(fan_set(dp, &shape, RTCP_LEGS), 0);
	seen_clear();
	for (int i = 0; i < 10; i++)
		assert_int_equal(
			sendto(net.caller_fd, sr, sizeof(sr), 0, (struct sockaddr *)&ss, len),
			sizeof(sr));
	settle();
	for (uint32_t n = 0; n < LEGS + RTCP_LEGS; n++)
		assert_int_equal(seen_of(wire.b, n).rtcp, n < LEGS ? 0 : 10);
	assert_int_equal(seen_sum(), 0);
	assert_int_equal(counter(dp, REASON_forwarded_rtcp), 10);
	ops->close(dp, false);
}

/* What cannot be is said. */
static void refuses(void **state)
{
	static const struct fan_shape too_many = { .legs = 65 }, few = { .legs = 2 },
				      one = { .legs = 1 };
	static const char *const mixed[] = { "to_a", "br0" };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_datapath *dp = relay_open(&cfg);
	(void)state;

	assert_int_equal(fan_set(dp, &too_many, 0), -E2BIG);
	assert_int_equal(fan_set(dp, &few, 0), 0);
	ops->close(dp, true);

	/* Generic mode comes, with a flow there that it cannot carry: its packets are punted. */
	shell("ip link add br0 type bridge && ip link set br0 up");
	cfg.interfaces = mixed;
	dp = relay_open(&cfg);
	assert_int_equal(fan_set(dp, &few, 0), -EOPNOTSUPP);
	seen_clear();
	send_size(1, RTP_SIZE);
	settle();
	assert_int_equal(seen_sum(), 0);
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	assert_int_equal(counter(dp, REASON_no_egress_port), 1);
	assert_int_equal(fan_set(dp, &one, 0), 0);
	ops->close(dp, false);
	shell("ip link del br0");
}

/* A leg without a neighbour does not keep the others waiting for long, and comes in later. */
static void neighbour(void **state)
{
	enum { LEGS = 10, ODD_ONE = 4 };
	static const struct fan_shape shape = { .legs = LEGS, .both = true };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_flow_spec spec = fan_spec(false);
	struct tandem_fan *fan = fan_make(&shape, 0);
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_leg_stats legs[LEGS];
	double at = seconds();
	size_t n;
	(void)state;

	spec.fan = fan;
	tandem_ip_parse(&fan->legs[ODD_ONE].leg.egress.remote, "10.78.2.77");
	assert_int_equal(set(dp, &spec), 0);
	seen_clear();
	for (uint32_t i = 0; !seen_of(wire.b, 0).packets && seconds() < at + 5; i++) {
		send_size(i, RTP_SIZE);
		usleep(10000);
	}
	assert_true(seconds() - at < 2);
	settle();
	for (uint32_t i = 0; i < LEGS; i++) {
		assert_int_equal(seen_of(i % 2 ? wire.a : wire.b, i).packets, i != ODD_ONE);
	}
	assert_int_equal(ops->read_legs(dp, 100, legs, LEGS, &n), 0);
	assert_int_equal(legs[ODD_ONE].packets, 0);
	assert_int_equal(legs[ODD_ONE].lost, 1);
	assert_int_equal(legs[ODD_ONE].last_reason, REASON_no_neighbour);
	assert_int_equal(counter(dp, REASON_copies_lost), 1);

	shell("ip neigh add 10.78.2.77 lladdr 02:00:00:00:02:02 dev to_b nud permanent");
	at = seconds();
	for (uint32_t i = 0; !seen_of(wire.b, ODD_ONE).packets && seconds() < at + 5; i++) {
		send_size(1000 + i, RTP_SIZE);
		usleep(10000);
	}
	assert_true(seconds() - at < 2);
	shell("ip neigh del 10.78.2.77 dev to_b");
	seen_sum();
	free(fan);
	ops->close(dp, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),     cmocka_unit_test(shapes), cmocka_unit_test(arrives_as),
		cmocka_unit_test(mixture),   cmocka_unit_test(rtcp),   cmocka_unit_test(refuses),
		cmocka_unit_test(neighbour),
	};

	if (skipped("test_xdp_fan"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, fan_hosts_up, fan_hosts_down);
}
