/* SPDX-License-Identifier: GPL-2.0-only */
/* STUN messages: the vectors of RFC 5769, what is written and read again, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/media/stun.h"

/* RFC 5769 2.1 */
static const uint8_t sample_request[] = {
	0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
	0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e,
	0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24,
	0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1,
	0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68,
	0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c,
	0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5,
	0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};

/* RFC 5769 2.2 */
static const uint8_t sample_ipv4[] = {
	0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
	0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74,
	0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01,
	0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99,
	0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b,
	0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};

/* RFC 5769 2.3 */
static const uint8_t sample_ipv6[] = {
	0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
	0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74,
	0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02,
	0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
	0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6,
	0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41,
	0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};

/* RFC 5769 2.4: long-term credentials, without FINGERPRINT */
static const uint8_t sample_long_term[] = {
	0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72,
	0xc0, 0x29, 0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88,
	0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00,
	0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36,
	0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73,
	0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72,
	0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02,
	0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66,
};

static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";
static const uint8_t id[TANDEM_STUN_ID] = { 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
					    0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae };

static void rfc5769_request(void **state)
{
	struct tandem_stun m;
	(void)state;

	assert_true(tandem_stun_is(sample_request, sizeof(sample_request)));
	assert_int_equal(tandem_stun_parse(&m, sample_request, sizeof(sample_request)), 0);
	assert_int_equal(m.method, TANDEM_STUN_BINDING);
	assert_int_equal(m.class, TANDEM_STUN_REQUEST);
	assert_memory_equal(m.id, id, sizeof(id));
	assert_int_equal(m.username_len, 9);
	assert_memory_equal(m.username, "evtj:h6vY", 9);
	assert_true(m.has_priority);
	assert_int_equal(m.priority, 0x6e0001ff);
	assert_true(m.controlled && !m.controlling && !m.use_candidate);
	assert_true(m.tie_breaker == 0x932ff9b151263b36);
	assert_true(m.fingerprint);
	assert_int_equal(m.unknown_count, 0);
	assert_int_equal(tandem_stun_check_integrity(&m, password, strlen(password)), 0);
	assert_int_equal(tandem_stun_check_integrity(&m, password, strlen(password) - 1), -EACCES);
}

static void check_response(const uint8_t *data, size_t len, const char *address)
{
	char text[TANDEM_ENDPOINT_STRLEN];
	struct tandem_stun m;

	assert_int_equal(tandem_stun_parse(&m, data, len), 0);
	assert_int_equal(m.class, TANDEM_STUN_SUCCESS);
	assert_true(m.has_mapped && m.fingerprint);
	assert_string_equal(tandem_endpoint_format(&m.mapped, text, sizeof(text)), address);
	assert_int_equal(tandem_stun_check_integrity(&m, password, strlen(password)), 0);
}

static void rfc5769_responses(void **state)
{
	(void)state;
	check_response(sample_ipv4, sizeof(sample_ipv4), "192.0.2.1:32853");
	check_response(sample_ipv6, sizeof(sample_ipv6),
		       "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void rfc5769_long_term(void **state)
{
	static const char secret[] = "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf"
				     "\xe3\x82\xb9:example.org:TheMatrIX";
	unsigned int len = 0;
	uint8_t key[EVP_MAX_MD_SIZE];
	struct tandem_stun m;
	(void)state;

	assert_int_equal(EVP_Digest(secret, strlen(secret), key, &len, EVP_md5(), NULL), 1);
	assert_int_equal(tandem_stun_parse(&m, sample_long_term, sizeof(sample_long_term)), 0);
	assert_int_equal(m.username_len, 18);
	assert_false(m.fingerprint);
	assert_int_equal(tandem_stun_check_integrity(&m, key, len), 0);
}

/* With a bit changed at or before bit `end`, a message is malformed or not authentic. */
static void check_bits(size_t len, size_t end)
{
	uint8_t copy[sizeof(sample_request)];
	struct tandem_stun m;
	size_t by_integrity = 0;

	for (size_t bit = 0; bit < end; bit++) {
		memcpy(copy, sample_request, sizeof(copy));
		copy[3] = (uint8_t)(len - TANDEM_STUN_HEADER);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (tandem_stun_parse(&m, copy, len))
			continue;
		assert_int_not_equal(tandem_stun_check_integrity(&m, password, strlen(password)),
				     0);
		by_integrity++;
	}
	/* With FINGERPRINT few get further: those that make it part of another attribute. */
	assert_in_range(by_integrity, 1, len == sizeof(copy) ? 8 : end);
}

static void every_bit_counts(void **state)
{
	(void)state;
	check_bits(sizeof(sample_request), 8 * (sizeof(sample_request) - 8));
	check_bits(sizeof(sample_request) - 8, 8 * (sizeof(sample_request) - 8));
}

static void cut_anywhere(void **state)
{
	struct tandem_stun m;
	uint8_t longer[sizeof(sample_request) + 4] = { 0 };
	(void)state;

	for (size_t len = 0; len < sizeof(sample_request); len++)
		assert_int_equal(tandem_stun_parse(&m, sample_request, len), -EBADMSG);
	memcpy(longer, sample_request, sizeof(sample_request));
	assert_int_equal(tandem_stun_parse(&m, longer, sizeof(longer)), -EBADMSG);
}

static void everything_that_is_written_is_read(void **state)
{
	struct tandem_endpoint ep;
	struct tandem_stun_writer w;
	struct tandem_stun m;
	uint8_t buf[256];
	int len;
	(void)state;

	assert_int_equal(tandem_endpoint_parse(&ep, "[2001:db8::7]:4711"), 0);
	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
	tandem_stun_put_username(&w, "theirs", "ours");
	tandem_stun_put_priority(&w, 0x6effffff);
	tandem_stun_put_role(&w, true, 0x0123456789abcdefULL);
	tandem_stun_put_use_candidate(&w);
	tandem_stun_put_mapped(&w, &ep);
	tandem_stun_put_integrity(&w, password, strlen(password));
	tandem_stun_put_fingerprint(&w);
	len = tandem_stun_finish(&w);
	assert_int_equal(len, 20 + 16 + 8 + 12 + 4 + 24 + 24 + 8);
	assert_int_equal(tandem_stun_parse(&m, buf, (size_t)len), 0);
	assert_int_equal(m.username_len, 11);
	assert_memory_equal(m.username, "theirs:ours", 11);
	assert_int_equal(m.priority, 0x6effffff);
	assert_true(m.controlling && !m.controlled && m.use_candidate && m.fingerprint);
	assert_true(m.tie_breaker == 0x0123456789abcdefULL);
	assert_true(m.has_mapped && tandem_endpoint_equal(&m.mapped, &ep));
	assert_int_equal(tandem_stun_check_integrity(&m, password, strlen(password)), 0);
}

static void errors_and_unknown_attributes(void **state)
{
	static const unsigned int codes[] = { 300, 400, 401, 420, 487, 699 };
	/* an attribute of 0x0042, that must be understood, and one of 0x8042, that need not */
	static const uint8_t strange[] = { 0x00, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42,
					   1,	 2,    3,    4,	   5,	 6,    7,    8,
					   9,	 10,   11,   12,   0x00, 0x42, 0x00, 0x00,
					   0x80, 0x42, 0x00, 0x02, 1,	 2,    0,    0 };
	struct tandem_stun_writer w;
	struct tandem_stun m, back;
	uint8_t buf[128];
	int len;
	(void)state;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_ERROR, id);
		tandem_stun_put_error(&w, codes[i]);
		len = tandem_stun_finish(&w);
		assert_int_equal(len, 28);
		assert_int_equal(tandem_stun_parse(&m, buf, (size_t)len), 0);
		assert_int_equal(m.class, TANDEM_STUN_ERROR);
		assert_int_equal(m.error, codes[i]);
		assert_int_equal(tandem_stun_check_integrity(&m, "x", 1), -ENOKEY);
	}
	tandem_stun_put_error(&w, 299);
	assert_int_equal(tandem_stun_finish(&w), -EINVAL);

	assert_int_equal(tandem_stun_parse(&m, strange, sizeof(strange)), 0);
	assert_int_equal(m.unknown_count, 1);
	assert_int_equal(m.unknown[0], 0x42);
	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_ERROR, m.id);
	tandem_stun_put_error(&w, 420);
	tandem_stun_put_unknown(&w, &m);
	len = tandem_stun_finish(&w);
	assert_int_equal(len, 36);
	assert_memory_equal(buf + 28, "\x00\x0a\x00\x02\x00\x42\x00\x00", 8);
	assert_int_equal(tandem_stun_parse(&back, buf, (size_t)len), 0);
}

/* A header with one attribute of this type and these bytes. */
static int parse_one(uint16_t type, const void *value, size_t len, struct tandem_stun *m)
{
	static uint8_t buf[1024];
	size_t padded = (len + 3) & ~(size_t)3;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, sample_request, 20);
	buf[2] = (uint8_t)((4 + padded) >> 8);
	buf[3] = (uint8_t)(4 + padded);
	buf[20] = (uint8_t)(type >> 8);
	buf[21] = (uint8_t)type;
	buf[22] = (uint8_t)(len >> 8);
	buf[23] = (uint8_t)len;
	memcpy(buf + 24, value, len);
	return tandem_stun_parse(m, buf, 24 + padded);
}

static void malformed_attributes(void **state)
{
	static const uint8_t zeros[600];
	static const struct {
		uint16_t type;
		size_t len;
	} cases[] = {
		{ 0x0006, 514 }, { 0x0008, 19 }, { 0x0008, 24 }, { 0x0009, 3 }, { 0x0009, 4 },
		{ 0x0020, 0 },	 { 0x0020, 8 },	 { 0x0020, 20 }, { 0x0024, 0 }, { 0x0024, 8 },
		{ 0x0025, 4 },	 { 0x8028, 4 },	 { 0x8028, 0 },	 { 0x8029, 4 }, { 0x802a, 0 },
	};
	static const uint8_t v4_long[] = { 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t number_large[] = { 0, 0, 4, 100 };
	struct tandem_stun m;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse_one(cases[i].type, zeros, cases[i].len, &m), -EBADMSG);
	assert_int_equal(parse_one(0x0020, v4_long, sizeof(v4_long), &m), -EBADMSG);
	assert_int_equal(parse_one(0x0009, number_large, sizeof(number_large), &m), -EBADMSG);
	assert_int_equal(parse_one(0x0006, zeros, 513, &m), 0);
}

/* RFC 8489 14.5: what follows MESSAGE-INTEGRITY is anybody's, and does not count. */
static void nothing_behind_integrity(void **state)
{
	struct tandem_stun_writer w;
	struct tandem_stun m;
	uint8_t buf[128];
	int len;
	(void)state;

	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
	tandem_stun_put_integrity(&w, password, strlen(password));
	tandem_stun_put_use_candidate(&w);
	tandem_stun_put_priority(&w, 7);
	tandem_stun_put_fingerprint(&w);
	len = tandem_stun_finish(&w);
	assert_int_equal(tandem_stun_parse(&m, buf, (size_t)len), 0);
	assert_false(m.use_candidate || m.has_priority);
	assert_true(m.fingerprint);
	assert_int_equal(tandem_stun_check_integrity(&m, password, strlen(password)), 0);
	tandem_stun_put_priority(&w, 8); /* nor anything behind FINGERPRINT */
	assert_int_equal(tandem_stun_parse(&m, buf, (size_t)tandem_stun_finish(&w)), -EBADMSG);
}

static void no_room(void **state)
{
	uint8_t *buf = malloc(60);
	struct tandem_stun_writer w;
	(void)state;

	for (size_t size = 0; size < 60; size++) {
		tandem_stun_start(&w, buf, size, TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
		tandem_stun_put_username(&w, "abcd", "efgh");
		tandem_stun_put_integrity(&w, password, strlen(password));
		assert_int_equal(tandem_stun_finish(&w), -ENOSPC);
	}
	tandem_stun_start(&w, buf, 60, TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
	tandem_stun_put_username(&w, "abcd", "efgh");
	tandem_stun_put_integrity(&w, password, strlen(password));
	assert_int_equal(tandem_stun_finish(&w), 60);
	free(buf);
}

static void told_from_others(void **state)
{
	static const uint8_t rtp[20] = { 0x80, 0, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	static const uint8_t old[20] = { 0, 1, 0, 0, 1, 2, 3, 4 }; /* RFC 3489: no cookie */
	(void)state;

	assert_false(tandem_stun_is(rtp, sizeof(rtp)));
	assert_false(tandem_stun_is(old, sizeof(old)));
	assert_false(tandem_stun_is(sample_request, 19));
	assert_false(tandem_stun_is(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5769_request),
		cmocka_unit_test(rfc5769_responses),
		cmocka_unit_test(rfc5769_long_term),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(everything_that_is_written_is_read),
		cmocka_unit_test(errors_and_unknown_attributes),
		cmocka_unit_test(malformed_attributes),
		cmocka_unit_test(nothing_behind_integrity),
		cmocka_unit_test(no_room),
		cmocka_unit_test(told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
