/* SPDX-License-Identifier: GPL-2.0-only */
/* The arithmetic of digest authentication: the examples of the RFCs, digit by digit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/util/digest.h"

#define TEXT(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

static void assert_response(enum tandem_digest_alg alg, const char *password, const char *realm,
			    const struct tandem_digest_input *in, const char *want)
{
	uint8_t ha1[TANDEM_DIGEST_MAX], out[TANDEM_DIGEST_MAX];
	char hex[2 * TANDEM_DIGEST_MAX + 1] = "";
	size_t i;

	assert_int_equal(tandem_digest_ha1(alg, "Mufasa", realm, password, ha1), 0);
	assert_int_equal(tandem_digest_response(alg, ha1, in, out), 0);
	for (i = 0; i < tandem_digest_size(alg); i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	assert_string_equal(hex, want);
}

/* RFC 7616 section 3.9.1 */
static void rfc7616(void **state)
{
	const struct tandem_digest_input in = {
		.method = TEXT("GET"),
		.uri = TEXT("/dir/index.html"),
		.nonce = TEXT("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
		.nc = TEXT("00000001"),
		.cnonce = TEXT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
	};

	(void)state;
	assert_response(TANDEM_DIGEST_SHA256, "Circle of Life", "http-auth@example.org", &in,
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	assert_response(TANDEM_DIGEST_MD5, "Circle of Life", "http-auth@example.org", &in,
			"8ca523f5e9506fed4657c9700eebdbec");
}

/* RFC 2617 section 3.5 */
static void rfc2617(void **state)
{
	const struct tandem_digest_input in = {
		.method = TEXT("GET"),
		.uri = TEXT("/dir/index.html"),
		.nonce = TEXT("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
		.nc = TEXT("00000001"),
		.cnonce = TEXT("0a4f113b"),
	};

	(void)state;
	assert_response(TANDEM_DIGEST_MD5, "Circle Of Life", "testrealm@host.com", &in,
			"6629fae49393a05397450978507c4ef1");
}

static void names(void **state)
{
	static const char *const good[] = { "alice", "+4930123", "a.b-c_d", "A1~*'!" };
	static const char *const bad[] = { "",	  "a b",  "a:b",      "a@b", "a\"b", "a\\b",
					   "a%b", "a\nb", "\xc3\xa4", "a/b", "a;b",  "a<b" };
	char longest[TANDEM_USER_SIZE + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(tandem_user_check(good[i]), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tandem_user_check(bad[i]), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[TANDEM_USER_SIZE] = '\0';
	assert_int_equal(tandem_user_check(longest), -EINVAL);
	longest[TANDEM_USER_SIZE - 1] = '\0';
	assert_int_equal(tandem_user_check(longest), 0);

	assert_int_equal(tandem_realm_check("My House, first floor"), 0);
	assert_int_equal(tandem_realm_check(""), -EINVAL);
	assert_int_equal(tandem_realm_check("a\"b"), -EINVAL);
	assert_int_equal(tandem_realm_check("a\\b"), -EINVAL);
	assert_int_equal(tandem_realm_check("a\r\nb"), -EINVAL);
}

static void words(void **state)
{
	enum tandem_digest_alg alg = TANDEM_DIGEST_ALGS;

	(void)state;
	assert_int_equal(tandem_digest_parse(&alg, "sha256"), 0);
	assert_int_equal(alg, TANDEM_DIGEST_SHA256);
	assert_int_equal(tandem_digest_parse(&alg, "md5"), 0);
	assert_int_equal(alg, TANDEM_DIGEST_MD5);
	assert_int_equal(tandem_digest_parse(&alg, "MD5"), -EINVAL);
	assert_int_equal(tandem_digest_parse(&alg, ""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7616),
		cmocka_unit_test(rfc2617),
		cmocka_unit_test(names),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
