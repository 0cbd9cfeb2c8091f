/* SPDX-License-Identifier: GPL-2.0-only */
/* HMACs made side by side are those that are made one by one, whatever their number and lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/srtp/hmacs.h"
#include "userspace/srtp/sha1.h"

#define LONGEST 1500

static struct {
	struct srtp_session session[TANDEM_HMACS_MAX];
	uint8_t data[TANDEM_HMACS_MAX][LONGEST];
	struct tandem_hmac_job jobs[TANDEM_HMACS_MAX];
} t;

static void compare(struct tandem_hmacs *hmacs, uint32_t n, uint32_t len, uint32_t step)
{
	uint8_t expected[20];

	for (uint32_t i = 0; i < n; i++)
		t.jobs[i] = (struct tandem_hmac_job){
			.session = &t.session[i],
			.data = t.data[i] + i % 5,
			.len = (len + i * step) % (LONGEST - 5) + 1,
		};
	tandem_hmacs_run(hmacs, t.jobs, n);
	for (uint32_t i = 0; i < n; i++) {
		tandem_hmac(expected, &t.session[i], t.jobs[i].data, t.jobs[i].len, "", 0);
		assert_memory_equal(t.jobs[i].tag, expected, sizeof(expected));
	}
}

static void side_by_side_is_as_one_by_one(void **state)
{
	struct tandem_hmacs *hmacs;
	uint8_t key[20];
	(void)state;

	srand(1);
	for (uint32_t i = 0; i < TANDEM_HMACS_MAX; i++) {
		for (size_t k = 0; k < sizeof(key); k++)
			key[k] = (uint8_t)rand();
		tandem_hmac_states(t.session[i].inner, t.session[i].outer, key, sizeof(key));
		for (size_t k = 0; k < LONGEST; k++)
			t.data[i][k] = (uint8_t)rand();
	}
	assert_int_equal(tandem_hmacs_alloc(&hmacs), 0);
	for (uint32_t n = 0; n <= TANDEM_HMACS_MAX; n++) {
		compare(hmacs, n, 175, 0);
		compare(hmacs, n, n, 61);
	}
	for (uint32_t len = 0; len < 300; len++)
		compare(hmacs, 9, len, 1);
	tandem_hmacs_free(hmacs);
}

static void nothing_is_freed(void **state)
{
	(void)state;
	tandem_hmacs_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(side_by_side_is_as_one_by_one),
		cmocka_unit_test(nothing_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
