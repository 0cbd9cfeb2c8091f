/* SPDX-License-Identifier: GPL-2.0-only */
/* The heap of due things, and the model of a bad network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "userspace/util/due.h"
#include "userspace/util/fate.h"

#define THINGS 5000
#define MS     1000000ULL

/* In and out in any mix: always the earliest, and of equal ones the first that went in. */
static void in_order(void **state)
{
	static struct tandem_due things[THINGS];
	struct tandem_dues q = { 0 };
	struct tandem_due last = { 0 };
	unsigned int seed = 1, in = 0, out = 0;

	(void)state;
	assert_null(tandem_dues_first(&q));
	assert_null(tandem_dues_pop(&q));
	while (out < THINGS) {
		if (in < THINGS && rand_r(&seed) % 3) {
			things[in].ns = last.ns + (unsigned int)rand_r(&seed) % 50;
			assert_int_equal(tandem_dues_push(&q, &things[in++]), 0);
		} else if (q.count) {
			const struct tandem_due *first = tandem_dues_first(&q);

			assert_ptr_equal(tandem_dues_pop(&q), first);
			assert_true(first->ns >= last.ns);
			assert_true(first->ns > last.ns || !out || first->serial > last.serial);
			last = *first;
			out++;
		}
	}
	assert_null(tandem_dues_first(&q));
	tandem_dues_clean(&q);
}

/* The same seed is the same fate, packet for packet, and another one is not. */
static void seeds(void **state)
{
	const struct tandem_impairment network = { .loss = 10, .duplicate = 10, .jitter_ns = MS };
	struct tandem_fate a, b, c;
	uint64_t due_a = 0, due_b = 0, due_c = 0;
	unsigned int differ = 0;

	(void)state;
	tandem_fate_seed(&a, 5, 0);
	tandem_fate_seed(&b, 5, 0);
	tandem_fate_seed(&c, 5, 1);
	for (unsigned int i = 0; i < 1000; i++) {
		unsigned int copies = tandem_fate_draw(&a, &network, i * MS, &due_a);

		assert_int_equal(tandem_fate_draw(&b, &network, i * MS, &due_b), copies);
		assert_int_equal(due_a, due_b);
		differ += tandem_fate_draw(&c, &network, i * MS, &due_c) != copies;
	}
	assert_true(differ > 100);
}

/* As much as was asked for, within five standard deviations; and jitter alone keeps the order. */
static void rates(void **state)
{
	const struct tandem_impairment network = {
		.loss = 20, .duplicate = 5, .delay_ns = 10 * MS, .jitter_ns = 30 * MS
	};
	uint64_t due, last = 0, came = 0;
	struct tandem_fate fate;

	(void)state;
	tandem_fate_seed(&fate, 1, 0);
	for (unsigned int i = 0; i < 10000; i++) {
		unsigned int copies = tandem_fate_draw(&fate, &network, i * MS, &due);

		came += copies;
		if (!copies)
			continue;
		assert_in_range(due, i * MS + 10 * MS, i * MS + 70 * MS);
		assert_true(due >= last);
		last = due;
	}
	assert_in_range(fate.lost, 1800, 2200);
	assert_in_range(fate.duplicated, 300, 510);
	assert_int_equal(came, 10000 - fate.lost + fate.duplicated);
	assert_int_equal(fate.reordered, 0);
}

/* A reordered packet is overtaken by those behind it. */
static void reordering(void **state)
{
	const struct tandem_impairment network = { .reorder = 100, .reorder_by_ns = 30 * MS };
	const struct tandem_impairment never = { 0 };
	struct tandem_fate fate;
	uint64_t due;

	(void)state;
	tandem_fate_seed(&fate, 1, 0);
	assert_int_equal(tandem_fate_draw(&fate, &network, 100 * MS, &due), 1);
	assert_int_equal(due, 130 * MS);
	assert_int_equal(tandem_fate_draw(&fate, &never, 110 * MS, &due), 1);
	assert_int_equal(due, 110 * MS);
	assert_int_equal(fate.reordered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(seeds),
		cmocka_unit_test(rates),
		cmocka_unit_test(reordering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
