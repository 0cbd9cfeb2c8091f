/* SPDX-License-Identifier: GPL-2.0-only */
/* The laws of G.711. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/g711.h"

/* G.711 tables 1a and 2a, as values of 16 bits: eight segments of 16 steps for each sign. */
static int ulaw_value(uint8_t code)
{
	int step = ~code & 15, segment = ~code >> 4 & 7;
	int value = 4 * (((2 * step + 33) << segment) - 33);

	return code & 0x80 ? value : -value;
}

static int alaw_value(uint8_t code)
{
	int step = (code ^ 0x55) & 15, segment = (code ^ 0x55) >> 4 & 7;
	int value = 8 * (segment ? (2 * step + 33) << (segment - 1) : 2 * step + 1);

	return code & 0x80 ? value : -value;
}

/* The code of the same sign with the nearest value, the lesser in magnitude of two. */
static uint8_t nearest(uint8_t from, int value, int (*value_of)(uint8_t))
{
	int best = -1, code, off, best_off = 0;

	for (code = from & 0x80; code < (from & 0x80) + 128; code++) {
		int to = value_of((uint8_t)code);

		off = abs(to - value);
		if (best < 0 || off < best_off ||
		    (off == best_off && abs(to) < abs(value_of((uint8_t)best)))) {
			best = code;
			best_off = off;
		}
	}
	return (uint8_t)best;
}

static void laws_are_those_of_g711(void **state)
{
	int code;

	for (code = 0; code < 256; code++) {
		uint8_t c = (uint8_t)code;

		assert_int_equal(g711_octet(G711_TO_ALAW, c),
				 nearest(c, ulaw_value(c), alaw_value));
		assert_int_equal(g711_octet(G711_TO_ULAW, c),
				 nearest(c, alaw_value(c), ulaw_value));
	}
	/* as G.711 has them: the extremes, and the idle codes */
	assert_int_equal(g711_octet(G711_TO_ALAW, 0x80), 0x80 ^ 0x2a);
	assert_int_equal(g711_octet(G711_TO_ULAW, 0xaa), 0x80);
	assert_int_equal(g711_octet(G711_TO_ALAW, 0xff), 0xd5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(laws_are_those_of_g711),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
