/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/srtp/cipher.h"

#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/srtp_job.h"
#include "core/srtp_suite.h"
#include "userspace/srtp/sha1.h"

#define AES_BLOCK  16
#define CTR_BLOCKS 32 /* of keystream at a time */
#define GCM_TAG	   16
#define GCM_MAX	   16384 /* no packet is longer */

/*
 * One set of keys. Counter mode is made of ECB: that needs no nonce to be set, which costs
 * OpenSSL more than the enciphering of a short packet, and leaves the context as it is, so
 * that workers can share it. GCM changes its context; they take turns.
 */
struct cipher {
	EVP_CIPHER_CTX *ctx[2]; /* SRTP_RTP, SRTP_RTCP; NULL with the NULL cipher */
	uint8_t suite;
	bool busy[2];
};

struct tandem_ciphers {
	uint32_t count;
	struct cipher entry[];
};

int tandem_ciphers_alloc(struct tandem_ciphers **ciphersp, uint32_t count)
{
	struct tandem_ciphers *c = calloc(1, sizeof(*c) + (size_t)count * sizeof(c->entry[0]));

	if (!c)
		return -ENOMEM;
	c->count = count;
	*ciphersp = c;
	return 0;
}

static void wipe(struct cipher *c)
{
	for (int i = 0; i < 2; i++)
		EVP_CIPHER_CTX_free(c->ctx[i]);
	memset(c, 0, sizeof(*c));
}

void tandem_ciphers_free(struct tandem_ciphers *ciphers)
{
	for (uint32_t i = 0; ciphers && i < ciphers->count; i++)
		wipe(&ciphers->entry[i]);
	free(ciphers);
}

static const EVP_CIPHER *algorithm(uint8_t suite)
{
	if (srtp_is_aead(suite))
		return srtp_key_len(suite) == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	return srtp_key_len(suite) == 32 ? EVP_aes_256_ecb() : EVP_aes_128_ecb();
}

int tandem_ciphers_set(struct tandem_ciphers *ciphers, uint32_t index, const struct srtp_keys *keys)
{
	struct cipher *c;

	if (index >= ciphers->count || (keys && keys->suite >= SRTP_SUITES))
		return -EINVAL;
	c = &ciphers->entry[index];
	wipe(c);
	if (!keys)
		return 0;
	for (int i = 0; i < 2 && keys->suite != SRTP_NULL_HMAC_SHA1_80; i++) {
		c->ctx[i] = EVP_CIPHER_CTX_new();
		if (!c->ctx[i] || !EVP_EncryptInit_ex(c->ctx[i], algorithm(keys->suite), NULL,
						      keys->session[i].key, NULL)) {
			wipe(c);
			return -ENOMEM;
		}
		EVP_CIPHER_CTX_set_padding(c->ctx[i], 0);
	}
	c->suite = keys->suite;
	return 0;
}

bool tandem_cipher_able(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite)
{
	return index < ciphers->count && ciphers->entry[index].suite == suite;
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

int tandem_cipher_ctr(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload)
{
	EVP_CIPHER_CTX *ctx = ciphers->entry[job->keys].ctx[srtp_session_of(job->flags)];
	uint8_t stream[CTR_BLOCKS * AES_BLOCK], *text = (uint8_t *)payload + job->head;
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

int tandem_cipher_hmac(const struct srtp_keys *keys, struct srtp_job *job, const void *payload)
{
	const bool rtcp = job->flags & SRTP_J_RTCP;

	tandem_hmac(job->tag, &keys->session[srtp_session_of(job->flags)], payload,
		    srtp_auth_len(job), &job->word, rtcp ? 0 : sizeof(job->word));
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

int tandem_cipher_gcm(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload)
{
	struct cipher *c = &ciphers->entry[job->keys];
	const uint32_t which = srtp_session_of(job->flags);
	bool ok;

	while (__atomic_exchange_n(&c->busy[which], true, __ATOMIC_ACQUIRE))
		;
	ok = job->flags & SRTP_J_SEAL ? gcm_seal(c->ctx[which], job, payload)
				      : gcm_open(c->ctx[which], job, payload);
	__atomic_store_n(&c->busy[which], false, __ATOMIC_RELEASE);
	return ok ? 0 : -1;
}
