/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP beside libsrtp2: the same keys, the same packets. What one protects the other opens,
 * the bytes are the same, and of packets that come late, twice or damaged both take the same.
 */
#include "srtp_fixture.h"

#include <srtp2/srtp.h>
#include <stdio.h>

#define KEY_INDEX  1
#define BYTES	   300	/* packets for each suite */
#define DELIVERIES 6000 /* packets that are sent in a delivery test */
#define LATE	   200	/* how far a packet may fall back */

static uint32_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

/* Policies of one suite; RTCP has the long tag where RTP has the short one. */
static void policies(srtp_crypto_policy_t *rtp, srtp_crypto_policy_t *rtcp, uint8_t suite)
{
	switch (suite) {
	case SRTP_NULL_HMAC_SHA1_80:
		srtp_crypto_policy_set_null_cipher_hmac_sha1_80(rtp);
		break;
	case SRTP_AES_CM_128_HMAC_SHA1_80:
	case SRTP_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_rtp_default(rtp);
		break;
	case SRTP_AES_256_CM_HMAC_SHA1_80:
	case SRTP_AES_256_CM_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(rtp);
		break;
	case SRTP_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(rtp);
		break;
	default:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(rtp);
	}
	*rtcp = *rtp;
	if (suite == SRTP_AES_CM_128_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(rtp);
	if (suite == SRTP_AES_256_CM_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(rtp);
}

/* A session of libsrtp2 with the keys that keys_set() gives for the same suite and seed. */
static srtp_t oracle_open(uint8_t suite, uint8_t key_seed, bool send, const char *mki)
{
	struct master m = master_of(key_seed);
	uint8_t key[SRTP_KEY_MAX + SRTP_SALT_MAX];
	srtp_master_key_t master = { .key = key,
				     .mki_id = (uint8_t *)mki,
				     .mki_size = mki ? (unsigned int)strlen(mki) : 0 };
	srtp_master_key_t *list[] = { &master };
	srtp_policy_t policy = { .keys = list, .num_master_keys = 1, .window_size = SRTP_WINDOW };
	srtp_t session = NULL;

	policies(&policy.rtp, &policy.rtcp, suite);
	policy.ssrc.type = send ? ssrc_any_outbound : ssrc_any_inbound;
	memcpy(key, m.key, srtp_key_len(suite));
	memcpy(key + srtp_key_len(suite), m.salt, srtp_salt_len(suite));
	assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

static bool oracle_seal(srtp_t session, uint32_t flags, uint8_t *p, uint32_t *len, bool mki)
{
	int n = (int)*len;
	srtp_err_status_t status = flags & SRTP_J_RTCP
					   ? srtp_protect_rtcp_mki(session, p, &n, mki, 0)
					   : srtp_protect_mki(session, p, &n, mki, 0);

	*len = (uint32_t)n;
	return status == srtp_err_status_ok;
}

static bool oracle_unseal(srtp_t session, uint32_t flags, uint8_t *p, uint32_t *len, bool mki)
{
	int n = (int)*len;
	srtp_err_status_t status = flags & SRTP_J_RTCP
					   ? srtp_unprotect_rtcp_mki(session, p, &n, mki)
					   : srtp_unprotect_mki(session, p, &n, mki);

	*len = (uint32_t)n;
	return status == srtp_err_status_ok;
}

/* Any RTP packet: CSRCs, header extension, payload of any length. */
static uint32_t random_rtp(uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	uint32_t len = rtp_make(p, ssrc, seq, 0), words;

	p[0] |= rnd(2) << 5 | rnd(2) << 4 | rnd(16);
	p[1] = (uint8_t)(rnd(2) << 7 | rnd(64));
	for (uint32_t i = 0; i < (p[0] & 0xfU) * 4; i++)
		p[len++] = (uint8_t)rnd(256);
	if (p[0] & 0x10) {
		words = rnd(20);
		memcpy(p + len, (uint8_t[4]){ 0xbe, 0xde, 0, (uint8_t)words }, 4);
		len += 4;
		for (uint32_t i = 0; i < words * 4; i++)
			p[len++] = (uint8_t)rnd(256);
	}
	for (uint32_t n = rnd(8) ? rnd(200) : rnd(1300); n; n--)
		p[len++] = (uint8_t)rnd(256);
	return len;
}

static uint32_t random_rtcp(uint8_t *p, uint32_t ssrc)
{
	uint32_t len = rtcp_make(p, ssrc);

	for (uint32_t n = rnd(40) * 4; n; n--)
		p[len++] = (uint8_t)rnd(256);
	return len;
}

/*
 * libsrtp2 2.5 looks for the MKI of SRTCP in front of a tag as long as that of SRTP, and so
 * does not open what it has itself protected with these.
 */
static bool oracle_finds_mki(uint8_t suite, uint32_t flags)
{
	return !(flags & SRTP_J_RTCP) ||
	       srtp_tag_len(suite, SRTP_RTP) == srtp_tag_len(suite, SRTP_RTCP);
}

/* Both protect the same packets to the same bytes; each opens what the other has made. */
static void same_bytes(uint8_t suite, uint32_t flags, const char *mki)
{
	srtp_t out = oracle_open(suite, 9, true, mki), in = oracle_open(suite, 9, false, mki);
	uint8_t clear[PACKET_ROOM], ours[PACKET_ROOM], theirs[PACKET_ROOM];
	uint32_t len, our_len, their_len, ssrc;
	uint16_t seq = 65400;

	/* What is sent and what is received are not the same SSRCs' affair. */
	keys_set(KEY_INDEX, suite, 9);
	keys_set(KEY_INDEX + 1, suite, 9);
	for (uint32_t i = KEY_INDEX; mki && i <= KEY_INDEX + 1; i++)
		keys_mki(i, mki);
	/* libsrtp2 begins SRTCP with index 1. */
	for (int i = 0; i < 2; i++) {
		rtcp_make(ours, 0x1000 + (uint32_t)i);
		our_len = 32;
		assert_int_equal(seal(KEY_INDEX, SRTP_J_RTCP, ours, &our_len), REASON_NONE);
	}
	for (int i = 0; i < BYTES; i++) {
		ssrc = 0x1000 + rnd(2);
		seq += 1 + rnd(20);
		len = flags & SRTP_J_RTCP ? random_rtcp(clear, ssrc) : random_rtp(clear, ssrc, seq);
		our_len = their_len = len;
		memcpy(ours, clear, len);
		memcpy(theirs, clear, len);
		assert_int_equal(seal(KEY_INDEX, flags, ours, &our_len), REASON_NONE);
		assert_true(oracle_seal(out, flags, theirs, &their_len, mki));
		assert_int_equal(our_len, their_len);
		assert_memory_equal(ours, theirs, our_len);
		assert_int_equal(unseal(KEY_INDEX + 1, flags, theirs, &their_len), REASON_NONE);
		assert_int_equal(their_len, len);
		assert_memory_equal(theirs, clear, len);
		if (mki && !oracle_finds_mki(suite, flags))
			continue;
		assert_true(oracle_unseal(in, flags, ours, &our_len, mki));
		assert_int_equal(our_len, len);
	}
	srtp_dealloc(out);
	srtp_dealloc(in);
}

static void bytes(void **state)
{
	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		same_bytes(suite, 0, NULL);
		same_bytes(suite, SRTP_J_RTCP, NULL);
		same_bytes(suite, 0, "k1");
		same_bytes(suite, SRTP_J_RTCP, "key of 16 octets");
	}
}

struct packet {
	uint32_t len;
	uint8_t data[160];
};

/* n packets of one SSRC, protected by libsrtp2: with leaps, over several turns of the ROC. */
static void send_all(struct packet *sent, int n, uint8_t suite, uint32_t flags)
{
	srtp_t out = oracle_open(suite, 5, true, NULL);
	uint16_t seq = 65000;

	for (int i = 0; i < n; i++) {
		seq += rnd(40) ? 1 + rnd(2) : rnd(10000);
		sent[i].len = flags & SRTP_J_RTCP ? rtcp_make(sent[i].data, 7)
						  : rtp_make(sent[i].data, 7, seq, 20 + rnd(40));
		assert_true(oracle_seal(out, flags, sent[i].data, &sent[i].len, false));
	}
	srtp_dealloc(out);
}

/*
 * Packets fall back by up to LATE places, some come twice, some damaged anywhere, headers
 * included; others take them or not, and so do we.
 */
static void same_judgement(uint8_t suite, uint32_t flags)
{
	struct packet *sent = calloc(DELIVERIES, sizeof(*sent));
	srtp_t in = oracle_open(suite, 5, false, NULL);
	uint8_t ours[PACKET_ROOM], theirs[PACKET_ROOM];
	uint32_t our_len, their_len, taken = 0, refused = 0;
	bool we, they;

	send_all(sent, DELIVERIES, suite, flags);
	keys_set(KEY_INDEX, suite, 5);
	for (int i = 0; i < DELIVERIES; i++) {
		int back = rnd(3) ? 0 : (int)rnd(LATE);
		const struct packet *p = &sent[back < i ? i - back : i];

		our_len = their_len = p->len;
		memcpy(ours, p->data, p->len);
		if (rnd(10) == 0)
			ours[rnd(p->len)] ^= 1 << rnd(8);
		memcpy(theirs, ours, p->len);
		we = unseal(KEY_INDEX, flags, ours, &our_len) == REASON_NONE;
		they = oracle_unseal(in, flags, theirs, &their_len, false);
		if (we != they)
			fail_msg("%s %s: packet %d: we %d, libsrtp2 %d", suite_names[suite],
				 flags & SRTP_J_RTCP ? "SRTCP" : "SRTP", i, we, they);
		if (we) {
			assert_int_equal(our_len, their_len);
			assert_memory_equal(ours, theirs, our_len);
		}
		*(we ? &taken : &refused) += 1;
	}
	assert_true(taken > DELIVERIES / 2);
	assert_true(refused > DELIVERIES / 10);
	srtp_dealloc(in);
	free(sent);
}

static void judgement(void **state)
{
	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		same_judgement(suite, 0);
		same_judgement(suite, SRTP_J_RTCP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes),
		TEST(judgement),
	};

	int failed;

	if (srtp_init() != srtp_err_status_ok)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	srtp_shutdown();
	return failed;
}
