/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The library's manager is not changed by the functions that are used here, so threads share
 * it.
 */
#include <errno.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/srtp/backend.h"

static IMB_MGR *manager;

/* Of GCM, for RTP and RTCP. */
struct gcm_keys {
	struct gcm_key_data session[2];
};

static bool is_long(const struct tandem_cipher *c)
{
	return srtp_key_len(c->suite) == 32;
}

static void mb_clear(struct tandem_cipher *c)
{
	OPENSSL_cleanse(c->own, sizeof(struct gcm_keys));
	free(c->own);
	c->own = NULL;
}

static int set_gcm(struct tandem_cipher *c, const struct srtp_keys *keys)
{
	struct gcm_keys *gcm = aligned_alloc(__alignof__(*gcm), sizeof(*gcm));

	if (!gcm)
		return -ENOMEM;
	for (int i = 0; i < 2; i++) {
		if (srtp_key_len(keys->suite) == 32)
			IMB_AES256_GCM_PRE(manager, keys->session[i].key, &gcm->session[i]);
		else
			IMB_AES128_GCM_PRE(manager, keys->session[i].key, &gcm->session[i]);
	}
	c->own = gcm;
	return 0;
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
	const struct gcm_key_data *keys = &gcm_keys->session[srtp_session_of(job->flags)];
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
	.set = mb_set,
	.clear = mb_clear,
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
