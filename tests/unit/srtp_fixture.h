/* SPDX-License-Identifier: GPL-2.0-only */
/* SRTP around single packets: sets of keys by index, and seal and open with them. */
#ifndef TANDEM_TEST_SRTP_FIXTURE_H
#define TANDEM_TEST_SRTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/env_api.h"
#include "core/rtp.h"
#include "core/srtp_job.h"
#include "userspace/srtp/kdf.h"

#define KEYS	    8 /* sets; index 0 is none */
#define SSRCS	    4 /* under each */
#define PACKET_ROOM 2048

/* What a datapath has. */
static struct srtp_tables {
	struct srtp_keys keys[KEYS];
	struct srtp_stream streams[KEYS * SSRCS];
	struct tandem_ciphers *ciphers;
	struct srtp_job job;
} tables;

static inline const struct srtp_keys *env_srtp_keys(struct env *env, __u32 index)
{
	return index && index < KEYS ? &tables.keys[index] : NULL;
}

static inline struct srtp_stream *env_srtp_stream(struct env *env, __u32 index)
{
	return index < KEYS * SSRCS ? &tables.streams[index] : NULL;
}

static inline struct srtp_job *env_srtp_job(struct env *env)
{
	return &tables.job;
}

#define ENV_CIPHERS(env) tables.ciphers
#include "userspace/srtp/hooks.h"

#include "core/srtp.h"

static const char *const suite_names[SRTP_SUITES] = {
	[SRTP_NULL_HMAC_SHA1_80] = "NULL_HMAC_SHA1_80",
	[SRTP_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
	[SRTP_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
	[SRTP_AES_256_CM_HMAC_SHA1_80] = "AES_256_CM_HMAC_SHA1_80",
	[SRTP_AES_256_CM_HMAC_SHA1_32] = "AES_256_CM_HMAC_SHA1_32",
	[SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
	[SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
};

/* A master key and salt for tests: octets that follow from seed. */
struct master {
	uint8_t key[SRTP_KEY_MAX];
	uint8_t salt[SRTP_SALT_MAX];
};

static inline struct master master_of(uint8_t seed)
{
	struct master m;

	for (size_t i = 0; i < sizeof(m.key); i++)
		m.key[i] = (uint8_t)(seed * 31 + i * 7);
	for (size_t i = 0; i < sizeof(m.salt); i++)
		m.salt[i] = (uint8_t)(seed * 17 + i * 5 + 1);
	return m;
}

static int tables_setup(void **state)
{
	memset(&tables, 0, sizeof(tables));
	return tandem_ciphers_alloc(&tables.ciphers, KEYS);
}

static int tables_teardown(void **state)
{
	tandem_ciphers_free(tables.ciphers);
	return 0;
}

/* As if the keys had never been used. */
static inline void keys_forget(uint32_t index)
{
	memset(&tables.streams[index * SSRCS], 0, SSRCS * sizeof(tables.streams[0]));
}

/* Keys by their session keys, for vectors that give those. */
static inline struct srtp_keys *keys_begin(uint32_t index)
{
	struct srtp_keys *k = &tables.keys[index];

	memset(k, 0, sizeof(*k));
	keys_forget(index);
	k->gen = 2;
	k->first_stream = index * SSRCS;
	k->stream_count = SSRCS;
	return k;
}

static inline void keys_end(uint32_t index)
{
	assert_int_equal(tandem_ciphers_set(tables.ciphers, index, &tables.keys[index]), 0);
}

/* Set keys index up for a suite and master keys that follow from seed. */
static inline struct srtp_keys *keys_set(uint32_t index, uint8_t suite, uint8_t seed)
{
	struct srtp_keys *k = keys_begin(index);
	struct master m = master_of(seed);

	assert_int_equal(tandem_srtp_derive(k, suite, m.key, m.salt), 0);
	keys_end(index);
	return k;
}

static inline void keys_mki(uint32_t index, const char *mki)
{
	tables.keys[index].mki_len = (uint8_t)strlen(mki);
	memcpy(tables.keys[index].mki, mki, strlen(mki));
}

/* A job for len bytes at p. The packet is a valid one as far as it can be seen. */
static inline bool job_begin(struct srtp_job *job, uint32_t keys, uint32_t flags, const uint8_t *p,
			     uint32_t len)
{
	struct rtp_info info = { 0 };

	memset(job, 0xee, sizeof(*job));
	if (!(flags & SRTP_J_RTCP) && rtp_parse(p, p + len, len, 1, &info) != REASON_NONE)
		return false;
	job->keys = keys;
	job->flags = flags;
	job->len = len;
	job->head = info.head;
	return true;
}

/* Protect the packet of *len bytes at p, which has room for PACKET_ROOM. */
static inline enum reason seal(uint32_t keys, uint32_t flags, uint8_t *p, uint32_t *len)
{
	struct srtp_job *job = &tables.job;
	enum reason reason;

	if (!job_begin(job, keys, flags | SRTP_J_SEAL, p, *len))
		return REASON_bad_rtp;
	reason = srtp_seal(NULL, job, p, p + PACKET_ROOM);
	if (reason == REASON_NONE)
		*len = job->len;
	return reason;
}

/* The other way round. */
static inline enum reason unseal(uint32_t keys, uint32_t flags, uint8_t *p, uint32_t *len)
{
	struct srtp_job *job = &tables.job;
	enum reason reason;

	if (!job_begin(job, keys, flags, p, *len))
		return REASON_bad_rtp;
	reason = srtp_admit(NULL, job, p, p + *len);
	if (reason == REASON_NONE)
		reason = srtp_open(NULL, job, p, p + *len);
	if (reason == REASON_NONE)
		*len = job->len;
	return reason;
}

/* An RTP packet of payload octets that follow from seq. Returns its length. */
static inline uint32_t rtp_make(uint8_t *p, uint32_t ssrc, uint16_t seq, uint32_t payload)
{
	const uint8_t head[12] = {
		0x80, 0,	  seq >> 8,	     seq & 0xff,       0,	   0, 1,
		2,    ssrc >> 24, ssrc >> 16 & 0xff, ssrc >> 8 & 0xff, ssrc & 0xff
	};

	memcpy(p, head, sizeof(head));
	for (uint32_t i = 0; i < payload; i++)
		p[sizeof(head) + i] = (uint8_t)(seq + i * 3);
	return sizeof(head) + payload;
}

/* A receiver report of one block. Returns its length. */
static inline uint32_t rtcp_make(uint8_t *p, uint32_t ssrc)
{
	memset(p, 0x5a, 32);
	p[0] = 0x81;
	p[1] = 201;
	p[2] = 0;
	p[3] = 7;
	p[4] = (uint8_t)(ssrc >> 24);
	p[5] = (uint8_t)(ssrc >> 16);
	p[6] = (uint8_t)(ssrc >> 8);
	p[7] = (uint8_t)ssrc;
	return 32;
}

#endif
