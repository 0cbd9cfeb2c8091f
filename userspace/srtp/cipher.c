/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/srtp/cipher.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/srtp_job.h"
#include "core/srtp_suite.h"
#include "userspace/srtp/backend.h"
#include "userspace/srtp/sha1.h"
#include "userspace/util/sparse.h"

#define LINES_128 3 /* of struct tandem_cipher, with round keys of 128 bits for RTP */
#define LINES_256 4

struct tandem_ciphers {
	const struct tandem_cipher_backend *backend;
	struct tandem_cipher *entry; /* sparse, as is room: */
	uint8_t *room;		     /* of the backend's; NULL: it has none */
	uint32_t count;
};

/* Each packet is of another set of keys: without large pages, most of its time is page walks. */
static void *array_alloc(size_t count, size_t size)
{
	void *array = tandem_sparse_alloc(count, size);

	if (array) {
		madvise(array, count * size, MADV_HUGEPAGE);
		madvise(array, count * size, MADV_DONTDUMP);
	}
	return array;
}

int tandem_ciphers_alloc(struct tandem_ciphers **ciphersp, uint32_t count,
			 const struct tandem_cipher_backend *backend)
{
	struct tandem_ciphers *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (!backend)
		backend = tandem_ipsec_mb();
	c->backend = backend ? backend : &tandem_openssl;
	c->count = count;
	c->entry = array_alloc(count, sizeof(*c->entry));
	if (c->backend->room)
		c->room = array_alloc(count, c->backend->room);
	if (!c->entry || (c->backend->room && !c->room)) {
		tandem_ciphers_free(c);
		return -ENOMEM;
	}
	*ciphersp = c;
	return 0;
}

static void wipe(struct tandem_ciphers *ciphers, struct tandem_cipher *c)
{
	if (c->own && ciphers->room)
		OPENSSL_cleanse(c->own, ciphers->backend->room);
	else if (c->own)
		ciphers->backend->clear(c);
	if (c->suite != SRTP_SUITE_NONE)
		OPENSSL_cleanse(c, sizeof(*c));
}

void tandem_ciphers_free(struct tandem_ciphers *ciphers)
{
	if (!ciphers)
		return;
	for (uint32_t i = 0; ciphers->entry && i < ciphers->count; i++)
		wipe(ciphers, &ciphers->entry[i]);
	tandem_sparse_free(ciphers->entry, ciphers->count, sizeof(*ciphers->entry));
	tandem_sparse_free(ciphers->room, ciphers->count, ciphers->backend->room);
	free(ciphers);
}

int tandem_ciphers_set(struct tandem_ciphers *ciphers, uint32_t index, const struct srtp_keys *keys)
{
	struct tandem_cipher *c;
	int err = 0;

	if (index >= ciphers->count || (keys && keys->suite >= SRTP_SUITES))
		return -EINVAL;
	c = &ciphers->entry[index];
	wipe(ciphers, c);
	if (!keys)
		return 0;
	if (srtp_is_aead(keys->suite) && ciphers->room)
		c->own = ciphers->room + index * ciphers->backend->room;
	if (keys->suite != SRTP_NULL_HMAC_SHA1_80)
		err = ciphers->backend->set(c, keys);
	if (!err)
		c->suite = keys->suite;
	return err;
}

void tandem_cipher_touch(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite)
{
	const struct tandem_cipher *c = &ciphers->entry[index];
	const size_t lines = srtp_key_len(suite) == 32 ? LINES_256 : LINES_128;

	if (index >= ciphers->count)
		return;
	__builtin_prefetch(c);
	if (!srtp_is_aead(suite)) {
		for (size_t line = 1; line < lines; line++)
			__builtin_prefetch((const char *)c + line * CACHE_LINE);
	} else if (ciphers->room && ciphers->backend->touch) {
		ciphers->backend->touch(ciphers->room + index * ciphers->backend->room);
	}
}

bool tandem_cipher_able(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite)
{
	const struct tandem_cipher *c = &ciphers->entry[index];

	if (index >= ciphers->count)
		return false;
	tandem_cipher_touch(ciphers, index, suite);
	return c->suite == suite;
}

int tandem_cipher_ctr(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload)
{
	return ciphers->backend->ctr(&ciphers->entry[job->keys], job,
				     (uint8_t *)payload + job->head);
}

int tandem_cipher_hmac(const struct srtp_keys *keys, struct srtp_job *job, const void *payload)
{
	const bool rtcp = job->flags & SRTP_J_RTCP;

	tandem_hmac(job->tag, &keys->session[srtp_session_of(job->flags)], payload,
		    srtp_auth_len(job), &job->word, rtcp ? 0 : sizeof(job->word));
	return 0;
}

int tandem_cipher_gcm(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload)
{
	return ciphers->backend->gcm(&ciphers->entry[job->keys], job, payload);
}
