/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The n-th allocation fails, for every n: the library says -ENOMEM, leaks nothing (the
 * sanitizer sees to that), and a document whose edit failed is as it was. The library's
 * sources are compiled here with an allocator that can fail.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static long allocations_left = -1; /* -1: no limit */

static bool may_allocate(void);
static void *failing_malloc(size_t size);
static void *failing_calloc(size_t n, size_t size);
static char *failing_strdup(const char *text);

#undef strdup
#define malloc failing_malloc
#define calloc failing_calloc
#define strdup failing_strdup
#include "userspace/sdp/draft.c"
#include "userspace/sdp/edit.c"
#include "userspace/sdp/edit_attr.c"
#include "userspace/sdp/format.c"
#include "userspace/sdp/line.c"
#include "userspace/sdp/offer_answer.c"
#include "userspace/sdp/parse.c"
#include "userspace/sdp/scan.c"
#include "userspace/sdp/update.c"
#include "userspace/sdp/validate.c"
#include "userspace/sdp/view_media.c"
#include "userspace/sdp/view_session.c"
#undef malloc
#undef calloc
#undef strdup

#include "tests/unit/sdp_samples.h"

static bool may_allocate(void)
{
	if (!allocations_left)
		return false;
	if (allocations_left > 0)
		allocations_left--;
	return true;
}

static void *failing_malloc(size_t size)
{
	return may_allocate() ? malloc(size) : NULL;
}

static void *failing_calloc(size_t n, size_t size)
{
	return may_allocate() ? calloc(n, size) : NULL;
}

static char *failing_strdup(const char *text)
{
	return may_allocate() ? strdup(text) : NULL;
}

static int edit_connection(struct tandem_sdp *sdp)
{
	return tandem_sdp_set_connection(sdp, 0, AF_INET, "192.0.2.1");
}

static int edit_port(struct tandem_sdp *sdp)
{
	return tandem_sdp_set_port(sdp, 0, 40000);
}

static int edit_rtcp(struct tandem_sdp *sdp)
{
	return tandem_sdp_set_rtcp(sdp, 0, 40001, AF_INET, "192.0.2.1");
}

static int edit_origin(struct tandem_sdp *sdp)
{
	return tandem_sdp_set_origin_address(sdp, AF_INET, "192.0.2.1");
}

static int edit_version(struct tandem_sdp *sdp)
{
	return tandem_sdp_bump_version(sdp);
}

static int edit_add(struct tandem_sdp *sdp)
{
	return tandem_sdp_add_attr(sdp, 1, "x", "y");
}

static int edit_remove(struct tandem_sdp *sdp)
{
	return tandem_sdp_remove_attr(sdp, 0, "ssrc");
}

static int edit_direction(struct tandem_sdp *sdp)
{
	return tandem_sdp_set_direction(sdp, 0, TANDEM_SDP_INACTIVE);
}

static int edit_reject(struct tandem_sdp *sdp)
{
	return tandem_sdp_reject_media(sdp, 2);
}

static int edit_format(struct tandem_sdp *sdp)
{
	return tandem_sdp_remove_format(sdp, 0, 111);
}

static void assert_prints(const struct tandem_sdp *sdp, const char *want, bool same)
{
	char *text;

	assert_int_equal(tandem_sdp_print(sdp, &text, NULL), 0);
	assert_int_equal(!strcmp(text, want), same);
	free(text);
}

static void test_parse(void **state)
{
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;
	long n;
	int rc;

	for (n = 0;; n++) {
		allocations_left = n;
		rc = tandem_sdp_parse(&sdp, sample_browser, strlen(sample_browser), &err);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(err.code, -ENOMEM);
		assert_null(sdp);
	}
	allocations_left = -1;
	assert_true(n > 5);
	tandem_sdp_free(sdp);
}

static void test_copies(void **state)
{
	struct tandem_sdp *sdp = NULL, *copy = NULL;
	char *text = NULL;
	long n;

	assert_int_equal(tandem_sdp_parse(&sdp, sample_browser, strlen(sample_browser), NULL), 0);
	for (n = 0;; n++) {
		allocations_left = n;
		if (!tandem_sdp_dup(&copy, sdp))
			break;
		assert_null(copy);
	}
	allocations_left = 0;
	assert_int_equal(tandem_sdp_print(sdp, &text, NULL), -ENOMEM);
	assert_null(text);
	assert_int_equal(tandem_sdp_validate(sdp, NULL), -ENOMEM);
	allocations_left = -1;
	assert_prints(copy, sample_browser, true);
	tandem_sdp_free(copy);
	tandem_sdp_free(sdp);
}

static void test_edits(void **state)
{
	static int (*const edits[])(struct tandem_sdp * sdp) = {
		edit_connection, edit_port,   edit_rtcp,      edit_origin, edit_version,
		edit_add,	 edit_remove, edit_direction, edit_reject, edit_format,
	};
	size_t i;
	long n;
	int rc;

	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct tandem_sdp *sdp = NULL;

		assert_int_equal(
			tandem_sdp_parse(&sdp, sample_browser, strlen(sample_browser), NULL), 0);
		for (n = 0;; n++) {
			allocations_left = n;
			rc = edits[i](sdp);
			allocations_left = -1;
			if (!rc)
				break;
			assert_int_equal(rc, -ENOMEM);
			assert_prints(sdp, sample_browser, true);
		}
		assert_true(n > 5);
		assert_prints(sdp, sample_browser, false);
		tandem_sdp_free(sdp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
