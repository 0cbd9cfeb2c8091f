/* SPDX-License-Identifier: GPL-2.0-only */
/* What authentication is made of: credentials as text, nonces and their counts, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/auth_limit.h"
#include "userspace/sip/auth_nonce.h"
#include "userspace/sip/auth_parse.h"
#include "userspace/util/endpoint.h"

static int parse(struct tandem_credentials *c, const char *text)
{
	struct pl pl;

	pl_set_str(&pl, text);
	return tandem_credentials_parse(c, &pl);
}

static void credentials(void **state)
{
	struct tandem_credentials c;

	(void)state;
	assert_int_equal(parse(&c,
			       "Digest username=\"bob\", realm=\"a, b\",\r\n nonce=\"x=1,y\" ,\t"
			       "uri=\"sip:a;b=\\\"c\\\"\", RESPONSE=\"00ff\",algorithm=SHA-256 , "
			       "cnonce=\"\", qop=auth, nc = 00000001, opaque=\"\", x-new=token"),
			 0);
	assert_int_equal(pl_strcmp(&c.username, "bob"), 0);
	assert_int_equal(pl_strcmp(&c.realm, "a, b"), 0);
	assert_int_equal(pl_strcmp(&c.nonce, "x=1,y"), 0);
	assert_int_equal(pl_strcmp(&c.uri, "sip:a;b=\\\"c\\\""), 0);
	assert_int_equal(pl_strcmp(&c.response, "00ff"), 0);
	assert_int_equal(pl_strcmp(&c.algorithm, "SHA-256"), 0);
	assert_int_equal(pl_strcmp(&c.nc, "00000001"), 0);
	assert_non_null(c.cnonce.p);
	assert_int_equal(c.cnonce.l, 0);
	assert_null(c.userhash.p);
}

static void malformed_credentials(void **state)
{
	static const char *const bad[] = {
		"Digest",
		"Digest ",
		"Digest,realm=\"r\"",
		"Digest realm",
		"Digest realm=",
		"Digest realm=\"r",
		"Digest realm=\"r\\",
		"Digest realm=\"r\\\"",
		"Digest realm=\"r\" nonce=\"n\"",
		"Digest realm=\"r\",",
		"Digest realm=\"r\",,nonce=\"n\"",
		"Digest realm=\"r\", realm=\"r\"",
		"Digest realm=\"r\", =\"n\"",
		"Digest realm=\"r\", nc=000000001",
		"Digest realm=\"r\"x, nc=1",
		"Digest realm=\"a\r\nb\"",
		"Digest realm=\"a\x01\"",
		"Digest realm=\"a\\\x01\"",
		"Digest realm=\"a\\\nb\"",
		"Digest realm=\"a\\\\\r\"",
	};
	static const char with_nul[] = "Digest realm=\"a\\\0b\"";
	const struct pl nul = { .p = with_nul, .l = sizeof(with_nul) - 1 };
	struct tandem_credentials c;
	char longer[2048];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(&c, bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(parse(&c, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), -ENOENT);
	assert_int_equal(parse(&c, ""), -ENOENT);
	assert_int_equal(parse(&c, "Digestive realm=\"r\""), -ENOENT);

	/* a NUL ends the line that it is written to */
	assert_int_equal(tandem_credentials_parse(&c, &nul), -EBADMSG);

	/* too long, and yet it can be told for whom it was */
	snprintf(longer, sizeof(longer), "Digest realm=\"r\", uri=\"%01025d\"", 0);
	assert_int_equal(parse(&c, longer), -EBADMSG);
	assert_int_equal(pl_strcmp(&c.realm, "r"), 0);
	snprintf(longer, sizeof(longer), "Digest realm=\"r\", uri=\"%01024d\"", 0);
	assert_int_equal(parse(&c, longer), 0);
}

static void whose_credentials(void **state)
{
	static const struct {
		const char *text;
		bool ours;
	} cases[] = {
		{ "Digest realm=\"r\"", true },	  { "digest x=y, realm=r", true },
		{ "Digest realm=\"r\",,", true }, { "Digest realm=\"R\"", false },
		{ "Digest realm=\"r2\"", false }, { "Digest nonce=\"realm=r\"", false },
		{ "Basic realm=\"r\"", false },	  { "Digest", false },
		{ "Digest realm=\"r", false },
	};
	struct pl pl;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		pl_set_str(&pl, cases[i].text);
		if (tandem_credentials_of(&pl, "r") != cases[i].ours)
			fail_msg("%s", cases[i].text);
	}
}

/* ---- nonces ---- */

static const uint8_t key[TANDEM_NONCE_KEY_SIZE] = "a key";

static struct ip_addr ip(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(tandem_ip_parse(&addr, text), 0);
	return addr;
}

static enum tandem_nonce_state check(const struct tandem_nonces *n, const char *text,
				     const char *from, uint32_t now_s, uint64_t *serial)
{
	struct ip_addr addr = ip(from);
	struct pl pl;

	pl_set_str(&pl, text);
	return tandem_nonce_check(n, &pl, &addr, now_s, serial);
}

static void nonces(void **state)
{
	struct tandem_nonces *n = tandem_nonces_alloc(key), *other;
	static const uint8_t other_key[TANDEM_NONCE_KEY_SIZE] = "another key";
	struct ip_addr bob = ip("192.0.2.1");
	char text[TANDEM_NONCE_SIZE], again[TANDEM_NONCE_SIZE], c;
	uint64_t serial = 0;
	size_t i;

	(void)state;
	assert_int_equal(tandem_nonce_make(n, text, &bob, 1000), 0);
	assert_int_equal(tandem_nonce_make(n, again, &bob, 1000), 0);
	assert_string_not_equal(text, again);
	assert_int_equal(check(n, text, "192.0.2.1", 1000, &serial), TANDEM_NONCE_FRESH);
	assert_int_equal(check(n, text, "192.0.2.1", 999 + TANDEM_NONCE_LIFE_S, &serial),
			 TANDEM_NONCE_FRESH);
	assert_int_equal(check(n, text, "192.0.2.1", 1000 + TANDEM_NONCE_LIFE_S, &serial),
			 TANDEM_NONCE_STALE);
	/* made for somebody else, or before a restart */
	assert_int_equal(check(n, text, "192.0.2.2", 1000, &serial), TANDEM_NONCE_STALE);
	other = tandem_nonces_alloc(key);
	assert_int_equal(check(other, text, "192.0.2.1", 1000, &serial), TANDEM_NONCE_STALE);
	tandem_nonces_free(other);
	other = tandem_nonces_alloc(other_key);
	assert_int_equal(check(other, text, "192.0.2.1", 1000, &serial), TANDEM_NONCE_FOREIGN);
	tandem_nonces_free(other);

	/* no digit of it can be changed, and none left out */
	for (i = 0; text[i]; i++) {
		c = text[i];
		text[i] = c == '0' ? '1' : '0';
		assert_int_equal(check(n, text, "192.0.2.1", 1000, &serial), TANDEM_NONCE_FOREIGN);
		text[i] = c;
	}
	assert_int_equal(check(n, text + 1, "192.0.2.1", 1000, &serial), TANDEM_NONCE_FOREIGN);
	assert_int_equal(check(n, "", "192.0.2.1", 1000, &serial), TANDEM_NONCE_FOREIGN);
	tandem_nonces_free(n);
}

static bool use(struct tandem_nonces *n, uint64_t serial, uint32_t nc)
{
	if (tandem_nonce_used(n, serial, nc))
		return false;
	tandem_nonce_use(n, serial, nc);
	return true;
}

static void counts(void **state)
{
	struct tandem_nonces *n = tandem_nonces_alloc(key);

	(void)state;
	assert_true(use(n, 7, 1));
	assert_false(use(n, 7, 1));
	assert_true(use(n, 7, 3));
	assert_true(use(n, 7, 2)); /* came late */
	assert_false(use(n, 7, 2));
	assert_true(use(n, 7, 66));
	assert_false(use(n, 7, 2));
	assert_false(use(n, 7, 1)); /* too long ago to be told */
	assert_true(use(n, 7, 4));
	assert_true(use(n, 7, UINT32_MAX));
	assert_false(use(n, 7, UINT32_MAX));
	assert_false(use(n, 7, 67));
	assert_true(use(n, 7, UINT32_MAX - 1));

	/* another nonce has counts of its own; one that takes the place ends the older */
	assert_true(use(n, 8, 1));
	assert_true(use(n, 7 + 32768, 1));
	assert_false(use(n, 7, UINT32_MAX - 2));
	assert_false(use(n, 7 + 32768, 1));
	assert_true(use(n, 7 + 32768, 2));
	tandem_nonces_free(n);
}

/* ---- limits ---- */

static enum tandem_limit_verdict take(struct tandem_limit *l, const char *from, uint64_t now_ms)
{
	struct ip_addr addr = ip(from);

	return tandem_limit_take(l, &addr, now_ms);
}

static bool blocked(const struct tandem_limit *l, const char *from, uint64_t now_ms)
{
	struct ip_addr addr = ip(from);

	return tandem_limit_blocked(l, &addr, now_ms);
}

static void rate(void **state)
{
	const struct tandem_limit_config cfg = { .burst = 4, .per_s_num = 2, .per_s_den = 1 };
	struct tandem_limit *l = tandem_limit_alloc(&cfg);
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(take(l, "192.0.2.1", 1000), TANDEM_LIMIT_OK);
	assert_int_equal(take(l, "192.0.2.1", 1000), TANDEM_LIMIT_EMPTIED);
	assert_int_equal(take(l, "192.0.2.1", 1499), TANDEM_LIMIT_EMPTY);
	assert_int_equal(take(l, "192.0.2.2", 1499), TANDEM_LIMIT_OK);
	assert_int_equal(take(l, "192.0.2.1", 1500), TANDEM_LIMIT_EMPTIED);
	assert_int_equal(take(l, "192.0.2.1", 1501), TANDEM_LIMIT_EMPTY);
	/* asking in vain does not keep tokens from coming back */
	for (i = 1502; i < 2000; i++)
		assert_int_equal(take(l, "192.0.2.1", i), TANDEM_LIMIT_EMPTY);
	assert_int_equal(take(l, "192.0.2.1", 2002), TANDEM_LIMIT_EMPTIED);
	/* a bucket holds no more than it holds */
	for (i = 0; i < 3; i++)
		assert_int_equal(take(l, "192.0.2.1", 3601000), TANDEM_LIMIT_OK);
	assert_int_equal(take(l, "192.0.2.1", 3601000), TANDEM_LIMIT_EMPTIED);
	assert_false(blocked(l, "192.0.2.1", 3601000));
	tandem_limit_free(l);
}

static void block(void **state)
{
	const struct tandem_limit_config cfg = {
		.burst = 2, .per_s_num = 1, .per_s_den = 60, .block_ms = 5000
	};
	struct tandem_limit *l = tandem_limit_alloc(&cfg);

	(void)state;
	assert_int_equal(take(l, "2001:db8::1", 1000), TANDEM_LIMIT_OK);
	assert_false(blocked(l, "2001:db8::1", 1000));
	/* one host has the whole /64, but not the next */
	assert_int_equal(take(l, "2001:db8::2", 1000), TANDEM_LIMIT_EMPTIED);
	assert_true(blocked(l, "2001:db8::3", 1000));
	assert_false(blocked(l, "2001:db8:0:1::1", 1000));
	assert_int_equal(take(l, "2001:db8::4", 5999), TANDEM_LIMIT_EMPTY);
	assert_true(blocked(l, "2001:db8::1", 5999));
	assert_false(blocked(l, "2001:db8::1", 6000));
	tandem_limit_free(l);
}

/* Strangers, however many, do not end a block, and do not take the table beyond its size. */
static void crowd(void **state)
{
	const struct tandem_limit_config cfg = {
		.burst = 2, .per_s_num = 1, .per_s_den = 60, .block_ms = 1000000
	};
	struct tandem_limit *l = tandem_limit_alloc(&cfg);
	char text[32];
	unsigned int i;

	(void)state;
	take(l, "192.0.2.1", 1);
	assert_int_equal(take(l, "192.0.2.1", 1), TANDEM_LIMIT_EMPTIED);
	for (i = 0; i < 200000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		assert_int_equal(take(l, text, 2 + i), TANDEM_LIMIT_OK);
	}
	assert_true(blocked(l, "192.0.2.1", 300000));
	tandem_limit_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(malformed_credentials),
		cmocka_unit_test(whose_credentials),
		cmocka_unit_test(nonces),
		cmocka_unit_test(counts),
		cmocka_unit_test(rate),
		cmocka_unit_test(block),
		cmocka_unit_test(crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
