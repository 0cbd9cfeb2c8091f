/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys of SRTP in a case, and packets that are protected with them. Included by vec_packet.h. */
#ifndef TANDEM_TESTS_VEC_SRTP_H
#define TANDEM_TESTS_VEC_SRTP_H

#include "core/classify.h"
#include "core/env_api.h"
#include "core/rtp.h"
#include "core/srtp.h"
#include "userspace/srtp/kdf.h"

#define VEC_KEYS  6 /* sets; index 0 is none */
#define VEC_SSRCS 4 /* under each */

/*
 * The keys of the case, and what packets of the file are made with. Streams are those of no
 * side: each packet says for itself which index it has.
 */
static struct vec_srtp {
	struct srtp_keys keys[VEC_KEYS];
	struct srtp_stream streams[VEC_KEYS * VEC_SSRCS];
	struct env_tables arrays;
	struct env env;
	bool used;
	bool aead; /* with suites that XDP has not */
} vec_srtp;

static void vec_srtp_reset(struct relay_config *config)
{
	config->srtps = VEC_KEYS;
	config->srtp_streams = VEC_KEYS * VEC_SSRCS;
	tandem_ciphers_free(vec_srtp.arrays.ciphers);
	memset(&vec_srtp, 0, sizeof(vec_srtp));
	if (tandem_ciphers_alloc(&vec_srtp.arrays.ciphers, VEC_KEYS, NULL))
		vec_die("no memory");
	vec_srtp.arrays.config = *config;
	vec_srtp.arrays.srtp_keys = vec_srtp.keys;
	vec_srtp.arrays.srtp_streams = vec_srtp.streams;
	vec_srtp.env.tables = &vec_srtp.arrays;
}

static uint8_t vec_suite(const char *name)
{
	static const char *const names[SRTP_SUITES] = {
		[SRTP_NULL_HMAC_SHA1_80] = "NULL_HMAC_SHA1_80",
		[SRTP_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
		[SRTP_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
		[SRTP_AES_256_CM_HMAC_SHA1_80] = "AES_256_CM_HMAC_SHA1_80",
		[SRTP_AES_256_CM_HMAC_SHA1_32] = "AES_256_CM_HMAC_SHA1_32",
		[SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
		[SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
	};

	for (uint8_t i = 1; name && i < SRTP_SUITES; i++) {
		if (!strcmp(name, names[i]))
			return i;
	}
	vec_die("unknown suite '%s'", name ? name : "");
	return SRTP_SUITE_NONE;
}

/* Octets of a word; returns how many. */
static uint8_t vec_octets(const char *text, uint8_t *out, size_t size)
{
	uint8_t n = 0;
	unsigned int byte;

	for (; text && *text; text += 2) {
		if (n == size || sscanf(text, "%2x", &byte) != 1)
			vec_die("up to %zu octets expected at '%s'", size, text);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

static uint32_t vec_keys_index(uint64_t index)
{
	if (index >= VEC_KEYS)
		vec_die("keys have numbers up to %d", VEC_KEYS - 1);
	return (uint32_t)index;
}

/* keys N suite=NAME key=HEX salt=HEX [mki=HEX] [next=N] [ssrcs=N] */
static void vec_keys(const char *l)
{
	uint32_t index = vec_keys_index(strtoul(l + strlen("keys "), NULL, 0));
	struct srtp_keys *k = &vec_srtp.keys[index];
	uint8_t key[SRTP_KEY_MAX] = { 0 }, salt[SRTP_SALT_MAX] = { 0 };
	uint8_t suite = vec_suite(vec_word(l, "suite"));

	if (vec_octets(vec_word(l, "key"), key, sizeof(key)) != srtp_key_len(suite) ||
	    vec_octets(vec_word(l, "salt"), salt, sizeof(salt)) != srtp_salt_len(suite))
		vec_die("key or salt is not as long as the suite wants: %s", l);
	memset(k, 0, sizeof(*k));
	k->gen = 2;
	k->mki_len = vec_octets(vec_word(l, "mki"), k->mki, sizeof(k->mki));
	k->next = vec_keys_index(vec_num(l, "next", 0));
	k->first_stream = index * VEC_SSRCS;
	k->stream_count = (uint32_t)vec_num(l, "ssrcs", VEC_SSRCS);
	if (index == SRTP_NO_KEYS || tandem_srtp_derive(k, suite, key, salt) ||
	    tandem_ciphers_set(vec_srtp.arrays.ciphers, index, k))
		vec_die("keys that cannot be: %s", l);
	vec_srtp.used = true;
	vec_srtp.aead |= srtp_is_aead(suite);
}

/* protect N [index=N]: the RTP or RTCP packet so far, of len bytes. Returns its length then. */
static uint32_t vec_protect(const char *l, uint8_t *payload, uint32_t len, uint32_t room)
{
	struct srtp_job *job = &vec_srtp.env.srtp_job;
	uint64_t index = vec_num(l, "index", 0);
	struct rtp_info info = { 0 };

	memset(job, 0, sizeof(*job));
	job->keys = vec_keys_index(strtoul(l + strlen("protect "), NULL, 0));
	job->flags = SRTP_J_SEAL;
	if (classify(payload, payload + len, len) == CLASS_RTCP)
		job->flags |= SRTP_J_RTCP;
	else if (rtp_parse(payload, payload + len, len, 1, &info) != REASON_NONE)
		vec_die("neither RTP nor RTCP is to be protected: %s", l);
	job->head = info.head;
	job->len = len;
	memset(vec_srtp.streams, 0, sizeof(vec_srtp.streams));
	for (uint32_t i = 0; i < VEC_KEYS * VEC_SSRCS; i++)
		vec_srtp.streams[i].top = vec_srtp.streams[i].rtcp_top = index;
	if (srtp_seal(&vec_srtp.env, job, payload, payload + room) != REASON_NONE)
		vec_die("cannot be protected: %s", l);
	return job->len;
}

#endif
