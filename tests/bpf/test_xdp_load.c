/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP datapath when there is much of everything: flows, changes, traffic. */
#include <pthread.h>

#include "tests/bpf/xdp_hosts.h"

struct traffic {
	bool stop;
	uint32_t sent;
};

/* Asserts nothing: cmocka's failures belong to the main thread. */
static void *traffic_thread(void *arg)
{
	struct traffic *t = arg;
	struct tandem_endpoint to = { .port = BASE };
	unsigned char buf[172] = { 0x80, 8 };
	struct sockaddr_storage ss;
	socklen_t len;

	tandem_ip_parse(&to.ip, "10.78.1.1");
	len = tandem_endpoint_to_sockaddr(&to, &ss);
	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		buf[2] = (unsigned char)(t->sent >> 8);
		buf[3] = (unsigned char)t->sent;
		if (sendto(net.caller_fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, len) > 0)
			t->sent++;
	}
	return NULL;
}

/*
 * Two rules that differ in every part of the egress replace each other as fast as
 * can be. A packet leaves by the one or by the other, never by half of each.
 */
static void changes_under_traffic(void **state)
{
	enum { CHANGES = 200000 };
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec specs[2] = { spec_of(1, BASE, 5004), spec_of(1, BASE, 5004) };
	struct traffic t = { 0 };
	uint32_t by[2] = { 0 }, torn = 0, failed = 0;
	pthread_t thread;
	uint16_t port;
	int value;
	(void)state;

	for (int i = 0; i < 2; i++) {
		specs[i].egress[0].local_port = htons((uint16_t)(BASE + 2 + 2 * i));
		specs[i].egress[0].flags |= EGRESS_F_PT;
		specs[i].egress[0].pt_out[0] = (uint8_t)(20 + i);
	}
	assert_int_equal(set(dp, &specs[0]), 0);
	assert_int_equal(pthread_create(&thread, NULL, traffic_thread, &t), 0);
	for (int i = 0; i < CHANGES; i++) {
		failed += set(dp, &specs[i & 1]) != 0;
		if (i % 64)
			continue;
		while ((value = received_pt(&port)) >= 0) {
			if (port == BASE + 2 && value == 20)
				by[0]++;
			else if (port == BASE + 4 && value == 21)
				by[1]++;
			else
				torn++;
		}
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	usleep(50000); /* what is on the wire arrives */
	print_message("%d changes, %u packets: %llu forwarded, %llu met a change\n", CHANGES,
		      t.sent, (unsigned long long)counter(dp, REASON_forwarded_rtp),
		      (unsigned long long)counter(dp, REASON_rule_busy));
	assert_int_equal(failed, 0);
	assert_int_equal(torn, 0);
	assert_int_not_equal(by[0], 0);
	assert_int_not_equal(by[1], 0);
	assert_int_equal(counter(dp, REASON_forwarded_rtp) + counter(dp, REASON_rule_busy), t.sent);
	ops->close(dp, false);
	while (received(100, NULL) >= 0)
		;
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
		cmocka_unit_test(changes_under_traffic),
		cmocka_unit_test(much),
	};

	if (skipped("test_xdp_load"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, hosts_up, hosts_down);
}
