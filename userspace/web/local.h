/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two sides of a connection, and the thread that serves them, share. */
#ifndef TANDEM_WEB_LOCAL_H
#define TANDEM_WEB_LOCAL_H

#include <libwebsockets.h>
#include <stdatomic.h>

#include "userspace/web/peers.h"
#include "userspace/web/web.h"

#define TANDEM_WEB_LISTENERS_MAX  16
#define TANDEM_WEB_PROTOCOL	  "sip" /* RFC 7118 section 4 */
#define TANDEM_WEB_INNER_PROTOCOL "tandem-inner"

struct tandem_web_listener {
	struct tandem_web *web;
	struct lws_vhost *vhost;
	struct ssl_ctx_st *ssl; /* libwebsockets's; NULL: no TLS */
	uint16_t inner_port;
	bool tls;
	char via[80]; /* "SIP/2.0/WSS 192.0.2.1:8443" */
};

struct tandem_web {
	struct lws_context *context;
	struct tandem_web_listener listeners[TANDEM_WEB_LISTENERS_MAX];
	size_t listeners_count;
	struct tandem_web_peers peers;
	char *certificate;
	char *key;
	char *path;
	char **origins;
	size_t origins_count;
	uint32_t max_connections;
	uint32_t max_per_source;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_bool reload;
	atomic_uint_fast64_t accepted;
	atomic_uint_fast64_t refused;
	atomic_uint_fast64_t malformed;
};

/* handshake.c: what comes before a connection is one, and all plain HTTP. */
int tandem_web_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			     void *in, size_t len);

/* True when the browser's request may become a connection. */
bool tandem_web_handshake_fits(const struct tandem_web *w, struct lws *wsi);

/* session.c: the two sides of a connection. */
int tandem_web_sip_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t len);
int tandem_web_inner_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			      void *in, size_t len);
/* Octets that libwebsockets keeps for each connection of a browser's. */
size_t tandem_web_session_size(void);

#endif
