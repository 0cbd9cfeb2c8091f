/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows with many egresses while things change: rules, processes, processors. Whatever
 * happens, a copy that arrives is whole, right, and there once.
 */
#include "tests/bpf/fan_hosts.h"

#define FEW 2 /* packets in one go, so that copies never fill the queue of a device */

/* The first rule of its kind, again and again, into a stream of frames of one-to-one flows. */
static void first_rule(void **state)
{
	enum { TIMES = 4 };
	static const struct fan_shape shape = { .legs = 20 };
	struct tandem_datapath_config cfg = fan_config();
	struct tandem_flow_spec plain = spec_of(1, BASE, 5004);
	uint64_t copies = 0;
	(void)state;

	feed_frame(0, BASE, 0, false);
	feed_frame(1, FAN_AT, 0, false);
	for (int i = 0; i < TIMES; i++) {
		struct feeder f = { .cpu = i & 1, .batch = 6, .times = 50 };
		struct tandem_datapath *dp = relay_open(&cfg);

		assert_int_equal(set(dp, &plain), 0);
		seen_clear();
		feed_start(2);
		feeder_start(&f);
		usleep(10000);
		assert_int_equal(fan_set(dp, &shape, 0), 0);
		usleep(10000);
		feeder_stop(&f);
		copies += seen_sum();
		assert_int_equal(counter(dp, REASON_copies_lost), 0);
		ops->close(dp, false);
	}
	assert_int_not_equal(copies, 0);
}

/* Rules that differ in all that a leg can differ in, and in how many there are; and none. */
static void changes(void **state)
{
	enum { CHANGES = 2000 };
	static const struct fan_shape shapes[] = {
		{ .legs = 50, .gen = 0 },
		{ .legs = 30, .gen = 1, .both = true },
		{ .legs = 1, .gen = 2 },
		{ .legs = 64, .gen = 3 },
	};
	struct tandem_datapath_config cfg = fan_config();
	struct feeder f = { .cpu = -1, .batch = FEW, .times = 50 };
	struct tandem_datapath *dp;
	uint64_t copies;
	(void)state;

	cfg.fan_capacity = 1024;
	cfg.leg_capacity = 65536;
	dp = relay_open(&cfg);

	feed_frame(0, FAN_AT, 0, false);
	seen_clear();
	feed_start(1);
	feeder_start(&f);
	for (int i = 0; i < CHANGES; i++) {
		if (i % 7 == 6)
			assert_int_equal(removal(dp, 100), 0);
		assert_int_equal(fan_set(dp, &shapes[i % 4], 0), 0);
		usleep(i % 5 * 30);
	}
	assert_int_equal(removal(dp, 100), 0);
	feeder_stop(&f);
	copies = seen_sum();
	print_message("%d changes, %llu packets, %llu copies, %llu lost to a change\n", CHANGES,
		      (unsigned long long)f.packets, (unsigned long long)copies,
		      (unsigned long long)counter(dp, REASON_copies_lost));
	assert_int_not_equal(copies, 0);
	/* What a rule has left stays until its place is wanted: there are places enough. */
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	/* Those of flows with one leg are no copies. */
	assert_in_range(copies, counter(dp, REASON_copies_sent),
			counter(dp, REASON_copies_sent) + counter(dp, REASON_forwarded_rtp));
	ops->close(dp, false);
}

/* One process after the other takes over from the one before. No copy is lost. */
static void takeover(void **state)
{
	enum { LEGS = 40, TIMES = 5 };
	static const struct fan_shape shape = { .legs = LEGS, .both = true };
	struct tandem_datapath_config cfg = fan_config();
	struct feeder f = { .cpu = -1, .batch = FEW, .times = 50, .pause_us = 50 };
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_leg_stats legs[LEGS];
	size_t n;
	(void)state;

	feed_frame(0, FAN_AT, 0, false);
	assert_int_equal(fan_set(dp, &shape, 0), 0);
	feed_start(1);
	/* A veth may hold back the last copies of the test before until others follow them. */
	feed(2, 1);
	seen_clear();
	feed_start(1);
	feeder_start(&f);
	for (int i = 0; i < TIMES; i++) {
		ops->close(dp, true);
		dp = relay_open(&cfg);
	}
	feeder_stop(&f);
	seen_all(&shape, wire.a->bss->feed_number);
	assert_int_equal(ops->read_legs(dp, 100, legs, LEGS, &n), 0);
	for (uint32_t i = 0; i < LEGS; i++)
		assert_int_equal(legs[i].packets, counter(dp, REASON_forwarded_rtp));
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	print_message("%d processes, %u packets\n", TIMES + 1, wire.a->bss->feed_number);
	ops->close(dp, false);
}

/* Two receive queues. A program that is there before does not run on the second. */
static void queues(int ns, const char *name)
{
	enter(ns);
	bpf_xdp_detach((int)if_nametoindex(name), XDP_FLAGS_DRV_MODE, NULL);
	shell("ethtool -L %s rx 2", name);
	enter(net.relay_ns);
}

/* The same flow on every processor at once, through queues of their own. */
static void processors(void **state)
{
	enum { LEGS = 40 };
	static const struct fan_shape shape = { .legs = LEGS, .both = true };
	struct tandem_datapath_config cfg = fan_config();
	struct feeder f[2] = { { .cpu = 0, .batch = FEW, .times = 50, .pause_us = 20 },
			       { .cpu = 1, .batch = FEW, .times = 50, .pause_us = 20 } };
	struct tandem_datapath *dp;
	(void)state;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		print_message("skipped: there is one processor only\n");
		skip();
	}
	queues(net.relay_ns, "to_a");
	queues(net.caller_ns, "a");
	queues(net.callee_ns, "b");
	sink_on(net.caller_ns, "a", wire.a);
	sink_on(net.callee_ns, "b", wire.b);
	dp = relay_open(&cfg);
	feed_frame(0, FAN_AT, 0, false);
	seen_clear();
	assert_int_equal(fan_set(dp, &shape, 0), 0);
	feed(2, 1); /* ways are known */
	feed_start(1);
	seen_clear();
	feeder_start(&f[0]);
	feeder_start(&f[1]);
	usleep(500000);
	feeder_stop(&f[0]);
	feeder_stop(&f[1]);
	seen_all(&shape, wire.a->bss->feed_number);
	assert_int_equal(counter(dp, REASON_copies_lost), 0);
	print_message("%llu and %llu packets\n", (unsigned long long)f[0].packets,
		      (unsigned long long)f[1].packets);
	ops->close(dp, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_rule),
		cmocka_unit_test(changes),
		cmocka_unit_test(takeover),
		cmocka_unit_test(processors),
	};

	if (skipped("test_xdp_fan_load"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, fan_hosts_up, fan_hosts_down);
}
