/* SPDX-License-Identifier: GPL-2.0-only */
/* The core's AES against the vectors of FIPS 197 and NIST SP 800-38A, and against OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/aes.h"

/* One block in every place of the four. */
static void encrypt(uint8_t out[4][16], const struct aes_schedule *schedule, const uint8_t *in)
{
	struct aes_ctr ctr;
	__u64 iv[2];

	memcpy(iv, in, sizeof(iv));
	assert_true(aes_ctr_begin(&ctr, schedule, iv));
	memcpy(ctr.state.q, ctr.start, sizeof(ctr.start));
	aes_rounds(&ctr.state, schedule->key, schedule->rounds);
	aes_unslice(ctr.state.q);
	for (int i = 0; i < 4; i++) {
		const __u64 block[2] = { aes_little(ctr.state.q[i]),
					 aes_little(ctr.state.q[4 + i]) };

		memcpy(out[i], block, sizeof(block));
	}
}

/* FIPS 197 appendix C.1 and C.3: keys 00 01 02 ..., text 00 11 22 ... */
static void fips197(void **state)
{
	static const struct {
		uint32_t size;
		uint8_t want[16];
	} cases[] = {
		{ 16,
		  { 0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70,
		    0xb4, 0xc5, 0x5a } },
		{ 32,
		  { 0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67, 0x45, 0xbf, 0xea, 0xfc, 0x49, 0x90, 0x4b,
		    0x49, 0x60, 0x89 } },
	};
	uint8_t key[32], text[16], out[4][16];
	struct aes_schedule schedule;

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	for (int i = 0; i < 16; i++)
		text[i] = (uint8_t)(i * 0x11);
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		aes_schedule_set(&schedule, key, cases[c].size);
		encrypt(out, &schedule, text);
		for (int i = 0; i < 4; i++)
			assert_memory_equal(out[i], cases[c].want, 16);
	}
}

static void every_byte_is_substituted(void **state)
{
	uint8_t seen[256] = { 0 };

	assert_int_equal(aes_sub(0x00), 0x63);
	assert_int_equal(aes_sub(0x53), 0xed);
	assert_int_equal(aes_sub(0xff), 0x16);
	for (int i = 0; i < 256; i++)
		assert_int_equal(seen[aes_sub((uint8_t)i)]++, 0);
}

static void openssl_ctr(uint8_t *out, size_t len, const uint8_t *key, uint32_t size,
			const uint8_t *iv)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	memset(out, 0, len);
	assert_non_null(ctx);
	assert_int_equal(EVP_EncryptInit_ex(ctx, size == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(),
					    NULL, key, iv),
			 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, out, (int)len), 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* All 256 blocks that a packet can have. */
static void keystreams_as_openssl_makes_them(void **state)
{
	static uint8_t want[64 * 64];

	srandom(1);
	for (int round = 0; round < 200; round++) {
		const uint32_t size = round % 2 ? 32 : 16;
		struct aes_schedule schedule;
		struct aes_ctr ctr;
		uint8_t key[32];
		uint8_t iv[16];
		__u64 words[2];

		for (int i = 0; i < 32; i++)
			key[i] = (uint8_t)random();
		for (int i = 0; i < 16; i++)
			iv[i] = (uint8_t)(i < 14 ? random() : 0);
		openssl_ctr(want, sizeof(want), key, size, iv);
		aes_schedule_set(&schedule, key, size);
		memcpy(words, iv, sizeof(words));
		assert_true(aes_ctr_begin(&ctr, &schedule, words));
		for (uint32_t n = 0; n < 64; n++) {
			aes_ctr_blocks(&ctr, &schedule, n);
			assert_memory_equal(ctr.stream, want + n * 64, 64);
		}
	}
}

static void no_key_no_keystream(void **state)
{
	const uint8_t key[32] = { 1 };
	const __u64 iv[2] = { 0 };
	struct aes_schedule schedule = { .rounds = 0 };
	struct aes_ctr ctr;

	assert_false(aes_ctr_begin(&ctr, &schedule, iv));
	aes_schedule_set(&schedule, key, 24);
	assert_false(aes_ctr_begin(&ctr, &schedule, iv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fips197),
		cmocka_unit_test(every_byte_is_substituted),
		cmocka_unit_test(keystreams_as_openssl_makes_them),
		cmocka_unit_test(no_key_no_keystream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
