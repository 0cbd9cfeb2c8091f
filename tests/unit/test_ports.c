/* SPDX-License-Identifier: GPL-2.0-only */
/* The port allocator: pairs, order, exhaustion, and how long a used pair rests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>

#include "userspace/session/ports.h"

static void bad_ranges(void **state)
{
	static const struct {
		size_t locals;
		uint16_t min, max;
	} bad[] = {
		{ 0, 16384, 32767 }, { 1, 2000, 1000 },	  { 1, 1001, 1002 },
		{ 1, 0, 99 },	     { 1, 65535, 65535 },
	};
	struct tandem_ports *ports;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			tandem_ports_alloc(&ports, bad[i].locals, bad[i].min, bad[i].max, 1),
			-EINVAL);
}

static void edges_are_rounded(void **state)
{
	static const struct {
		uint16_t min, max;
		size_t pairs;
	} cases[] = {
		{ 1000, 1001, 1 }, { 1001, 1003, 1 },	{ 1000, 1002, 1 },
		{ 1000, 1009, 5 }, { 65534, 65535, 1 }, { 2, 65535, 32767 },
	};
	struct tandem_ports *ports;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tandem_ports_alloc(&ports, 1, cases[i].min, cases[i].max, 1), 0);
		assert_int_equal(tandem_ports_available(ports, 0), cases[i].pairs);
		tandem_ports_free(ports);
	}
}

static void every_pair_once(void **state)
{
	struct tandem_ports *ports;
	bool seen[100] = { false };
	uint16_t port;
	size_t i;

	(void)state;
	assert_int_equal(tandem_ports_alloc(&ports, 2, 1000, 1199, 7), 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(tandem_ports_take(ports, 1, &port), 0);
		assert_in_range(port, 1000, 1198);
		assert_int_equal(port % 2, 0);
		assert_false(seen[(port - 1000) / 2]);
		seen[(port - 1000) / 2] = true;
	}
	assert_int_equal(tandem_ports_take(ports, 1, &port), -ENOSPC);
	assert_int_equal(tandem_ports_available(ports, 0), 100);
	assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
	assert_int_equal(tandem_ports_take(ports, 2, &port), -EINVAL);
	tandem_ports_free(ports);
}

/* What is given back waits until everything else has had its turn. */
static void longest_unused_first(void **state)
{
	struct tandem_ports *ports;
	uint16_t first, second, port;
	size_t i;

	(void)state;
	assert_int_equal(tandem_ports_alloc(&ports, 1, 1000, 1039, 7), 0);
	tandem_ports_take(ports, 0, &first);
	tandem_ports_take(ports, 0, &second);
	tandem_ports_release(ports, 0, second);
	tandem_ports_release(ports, 0, first);
	for (i = 0; i < 18; i++) {
		assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
		assert_int_not_equal(port, first);
		assert_int_not_equal(port, second);
	}
	tandem_ports_take(ports, 0, &port);
	assert_int_equal(port, second);
	tandem_ports_take(ports, 0, &port);
	assert_int_equal(port, first);
	tandem_ports_free(ports);
}

static void released_twice(void **state)
{
	struct tandem_ports *ports;
	uint16_t port;

	(void)state;
	assert_int_equal(tandem_ports_alloc(&ports, 1, 1000, 1009, 7), 0);
	tandem_ports_take(ports, 0, &port);
	tandem_ports_release(ports, 0, port);
	tandem_ports_release(ports, 0, port);
	tandem_ports_release(ports, 0, 998);
	tandem_ports_release(ports, 0, port + 1);
	tandem_ports_release(ports, 3, port);
	assert_int_equal(tandem_ports_available(ports, 0), 5);
	tandem_ports_free(ports);
}

static void reserve(void **state)
{
	struct tandem_ports *ports;
	uint16_t port;
	size_t i;

	(void)state;
	assert_int_equal(tandem_ports_alloc(&ports, 1, 1000, 1009, 7), 0);
	assert_int_equal(tandem_ports_reserve(ports, 0, 1004), 0);
	assert_int_equal(tandem_ports_reserve(ports, 0, 1004), -EBUSY);
	assert_int_equal(tandem_ports_reserve(ports, 0, 1005), -EINVAL);
	assert_int_equal(tandem_ports_reserve(ports, 0, 1010), -EINVAL);
	assert_int_equal(tandem_ports_reserve(ports, 1, 1004), -EINVAL);
	for (i = 0; i < 4; i++) {
		assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
		assert_int_not_equal(port, 1004);
	}
	assert_int_equal(tandem_ports_take(ports, 0, &port), -ENOSPC);
	tandem_ports_release(ports, 0, 1004);
	assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
	assert_int_equal(port, 1004);
	tandem_ports_free(ports);
}

/* Same seed, same order; another seed, another; and never simply upwards. */
static void sharing(void **state)
{
	struct tandem_ports *ports;
	uint16_t port;

	(void)state;
	assert_int_equal(tandem_ports_alloc(&ports, 1, 1000, 1003, 1), 0);
	assert_int_equal(tandem_ports_share(ports, 0, 1000), 0);
	assert_int_equal(tandem_ports_share(ports, 0, 1000), 0);
	assert_int_equal(tandem_ports_reserve(ports, 0, 1000), -EBUSY);
	assert_int_equal(tandem_ports_share(ports, 0, 1004), -EINVAL);
	assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
	assert_int_equal(port, 1002);
	assert_int_equal(tandem_ports_share(ports, 0, 1002), -EBUSY);
	assert_int_equal(tandem_ports_take_shared(ports, 0, &port), -ENOSPC);
	/* free once both have let go, and then anybody's alone */
	tandem_ports_release(ports, 0, 1000);
	assert_int_equal(tandem_ports_available(ports, 0), 0);
	tandem_ports_release(ports, 0, 1000);
	assert_int_equal(tandem_ports_available(ports, 0), 1);
	tandem_ports_release(ports, 0, 1000);
	assert_int_equal(tandem_ports_available(ports, 0), 1);
	assert_int_equal(tandem_ports_take(ports, 0, &port), 0);
	assert_int_equal(tandem_ports_share(ports, 0, 1000), -EBUSY);
	tandem_ports_release(ports, 0, 1000);
	assert_int_equal(tandem_ports_take_shared(ports, 0, &port), 0);
	assert_int_equal(tandem_ports_share(ports, 0, port), 0);
	tandem_ports_free(ports);
}

static void order_follows_seed(void **state)
{
	static const uint64_t seeds[] = { 1, 1, 2 };
	uint16_t order[3][50];
	bool sorted = true;
	struct tandem_ports *ports;
	size_t i, k;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(tandem_ports_alloc(&ports, 1, 1000, 1099, seeds[i]), 0);
		for (k = 0; k < 50; k++)
			tandem_ports_take(ports, 0, &order[i][k]);
		tandem_ports_free(ports);
	}
	assert_memory_equal(order[0], order[1], sizeof(order[0]));
	assert_memory_not_equal(order[0], order[2], sizeof(order[0]));
	for (k = 1; k < 50; k++)
		sorted = sorted && order[0][k] > order[0][k - 1];
	assert_false(sorted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ranges),	      cmocka_unit_test(edges_are_rounded),
		cmocka_unit_test(every_pair_once),    cmocka_unit_test(longest_unused_first),
		cmocka_unit_test(released_twice),     cmocka_unit_test(reserve),
		cmocka_unit_test(order_follows_seed), cmocka_unit_test(sharing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
