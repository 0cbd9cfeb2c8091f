/* SPDX-License-Identifier: GPL-2.0-only */
/* Certificates of the listeners by HTTPS, and what clients have to show. */
#include <errno.h>
#include <string.h>

#include "userspace/ng/http_local.h"
#include "userspace/util/tls_files.h"

static const char *key_of(const struct tandem_ng_tls *tls)
{
	return tls->key ? tls->key : tls->certificate;
}

/* Also what they are to be checked by has to be good before anybody listens. */
static int check_ca(const char *file, char *why, size_t why_size)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_method());
	int err = 0;

	if (!ssl)
		return -ENOMEM;
	if (SSL_CTX_load_verify_locations(ssl, file, NULL) != 1)
		err = tandem_tls_refuse(why, why_size, "certificate", file);
	SSL_CTX_free(ssl);
	return err;
}

int tandem_ng_http_tls_open(struct tandem_ng_http *h, char *why, size_t why_size)
{
	const struct tandem_ng_tls *tls = &h->cfg->tls;
	int err;

	if (!tls->certificate)
		return 0;
	err = tandem_tls_files_alloc(&h->files, tls->certificate, tls->key, why, why_size);
	return err || !tls->client_ca ? err : check_ca(tls->client_ca, why, why_size);
}

void tandem_ng_http_tls_close(struct tandem_ng_http *h)
{
	tandem_tls_files_free(h->files);
}

void tandem_ng_http_tls_info(const struct tandem_ng_http *h, struct lws_context_creation_info *info)
{
	info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info->alpn = "http/1.1";
	info->ssl_cert_filepath = h->cfg->tls.certificate;
	info->ssl_private_key_filepath = key_of(&h->cfg->tls);
	info->ssl_cipher_list = TANDEM_TLS_CIPHERS;
	info->ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_COMPRESSION;
}

/*
 * libwebsockets would take a certificate that does not verify for a good one, unless it were told
 * otherwise each time: here OpenSSL alone decides.
 */
int tandem_ng_http_tls_made(struct tandem_ng_http *h, SSL_CTX *ssl)
{
	static const unsigned char name[] = "ng";
	const char *ca = h->cfg->tls.client_ca;

	if (ca && (SSL_CTX_load_verify_locations(ssl, ca, NULL) != 1 ||
		   SSL_CTX_set_session_id_context(ssl, name, sizeof(name)) != 1))
		return -1;
	if (ca)
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (h->ssl_count < TANDEM_NG_MAX_LISTEN)
		h->ssl[h->ssl_count++] = ssl;
	return 0;
}

void tandem_ng_http_tls_renew(struct tandem_ng_http *h)
{
	size_t i;

	if (!atomic_exchange(&h->reload, false))
		return;
	for (i = 0; i < h->ssl_count; i++)
		(void)tandem_tls_show(h->ssl[i], h->cfg->tls.certificate, key_of(&h->cfg->tls));
}

void tandem_ng_http_reload(struct tandem_ng_http *h, bool always)
{
	if (!h->files || tandem_tls_files_reload(h->files, always) <= 0)
		return;
	h->reload = true;
	lws_cancel_service(h->context);
}
