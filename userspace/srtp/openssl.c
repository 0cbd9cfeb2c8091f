/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counter mode is made of ECB: that needs no nonce to be set, which costs OpenSSL more than the
 * enciphering of a short packet, and leaves the context as it is, so that workers can share
 * it. GCM changes its context; they take turns.
 */
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/srtp/backend.h"

#define CTR_BLOCKS 32 /* of keystream at a time */

struct openssl {
	EVP_CIPHER_CTX *ctx[2]; /* SRTP_RTP, SRTP_RTCP */
	bool busy[2];
};

static const EVP_CIPHER *algorithm(uint8_t suite)
{
	if (srtp_is_aead(suite))
		return srtp_key_len(suite) == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	return srtp_key_len(suite) == 32 ? EVP_aes_256_ecb() : EVP_aes_128_ecb();
}

static void openssl_clear(struct tandem_cipher *c)
{
	struct openssl *o = c->own;

	for (int i = 0; i < 2; i++)
		EVP_CIPHER_CTX_free(o->ctx[i]);
	free(o);
	c->own = NULL;
}

static int openssl_set(struct tandem_cipher *c, const struct srtp_keys *keys)
{
	struct openssl *o = calloc(1, sizeof(*o));

	c->own = o;
	for (int i = 0; o && i < 2; i++) {
		o->ctx[i] = EVP_CIPHER_CTX_new();
		if (!o->ctx[i] || !EVP_EncryptInit_ex(o->ctx[i], algorithm(keys->suite), NULL,
						      keys->session[i].key, NULL)) {
			openssl_clear(c);
			return -ENOMEM;
		}
		EVP_CIPHER_CTX_set_padding(o->ctx[i], 0);
	}
	return o ? 0 : -ENOMEM;
}

/* Counter blocks from iv on, whose last 16 bits are block and upwards. */
static void fill_counters(uint8_t *out, const uint8_t *iv, uint32_t block, uint32_t blocks)
{
	uint64_t high, low;

	memcpy(&high, iv, sizeof(high));
	memcpy(&low, iv + sizeof(high), sizeof(low));
	low = be64toh(low) + block;
	for (uint32_t i = 0; i < blocks; i++, out += AES_BLOCK) {
		const uint64_t next = htobe64(low + i);

		memcpy(out, &high, sizeof(high));
		memcpy(out + sizeof(high), &next, sizeof(next));
	}
}

static int openssl_ctr(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *text)
{
	EVP_CIPHER_CTX *ctx = ((struct openssl *)c->own)->ctx[srtp_session_of(job->flags)];
	uint8_t stream[CTR_BLOCKS * AES_BLOCK];
	uint32_t block = 0, left = job->body;

	while (left) {
		uint32_t n = left < sizeof(stream) ? left : (uint32_t)sizeof(stream);
		uint32_t blocks = (n + AES_BLOCK - 1) / AES_BLOCK;

		fill_counters(stream, job->iv, block, blocks);
		if (EVP_Cipher(ctx, stream, stream, blocks * AES_BLOCK) <= 0)
			return -1;
		for (uint32_t i = 0; i < n; i++)
			text[i] ^= stream[i];
		text += n;
		left -= n;
		block += blocks;
	}
	return 0;
}

/* Nonce and associated data. The lengths that OpenSSL returns are those that it was given. */
static bool gcm_begin(EVP_CIPHER_CTX *ctx, const struct srtp_job *job, const uint8_t *packet,
		      int encrypt)
{
	int n;

	if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, job->iv, encrypt) ||
	    !EVP_CipherUpdate(ctx, NULL, &n, packet, (int)job->head))
		return false;
	return !(job->flags & SRTP_J_RTCP) ||
	       EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)&job->word, sizeof(job->word));
}

static bool gcm_seal(EVP_CIPHER_CTX *ctx, const struct srtp_job *job, uint8_t *packet)
{
	uint8_t *text = packet + job->head;
	int n;

	return gcm_begin(ctx, job, packet, 1) &&
	       EVP_CipherUpdate(ctx, text, &n, text, (int)job->body) &&
	       EVP_CipherFinal_ex(ctx, text + job->body, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, text + job->body);
}

/* The packet is not touched before its tag is known to be right. */
static bool gcm_open(EVP_CIPHER_CTX *ctx, const struct srtp_job *job, uint8_t *packet)
{
	uint8_t *text = packet + job->head, clear[GCM_MAX];
	int n;

	if (job->body > GCM_MAX || !gcm_begin(ctx, job, packet, 0) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, text + job->body) ||
	    !EVP_CipherUpdate(ctx, clear, &n, text, (int)job->body) ||
	    EVP_CipherFinal_ex(ctx, clear, &n) <= 0)
		return false;
	if (!(job->flags & SRTP_J_KEEP))
		memcpy(text, clear, job->body);
	return true;
}

static int openssl_gcm(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *packet)
{
	const uint32_t which = srtp_session_of(job->flags);
	struct openssl *o = c->own;
	bool ok;

	while (__atomic_exchange_n(&o->busy[which], true, __ATOMIC_ACQUIRE))
		;
	ok = job->flags & SRTP_J_SEAL ? gcm_seal(o->ctx[which], job, packet)
				      : gcm_open(o->ctx[which], job, packet);
	__atomic_store_n(&o->busy[which], false, __ATOMIC_RELEASE);
	return ok ? 0 : -1;
}

const struct tandem_cipher_backend tandem_openssl = {
	.name = "OpenSSL",
	.set = openssl_set,
	.clear = openssl_clear,
	.ctr = openssl_ctr,
	.gcm = openssl_gcm,
};
