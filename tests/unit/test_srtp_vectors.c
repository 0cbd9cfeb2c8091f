/* SPDX-License-Identifier: GPL-2.0-only */
/* SRTP against the numbers that the RFCs print: 3711 appendix B, 6188 section 7, 7714 16 and 17. */
#include "srtp_fixture.h"

#include <stdio.h>

#include "core/sha1.h"
#include "userspace/srtp/sha1.h"

#define SSRC_OF_7714 "517569642070726f2071756f"

/* Octets from hexadecimal; white space is passed over. Returns how many. */
static uint32_t hex(uint8_t *out, const char *text)
{
	uint32_t n = 0;
	unsigned int byte;

	for (; *text; text += 2) {
		while (*text == ' ')
			text++;
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

static void assert_hex(const uint8_t *got, const char *want)
{
	uint8_t bytes[256];
	uint32_t n = hex(bytes, want);

	assert_memory_equal(got, bytes, n);
}

/* Counter mode: SSRC, index and payload zero, so that the text is the keystream. */
static void keystream(uint8_t suite, const char *key, const char *const want[6])
{
	static uint8_t text[0xff03 * 16];
	struct srtp_keys *k = keys_begin(1);
	struct srtp_job job = { .keys = 1 };
	const uint32_t at[6] = { 0, 1, 2, 0xfeff, 0xff00, 0xff01 };

	k->suite = suite;
	hex(k->session[SRTP_RTP].key, key);
	hex(k->session[SRTP_RTP].salt, "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
	keys_end(1);
	memset(text, 0, sizeof(text));
	job.suite = suite;
	job.body = sizeof(text);
	srtp_index_set(&job, k, 0);
	assert_int_equal(env_srtp_ctr(&tables.env, &job, text, text + sizeof(text)), 0);
	for (int i = 0; i < 6; i++)
		assert_hex(text + at[i] * 16, want[i]);
}

static void counter_mode_128(void **state)
{
	static const char *const want[6] = {
		"e03ead0935c95e80e166b16dd92b4eb4", "d23513162b02d0f72a43a2fe4a5f97ab",
		"41e95b3bb0a2e8dd477901e4fca894c0", "ec8cdf7398607cb0f2d21675ea9ea1e4",
		"362b7c3c6773516318a077d7fc5073ae", "6a2cc3787889374fbeb4c81b17ba6c44",
	};

	keystream(SRTP_AES_CM_128_HMAC_SHA1_80, "2b7e151628aed2a6abf7158809cf4f3c", want);
}

static void counter_mode_256(void **state)
{
	static const char *const want[6] = {
		"92bdd28a93c3f52511c677d08b5515a4", "9da71b2378a854f67050756ded165bac",
		"63c4868b7096d88421b563b8c94c9a31", "cea518c90fd91ced9cbb18c078a54711",
		"3dbc4814f4da5f00a08772b63c6a046d", "6eb246913062a16891433e97dd01a57f",
	};

	keystream(SRTP_AES_256_CM_HMAC_SHA1_80,
		  "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98", want);
}

static void derivation(uint8_t suite, const char *key, const char *salt, const char *const want[3])
{
	uint8_t k[32], s[16] = { 0 }, got[160];
	uint8_t labels[3] = { 0, 2, 1 };

	hex(k, key);
	hex(s, salt);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tandem_srtp_prf(got, strlen(want[i]) / 2, labels[i], suite, k, s),
				 0);
		assert_hex(got, want[i]);
	}
}

static void derivation_128(void **state)
{
	static const char *const want[3] = {
		"c61e7a93744f39ee10734afe3ff7a087",
		"30cbbc08863d8c85d49db34a9ae1",
		"cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad1"
		"75578ef72270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68"
		"642c59bbfc2f34db60dbdfb2dc68",
	};

	derivation(SRTP_AES_CM_128_HMAC_SHA1_80, "e1f97a0d3e018be0d64fa32c06de4139",
		   "0ec675ad498afeebb6960b3aabe6", want);
}

static void derivation_256(void **state)
{
	static const char *const want[3] = {
		"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		"fa31791685ca444a9e07c6c64e93",
		"fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
	};

	derivation(SRTP_AES_256_CM_HMAC_SHA1_80,
		   "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		   "3b04803de51ee7c96423ab5b78d2", want);
}

/* RFC 2202, and a message of every length around the blocks against one octet at a time. */
static void hmac(void **state)
{
	static const struct {
		const char *key, *data, *want;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		  "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	};
	struct srtp_session s;
	uint8_t key[64], data[64], out[20];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t len = hex(data, cases[i].data);

		tandem_hmac_states(s.inner, s.outer, key, hex(key, cases[i].key));
		for (uint32_t tail = 0; tail <= 4; tail++) {
			tandem_hmac(out, &s, data, len - tail, data + len - tail, tail);
			assert_hex(out, cases[i].want);
		}
	}
}

/* The core's SHA-1, for environments without one, and OpenSSL's come to the same. */
static void core_sha1(void **state)
{
	struct srtp_session s;
	struct sha1 sha;
	uint8_t data[256], want[20];

	tandem_hmac_states(s.inner, s.outer, (const uint8_t *)"key", 3);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11);
	for (uint32_t len = 0; len <= 120; len++) {
		uint8_t m[192] = { 0 };
		uint32_t blocks = (len + 9 + 63) / 64;

		memcpy(m, data, len);
		m[len] = 0x80;
		m[blocks * 64 - 2] = (uint8_t)((len + 64) * 8 >> 8);
		m[blocks * 64 - 1] = (uint8_t)((len + 64) * 8);
		memcpy(sha.h, s.inner, sizeof(sha.h));
		for (uint32_t b = 0; b < blocks; b++)
			sha1_block(&sha, (const wire32 *)(m + b * 64));
		sha1_outer(&sha, s.outer);
		tandem_hmac(want, &s, data, len, data, 0);
		for (int i = 0; i < 5; i++)
			assert_int_equal(sha.h[i], (uint32_t)want[i * 4] << 24 |
							   want[i * 4 + 1] << 16 |
							   want[i * 4 + 2] << 8 | want[i * 4 + 3]);
	}
}

/* Protect a packet with the key and salt of RFC 7714 section 16, and the other way round. */
static void aead_packet(uint8_t suite, uint32_t flags, uint64_t index, const char *clear,
			const char *want)
{
	struct srtp_keys *k = keys_begin(1);
	struct srtp_session *s = &k->session[srtp_session_of(flags)];
	uint8_t p[PACKET_ROOM];
	uint32_t len = hex(p, clear);

	k->suite = suite;
	k->tag_len[0] = 16;
	k->tag_len[1] = 16;
	for (int i = 0; i < 32; i++)
		s->key[i] = (uint8_t)i;
	hex(s->salt, SSRC_OF_7714);
	keys_end(1);
	tables.streams[k->first_stream].rtcp_top = index;
	assert_int_equal(seal(1, flags, p, &len), REASON_NONE);
	assert_int_equal(len, strlen(want) / 2);
	assert_hex(p, want);

	keys_forget(1);
	assert_int_equal(unseal(1, flags, p, &len), REASON_NONE);
	assert_int_equal(len, strlen(clear) / 2);
	assert_hex(p, clear);
}

#define RTP_7714                                                                                   \
	"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"                         \
	"69736120696e207061727465732074726573"
#define RTCP_7714                                                                                  \
	"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"                         \
	"deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

static void aead(void **state)
{
	aead_packet(SRTP_AEAD_AES_128_GCM, 0, 0, RTP_7714,
		    "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5"
		    "0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce");
	aead_packet(SRTP_AEAD_AES_256_GCM, 0, 0, RTP_7714,
		    "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238"
		    "9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13");
	aead_packet(SRTP_AEAD_AES_128_GCM, SRTP_J_RTCP, 0x5d4, RTCP_7714,
		    "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
		    "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
		    "45d9eade800005d4");
	aead_packet(SRTP_AEAD_AES_256_GCM, SRTP_J_RTCP, 0x5d4, RTCP_7714,
		    "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
		    "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
		    "b26ac3be800005d4");
}

/* RFC 7714 section 17.3: authenticated, E flag 0. It is taken, and never sent. */
static void aead_in_the_clear(void **state)
{
	struct srtp_keys *k = keys_begin(1);
	uint8_t p[PACKET_ROOM];
	uint32_t len = hex(p, RTCP_7714 "841dd9683dd78ec92ae58790125f62b3000005d4");

	k->suite = SRTP_AEAD_AES_128_GCM;
	k->tag_len[SRTP_RTCP] = 16;
	for (int i = 0; i < 16; i++)
		k->session[SRTP_RTCP].key[i] = (uint8_t)i;
	hex(k->session[SRTP_RTCP].salt, SSRC_OF_7714);
	keys_end(1);
	p[40] ^= 1;
	assert_int_equal(unseal(1, SRTP_J_RTCP, p, &len), REASON_srtp_auth);
	p[40] ^= 1;
	assert_int_equal(unseal(1, SRTP_J_RTCP, p, &len), REASON_NONE);
	assert_int_equal(len, strlen(RTCP_7714) / 2);
	assert_hex(p, RTCP_7714);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counter_mode_128),
		TEST(counter_mode_256),
		cmocka_unit_test(derivation_128),
		cmocka_unit_test(derivation_256),
		cmocka_unit_test(hmac),
		cmocka_unit_test(core_sha1),
		TEST(aead),
		TEST(aead_in_the_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
