/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP datapath, and the plane over it, on real devices. */
#include "tests/bpf/xdp_hosts.h"

#include "userspace/datapath/xdp.h"

static void forwards(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	uint16_t port;
	(void)state;

	assert_string_equal(ops->describe(dp), "native on to_a, native on to_b");
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

/* Does a packet arrive at the callee, or none: whichever is wanted, before long? */
static bool arrives(uint16_t seq, bool wanted)
{
	bool done = false;

	for (int i = 0; i < 40 && !done; i++) {
		usleep(50000);
		send_rtp(net.caller_fd, BASE, seq, 1);
		done = (received(100, NULL) == seq) == wanted;
	}
	while (received(50, NULL) >= 0) /* that came late */
		;
	return done;
}

static uint64_t way_expires(struct tandem_datapath *dp)
{
	return dp->memory.entries[tandem_table_find(&dp->table, 1)].flow.nexthop.expires_ns;
}

/* A change is followed at once, however old a next hop may grow. */
static void changes_are_heard_of(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_datapath *dp;
	(void)state;

	cfg.nexthop_age_ms = 60000;
	dp = relay_open(&cfg);
	assert_int_equal(set(dp, &spec), 0);
	assert_true(arrives(1, true));
	usleep(600000); /* what was going on at the start is over */
	assert_true(arrives(2, true));
	shell("ip neigh replace 10.78.2.2 lladdr 02:00:00:00:00:99 dev to_b nud permanent");
	assert_true(arrives(3, false));
	shell("ip neigh replace 10.78.2.2 lladdr 02:00:00:00:02:02 dev to_b nud permanent");
	assert_true(arrives(4, true));
	ops->close(dp, false);
}

/* Where nothing changes, nothing is asked for; when nobody watches any more, it is. */
static void unchanged_ways_hold(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_datapath *dp;
	uint64_t before = 0;
	int tries;
	(void)state;

	cfg.nexthop_age_ms = 20;
	dp = relay_open(&cfg);
	assert_int_equal(set(dp, &spec), 0);
	/* Neighbours come and go by themselves, so not each time. */
	for (tries = 0; tries < 20; tries++) {
		assert_true(arrives(1, true));
		before = way_expires(dp);
		usleep(100000);
		assert_true(arrives(2, true));
		if (way_expires(dp) == before)
			break;
	}
	assert_in_range(tries, 0, 19);
	tandem_xdp_watch_stop(dp);
	usleep(100000);
	assert_true(arrives(3, true));
	assert_int_not_equal(way_expires(dp), before);
	ops->close(dp, false);
}

static void other_configuration(void **state)
{
	struct tandem_datapath_config cfg = config(), other = config();
	struct tandem_datapath *dp = relay_open(&cfg), *second;
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);
	struct tandem_flow_stats s;
	char why[256] = "";
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
	char why[256] = "";
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
	char why[256] = "";
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
	char why[256] = "";
	(void)state;

	assert_int_equal(tandem_plane_open(&plane, "xdp", &cfg, why, sizeof(why)), 0);
	c.spec.flags = RULE_F_LEARN;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	send_rtp(net.caller_fd, BASE, 1, 1);
	pfd.fd = tandem_plane_event_fd(plane);
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	tandem_plane_dispatch(plane, &(struct tandem_event_handlers){ .unknown_source = source_h },
			      &src);
	assert_int_equal(src.flow_id, 1);
	assert_int_equal(src.remote.port, 5004);
	c.spec.key.remote = src.remote.ip;
	c.spec.key.remote_port = htons(src.remote.port);
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	exchange(2, 5);
	tandem_plane_close(plane, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards),
		cmocka_unit_test(shared_port),
		cmocka_unit_test(survives),
		cmocka_unit_test(changes_are_heard_of),
		cmocka_unit_test(unchanged_ways_hold),
		cmocka_unit_test(other_configuration),
		cmocka_unit_test(interfaces_differ),
		cmocka_unit_test(plane_joins),
		cmocka_unit_test(plane_learns),
	};

	if (skipped("test_xdp_datapath"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, hosts_up, hosts_down);
}
