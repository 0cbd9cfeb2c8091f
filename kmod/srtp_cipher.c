// SPDX-License-Identifier: GPL-2.0-only
#include "kmod/srtp_cipher.h"

#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/srtp_suite.h"
#include "kmod/srtp.h"

#define HASH_SIZE  20
#define HASH_BLOCK 64
#define GCM_TAG	   16

/* ---- contexts ---- */

static int ctr_alloc(struct crypto_sync_skcipher **ctrp, const u8 *key, u32 len)
{
	struct crypto_sync_skcipher *ctr = crypto_alloc_sync_skcipher("ctr(aes)", 0, 0);

	if (IS_ERR(ctr))
		return PTR_ERR(ctr);
	*ctrp = ctr;
	return crypto_sync_skcipher_setkey(ctr, key, len);
}

static int gcm_alloc(struct crypto_aead **gcmp, const u8 *key, u32 len)
{
	struct crypto_aead *gcm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	int err;

	if (IS_ERR(gcm))
		return PTR_ERR(gcm);
	*gcmp = gcm;
	if (sizeof(struct aead_request) + crypto_aead_reqsize(gcm) > SRTP_REQUEST_ROOM)
		return -EOPNOTSUPP;
	err = crypto_aead_setauthsize(gcm, GCM_TAG);
	return err ? err : crypto_aead_setkey(gcm, key, len);
}

struct srtp_context *tandem_srtp_context_alloc(const struct srtp_keys *keys)
{
	struct srtp_context *context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);
	const u32 len = srtp_key_len(keys->suite);
	int err = 0, i;

	if (!context)
		return ERR_PTR(-ENOMEM);
	context->suite = keys->suite;
	for (i = 0; i < 2 && !err && keys->suite != SRTP_NULL_HMAC_SHA1_80; i++) {
		if (srtp_is_aead(keys->suite))
			err = gcm_alloc(&context->cipher[i].gcm, keys->session[i].key, len);
		else
			err = ctr_alloc(&context->cipher[i].ctr, keys->session[i].key, len);
	}
	if (!err)
		return context;
	tandem_srtp_context_free(context);
	return ERR_PTR(err == -ENOENT ? -EPROTONOSUPPORT : err);
}

void tandem_srtp_context_free(struct srtp_context *context)
{
	int i;

	for (i = 0; context && i < 2; i++) {
		if (context->cipher[i].ctr)
			crypto_free_sync_skcipher(context->cipher[i].ctr);
		if (context->cipher[i].gcm)
			crypto_free_aead(context->cipher[i].gcm);
	}
	kfree(context);
}

/* What the ciphers of a job are; NULL: they have gone, or are another suite's by now. */
static const struct srtp_cipher *cipher_of(const struct tandem_srtp *srtp,
					   const struct srtp_job *job)
{
	const struct srtp_context *context = rcu_dereference(srtp->contexts[job->keys]);

	if (!context || context->suite != job->suite)
		return NULL;
	return &context->cipher[srtp_session_of(job->flags)];
}

bool tandem_srtp_able(const struct tandem_srtp *srtp, u32 index, u8 suite)
{
	const struct srtp_context *context = rcu_dereference(srtp->contexts[index]);

	return context && context->suite == suite;
}

/* ---- AES-CM ---- */

int tandem_srtp_ctr(const struct tandem_srtp *srtp, const struct srtp_job *job, void *payload)
{
	const struct srtp_cipher *c = cipher_of(srtp, job);
	struct scatterlist sg;
	u8 iv[sizeof(job->iv)];

	if (!c || !c->ctr)
		return -ENOENT;
	{
		SYNC_SKCIPHER_REQUEST_ON_STACK(req, c->ctr);

		memcpy(iv, job->iv, sizeof(iv));
		sg_init_one(&sg, (u8 *)payload + job->head, job->body);
		skcipher_request_set_sync_tfm(req, c->ctr);
		skcipher_request_set_callback(req, 0, NULL, NULL);
		skcipher_request_set_crypt(req, &sg, &sg, job->body, iv);
		return crypto_skcipher_encrypt(req);
	}
}

/* ---- HMAC-SHA1 ---- */

/*
 * What crypto_shash_import() takes for SHA-1: state, bytes so far, the bytes of a block that is
 * not full; later kernels have the number of those behind it. Blocks are whole here.
 */
struct sha1_image {
	u32 state[SRTP_SHA1_WORDS];
	u64 count;
	u8 rest[HASH_BLOCK + 32];
};

static int sha1_resume(struct shash_desc *desc, const u32 *state)
{
	struct sha1_image image = { .count = HASH_BLOCK };

	memcpy(image.state, state, sizeof(image.state));
	return crypto_shash_import(desc, &image);
}

/* HMAC over len bytes at data, and tail_len more; out has room for HASH_SIZE. */
static int hmac(struct crypto_shash *sha1, const struct srtp_session *session, const void *data,
		u32 len, const void *tail, u32 tail_len, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, sha1);
	u8 inner[HASH_SIZE];
	int err;

	desc->tfm = sha1;
	err = sha1_resume(desc, session->inner);
	if (!err)
		err = crypto_shash_update(desc, data, len);
	if (!err)
		err = crypto_shash_finup(desc, tail, tail_len, inner);
	if (!err)
		err = sha1_resume(desc, session->outer);
	return err ? err : crypto_shash_finup(desc, inner, sizeof(inner), out);
}

/* RFC 2202, test case 2; the states are those behind its key. */
static bool hmac_works(struct crypto_shash *sha1)
{
	static const struct srtp_session jefe = {
		.inner = { 0x624d8ea7, 0x3f2b1803, 0x9554b9e4, 0x28c065f5, 0xa9fcb98e },
		.outer = { 0x2088372a, 0xf50610a1, 0xf82f8b05, 0x8e4bfe32, 0x280b4e35 },
	};
	static const u8 want[HASH_SIZE] = {
		0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
		0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79,
	};
	static const char text[] = "what do ya want for nothing?";
	u8 got[HASH_SIZE];

	if (crypto_shash_statesize(sha1) > sizeof(struct sha1_image))
		return false;
	return !hmac(sha1, &jefe, text, sizeof(text) - 5, text + sizeof(text) - 5, 4, got) &&
	       !memcmp(got, want, sizeof(want));
}

struct crypto_shash *tandem_srtp_sha1(void)
{
	struct crypto_shash *sha1 = crypto_alloc_shash("sha1", 0, 0);

	if (IS_ERR(sha1) || hmac_works(sha1))
		return sha1;
	crypto_free_shash(sha1);
	return ERR_PTR(-EOPNOTSUPP);
}

int tandem_srtp_hmac(const struct tandem_srtp *srtp, struct srtp_job *job, const void *payload)
{
	const struct srtp_session *session =
		&srtp->keys[job->keys].session[srtp_session_of(job->flags)];
	const bool rtcp = job->flags & SRTP_J_RTCP;

	return hmac(srtp->sha1, session, payload, srtp_auth_len(job), &job->word,
		    rtcp ? 0 : sizeof(job->word), job->tag);
}

/* ---- AES-GCM ---- */

/* The pieces in the order of RFC 7714: associated data, text, tag. */
static void gcm_pieces(struct scatterlist *sg, const struct srtp_job *job, u8 *payload)
{
	const u32 text = job->body + GCM_TAG;

	if (!(job->flags & SRTP_J_RTCP)) {
		sg_init_one(sg, payload, job->head + text);
		return;
	}
	sg_init_table(sg, 3);
	sg_set_buf(&sg[0], payload, job->head);
	sg_set_buf(&sg[1], payload + job->head + text, SRTP_WORD);
	sg_set_buf(&sg[2], payload + job->head, text);
}

static int gcm_run(const struct tandem_srtp *srtp, struct crypto_aead *gcm,
		   const struct srtp_job *job, u8 *payload, bool seal)
{
	struct aead_request *req = *this_cpu_ptr(srtp->requests);
	const u32 word = job->flags & SRTP_J_RTCP ? SRTP_WORD : 0;
	struct scatterlist sg[3];
	u8 iv[sizeof(job->iv)];

	memcpy(iv, job->iv, sizeof(iv));
	gcm_pieces(sg, job, payload);
	aead_request_set_tfm(req, gcm);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, job->head + word);
	aead_request_set_crypt(req, sg, sg, job->body + (seal ? 0 : GCM_TAG), iv);
	return seal ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
}

/*
 * The kernel deciphers before it compares the tag. What is to stay as it came is ciphered again,
 * which gives the same bytes, and gets its own tag back.
 */
static int gcm_open(const struct tandem_srtp *srtp, struct crypto_aead *gcm,
		    const struct srtp_job *job, u8 *payload)
{
	u8 *at = payload + job->head + job->body, tag[GCM_TAG];
	int err;

	memcpy(tag, at, sizeof(tag));
	err = gcm_run(srtp, gcm, job, payload, false);
	if (!err && !(job->flags & SRTP_J_KEEP))
		return 0;
	if (gcm_run(srtp, gcm, job, payload, true))
		return -EIO;
	memcpy(at, tag, sizeof(tag));
	return err;
}

int tandem_srtp_gcm(const struct tandem_srtp *srtp, const struct srtp_job *job, void *payload,
		    const void *end)
{
	const struct srtp_cipher *c = cipher_of(srtp, job);

	if (!c || !c->gcm)
		return -ENOENT;
	/* Keys that have become another suite's may want more room than was asked for. */
	if ((u8 *)payload + job->head + job->body + GCM_TAG > (const u8 *)end)
		return -ENOSPC;
	return job->flags & SRTP_J_SEAL ? gcm_run(srtp, c->gcm, job, payload, true)
					: gcm_open(srtp, c->gcm, job, payload);
}
