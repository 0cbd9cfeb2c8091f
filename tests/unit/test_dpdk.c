/* SPDX-License-Identifier: GPL-2.0-only */
/* The DPDK datapath's client: flows, fans and legs, and workers that are none. */
#include "tests/unit/dpdk_fixture.h"

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	uint64_t *sum = arg;

	*sum += spec->id;
}

static void a_worker_is_told_and_asked(void **state)
{
	struct tandem_change changes[3] = {
		{ .op = TANDEM_FLOW_SET, .spec.id = 7 },
		{ .op = TANDEM_FLOW_SET, .spec.id = 9 },
		{ .op = TANDEM_FLOW_REMOVE, .spec.id = 7 },
	};
	struct reason_counters counters;
	struct tandem_flow_stats stats;
	struct tandem_datapath *dp;
	uint64_t sum = 0;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_string_equal(tandem_dpdk_ops.describe(dp), "books");
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 3), 0);
	assert_int_equal(changes[0].result, 0);
	assert_int_equal(changes[1].result, -ENOSPC);
	assert_int_equal(worker.removed_id, 7);
	assert_int_equal(tandem_dpdk_ops.read(dp, 1, &stats), 0);
	assert_int_equal(stats.fast_packets, 77);
	assert_int_equal(stats.stream_count, 2);
	assert_int_equal(stats.streams[1].ssrc, 5);
	assert_true(stats.offloaded);
	assert_int_equal(tandem_dpdk_ops.read(dp, 2, &stats), -ENOENT);
	assert_int_equal(tandem_dpdk_ops.list(dp, count_h, &sum), 0);
	assert_int_equal(sum, FLOWS * (FLOWS + 1) / 2);
	assert_int_equal(tandem_dpdk_ops.counters(dp, &counters), 0);
	assert_int_equal(counters.packets[REASON_forwarded_rtp], 3);
	tandem_dpdk_ops.close(dp, true);
	assert_false(worker.reset);
}

static void a_fan_is_told_in_parts(void **state)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + LEGS * sizeof(fan->legs[0]));
	struct tandem_change changes[2] = {
		{ .op = TANDEM_FLOW_SET, .spec = { .id = 7, .fan = fan } },
		{ .op = TANDEM_FLOW_SET, .spec.id = 8 },
	};
	struct tandem_datapath *dp;
	(void)state;

	assert_non_null(fan);
	fan->branch_count = 2;
	fan->leg_count = LEGS;
	fan->branches[0] = (struct branch){ .ssrc = 5, .count = 200 };
	fan->branches[1] = (struct branch){ .first = 200, .count = 100, .flags = BRANCH_F_ANY };
	for (uint32_t i = 0; i < LEGS; i++) {
		fan->legs[i].id = i + 1;
		fan->legs[i].leg.egress.seq_offset = (uint16_t)i;
	}
	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 1), 0);
	assert_int_equal(changes[0].result, 0);
	assert_true(worker.parts > 1);
	assert_int_equal(worker.leg_count, LEGS);
	assert_memory_equal(worker.legs, fan->legs, LEGS * sizeof(fan->legs[0]));
	assert_int_equal(worker.set.fan, 1);
	assert_int_equal(worker.set.leg_count, LEGS);
	assert_int_equal(worker.set.branch_count, 2);
	assert_memory_equal(worker.set.branches, fan->branches, sizeof(fan->branches));
	/* No address of ours is any business of the worker's. */
	assert_null(worker.set.spec.fan);

	/* A flow without a fan has nothing of the one before. */
	assert_int_equal(tandem_dpdk_ops.apply(dp, &changes[1], 1), 0);
	assert_int_equal(worker.set.spec.id, 8);
	assert_int_equal(worker.set.fan, 0);
	assert_int_equal(worker.set.leg_count, 0);
	/* One with legs for nobody is still a fan. */
	fan->leg_count = 0;
	fan->branch_count = 0;
	worker.parts = 0;
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 1), 0);
	assert_int_equal(worker.parts, 0);
	assert_int_equal(worker.set.fan, 1);
	tandem_dpdk_ops.close(dp, true);
	free(fan);
}

static void legs_are_read_in_parts(void **state)
{
	struct tandem_leg_stats legs[LEGS + 10];
	struct tandem_datapath *dp;
	size_t n;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 1, legs, LEGS + 10, &n), 0);
	assert_int_equal(n, LEGS);
	for (uint32_t i = 0; i < LEGS; i++) {
		assert_int_equal(legs[i].id, i + 1000);
		assert_int_equal(legs[i].packets, i);
	}
	/* No more than there is room for. */
	memset(legs, 0, sizeof(legs));
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 1, legs, TANDEM_DPDK_STATS + 1, &n), 0);
	assert_int_equal(n, TANDEM_DPDK_STATS + 1);
	assert_int_equal(legs[TANDEM_DPDK_STATS].id, TANDEM_DPDK_STATS + 1000);
	assert_int_equal(legs[TANDEM_DPDK_STATS + 1].id, 0);
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 2, legs, LEGS, &n), -ENOENT);
	assert_int_equal(n, 0);
	tandem_dpdk_ops.close(dp, true);
}

static void requests_have_the_length_of_their_kind(void **state)
{
	struct tandem_dpdk_request request = { .op = TANDEM_DPDK_LEGS_SET };
	size_t none = tandem_dpdk_request_size(&request);
	(void)state;

	request.part.count = TANDEM_DPDK_LEGS;
	assert_true(tandem_dpdk_request_size(&request) <= sizeof(request));
	assert_int_equal(tandem_dpdk_request_size(&request) - none,
			 TANDEM_DPDK_LEGS * sizeof(struct tandem_fan_leg));
	request.part.count = TANDEM_DPDK_LEGS + 1;
	assert_int_equal(tandem_dpdk_request_size(&request), 0);
	request.op = TANDEM_DPDK_SRTP_USES + 1;
	assert_int_equal(tandem_dpdk_request_size(&request), 0);
	request.part.count = 0;
	for (uint32_t op = TANDEM_DPDK_HELLO; op <= TANDEM_DPDK_SRTP_USES; op++) {
		request.op = op;
		assert_true(tandem_dpdk_request_size(&request) >= 2 * sizeof(uint32_t));
		assert_true(tandem_dpdk_request_size(&request) <= sizeof(request));
	}
}

static void closing_for_good_empties_the_worker(void **state)
{
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	tandem_dpdk_ops.close(dp, false);
	assert_true(worker.reset);
}

static void a_worker_that_is_not_ours(void **state)
{
	struct tandem_datapath *dp;
	char why[256] = "";
	(void)state;

	worker.hello_result = -EPROTO;
	assert_int_equal(open_client(&dp, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "another version"));
	worker.hello_result = 0;
	worker.config_result = -EBUSY;
	assert_int_equal(open_client(&dp, why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "another controller"));
}

static void a_worker_that_dies(void **state)
{
	struct tandem_change change = { .op = TANDEM_FLOW_SET, .spec.id = 7 };
	struct reason_counters counters;
	struct tandem_flow_stats stats;
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	worker.hang_up = true;
	assert_int_equal(tandem_dpdk_ops.apply(dp, &change, 1), 0);
	assert_int_equal(change.result, -ENOTCONN);
	assert_int_equal(tandem_dpdk_ops.read(dp, 1, &stats), -ENOTCONN);
	assert_int_equal(tandem_dpdk_ops.counters(dp, &counters), 0);
	/* It is tried again, but not before a second has passed. */
	worker.hang_up = false;
	for (int i = 0; i < 30 && change.result; i++) {
		poll(NULL, 0, 100);
		assert_int_equal(tandem_dpdk_ops.apply(dp, &change, 1), 0);
	}
	assert_int_equal(change.result, 0);
	assert_int_equal(worker.set.spec.id, 7);
	tandem_dpdk_ops.close(dp, true);
}

static void a_probe_says_who_answers(void **state)
{
	struct tandem_datapath_config cfg = { .dpdk_socket = worker.path };
	struct tandem_probe probe;
	(void)state;

	assert_int_equal(tandem_dpdk_ops.probe(&cfg, &probe), 0);
	assert_true(probe.usable);
	assert_non_null(strstr(probe.detail, "books"));
	cfg.dpdk_socket = "/nonexistent/dpdk.sock";
	assert_int_equal(tandem_dpdk_ops.probe(&cfg, &probe), 0);
	assert_false(probe.usable);
	assert_non_null(strstr(probe.detail, "no worker at /nonexistent/dpdk.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_worker_is_told_and_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fan_is_told_in_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(legs_are_read_in_parts, set_up, tear_down),
		cmocka_unit_test(requests_have_the_length_of_their_kind),
		cmocka_unit_test_setup_teardown(closing_for_good_empties_the_worker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_is_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_probe_says_who_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
