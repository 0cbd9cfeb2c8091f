/* SPDX-License-Identifier: GPL-2.0-only */
/* a=crypto: what is taken, what is passed over, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/media/sdes.h"

/* 30 octets of key and salt, from RFC 4568 section 4.3 */
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define CM  "AES_CM_128_HMAC_SHA1_80"

static void every_suite(void **state)
{
	static const struct {
		const char *value;
		uint8_t suite;
		size_t key, salt;
	} cases[] = {
		{ "1 " CM " inline:" KEY, SRTP_AES_CM_128_HMAC_SHA1_80, 16, 14 },
		{ "999999999 AES_CM_128_HMAC_SHA1_32 inline:" KEY, SRTP_AES_CM_128_HMAC_SHA1_32, 16,
		  14 },
		{ "0 AES_256_CM_HMAC_SHA1_80 "
		  "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==",
		  SRTP_AES_256_CM_HMAC_SHA1_80, 32, 14 },
		{ "2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==",
		  SRTP_AEAD_AES_128_GCM, 16, 12 },
		{ "3 AEAD_AES_256_GCM "
		  "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=",
		  SRTP_AEAD_AES_256_GCM, 32, 12 },
	};
	char text[TANDEM_SDES_STRLEN];
	struct tandem_sdes sdes;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tandem_sdes_parse(&sdes, cases[i].value), 0);
		assert_int_equal(sdes.srtp.suite, cases[i].suite);
		assert_int_equal(tandem_sdes_key_len(sdes.srtp.suite), cases[i].key);
		assert_int_equal(tandem_sdes_salt_len(sdes.srtp.suite), cases[i].salt);
		for (k = 0; i > 1 && k < cases[i].key + cases[i].salt; k++)
			assert_int_equal(k < cases[i].key ? sdes.srtp.key[k]
							  : sdes.srtp.salt[k - cases[i].key],
					 k);
		assert_int_equal(tandem_sdes_format(&sdes, text, sizeof(text)), 0);
		assert_string_equal(text, cases[i].value);
	}
	assert_int_equal(tandem_sdes_parse(&sdes, cases[0].value), 0);
	assert_memory_equal(sdes.srtp.key, "YS___semctl () {", 16);
	assert_memory_equal(sdes.srtp.salt, "\t220;}\n}\nunles", 14);
}

static void forms_that_are_taken(void **state)
{
	static const char *const values[] = {
		"1 aes_cm_128_hmac_sha1_80 INLINE:" KEY,
		"1\t" CM "  inline:" KEY " ",
		"1 " CM " inline:" KEY "|2^20",
		"1 " CM " inline:" KEY "|2^48",
		"1 " CM " inline:" KEY "|1048576",
		"1 " CM " inline:" KEY "|2^20|1:4",
		"1 " CM " inline:" KEY "|1:4",
		"1 " CM " inline:" KEY " WSH=64",
		"1 " CM " inline:" KEY " wsh=1024 -X=1 -Y",
		"1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw",
	};
	struct tandem_sdes sdes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (tandem_sdes_parse(&sdes, values[i]))
			fail_msg("refused: %s", values[i]);
	}
}

static const struct {
	int err;
	const char *value;
} refused[] = {
	{ -EBADMSG, "" },
	{ -EBADMSG, "1" },
	{ -EBADMSG, "1 " CM },
	{ -EBADMSG, "x " CM " inline:" KEY },
	{ -EBADMSG, "-1 " CM " inline:" KEY },
	{ -EBADMSG, "01 " CM " inline:" KEY },
	{ -EBADMSG, "1234567890 " CM " inline:" KEY },
	{ -ENOTSUP, "1 F8_128_HMAC_SHA1_80 inline:" KEY },
	{ -ENOTSUP, "1 AES_CM_128_HMAC_SHA1_8 inline:" KEY },
	{ -ENOTSUP, "1 AES_CM_128_HMAC_SHA1_800 inline:" KEY },
	{ -ENOTSUP, "1 " CM " uri:" KEY },
	{ -EBADMSG, "1 " CM " " KEY },
	{ -EBADMSG, "1 " CM " inline:" },
	/* of another length than the suite's, or no base64 */
	{ -EBADMSG, "1 " CM " inline:" KEY "A" },
	{ -EBADMSG, "1 " CM " inline:" KEY "AAAA" },
	{ -EBADMSG, "1 " CM " inline:" KEY "=" },
	{ -EBADMSG, "1 " CM " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV" },
	{ -EBADMSG, "1 " CM " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG==" },
	{ -EBADMSG, "1 " CM " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG-_" },
	{ -EBADMSG, "1 AES_256_CM_HMAC_SHA1_80 inline:" KEY },
	{ -EBADMSG, "1 AEAD_AES_128_GCM inline:" KEY },
	/* more than one key */
	{ -ENOTSUP, "1 " CM " inline:" KEY "|1:1;inline:" KEY "|2:1" },
	/* lifetimes */
	{ -EBADMSG, "1 " CM " inline:" KEY "|" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|2^49" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|2^" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|0" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|010" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|281474976710657" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|99999999999999999999999999" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|soon" },
	/* MKIs */
	{ -EBADMSG, "1 " CM " inline:" KEY "|1:0" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|1:129" },
	{ -ENOTSUP, "1 " CM " inline:" KEY "|1:17" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|256:1" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|:1" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|1:" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|1:1:1" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|0x1:1" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|1:1|2^20" },
	{ -EBADMSG, "1 " CM " inline:" KEY "|2^20|1:1|1" },
	/* session parameters (section 6.3) */
	{ -ENOTSUP, "1 " CM " inline:" KEY " KDR=0" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " UNENCRYPTED_SRTP" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " UNENCRYPTED_SRTCP" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " WSH=64 UNAUTHENTICATED_SRTP" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " FEC_ORDER=FEC_SRTP" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " FEC_KEY=inline:" KEY },
	{ -ENOTSUP, "1 " CM " inline:" KEY " X" },
	{ -EBADMSG, "1 " CM " inline:" KEY " -" },
	{ -EBADMSG, "1 " CM " inline:" KEY " WSH=63" },
	{ -ENOTSUP, "1 " CM " inline:" KEY " WSH=" },
	{ -EBADMSG, "1 " CM " inline:" KEY " WSH=many" },
};

static void what_is_refused(void **state)
{
	struct tandem_sdes sdes = { .tag = 7 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int err = tandem_sdes_parse(&sdes, refused[i].value);

		if (err != refused[i].err)
			fail_msg("%d instead of %d: %s", err, refused[i].err, refused[i].value);
		assert_int_equal(sdes.tag, 7);
	}
}

/* A number of any length, most significant octet first. */
static void mki(void **state)
{
	static const struct {
		const char *text;
		uint8_t octets[16];
		size_t len;
	} cases[] = {
		{ "0:1", { 0 }, 1 },
		{ "255:1", { 255 }, 1 },
		{ "258:4", { 0, 0, 1, 2 }, 4 },
		{ "340282366920938463463374607431768211455:16",
		  { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		    255 },
		  16 },
	};
	char value[160], text[TANDEM_SDES_STRLEN];
	struct tandem_sdes sdes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(value, sizeof(value), "1 " CM " inline:" KEY "|%s", cases[i].text);
		assert_int_equal(tandem_sdes_parse(&sdes, value), 0);
		assert_int_equal(sdes.srtp.mki_len, cases[i].len);
		assert_memory_equal(sdes.srtp.mki, cases[i].octets, cases[i].len);
		assert_int_equal(tandem_sdes_format(&sdes, text, sizeof(text)), 0);
		assert_string_equal(text, value);
	}
	assert_int_equal(tandem_sdes_parse(&sdes, "1 " CM " inline:" KEY
						  "|340282366920938463463374607431768211456:16"),
			 -EBADMSG);
}

static void new_keys(void **state)
{
	struct tandem_sdes a, b, c;
	char text[TANDEM_SDES_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < TANDEM_SDES_SUITES; i++) {
		assert_int_equal(tandem_sdes_generate(&a, i + 1, tandem_sdes_suite(i)), 0);
		assert_int_equal(tandem_sdes_generate(&b, i + 1, tandem_sdes_suite(i)), 0);
		assert_true(a.srtp.id && a.srtp.id != b.srtp.id);
		assert_false(tandem_sdes_same_keys(&a.srtp, &b.srtp));
		assert_int_equal(tandem_sdes_format(&a, text, sizeof(text)), 0);
		assert_int_equal(tandem_sdes_parse(&c, text), 0);
		assert_int_equal(c.tag, i + 1);
		assert_true(tandem_sdes_same_keys(&a.srtp, &c.srtp));
		assert_int_equal(tandem_sdes_format(&a, text, 30), -ENOSPC);
	}
	assert_int_equal(tandem_sdes_suite(i), SRTP_SUITE_NONE);
	assert_int_equal(tandem_sdes_generate(&a, 1, 200), -ENOTSUP);
	assert_null(tandem_sdes_suite_name(200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite),	   cmocka_unit_test(forms_that_are_taken),
		cmocka_unit_test(what_is_refused), cmocka_unit_test(mki),
		cmocka_unit_test(new_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
