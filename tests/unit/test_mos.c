/* SPDX-License-Identifier: GPL-2.0-only */
/* The E-model estimate against values worked out by hand from the formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "userspace/session/mos.h"

static void table(void **state)
{
	static const struct {
		struct tandem_mos_input in;
		double rating, mos;
	} cases[] = {
		{ { "PCMU", 0, 0, 0 }, 93.2, 4.41 },
		{ { "pcma", 0, 0, 0 }, 93.2, 4.41 },
		{ { "G722", 0, 0, 0 }, 93.2, 4.41 },
		{ { "G729", 0, 0, 0 }, 82.2, 4.10 },
		/* d = 100: 2.4 of delay */
		{ { "PCMU", 0, 200, 0 }, 90.8, 4.35 },
		/* d = 300: 7.2 and 0.11 * 122.7 beyond the knee */
		{ { "PCMU", 0, 600, 0 }, 72.503, 3.71 },
		/* a jitter buffer of 60 ms */
		{ { "PCMU", 0, 0, 20 }, 91.76, 4.38 },
		/* 95 * 1 / 26.1, 95 * 5 / 30.1, 84 * 5 / 24 */
		{ { "PCMU", 1, 0, 0 }, 89.560, 4.32 },
		{ { "PCMU", 5, 0, 0 }, 77.419, 3.93 },
		{ { "G729", 5, 0, 0 }, 64.7, 3.34 },
		/* no concealment is known of: 95 * 5 / 9.3 */
		{ { NULL, 5, 0, 0 }, 42.125, 2.17 },
		{ { "L16", 5, 0, 0 }, 42.125, 2.17 },
		{ { NULL, 100, 0, 0 }, 2.117, 1.0 },
		{ { NULL, 100, 5000, 500 }, 0, 1.0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_float_equal(tandem_mos_rating(&cases[i].in), cases[i].rating, 0.01);
		assert_float_equal(tandem_mos(&cases[i].in), cases[i].mos, 0.01);
	}
}

/* More loss, delay or jitter never sounds better. */
static void never_better(void **state)
{
	struct tandem_mos_input in = { .codec = "opus" };
	double last = 5, mos;
	int i;

	(void)state;
	for (i = 0; i <= 100; i++) {
		in.loss_percent = i;
		in.rtt_ms = i * 5;
		in.jitter_ms = i;
		mos = tandem_mos(&in);
		assert_true(mos <= last);
		assert_true(mos >= 1);
		last = mos;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(never_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
