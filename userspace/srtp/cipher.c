/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/srtp/cipher.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/srtp_job.h"
#include "userspace/srtp/backend.h"
#include "userspace/srtp/sha1.h"

#define LINE ((uintptr_t)64)

struct tandem_ciphers {
	const struct tandem_cipher_backend *backend;
	struct tandem_cipher *entry; /* in memory, */
	void *memory;		     /* whose untouched pages cost nothing */
	uint32_t count;
};

/* Each packet is of another set of keys: without this, most of its time is page walks. */
static void use_large_pages(void *memory, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)memory + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);

	if (start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}

int tandem_ciphers_alloc(struct tandem_ciphers **ciphersp, uint32_t count,
			 const struct tandem_cipher_backend *backend)
{
	struct tandem_ciphers *c = calloc(1, sizeof(*c));
	const size_t size = (size_t)count * sizeof(c->entry[0]) + LINE;

	if (!c)
		return -ENOMEM;
	c->memory = calloc(1, size);
	if (!c->memory) {
		free(c);
		return -ENOMEM;
	}
	use_large_pages(c->memory, size);
	c->entry = (struct tandem_cipher *)(((uintptr_t)c->memory + LINE - 1) & ~(LINE - 1));
	if (!backend)
		backend = tandem_ipsec_mb();
	c->backend = backend ? backend : &tandem_openssl;
	c->count = count;
	*ciphersp = c;
	return 0;
}

static void wipe(struct tandem_ciphers *ciphers, struct tandem_cipher *c)
{
	if (c->own)
		ciphers->backend->clear(c);
	if (c->suite != SRTP_SUITE_NONE)
		OPENSSL_cleanse(c, sizeof(*c));
}

void tandem_ciphers_free(struct tandem_ciphers *ciphers)
{
	if (!ciphers)
		return;
	for (uint32_t i = 0; i < ciphers->count; i++)
		wipe(ciphers, &ciphers->entry[i]);
	free(ciphers->memory);
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
	if (keys->suite != SRTP_NULL_HMAC_SHA1_80)
		err = ciphers->backend->set(c, keys);
	if (!err)
		c->suite = keys->suite;
	return err;
}

bool tandem_cipher_able(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite)
{
	const struct tandem_cipher *c = &ciphers->entry[index];

	if (index >= ciphers->count)
		return false;
	for (size_t line = 1; line < sizeof(*c) / LINE / 2; line++)
		__builtin_prefetch((const char *)c + line * LINE);
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
