/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/tls.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libre shows its OpenSSL context only to those who ask for it */
#define USE_OPENSSL 1
#include "userspace/sip/libre.h"
#include <re_srtp.h>
#include <re_tls.h>

#include "userspace/sip/tls_name.h"
#include "userspace/sip/tls_peer.h"
#include "userspace/util/tls_files.h"

#define FILES_MAX 512 /* of the listeners, and of gateways */

struct tandem_sip_tls {
	struct tls *tls;
	struct tandem_tls_files *files[FILES_MAX]; /* the first is the one without a name */
	size_t files_count;
	size_t served; /* of them, those for who connects; the others are of gateways */
	int verify;    /* of clients: OpenSSL's SSL_VERIFY_ */
	struct tandem_tls_peers peers;
};

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

static void info(const SSL *ssl, int where, int ret)
{
	(void)ret;
	if ((where & SSL_CB_HANDSHAKE_START) && !SSL_is_server(ssl))
		tandem_tls_peer_begin(ssl);
}

static const struct tandem_tls_files *files_for(const struct tandem_sip_tls *tls, const char *name)
{
	size_t i;

	for (i = 0; name && i < tls->served; i++) {
		if (tandem_tls_files_serve(tls->files[i], name))
			return tls->files[i];
	}

	return tls->files[0];
}

/* A certificate has to be shown: to a client the one for the name it asks for. */
static int show(SSL *ssl, void *arg)
{
	const struct tandem_sip_tls *tls = arg;
	const struct tandem_tls_files *files =
		SSL_is_server(ssl)
			? files_for(tls, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
			: tandem_tls_peer_own(ssl);

	return tandem_tls_files_use(files ? files : tls->files[0], ssl);
}

static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	int ret = X509_verify_cert(store);

	(void)arg;
	if (ret <= 0 || SSL_is_server(ssl) ||
	    tandem_tls_peer_is(ssl, X509_STORE_CTX_get0_cert(store)))
		return ret;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);

	return 0;
}

static int set_up(struct tandem_sip_tls *tls, const struct tandem_sip_tls_config *cfg, char *why,
		  size_t size)
{
	SSL_CTX *ctx = tls_openssl_context(tls->tls);
	STACK_OF(X509_NAME) * names;

	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, TANDEM_TLS_CIPHERS) != 1)
		return tandem_tls_refuse(why, size, "TLS", "ciphers");
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_client_hello_cb(ctx, client_hello, tls);
	SSL_CTX_set_info_callback(ctx, info);
	SSL_CTX_set_cert_cb(ctx, show, tls);
	SSL_CTX_set_cert_verify_callback(ctx, verify, tls);

	if (!cfg->ca)
		return SSL_CTX_set_default_verify_paths(ctx) == 1
			       ? 0
			       : tandem_tls_refuse(why, size, "authorities", "of the host");
	names = SSL_load_client_CA_file(cfg->ca);
	if (!names || SSL_CTX_load_verify_locations(ctx, cfg->ca, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return tandem_tls_refuse(why, size, "authorities", cfg->ca);
	}
	SSL_CTX_set_client_CA_list(ctx, names);

	return 0;
}

int tandem_sip_tls_read(struct tandem_sip_tls *tls, const struct tandem_tls_files **filesp,
			const char *certificate, const char *key, char *why, size_t size)
{
	int err;

	if (tls->files_count == FILES_MAX) {
		snprintf(why, size, "more than %d certificates", FILES_MAX);
		return -ENOSPC;
	}
	err = tandem_tls_files_alloc(&tls->files[tls->files_count], certificate, key, why, size);
	if (err)
		return err;
	*filesp = tls->files[tls->files_count++];

	return 0;
}

static int read_all(struct tandem_sip_tls *tls, const struct tandem_sip_tls_config *cfg, char *why,
		    size_t size)
{
	const struct tandem_tls_files *files;
	int err = tandem_sip_tls_read(tls, &files, cfg->certificate, cfg->key, why, size);
	size_t i;

	for (i = 0; i < cfg->more_count && !err; i++)
		err = tandem_sip_tls_read(tls, &files, cfg->more[i].certificate, cfg->more[i].key,
					  why, size);
	tls->served = tls->files_count;

	return err;
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
	err = -tls_alloc(&tls->tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (!err)
		err = set_up(tls, cfg, why, size);
	if (!err)
		err = read_all(tls, cfg, why, size);

out:
	if (err)
		tandem_sip_tls_free(tls);
	else
		*tlsp = tls;

	return err;
}

void tandem_sip_tls_free(struct tandem_sip_tls *tls)
{
	size_t i;

	if (!tls)
		return;
	tandem_tls_peers_clean(&tls->peers);
	mem_deref(tls->tls);
	for (i = 0; i < tls->files_count; i++)
		tandem_tls_files_free(tls->files[i]);
	free(tls);
}

int tandem_sip_tls_reload(struct tandem_sip_tls *tls, bool always)
{
	int ret = 0, first = 0;
	size_t i;

	for (i = 0; tls && i < tls->files_count; i++) {
		ret = tandem_tls_files_reload(tls->files[i], always);
		if (!i)
			first = ret;
	}

	return first;
}

struct tls *tandem_sip_tls_context(struct tandem_sip_tls *tls)
{
	return tls ? tls->tls : NULL;
}

struct tandem_tls_peers *tandem_sip_tls_peers(struct tandem_sip_tls *tls)
{
	return &tls->peers;
}
