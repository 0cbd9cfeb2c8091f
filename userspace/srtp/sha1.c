/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block function is among what OpenSSL 3 would rather not have called. Its successor,
 * EVP_MAC, has no way to begin at a state, and takes a multiple of the time for packets as
 * short as these.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "userspace/srtp/sha1.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

/* RFC 2104 section 2 */
#define IPAD 0x36
#define OPAD 0x5c

static void load(SHA_CTX *sha, const uint32_t state[SRTP_SHA1_WORDS])
{
	sha->h0 = state[0];
	sha->h1 = state[1];
	sha->h2 = state[2];
	sha->h3 = state[3];
	sha->h4 = state[4];
}

static void store(uint32_t state[SRTP_SHA1_WORDS], const SHA_CTX *sha)
{
	state[0] = sha->h0;
	state[1] = sha->h1;
	state[2] = sha->h2;
	state[3] = sha->h3;
	state[4] = sha->h4;
}

/* The state as octets. */
static void write_state(uint8_t *out, const SHA_CTX *sha)
{
	const uint32_t words[SRTP_SHA1_WORDS] = {
		htobe32(sha->h0), htobe32(sha->h1), htobe32(sha->h2),
		htobe32(sha->h3), htobe32(sha->h4),
	};

	memcpy(out, words, sizeof(words));
}

/* The last blocks: used octets of them are there, total are hashed; then the padding. */
static void finish(SHA_CTX *sha, uint8_t *block, size_t used, size_t total)
{
	const size_t size = used + 9 > SHA_CBLOCK ? 2 * SHA_CBLOCK : SHA_CBLOCK;
	const uint64_t bits = htobe64((uint64_t)total * 8);

	block[used] = 0x80;
	memset(block + used + 1, 0, size - used - 1 - sizeof(bits));
	memcpy(block + size - sizeof(bits), &bits, sizeof(bits));
	SHA1_Transform(sha, block);
	if (size > SHA_CBLOCK)
		SHA1_Transform(sha, block + SHA_CBLOCK);
}

static void pad_state(uint32_t state[SRTP_SHA1_WORDS], const uint8_t *key, size_t len, uint8_t pad)
{
	uint8_t block[SHA_CBLOCK];
	SHA_CTX sha;

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < len && i < sizeof(block); i++)
		block[i] ^= key[i];
	SHA1_Init(&sha);
	SHA1_Transform(&sha, block);
	store(state, &sha);
	OPENSSL_cleanse(block, sizeof(block));
}

void tandem_hmac_states(uint32_t inner[SRTP_SHA1_WORDS], uint32_t outer[SRTP_SHA1_WORDS],
			const uint8_t *key, size_t len)
{
	pad_state(inner, key, len, IPAD);
	pad_state(outer, key, len, OPAD);
}

void tandem_hmac(uint8_t out[20], const struct srtp_session *session, const uint8_t *data,
		 size_t len, const void *more, size_t more_len)
{
	const size_t total = SHA_CBLOCK + len + more_len;
	uint8_t block[2 * SHA_CBLOCK];
	SHA_CTX sha;

	load(&sha, session->inner);
	for (; len >= SHA_CBLOCK; len -= SHA_CBLOCK, data += SHA_CBLOCK)
		SHA1_Transform(&sha, data);
	memcpy(block, data, len);
	memcpy(block + len, more, more_len);
	finish(&sha, block, len + more_len, total);

	write_state(block, &sha);
	load(&sha, session->outer);
	finish(&sha, block, SHA_DIGEST_LENGTH, SHA_CBLOCK + SHA_DIGEST_LENGTH);
	write_state(out, &sha);
}
