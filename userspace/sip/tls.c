/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* libre shows its OpenSSL context only to those who ask for it */
#define USE_OPENSSL 1
#include "userspace/sip/libre.h"
#include <re_srtp.h>
#include <re_tls.h>

#include "userspace/util/log.h"

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

struct tandem_sip_tls {
	struct tls *tls;
	char *certificate;
	char *key;
	int verify; /* of clients: OpenSSL's SSL_VERIFY_ */
	struct timespec changed[2];
};

static int refuse(char *why, size_t size, const char *what, const char *file)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(why, size, "%s %s: %s", what, file, reason ? reason : "cannot be used");
	ERR_clear_error();

	return -EINVAL;
}

static int verify_mode(int *mode, const char *word)
{
	if (!word || !strcmp(word, "none"))
		*mode = SSL_VERIFY_NONE;
	else if (!strcmp(word, "request"))
		*mode = SSL_VERIFY_PEER;
	else if (!strcmp(word, "require"))
		*mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	else
		return -EINVAL;

	return 0;
}

/* The context checks servers; what is asked of a client is only known to differ here. */
static int client_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tandem_sip_tls *tls = arg;

	(void)alert;
	SSL_set_verify(ssl, tls->verify, NULL);

	return SSL_CLIENT_HELLO_SUCCESS;
}

static void note_times(const struct tandem_sip_tls *tls, struct timespec times[2])
{
	const char *const files[] = { tls->certificate, tls->key };
	struct stat st;
	size_t i;

	memset(times, 0, 2 * sizeof(*times));
	for (i = 0; i < 2; i++) {
		if (!stat(files[i], &st))
			times[i] = st.st_mtim;
	}
}

/* A key that needs a password cannot be used: nobody is there to be asked. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;

	return 0;
}

static int use_files(SSL_CTX *ctx, const struct tandem_sip_tls *tls, char *why, size_t size)
{
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	if (SSL_CTX_use_certificate_chain_file(ctx, tls->certificate) != 1)
		return refuse(why, size, "certificate", tls->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, tls->key, SSL_FILETYPE_PEM) != 1)
		return refuse(why, size, "key", tls->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return refuse(why, size, "key", tls->key);

	return 0;
}

/* In a context that nobody uses: half of a new pair must not get into the one that is used. */
static int try_files(const struct tandem_sip_tls *tls, char *why, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	int err;

	if (!ctx)
		return -ENOMEM;
	err = use_files(ctx, tls, why, size);
	SSL_CTX_free(ctx);

	return err;
}

static int load(struct tandem_sip_tls *tls, char *why, size_t size)
{
	int err = try_files(tls, why, size);

	return err ? err : use_files(tls_openssl_context(tls->tls), tls, why, size);
}

static int set_up(struct tandem_sip_tls *tls, const struct tandem_sip_tls_config *cfg, char *why,
		  size_t size)
{
	SSL_CTX *ctx = tls_openssl_context(tls->tls);
	STACK_OF(X509_NAME) * names;

	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1)
		return refuse(why, size, "TLS", "ciphers");
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_client_hello_cb(ctx, client_hello, tls);

	if (!cfg->ca)
		return SSL_CTX_set_default_verify_paths(ctx) == 1
			       ? 0
			       : refuse(why, size, "authorities", "of the host");
	names = SSL_load_client_CA_file(cfg->ca);
	if (!names || SSL_CTX_load_verify_locations(ctx, cfg->ca, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return refuse(why, size, "authorities", cfg->ca);
	}
	SSL_CTX_set_client_CA_list(ctx, names);

	return 0;
}

int tandem_sip_tls_alloc(struct tandem_sip_tls **tlsp, const struct tandem_sip_tls_config *cfg,
			 char *why, size_t size)
{
	struct tandem_sip_tls *tls;
	int err;

	if (!cfg->certificate) {
		snprintf(why, size, "TLS needs sip.tls.certificate");
		return -EINVAL;
	}
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return -ENOMEM;
	err = verify_mode(&tls->verify, cfg->client);
	if (err) {
		snprintf(why, size, "'%.40s' is none of none, request, require", cfg->client);
		goto out;
	}
	err = -str_dup(&tls->certificate, cfg->certificate);
	/* both in one file is common */
	if (!err)
		err = -str_dup(&tls->key, cfg->key ? cfg->key : cfg->certificate);
	if (!err)
		err = -tls_alloc(&tls->tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (!err)
		err = set_up(tls, cfg, why, size);
	if (!err)
		note_times(tls, tls->changed);
	if (!err)
		err = load(tls, why, size);

out:
	if (err)
		tandem_sip_tls_free(tls);
	else
		*tlsp = tls;

	return err;
}

void tandem_sip_tls_free(struct tandem_sip_tls *tls)
{
	if (!tls)
		return;
	mem_deref(tls->tls);
	mem_deref(tls->certificate);
	mem_deref(tls->key);
	free(tls);
}

int tandem_sip_tls_reload(struct tandem_sip_tls *tls, bool always)
{
	struct timespec now[2];
	char why[256] = "out of memory";
	int err;

	if (!tls)
		return 0;
	note_times(tls, now);
	if (!always && !memcmp(now, tls->changed, sizeof(now)))
		return 0;
	memcpy(tls->changed, now, sizeof(now));
	err = load(tls, why, sizeof(why));
	if (err)
		tandem_log(TANDEM_LOG_ERROR, "sip", "the old certificate stays in use: %s", why);
	else
		tandem_log(TANDEM_LOG_INFO, "sip", "certificate read again from %s",
			   tls->certificate);

	return err ? err : 1;
}

struct tls *tandem_sip_tls_context(struct tandem_sip_tls *tls)
{
	return tls ? tls->tls : NULL;
}
