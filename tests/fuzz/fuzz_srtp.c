/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP and SRTCP from anybody. The first byte says suite and RTP or RTCP, the second what is
 * done: the rest as it is, which must not be taken; or protected first and with one bit
 * changed, which must not be taken either; or protected and let through, which must give the
 * rest again. Nothing outside the packet may be touched, which lies in memory of its size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEYS  4
#define SSRCS 2
#include "tests/unit/srtp_tables.h"

enum deed {
	DEED_RAW,
	DEED_DAMAGE,
	DEED_PASS,
	DEEDS,
};

#define SEALING 1
#define OPENING 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

/* A tag of 32 bits is one that a fuzzer could meet with. */
static uint8_t suite_of(uint8_t byte)
{
	static const uint8_t suites[] = {
		SRTP_NULL_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_256_CM_HMAC_SHA1_80,
		SRTP_AEAD_AES_128_GCM,	SRTP_AEAD_AES_256_GCM,
	};

	return suites[byte % (sizeof(suites) / sizeof(suites[0]))];
}

static int start(struct srtp_job *job, uint32_t keys, uint32_t flags, const uint8_t *p,
		 uint32_t len)
{
	struct rtp_info info = { 0 };

	memset(job, 0, sizeof(*job));
	if (!(flags & SRTP_J_RTCP) && rtp_parse(p, p + len, len, 1, &info) != REASON_NONE)
		return 0;
	job->keys = keys;
	job->flags = flags;
	job->len = len;
	job->head = info.head;
	return 1;
}

static enum reason take(uint32_t flags, uint8_t *p, uint32_t len)
{
	struct srtp_job *job = &tables.env.srtp_job;
	enum reason reason;

	if (!start(job, OPENING, flags, p, len))
		return REASON_bad_rtp;
	reason = srtp_admit(&tables.env, job, p, p + len);
	return reason == REASON_NONE ? srtp_open(&tables.env, job, p, p + len) : reason;
}

static void one(uint32_t flags, uint8_t deed, const uint8_t *data, uint32_t len)
{
	const uint32_t room = deed == DEED_RAW ? len : len + SRTP_TRAILER_MAX;
	uint8_t *p = malloc(room ? room : 1), *exact;
	struct srtp_job *job = &tables.env.srtp_job;
	uint32_t bit;

	check(p != NULL);
	memcpy(p, data, len);
	if (deed == DEED_RAW) {
		check(take(flags, p, len) != REASON_NONE);
		goto out;
	}
	if (!start(job, SEALING, flags | SRTP_J_SEAL, p, len) ||
	    srtp_seal(&tables.env, job, p, p + room) != REASON_NONE)
		goto out;
	exact = malloc(job->len);
	check(exact != NULL);
	memcpy(exact, p, job->len);
	free(p);
	p = exact;
	if (deed == DEED_DAMAGE) {
		bit = (data[0] * 257U + data[len - 1] * 31U) % (job->len * 8);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check(take(flags, p, job->len) != REASON_NONE);
	} else {
		check(take(flags, p, job->len) == REASON_NONE);
		check(job->len == len && !memcmp(p, data, len));
	}
out:
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t ready;

	if (size < 3)
		return 0;
	if (!tables.arrays.ciphers)
		check(!tables_init(NULL));
	if (ready != suite_of(data[0])) {
		ready = suite_of(data[0]);
		keys_set(SEALING, ready, 1);
		keys_set(OPENING, ready, 1)->next = OPENING + 1;
		keys_set(OPENING + 1, SRTP_AES_CM_128_HMAC_SHA1_80, 2);
		tables.keys[OPENING + 1].mki_len = 4;
	}
	keys_forget(SEALING);
	keys_forget(OPENING);
	one(data[0] & 0x80 ? SRTP_J_RTCP : 0, data[1] % DEEDS, data + 2, (uint32_t)size - 2);
	return 0;
}
