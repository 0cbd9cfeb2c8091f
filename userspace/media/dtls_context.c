/* SPDX-License-Identifier: GPL-2.0-only */
/* What all associations have in common: certificate, parameters, the way in and out. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/media/dtls_local.h"

#define DAY_S	     86400L
#define VALID_DAYS   365
#define MESSAGE_MAX  16384 /* of a handshake: a chain of certificates, at most */
#define IP_OVERHEAD  48
#define PROFILES_LEN 128

/* RFC 8827 section 6.5 asks for the first; the others with RSA are for peers' certificates. */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-"        \
	"POLY1305:"                                                                                \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* RFC 5764 section 4.1.2, RFC 7714 section 14.2 */
static const struct {
	uint8_t suite;
	uint16_t id;
	const char *name;
} profiles[] = {
	{ SRTP_AEAD_AES_128_GCM, 0x0007, "SRTP_AEAD_AES_128_GCM" },
	{ SRTP_AEAD_AES_256_GCM, 0x0008, "SRTP_AEAD_AES_256_GCM" },
	{ SRTP_AES_CM_128_HMAC_SHA1_80, 0x0001, "SRTP_AES128_CM_SHA1_80" },
	{ SRTP_AES_CM_128_HMAC_SHA1_32, 0x0002, "SRTP_AES128_CM_SHA1_32" },
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

/* ---- the way in and out ---- */

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tandem_dtls *a = BIO_get_data(bio);

	if (len > 0)
		a->cfg.ops->send(data, (size_t)len, a->cfg.arg);
	return len;
}

static int bio_read(BIO *bio, char *data, int size)
{
	struct tandem_dtls *a = BIO_get_data(bio);
	size_t len = a->in_len;

	if (!len || size <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	BIO_clear_retry_flags(bio);
	if (len > (size_t)size)
		len = (size_t)size;
	memcpy(data, a->in, len);
	a->in_len = 0;
	return (int)len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	const struct tandem_dtls *a = BIO_get_data(bio);

	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_PENDING:
		return (long)a->in_len;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return TANDEM_DTLS_MTU;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return IP_OVERHEAD;
	default:
		return 0;
	}
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagrams");

	if (!m)
		return NULL;
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_ctrl(m, bio_ctrl);
	return m;
}

void tandem_dtls_ssl_lend(SSL *ssl, struct tandem_dtls *a)
{
	SSL_set_app_data(ssl, a);
	BIO_set_data(SSL_get_rbio(ssl), a);
}

static unsigned int interval(SSL *ssl, unsigned int last_us)
{
	struct tandem_dtls *a = SSL_get_app_data(ssl);

	if (!last_us)
		return a->ctx->retransmit_ms * 1000;
	a->ctx->counters.retransmitted++;
	return last_us < TANDEM_DTLS_RETRANSMIT_MAX * 500 ? last_us * 2
							  : TANDEM_DTLS_RETRANSMIT_MAX * 1000;
}

SSL *tandem_dtls_ssl_new(struct tandem_dtls *a)
{
	SSL *ssl = SSL_new(a->ctx->ssl);
	BIO *bio = ssl ? BIO_new(a->ctx->bio) : NULL;

	if (!bio) {
		SSL_free(ssl);
		return NULL;
	}
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_mtu(ssl, TANDEM_DTLS_MTU);
	DTLS_set_timer_cb(ssl, interval);
	tandem_dtls_ssl_lend(ssl, a);
	if (a->cfg.client)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- handlers of OpenSSL's ---- */

/* Whose certificate it has to be is in the description, and is looked at in the end. */
static int take_any(X509_STORE_CTX *store, void *arg)
{
	return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tandem_dtls *a = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		a->alert = value;
}

/*
 * An association belongs to one address, so a cookie need not tell addresses apart; that it
 * cannot be guessed is enough.
 */
static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
	struct tandem_dtls *a = SSL_get_app_data(ssl);

	memcpy(cookie, a->cookie, sizeof(a->cookie));
	*len = sizeof(a->cookie);
	a->ctx->counters.cookies++;
	return 1;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
	const struct tandem_dtls *a = SSL_get_app_data(ssl);

	return len == sizeof(a->cookie) && CRYPTO_memcmp(cookie, a->cookie, len) == 0;
}

/* ---- the certificate ---- */

static int fill_certificate(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);
	uint64_t serial;

	if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		return 0;
	return X509_set_version(cert, X509_VERSION_3) &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S * VALID_DAYS) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"media",
					  -1, -1, 0) &&
	       X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
	       X509_sign(cert, key, EVP_sha256());
}

int tandem_dtls_certificate_hash(const X509 *cert, uint8_t hash,
				 struct tandem_dtls_fingerprint *out)
{
	const EVP_MD *md = hash == TANDEM_DTLS_SHA384	? EVP_sha384()
			   : hash == TANDEM_DTLS_SHA512 ? EVP_sha512()
							: EVP_sha256();
	unsigned int len = 0;

	memset(out, 0, sizeof(*out));
	if (X509_digest(cert, md, out->value, &len) != 1)
		return -EIO;
	out->hash = hash;
	out->len = (uint8_t)len;
	return 0;
}

static int use_certificate(struct tandem_dtls_context *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	int err = -EIO;

	if (key && cert && fill_certificate(cert, key) &&
	    SSL_CTX_use_certificate(ctx->ssl, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx->ssl, key) == 1)
		err = tandem_dtls_certificate_hash(cert, TANDEM_DTLS_SHA256, &ctx->fingerprint);
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}

/* ---- parameters ---- */

static int find_profile(uint8_t suite)
{
	for (size_t i = 0; i < PROFILES; i++) {
		if (profiles[i].suite == suite)
			return (int)i;
	}
	return -EINVAL;
}

uint8_t tandem_dtls_agreed_suite(SSL *ssl)
{
	const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(ssl);

	for (size_t i = 0; p && i < PROFILES; i++) {
		if (profiles[i].id == p->id)
			return profiles[i].suite;
	}
	return SRTP_SUITE_NONE;
}

/* In the order wanted, or that of the table. */
static int use_profiles(SSL_CTX *ssl, const uint8_t *suites)
{
	char names[PROFILES_LEN] = "";
	unsigned int seen = 0;
	size_t len = 0;
	int k;

	for (size_t i = 0; i < PROFILES; i++) {
		if (suites && !suites[i])
			break;
		k = suites ? find_profile(suites[i]) : (int)i;
		if (k < 0 || seen & 1U << k)
			return -EINVAL;
		seen |= 1U << k;
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ":" : "",
					profiles[k].name);
	}
	return SSL_CTX_set_tlsext_use_srtp(ssl, names) ? -EIO : 0;
}

static int use_parameters(SSL_CTX *ssl)
{
	if (!SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(ssl, CIPHERS) || !SSL_CTX_set1_groups_list(ssl, GROUPS))
		return -EIO;
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ssl, MESSAGE_MAX);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, take_any, NULL);
	SSL_CTX_set_info_callback(ssl, on_info);
	SSL_CTX_set_cookie_generate_cb(ssl, cookie_make);
	SSL_CTX_set_cookie_verify_cb(ssl, cookie_check);
	return 0;
}

/* ---- life ---- */

int tandem_dtls_context_alloc(struct tandem_dtls_context **ctxp,
			      const struct tandem_dtls_context_config *cfg)
{
	struct tandem_dtls_context *ctx = calloc(1, sizeof(*ctx));
	int err;

	if (!ctx)
		return -ENOMEM;
	ctx->refs = 1;
	ctx->handshake_ms = cfg && cfg->handshake_ms ? cfg->handshake_ms : TANDEM_DTLS_HANDSHAKE_MS;
	ctx->retransmit_ms = cfg && cfg->retransmit_ms ? cfg->retransmit_ms
						       : TANDEM_DTLS_RETRANSMIT_MS;
	ctx->linger_ms = cfg ? cfg->linger_ms : 0;
	ctx->ssl = SSL_CTX_new(DTLS_method());
	ctx->bio = bio_method();
	err = ctx->ssl && ctx->bio ? use_parameters(ctx->ssl) : -ENOMEM;
	if (!err)
		err = use_profiles(ctx->ssl, cfg && cfg->suites[0] ? cfg->suites : NULL);
	if (!err)
		err = use_certificate(ctx);
	ERR_clear_error();
	if (err)
		tandem_dtls_context_put(ctx);
	else
		*ctxp = ctx;
	return err;
}

void tandem_dtls_context_put(struct tandem_dtls_context *ctx)
{
	if (!ctx || --ctx->refs)
		return;
	SSL_free(ctx->listener);
	SSL_CTX_free(ctx->ssl);
	BIO_meth_free(ctx->bio);
	free(ctx);
}

const struct tandem_dtls_fingerprint *tandem_dtls_context_fingerprint(
	const struct tandem_dtls_context *ctx)
{
	return &ctx->fingerprint;
}

const struct tandem_dtls_counters *tandem_dtls_context_counters(
	const struct tandem_dtls_context *ctx)
{
	return &ctx->counters;
}
