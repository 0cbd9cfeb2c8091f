/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/srtp/kdf.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/srtp/sha1.h"

#define AES_BLOCK 16

/* Where the label goes: the key_id has 56 bits and ends with the salt's 14 octets. */
#define LABEL_OFF 7

#define AUTH_KEY_LEN 20 /* RFC 3711 section 8.2; RFC 6188 section 4 */

/* RFC 3711 section 4.3.2: the three of RTP, then those of RTCP */
enum label {
	LABEL_KEY,
	LABEL_AUTH,
	LABEL_SALT,
	LABELS,
};

int tandem_srtp_prf(uint8_t *out, size_t size, uint8_t label, uint8_t suite, const uint8_t *key,
		    const uint8_t *salt)
{
	const EVP_CIPHER *aes = srtp_key_len(suite) == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[AES_BLOCK] = { 0 };
	int err = -ENOMEM, done = 0;

	memcpy(iv, salt, srtp_salt_len(suite));
	iv[LABEL_OFF] ^= label;
	memset(out, 0, size);
	if (ctx && EVP_EncryptInit_ex(ctx, aes, NULL, key, iv) &&
	    EVP_EncryptUpdate(ctx, out, &done, out, (int)size))
		err = 0;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

static int derive_session(struct srtp_session *s, uint8_t labels, uint8_t suite, const uint8_t *key,
			  const uint8_t *salt)
{
	uint8_t auth[AUTH_KEY_LEN];
	int err;

	err = tandem_srtp_prf(s->key, srtp_key_len(suite), labels + LABEL_KEY, suite, key, salt);
	if (!err)
		err = tandem_srtp_prf(s->salt, srtp_salt_len(suite), labels + LABEL_SALT, suite,
				      key, salt);
	if (err || srtp_is_aead(suite))
		return err;
	err = tandem_srtp_prf(auth, sizeof(auth), labels + LABEL_AUTH, suite, key, salt);
	if (!err)
		tandem_hmac_states(s->inner, s->outer, auth, sizeof(auth));
	OPENSSL_cleanse(auth, sizeof(auth));
	return err;
}

int tandem_srtp_derive(struct srtp_keys *keys, uint8_t suite, const uint8_t *key,
		       const uint8_t *salt)
{
	struct srtp_session session[2] = { 0 };
	int err;

	if (suite == SRTP_SUITE_NONE || suite >= SRTP_SUITES)
		return -EINVAL;
	err = derive_session(&session[SRTP_RTP], 0, suite, key, salt);
	if (!err)
		err = derive_session(&session[SRTP_RTCP], LABELS, suite, key, salt);
	if (!err) {
		keys->suite = suite;
		keys->tag_len[SRTP_RTP] = (uint8_t)srtp_tag_len(suite, SRTP_RTP);
		keys->tag_len[SRTP_RTCP] = (uint8_t)srtp_tag_len(suite, SRTP_RTCP);
		memcpy(keys->session, session, sizeof(session));
	}
	OPENSSL_cleanse(session, sizeof(session));
	return err;
}
