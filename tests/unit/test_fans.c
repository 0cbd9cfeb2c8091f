/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of legs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/fans.h"

/* ---- ranges ---- */

/* No leg in two fans; no leg both taken and free; gaps in order, and none touching. */
static void check_ranges(const struct tandem_fans *f, const bool *used, uint32_t fans,
			 uint32_t legs)
{
	unsigned char *owners = calloc(legs, 1);
	uint32_t last_end = UINT32_MAX;

	for (uint32_t i = 0; i < fans; i++) {
		struct tandem_fan_range r = { 0 };

		if (used[i])
			r = tandem_fans_range(f, i);
		assert_true(r.first + r.count <= legs);
		for (uint32_t k = r.first; k < r.first + r.count; k++)
			owners[k]++;
	}
	for (size_t i = 0; i < f->gap_count; i++) {
		const struct tandem_fan_range *g = &f->gaps[i];

		assert_true(g->count > 0);
		assert_true(last_end == UINT32_MAX || g->first > last_end);
		last_end = g->first + g->count;
		for (uint32_t k = g->first; k < last_end; k++)
			owners[k]++;
	}
	for (uint32_t k = 0; k < legs; k++)
		assert_int_equal(owners[k], 1);
	free(owners);
}

static void ranges_like_a_map(void **state)
{
	enum { FANS = 40, LEGS = 500 };
	bool used[FANS] = { false };
	struct tandem_fans f;
	uint32_t free_legs = LEGS, taken = 0, refused = 0;
	(void)state;

	assert_int_equal(tandem_fans_init(&f, FANS, LEGS), 0);
	srand(7);
	for (int step = 0; step < 20000; step++) {
		uint32_t fan = (uint32_t)rand() % FANS, first, count = (uint32_t)rand() % 40;
		int err;

		if (used[fan] && rand() % 2) {
			free_legs += tandem_fans_range(&f, fan).count;
			tandem_fans_release(&f, fan);
			used[fan] = false;
			taken--;
		} else {
			err = tandem_fans_take(&f, count, &fan, &first);
			assert_true(err == 0 || err == -ENOSPC);
			refused += err != 0;
			if (err) {
				uint32_t widest = 0;

				for (size_t i = 0; i < f.gap_count; i++)
					widest = f.gaps[i].count > widest ? f.gaps[i].count
									  : widest;
				assert_true(taken == FANS || widest < count);
				continue;
			}
			assert_false(used[fan]);
			assert_int_equal(tandem_fans_range(&f, fan).count, count);
			used[fan] = true;
			taken++;
			free_legs -= count;
		}
		if (step % 50 == 0)
			check_ranges(&f, used, FANS, LEGS);
	}
	assert_true(refused > 0);
	for (uint32_t i = 0; i < FANS; i++)
		tandem_fans_release(&f, i); /* of one that is free: nothing */
	assert_int_equal(f.gap_count, 1);
	assert_int_equal(f.gaps[0].count, LEGS);
	tandem_fans_clean(&f);
}

static void none_at_all(void **state)
{
	struct tandem_fans f;
	uint32_t fan, first;
	(void)state;

	assert_int_equal(tandem_fans_init(&f, 0, 100), 0);
	assert_int_equal(tandem_fans_take(&f, 1, &fan, &first), -ENOSPC);
	tandem_fans_release(&f, TANDEM_NO_FAN);
	tandem_fans_clean(&f);
	assert_int_equal(tandem_fans_init(&f, 2, 0), 0);
	assert_int_equal(tandem_fans_take(&f, 1, &fan, &first), -ENOSPC);
	assert_int_equal(tandem_fans_take(&f, 0, &fan, &first), 0); /* a fan that mutes all */
	tandem_fans_clean(&f);
}

static void ranges_are_adopted(void **state)
{
	bool used[4] = { false };
	struct tandem_fans f;
	uint32_t fan, first;
	(void)state;

	assert_int_equal(tandem_fans_init(&f, 4, 100), 0);
	assert_int_equal(tandem_fans_adopt(&f, 2, 40, 20), 0);
	assert_int_equal(tandem_fans_adopt(&f, 2, 0, 1), -EEXIST);
	assert_int_equal(tandem_fans_adopt(&f, 1, 30, 11), -EEXIST);
	assert_int_equal(tandem_fans_adopt(&f, 1, 59, 1), -EEXIST);
	assert_int_equal(tandem_fans_adopt(&f, 1, 90, 11), -EEXIST);
	assert_int_equal(tandem_fans_adopt(&f, 1, UINT32_MAX, 2), -EINVAL);
	assert_int_equal(tandem_fans_adopt(&f, 4, 0, 1), -EINVAL);
	assert_int_equal(tandem_fans_adopt(&f, 0, 60, 40), 0);
	assert_int_equal(tandem_fans_adopt(&f, 3, 0, 0), 0);
	used[0] = used[2] = used[3] = true;
	check_ranges(&f, used, 4, 100);
	assert_int_equal(tandem_fans_take(&f, 41, &fan, &first), -ENOSPC);
	assert_int_equal(tandem_fans_take(&f, 40, &fan, &first), 0);
	assert_int_equal(fan, 1);
	assert_int_equal(first, 0);
	tandem_fans_clean(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_like_a_map),
		cmocka_unit_test(none_at_all),
		cmocka_unit_test(ranges_are_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
