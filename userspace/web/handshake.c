/* SPDX-License-Identifier: GPL-2.0-only */
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

#include "userspace/util/tls_files.h"
#include "userspace/web/local.h"

#define VALUE_MAX 256

static struct tandem_web_listener *listener_of(struct lws *wsi)
{
	struct lws_vhost *vhost = lws_get_vhost(wsi);

	return vhost ? lws_vhost_user(vhost) : NULL;
}

static bool origin_fits(const struct tandem_web *w, struct lws *wsi)
{
	char origin[VALUE_MAX];
	size_t i;

	if (!w->origins_count)
		return true;
	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) <= 0)
		return false;
	for (i = 0; i < w->origins_count; i++) {
		if (!strcasecmp(origin, w->origins[i]))
			return true;
	}

	return false;
}

static bool path_fits(const struct tandem_web *w, struct lws *wsi)
{
	char path[VALUE_MAX];

	return !w->path || (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) > 0 &&
			    !strcmp(path, w->path));
}

bool tandem_web_handshake_fits(const struct tandem_web *w, struct lws *wsi)
{
	return path_fits(w, wsi) && origin_fits(w, wsi);
}

/* Before anything of it is read: too many of them, or of this source. */
static bool may_connect(struct tandem_web *w, lws_sockfd_type fd)
{
	struct sockaddr_storage addr;

	return !tandem_web_peer_address(&addr, fd) &&
	       tandem_web_peers_count(&w->peers) < w->max_connections &&
	       tandem_web_peers_from(&w->peers, (struct sockaddr *)&addr) < w->max_per_source;
}

static int refuse_http(struct lws *wsi)
{
	(void)lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL);

	return -1;
}

/* Both files were found to fit together before this was asked for. */
static void read_certificate(struct tandem_web *w)
{
	size_t i;

	for (i = 0; i < w->listeners_count; i++) {
		SSL_CTX *ssl = w->listeners[i].ssl;

		if (ssl)
			(void)tandem_tls_show(ssl, w->certificate, w->key);
	}
}

int tandem_web_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			     void *in, size_t len)
{
	struct tandem_web *w = lws_context_user(lws_get_context(wsi));
	struct tandem_web_listener *l;

	(void)len;
	switch (reason) {
	case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
		if (may_connect(w, (lws_sockfd_type)(intptr_t)in))
			return 0;
		w->refused++;
		return -1;
	case LWS_CALLBACK_HTTP:
		return refuse_http(wsi);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		/* no subprotocol, or one that is not ours */
		w->refused++;
		return -1;
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		l = listener_of(wsi);
		if (l)
			l->ssl = user;
		return 0;
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		if (atomic_exchange(&w->reload, false))
			read_certificate(w);
		return 0;
	default:
		return 0;
	}
}
