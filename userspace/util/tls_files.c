/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "userspace/util/log.h"

struct tandem_tls_files {
	char *certificate;
	char *key;
	struct timespec changed[2];
	SSL_CTX *ctx; /* only holds them: no connection is made of it */
};

int tandem_tls_refuse(char *why, size_t size, const char *what, const char *file)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(why, size, "%s %s: %s", what, file, reason ? reason : "cannot be used");
	ERR_clear_error();

	return -EINVAL;
}

static void note_times(const struct tandem_tls_files *files, struct timespec times[2])
{
	const char *const paths[] = { files->certificate, files->key };
	struct stat st;
	size_t i;

	memset(times, 0, 2 * sizeof(*times));
	for (i = 0; i < 2; i++) {
		if (!stat(paths[i], &st))
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

static int read_into(SSL_CTX *ctx, const struct tandem_tls_files *files, char *why, size_t size)
{
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
		return tandem_tls_refuse(why, size, "certificate", files->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1)
		return tandem_tls_refuse(why, size, "key", files->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tandem_tls_refuse(why, size, "key", files->key);

	return 0;
}

/* Into a context of their own: half of a new pair must not get among those that are used. */
static int load(struct tandem_tls_files *files, char *why, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	int err;

	if (!ctx)
		return -ENOMEM;
	err = read_into(ctx, files, why, size);
	if (err) {
		SSL_CTX_free(ctx);
		return err;
	}
	SSL_CTX_free(files->ctx);
	files->ctx = ctx;

	return 0;
}

int tandem_tls_files_alloc(struct tandem_tls_files **filesp, const char *certificate,
			   const char *key, char *why, size_t size)
{
	struct tandem_tls_files *files = calloc(1, sizeof(*files));
	int err = -ENOMEM;

	if (!files)
		return err;
	files->certificate = strdup(certificate);
	files->key = strdup(key ? key : certificate);
	if (files->certificate && files->key) {
		note_times(files, files->changed);
		err = load(files, why, size);
	}
	if (err)
		tandem_tls_files_free(files);
	else
		*filesp = files;

	return err;
}

void tandem_tls_files_free(struct tandem_tls_files *files)
{
	if (!files)
		return;
	SSL_CTX_free(files->ctx);
	free(files->certificate);
	free(files->key);
	free(files);
}

int tandem_tls_files_reload(struct tandem_tls_files *files, bool always)
{
	struct timespec now[2];
	char why[256] = "out of memory";
	int err;

	note_times(files, now);
	if (!always && !memcmp(now, files->changed, sizeof(now)))
		return 0;
	memcpy(files->changed, now, sizeof(now));
	err = load(files, why, sizeof(why));
	if (err)
		tandem_log(TANDEM_LOG_ERROR, "tls", "the old certificate stays in use: %s", why);
	else
		tandem_log(TANDEM_LOG_INFO, "tls", "certificate read again from %s",
			   files->certificate);

	return err ? err : 1;
}

bool tandem_tls_files_use(const struct tandem_tls_files *files, SSL *ssl)
{
	STACK_OF(X509) *chain = NULL;

	/* with a key of another kind beside it, the other certificate could be chosen */
	SSL_certs_clear(ssl);

	return SSL_CTX_get0_chain_certs(files->ctx, &chain) == 1 &&
	       SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(files->ctx),
				    SSL_CTX_get0_privatekey(files->ctx), chain, 1) == 1;
}

X509 *tandem_tls_files_certificate(const struct tandem_tls_files *files)
{
	return SSL_CTX_get0_certificate(files->ctx);
}

bool tandem_tls_show(SSL_CTX *ssl, const char *certificate, const char *key)
{
	if (SSL_CTX_use_certificate_chain_file(ssl, certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) == 1)
		return true;
	tandem_log(TANDEM_LOG_ERROR, "tls", "certificate %s cannot be used", certificate);
	return false;
}
