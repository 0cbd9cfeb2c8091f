/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of HTTP and WebSocket: what the thread of libwebsockets has. */
#ifndef TANDEM_NG_HTTP_LOCAL_H
#define TANDEM_NG_HTTP_LOCAL_H

#include <libwebsockets.h>
#include <openssl/ssl.h>
/* OpenSSL's numbers of the protocol; with us, members of enum srtp_suite. */
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM
#include <pthread.h>
#include <stdatomic.h>

#include "userspace/ng/http.h"

#define TANDEM_NG_SUBPROTOCOL	    "ng.rtpengine.com"
#define TANDEM_NG_SUBPROTOCOL_PLAIN "ng-plain.rtpengine.com"

#define TANDEM_NG_REQUEST_S 10 /* for all of a request by HTTP to come */

/* Requests of one WebSocket under way; beyond these it is not read. */
#define TANDEM_NG_PENDING_MAX 16

struct tandem_ng_asks {
	struct tandem_ng_ask *first, *last;
};

/* A connection, from accept to its end. */
struct tandem_ng_peer {
	struct lws *wsi;
	size_t place;
	uint64_t id;
	struct tandem_endpoint from; /* port 0 */
	uint64_t since_ms;
	enum tandem_ng_target target;
	bool socket; /* it has become a WebSocket */
	char *in;    /* a body or message that is not whole yet */
	size_t in_len, in_room;
	unsigned int pending; /* asked, and not answered */
	struct tandem_ng_asks out;
};

struct tandem_ng_http {
	struct lws_context *context;
	const struct tandem_ng_config *cfg;
	struct tandem_ng_peer *peers[TANDEM_NG_MAX_CLIENTS];
	uint64_t last_id;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_uint_fast64_t connections, refused, denied;

	struct tandem_tls_files *files; /* the controller's; NULL: no TLS */
	SSL_CTX *ssl[TANDEM_NG_MAX_LISTEN];
	size_t ssl_count;
	atomic_bool reload;

	int event_fd;
	pthread_mutex_t lock; /* of the two queues */
	struct tandem_ng_asks asked, answered;
};

void tandem_ng_asks_put(struct tandem_ng_asks *q, struct tandem_ng_ask *ask);
struct tandem_ng_ask *tandem_ng_asks_get(struct tandem_ng_asks *q);
void tandem_ng_ask_free(struct tandem_ng_ask *ask);

/* Pass on what has come; the text of it is the peer's no more. -ENOMEM. */
int tandem_ng_http_ask(struct tandem_ng_peer *peer, bool binary);

/* Add to what the peer has sent so far. -EMSGSIZE, -ENOMEM. */
int tandem_ng_http_append(struct tandem_ng_peer *peer, const char *p, size_t len);

/* What libwebsockets calls: http_request.c, http_socket.c. */
int tandem_ng_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t len);
int tandem_ng_socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			      void *in, size_t len);

/* Send the answer that the peer has got to its request by HTTP. */
void tandem_ng_http_write(struct tandem_ng_peer *peer);

/* http_tls.c: check what the files are; 0 or a negative errno, with why. */
int tandem_ng_http_tls_open(struct tandem_ng_http *h, char *why, size_t why_size);
void tandem_ng_http_tls_close(struct tandem_ng_http *h);
/* What a listener by TLS is to be made with. */
void tandem_ng_http_tls_info(const struct tandem_ng_http *h,
			     struct lws_context_creation_info *info);
/* It has been made. Nonzero: it cannot be used. */
int tandem_ng_http_tls_made(struct tandem_ng_http *h, SSL_CTX *ssl);
/* In the thread of the connections: take up files that have changed. */
void tandem_ng_http_tls_renew(struct tandem_ng_http *h);

/* http_peers.c: 0 or a negative errno. */
int tandem_ng_http_may_connect(struct tandem_ng_http *h, int fd);
void tandem_ng_http_connected(struct tandem_ng_http *h, struct lws *wsi);
void tandem_ng_http_gone(struct tandem_ng_http *h, struct lws *wsi);
/* Hand answers to whom they are for; those of peers that are gone are dropped. */
void tandem_ng_http_deliver(struct tandem_ng_http *h);

#endif
