/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and streams of SRTP between the DPDK datapath's client and its worker. */
#include "tests/unit/dpdk_fixture.h"

static void keys_go_once_and_before_their_flows(void **state)
{
	const struct tandem_srtp in = set_of(70), old = set_of(71), out = set_of(72);
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7 };
	struct tandem_change b = { .op = TANDEM_FLOW_SET, .spec.id = 8 };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	uint32_t index;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	/* The streams are the worker's memory. */
	worker.streams.array[5].top = 12345;
	assert_int_equal((*tandem_srtp_sets_streams(sets))[5].top, 12345);

	a.spec.srtp_in = &in;
	a.spec.srtp_in_old = &old;
	a.spec.srtp_out = &out;
	do_change(dp, &a, 0);
	assert_int_equal(worker.sets_told, 3);
	index = worker_set(70);
	assert_int_not_equal(index, 0);
	assert_int_equal(worker.sets[index].keys.suite, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(worker.sets[index].keys.stream_count, 2);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_IN], 70);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_OLD], 71);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_OUT], 72);
	assert_null(worker.set.spec.srtp_in);
	assert_null(worker.set.spec.srtp_in_old);
	assert_null(worker.set.spec.srtp_out);
	b.spec.srtp_out = &in;
	do_change(dp, &b, 0);
	assert_int_equal(worker.sets_told, 3);

	/* What nobody has any more goes, and what the other flow has stays. */
	a.spec.srtp_in_old = NULL;
	a.spec.srtp_in = &out;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_equal(worker_set(70), index);
	b.op = TANDEM_FLOW_REMOVE;
	b.spec.srtp_out = NULL;
	do_change(dp, &b, 0);
	assert_int_equal(worker_set(70), 0);
	/* A flow that loses its keys leaves them, too. */
	a.spec.srtp_in = a.spec.srtp_out = NULL;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(72), 0);
	assert_int_equal(worker.drops, 3);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void a_flow_that_is_refused_leaves_its_keys(void **state)
{
	const struct tandem_srtp in = set_of(70), other = set_of(71);
	struct tandem_change nine = { .op = TANDEM_FLOW_SET, .spec.id = 9, .spec.srtp_in = &in };
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &nine, -ENOSPC);
	assert_int_equal(worker_set(70), 0);
	do_change(dp, &a, 0);
	worker.set_result = -EINVAL;
	a.spec.srtp_in = &other;
	worker.set.spec.id = 0;
	do_change(dp, &a, -EINVAL);
	/* It was not even asked for the flow, which is as it was. */
	assert_int_equal(worker.set.spec.id, 0);
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void legs_have_keys_of_their_own(void **state)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	const struct tandem_srtp keys[2] = { set_of(70), set_of(71) };
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.fan = fan };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	fan->branch_count = 1;
	fan->leg_count = fan->key_count = fan->branches[0].count = 2;
	fan->keys = keys;
	fan->legs[0].srtp = 70;
	fan->legs[1].srtp = 71;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &c, 0);
	assert_int_not_equal(worker_set(70), 0);
	assert_int_not_equal(worker_set(71), 0);
	assert_int_equal(worker.legs[1].srtp, 71);
	fan->key_count = fan->leg_count = fan->branches[0].count = 1;
	do_change(dp, &c, 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
	free(fan);
}

static void the_next_controller_has_the_keys(void **state)
{
	const struct tandem_srtp in = set_of(70), unused = set_of(71);
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	uint32_t index;
	(void)state;

	/* As the one before has left it: a flow with keys, and keys that no flow came for. */
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &a, 0);
	a.spec.id = 8;
	a.spec.srtp_in = &unused;
	do_change(dp, &a, 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
	index = worker_set(70);
	worker.uses[0] = (struct tandem_dpdk_uses){ .id = 7, .index = index };
	worker.use_count = 1;
	worker.streams.array[worker.sets[index].keys.first_stream].top = 0x12345;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, SETS - 1), 0);
	worker.sets_told = 0;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_equal(worker_set(70), index);
	/* Set again as a restart does it: with the same keys, which have gone on. */
	a.spec.id = 7;
	a.spec.srtp_in = &in;
	do_change(dp, &a, 0);
	assert_int_equal(worker.sets_told, 0);
	assert_int_equal(
		(*tandem_srtp_sets_streams(sets))[worker.sets[index].keys.first_stream].top,
		0x12345);
	a.op = TANDEM_FLOW_REMOVE;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void what_does_not_add_up_is_taken_from_the_worker(void **state)
{
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	for (uint32_t i = 1; i < 5; i++)
		worker.sets[i] = (struct tandem_dpdk_srtp){
			.index = i,
			.keys = { .suite = SRTP_AEAD_AES_128_GCM,
				  .id = i,
				  .first_stream = i * 4,
				  .stream_count = 4 },
		};
	worker.sets[2].keys.first_stream = 5; /* those of 1 */
	worker.sets[3].keys.suite = SRTP_SUITES;
	worker.uses[0] = (struct tandem_dpdk_uses){ .id = 11, .index = 1 };
	worker.uses[1] = (struct tandem_dpdk_uses){ .id = 12, .index = 4 };
	worker.uses[2] = (struct tandem_dpdk_uses){ .id = 12, .index = 2 };
	worker.uses[3] = (struct tandem_dpdk_uses){ .id = 12, .index = 1 };
	worker.uses[4] = (struct tandem_dpdk_uses){ .id = 13, .index = 0xffffffff };
	worker.use_count = 5;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker.removed_id, 13);
	assert_int_equal(worker_set(1), 1);
	assert_int_equal(worker_set(2), 0);
	assert_int_equal(worker_set(3), 0);
	assert_int_equal(worker_set(4), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void streams_that_are_none_are_refused(void **state)
{
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	char why[256] = "";
	(void)state;

	/* Too few, and then none at all. */
	tandem_dpdk_streams_close(&worker.streams);
	assert_int_equal(tandem_dpdk_streams_make(&worker.streams, 1), 0);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	tandem_dpdk_streams_close(&worker.streams);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	/* A file that may shrink under the controller. */
	worker.streams.fd = memfd_create("unsealed", 0);
	assert_int_equal(ftruncate(worker.streams.fd, 1 << 20), 0);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	tandem_srtp_sets_free(sets);
}

static bool change_fails(struct tandem_datapath *dp, struct tandem_change *c)
{
	assert_int_equal(tandem_dpdk_ops.apply(dp, c, 1), 0);
	return c->result != 0;
}

static void another_worker_gets_the_same_streams(void **state)
{
	const struct tandem_srtp in = set_of(70);
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker.came, -1);
	do_change(dp, &c, 0);
	worker.hang_up = true;
	do_change(dp, &c, -ENOTCONN);
	/* It begins anew: without keys, with what comes along. */
	memset(worker.sets, 0, sizeof(worker.sets));
	worker.hang_up = false;
	for (int i = 0; i < 30 && change_fails(dp, &c); i++)
		poll(NULL, 0, 100);
	assert_int_equal(c.result, 0);
	assert_true(worker.came >= 0);
	assert_true(tandem_dpdk_streams_same(worker.came, worker.streams.fd));
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_go_once_and_before_their_flows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_flow_that_is_refused_leaves_its_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(legs_have_keys_of_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_controller_has_the_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_add_up_is_taken_from_the_worker,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(streams_that_are_none_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_worker_gets_the_same_streams, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
