/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static const struct {
	const char *name, *word;
	size_t size;
	const EVP_MD *(*md)(void);
} algs[TANDEM_DIGEST_ALGS] = {
	[TANDEM_DIGEST_SHA256] = { "SHA-256", "sha256", 32, EVP_sha256 },
	[TANDEM_DIGEST_MD5] = { "MD5", "md5", 16, EVP_md5 },
};

size_t tandem_digest_size(enum tandem_digest_alg alg)
{
	return algs[alg].size;
}

const char *tandem_digest_name(enum tandem_digest_alg alg)
{
	return algs[alg].name;
}

int tandem_digest_parse(enum tandem_digest_alg *alg, const char *word)
{
	unsigned int i;

	for (i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		if (!strcmp(algs[i].word, word)) {
			*alg = (enum tandem_digest_alg)i;
			return 0;
		}
	}

	return -EINVAL;
}

int tandem_user_check(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_.+!~*'";
	size_t len = strlen(name);

	return len && len < TANDEM_USER_SIZE && strspn(name, chars) == len ? 0 : -EINVAL;
}

int tandem_realm_check(const char *realm)
{
	size_t len = strlen(realm), i;

	if (!len || len >= TANDEM_REALM_SIZE)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (realm[i] < ' ' || realm[i] > '~' || realm[i] == '"' || realm[i] == '\\')
			return -EINVAL;
	}

	return 0;
}

/* Hash n texts with a colon between each two. */
static int hash(enum tandem_digest_alg alg, const struct tandem_digest_text *texts, size_t n,
		uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex(ctx, algs[alg].md(), NULL);
	size_t i;

	for (i = 0; i < n && ok; i++) {
		if (i)
			ok = EVP_DigestUpdate(ctx, ":", 1);
		ok = ok && EVP_DigestUpdate(ctx, texts[i].p, texts[i].len);
	}
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);

	return ok ? 0 : -ENOTSUP;
}

static void hex(char *text, const uint8_t *octets, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		text[2 * i] = digits[octets[i] >> 4];
		text[2 * i + 1] = digits[octets[i] & 15];
	}
}

int tandem_digest_ha1(enum tandem_digest_alg alg, const char *user, const char *realm,
		      const char *password, uint8_t out[TANDEM_DIGEST_MAX])
{
	const struct tandem_digest_text texts[] = {
		{ user, strlen(user) },
		{ realm, strlen(realm) },
		{ password, strlen(password) },
	};

	return hash(alg, texts, 3, out);
}

int tandem_digest_response(enum tandem_digest_alg alg, const uint8_t *ha1,
			   const struct tandem_digest_input *in, uint8_t out[TANDEM_DIGEST_MAX])
{
	const struct tandem_digest_text a2[] = { in->method, in->uri };
	char ha1_hex[2 * TANDEM_DIGEST_MAX], ha2_hex[2 * TANDEM_DIGEST_MAX];
	uint8_t ha2[TANDEM_DIGEST_MAX];
	size_t size = algs[alg].size;
	const struct tandem_digest_text all[] = {
		{ ha1_hex, 2 * size }, in->nonce, in->nc, in->cnonce, { "auth", 4 },
		{ ha2_hex, 2 * size },
	};
	const struct tandem_digest_text old[] = { all[0], all[1], all[5] };
	int err;

	err = hash(alg, a2, 2, ha2);
	if (err)
		return err;
	hex(ha1_hex, ha1, size);
	hex(ha2_hex, ha2, size);
	err = in->nc.len ? hash(alg, all, 6, out) : hash(alg, old, 3, out);
	OPENSSL_cleanse(ha1_hex, sizeof(ha1_hex));

	return err;
}
