/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The library's manager is not changed by the functions that are used here, so threads share
 * it.
 */
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/srtp/backend.h"
#include "userspace/srtp/hmacs.h"

static IMB_MGR *manager;

#define TOUCHED 4 /* lines at either end of GCM's keys */

/* Of GCM, for RTP or RTCP, in lines of its own. */
struct gcm_session {
	struct gcm_key_data key;
} __attribute__((aligned(CACHE_LINE)));

struct gcm_keys {
	struct gcm_session session[2];
};

static bool is_long(const struct tandem_cipher *c)
{
	return srtp_key_len(c->suite) == 32;
}

static int set_gcm(struct tandem_cipher *c, const struct srtp_keys *keys)
{
	struct gcm_keys *gcm = c->own;

	for (int i = 0; i < 2; i++) {
		if (srtp_key_len(keys->suite) == 32)
			IMB_AES256_GCM_PRE(manager, keys->session[i].key, &gcm->session[i].key);
		else
			IMB_AES128_GCM_PRE(manager, keys->session[i].key, &gcm->session[i].key);
	}
	return 0;
}

/*
 * The round keys, and those powers of the hash key that a dozen blocks want. Where they are is the
 * library's affair; when it puts them elsewhere, a packet waits for memory as it would have.
 */
static void mb_touch(const void *own)
{
	const struct gcm_key_data *rtp = &((const struct gcm_keys *)own)->session[SRTP_RTP].key;
	const char *first = (const char *)rtp, *last = (const char *)(rtp + 1);

	for (size_t line = 0; line < TOUCHED; line++) {
		__builtin_prefetch(first + line * CACHE_LINE);
		__builtin_prefetch(last - 1 - line * CACHE_LINE);
	}
}

static int mb_set(struct tandem_cipher *c, const struct srtp_keys *keys)
{
	uint8_t unused[AES_ROUND_KEYS * AES_BLOCK] __attribute__((aligned(AES_BLOCK)));

	if (srtp_is_aead(keys->suite))
		return set_gcm(c, keys);
	for (int i = 0; i < 2; i++) {
		if (srtp_key_len(keys->suite) == 32)
			IMB_AES_KEYEXP_256(manager, keys->session[i].key, c->round_keys[i], unused);
		else
			IMB_AES_KEYEXP_128(manager, keys->session[i].key, c->round_keys[i], unused);
	}
	OPENSSL_cleanse(unused, sizeof(unused));
	return 0;
}

static int mb_ctr(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *text)
{
	const uint8_t *keys = c->round_keys[srtp_session_of(job->flags)];
	IMB_JOB mb = {
		.enc_keys = keys,
		.dec_keys = keys,
		.iv = job->iv,
		.iv_len_in_bytes = AES_BLOCK,
		.src = text,
		.dst = text,
		.msg_len_to_cipher_in_bytes = job->body,
	};

	return IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager, &mb, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
					       is_long(c) ? IMB_KEY_256_BYTES
							  : IMB_KEY_128_BYTES) == 1
		       ? 0
		       : -1;
}

/* The packet is not touched before its tag is known to be right. */
static int mb_gcm(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *packet)
{
	const struct gcm_keys *gcm_keys = c->own;
	const struct gcm_key_data *keys = &gcm_keys->session[srtp_session_of(job->flags)].key;
	uint8_t *text = packet + job->head, clear[GCM_MAX], joined[GCM_MAX + SRTP_WORD];
	uint8_t tag[GCM_TAG];
	const uint8_t *aad = packet;
	struct gcm_context_data gcm;
	uint32_t aad_len = job->head;

	if (job->body > GCM_MAX || job->head > GCM_MAX)
		return -1;
	if (job->flags & SRTP_J_RTCP) {
		memcpy(joined, packet, job->head);
		memcpy(joined + job->head, &job->word, SRTP_WORD);
		aad = joined;
		aad_len += SRTP_WORD;
	}
	if (job->flags & SRTP_J_SEAL) {
		(is_long(c) ? manager->gcm256_enc
			    : manager->gcm128_enc)(keys, &gcm, text, text, job->body, job->iv, aad,
						   aad_len, text + job->body, GCM_TAG);
		return 0;
	}
	(is_long(c) ? manager->gcm256_dec : manager->gcm128_dec)(
		keys, &gcm, clear, text, job->body, job->iv, aad, aad_len, tag, GCM_TAG);
	if (CRYPTO_memcmp(tag, text + job->body, GCM_TAG))
		return -1;
	if (!(job->flags & SRTP_J_KEEP))
		memcpy(text, clear, job->body);
	return 0;
}

static const struct tandem_cipher_backend backend = {
	.name = "ipsec-mb",
	.room = sizeof(struct gcm_keys),
	.set = mb_set,
	.touch = mb_touch,
	.ctr = mb_ctr,
	.gcm = mb_gcm,
};

const struct tandem_cipher_backend *tandem_ipsec_mb(void)
{
	IMB_ARCH arch = IMB_ARCH_NONE;
	IMB_MGR *m;

	if (manager)
		return &backend;
	m = alloc_mb_mgr(0);
	if (!m)
		return NULL;
	init_mb_mgr_auto(m, &arch);
	/* Without AES instructions it has tables, whose use tells of the key by its time. */
	if (imb_get_errno(m) || !(m->features & IMB_FEATURE_AESNI)) {
		free_mb_mgr(m);
		return NULL;
	}
	manager = m;
	return &backend;
}

/* ---- lanes ---- */

/* Jobs are changed by a manager as it goes, so each thread has its own. */
struct lanes {
	IMB_MGR *manager;
	IMB_JOB jobs[TANDEM_HMACS_MAX];
};

static void *lanes_alloc(void)
{
	struct lanes *l = calloc(1, sizeof(*l));
	IMB_ARCH arch;

	if (!l)
		return NULL;
	l->manager = alloc_mb_mgr(0);
	if (!l->manager) {
		free(l);
		return NULL;
	}
	init_mb_mgr_auto(l->manager, &arch);
	return l;
}

static void lanes_free(void *lanes)
{
	struct lanes *l = lanes;

	free_mb_mgr(l->manager);
	free(l);
}

static void lanes_run(void *lanes, struct tandem_hmac_job *jobs, uint32_t n)
{
	struct lanes *l = lanes;

	for (uint32_t i = 0; i < n; i++) {
		IMB_JOB *mb = &l->jobs[i];

		mb->hash_alg = IMB_AUTH_HMAC_SHA_1;
		mb->src = jobs[i].data;
		mb->hash_start_src_offset_in_bytes = 0;
		mb->msg_len_to_hash_in_bytes = jobs[i].len;
		mb->auth_tag_output = jobs[i].tag;
		mb->auth_tag_output_len_in_bytes = sizeof(jobs[i].tag);
		mb->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)jobs[i].session->inner;
		mb->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)jobs[i].session->outer;
	}
	IMB_SUBMIT_HASH_BURST_NOCHECK(l->manager, l->jobs, n, IMB_AUTH_HMAC_SHA_1);
}

/* 16 lanes. With fewer, two packets at a time by the SHA instructions are no gain over one. */
const struct tandem_lanes_backend *tandem_ipsec_mb_lanes(void)
{
	static const struct tandem_lanes_backend lanes = {
		.worth = 8,
		.alloc = lanes_alloc,
		.free = lanes_free,
		.run = lanes_run,
	};

	return tandem_ipsec_mb() && manager->features & IMB_FEATURE_AVX512_SKX ? &lanes : NULL;
}
