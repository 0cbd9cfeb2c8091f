/* SPDX-License-Identifier: GPL-2.0-only */
/* The arithmetic of digest authentication with qop=auth: RFC 7616 section 3.4, RFC 8760. */
#ifndef TANDEM_UTIL_DIGEST_H
#define TANDEM_UTIL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* In order of preference. */
enum tandem_digest_alg {
	TANDEM_DIGEST_SHA256,
	TANDEM_DIGEST_MD5,
	TANDEM_DIGEST_ALGS,
};

#define TANDEM_DIGEST_MAX 32 /* octets of the longest hash */

/* What may be the name of a user and of a realm, NUL included. */
#define TANDEM_USER_SIZE  65
#define TANDEM_REALM_SIZE 65

/* Octets of a hash: 32 or 16. */
size_t tandem_digest_size(enum tandem_digest_alg alg);

/* The name on the wire: "SHA-256", "MD5". */
const char *tandem_digest_name(enum tandem_digest_alg alg);

/* From the word of the configuration: "sha256", "md5". 0 or -EINVAL. */
int tandem_digest_parse(enum tandem_digest_alg *alg, const char *word);

/* Letters, digits and -_.+!~*' only: what stands in a SIP URI without escapes. 0 or -EINVAL. */
int tandem_user_check(const char *name);

/* Printable ASCII without quotation mark and backslash, not empty. 0 or -EINVAL. */
int tandem_realm_check(const char *realm);

/*
 * H(user:realm:password), which is all of a password that is kept. Writes
 * tandem_digest_size(alg) octets. 0, or -ENOTSUP where the library refuses the algorithm.
 */
int tandem_digest_ha1(enum tandem_digest_alg alg, const char *user, const char *realm,
		      const char *password, uint8_t out[TANDEM_DIGEST_MAX]);

/* A piece of text, not terminated. */
struct tandem_digest_text {
	const char *p;
	size_t len;
};

/* What the response is made of, besides the password. */
struct tandem_digest_input {
	struct tandem_digest_text method, uri, nonce, nc, cnonce;
};

/*
 * The response for qop=auth, or where nc is empty without qop (RFC 2617 section 3.2.2.1), as
 * octets. ha1 is that of tandem_digest_ha1(). 0 or -ENOTSUP.
 */
int tandem_digest_response(enum tandem_digest_alg alg, const uint8_t *ha1,
			   const struct tandem_digest_input *in, uint8_t out[TANDEM_DIGEST_MAX]);

#endif
