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
#include <string.h>

#define KEYS  8
#define SSRCS 4
#include "srtp_tables.h"
#include "userspace/srtp/backend.h"

#define PACKET_ROOM 2048

static const char *const suite_names[SRTP_SUITES] = {
	[SRTP_NULL_HMAC_SHA1_80] = "NULL_HMAC_SHA1_80",
	[SRTP_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
	[SRTP_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
	[SRTP_AES_256_CM_HMAC_SHA1_80] = "AES_256_CM_HMAC_SHA1_80",
	[SRTP_AES_256_CM_HMAC_SHA1_32] = "AES_256_CM_HMAC_SHA1_32",
	[SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
	[SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
};

static int tables_setup(void **state)
{
	return tables_init(&tandem_openssl);
}

static inline int mb_setup(void **state)
{
	if (!tandem_ipsec_mb())
		print_message(
			"# ipsec-mb skipped: not found at build time, or no AES instructions\n");
	return tables_init(tandem_ipsec_mb());
}

static int tables_teardown(void **state)
{
	tables_clean();
	return 0;
}

/* A test with the ciphers of each library. */
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, tables_setup, tables_teardown),                      \
	{                                                                                          \
#name ", ipsec-mb", name, mb_setup, tables_teardown, NULL                          \
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
	struct srtp_job *job = &tables.env.srtp_job;
	enum reason reason;

	if (!job_begin(job, keys, flags | SRTP_J_SEAL, p, *len))
		return REASON_bad_rtp;
	reason = srtp_seal(&tables.env, job, p, p + PACKET_ROOM);
	if (reason == REASON_NONE)
		*len = job->len;
	return reason;
}

/* The other way round. */
static inline enum reason unseal(uint32_t keys, uint32_t flags, uint8_t *p, uint32_t *len)
{
	struct srtp_job *job = &tables.env.srtp_job;
	enum reason reason;

	if (!job_begin(job, keys, flags, p, *len))
		return REASON_bad_rtp;
	reason = srtp_admit(&tables.env, job, p, p + *len);
	if (reason == REASON_NONE)
		reason = srtp_open(&tables.env, job, p, p + *len);
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
