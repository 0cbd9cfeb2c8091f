/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections, and requests by HTTP: one a connection. */
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/http_local.h"
#include "userspace/ng/server.h"

#define HEAD_ROOM 512
#define DRAIN_S	  30 /* for a long answer to be read */

static bool has(struct lws *wsi, enum lws_token_indexes token)
{
	return lws_hdr_total_length(wsi, token) > 0;
}

/* One that does not fit is as good as one that is wrong. */
static void copy_header(struct lws *wsi, char out[TANDEM_NG_HEADER_MAX],
			enum lws_token_indexes token)
{
	if (lws_hdr_copy(wsi, out, TANDEM_NG_HEADER_MAX, token) < 0)
		strcpy(out, has(wsi, token) ? "?" : "");
}

/* One that is known is among those that the client offers (RFC 6455 section 4.1). */
static bool knows_protocol(struct lws *wsi)
{
	char names[TANDEM_NG_HEADER_MAX], *name, *rest = NULL;

	copy_header(wsi, names, WSI_TOKEN_PROTOCOL);
	for (name = strtok_r(names, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
		if (!strcmp(name, TANDEM_NG_SUBPROTOCOL) ||
		    !strcmp(name, TANDEM_NG_SUBPROTOCOL_PLAIN))
			return true;
	}
	return false;
}

/* To HTTP/2, too, for which there is no need here. Negative: the connection ends. */
static int check_upgrade(struct tandem_ng_http *h, struct lws *wsi, const char *to)
{
	char host[TANDEM_NG_HEADER_MAX];

	copy_header(wsi, host, WSI_TOKEN_HOST);
	if (lws_get_opaque_user_data(wsi) && !strcmp(to, "websocket") &&
	    !has(wsi, WSI_TOKEN_ORIGIN) && knows_protocol(wsi) &&
	    tandem_ng_host_fits(host, h->cfg->hosts, h->cfg->hosts_count))
		return 0;
	h->refused++;
	return -1;
}

static enum tandem_ng_method method_of(struct lws *wsi)
{
	if (has(wsi, WSI_TOKEN_POST_URI))
		return TANDEM_NG_POST;
	return has(wsi, WSI_TOKEN_GET_URI) ? TANDEM_NG_GET : TANDEM_NG_OTHER_METHOD;
}

static void read_request(struct lws *wsi, const char *path, struct tandem_ng_request *req)
{
	req->method = method_of(wsi);
	req->path = path;
	copy_header(wsi, req->host, WSI_TOKEN_HOST);
	copy_header(wsi, req->type, WSI_TOKEN_HTTP_CONTENT_TYPE);
	copy_header(wsi, req->length, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	req->origin = has(wsi, WSI_TOKEN_ORIGIN);
	req->coded = has(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
}

/*
 * And with that the connection ends: behind one request libwebsockets may take the body of the next for
 * what it is not, when it came together with it.
 */
static int respond(struct lws *wsi, unsigned int status, const char *type, const char *text,
		   size_t len)
{
	unsigned char head[LWS_PRE + HEAD_ROOM], *p = head + LWS_PRE, *end = head + sizeof(head);
	unsigned char *body = malloc(LWS_PRE + len);

	if (!body)
		return -1;
	memcpy(body + LWS_PRE, text, len);
	if (!lws_add_http_common_headers(wsi, status | LWSAHH_FLAG_NO_SERVER_NAME, type, len, &p,
					 end) &&
	    !lws_add_http_header_by_token(wsi, WSI_TOKEN_CONNECTION, (const unsigned char *)"close",
					  5, &p, end) &&
	    !lws_finalize_write_http_header(wsi, head + LWS_PRE, &p, end))
		(void)lws_write(wsi, body + LWS_PRE, len, LWS_WRITE_HTTP_FINAL);
	free(body);
	return -1;
}

static const char *reason_of(unsigned int status)
{
	switch (status) {
	case 403:
		return "not for pages in browsers\n";
	case 404:
		return "POST /ng or /ng-plain, GET /metrics or /ping\n";
	case 405:
		return "another method\n";
	case 411:
		return "needs a Content-Length\n";
	case 413:
		return "too long\n";
	case 415:
		return "needs Content-Type: application/x-rtpengine-ng\n";
	case 503:
		return "no memory\n";
	default:
		return "cannot be read\n";
	}
}

static int refuse(struct tandem_ng_http *h, struct lws *wsi, unsigned int status)
{
	const char *why = reason_of(status);

	h->refused++;
	return respond(wsi, status, "text/plain", why, strlen(why));
}

/* libwebsockets gives each piece of a body as long as it gives the first. */
static int take_body(struct tandem_ng_http *h, struct tandem_ng_peer *peer, const char *p,
		     size_t len)
{
	if (tandem_ng_now_ms() - peer->since_ms <= TANDEM_NG_REQUEST_S * 1000 &&
	    !tandem_ng_http_append(peer, p, len))
		return 0;
	h->refused++;
	return -1;
}

/* Nothing that comes behind it is read. */
static int ask(struct tandem_ng_peer *peer)
{
	(void)lws_rx_flow_control(peer->wsi, 0);
	return tandem_ng_http_ask(peer, false);
}

static int begin_request(struct tandem_ng_http *h, struct tandem_ng_peer *peer, struct lws *wsi,
			 const char *path)
{
	struct tandem_ng_request req;
	unsigned int status;
	size_t length;

	if (!peer)
		return refuse(h, wsi, 503);
	read_request(wsi, path, &req);
	status = tandem_ng_request_check(&req, h->cfg->hosts, h->cfg->hosts_count, &peer->target,
					 &length);
	if (status)
		return refuse(h, wsi, status);
	if (peer->target == TANDEM_NG_PING)
		return respond(wsi, HTTP_STATUS_OK, "text/plain", "pong\n", 5);
	if (length)
		return 0; /* its body is to come */
	return ask(peer) ? refuse(h, wsi, 503) : 0;
}

/*
 * Nothing was sent before it, so there is no need to wait until it may be. Of a long one some is left,
 * which libwebsockets sends on when it may read, too.
 */
void tandem_ng_http_write(struct tandem_ng_peer *peer)
{
	struct tandem_ng_ask *done = tandem_ng_asks_get(&peer->out);
	const char *text = done->text ? done->text : reason_of(done->status);

	(void)respond(peer->wsi, done->status, done->text ? done->type : "text/plain", text,
		      done->text ? done->len : strlen(text));
	tandem_ng_ask_free(done);
	if (!lws_partial_buffered(peer->wsi)) {
		lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
		return;
	}
	lws_set_timeout(peer->wsi, PENDING_TIMEOUT_HTTP_CONTENT, DRAIN_S);
	(void)lws_rx_flow_control(peer->wsi, 1);
	(void)lws_callback_on_writable(peer->wsi);
}

int tandem_ng_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t len)
{
	struct tandem_ng_http *h = lws_context_user(lws_get_context(wsi));
	struct tandem_ng_peer *peer;

	switch (reason) {
	case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
		return tandem_ng_http_may_connect(h, (lws_sockfd_type)(intptr_t)in);
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
		tandem_ng_http_connected(h, wsi);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		tandem_ng_http_gone(h, wsi);
		return 0;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return check_upgrade(h, wsi, in);
	case LWS_CALLBACK_HTTP:
		return begin_request(h, lws_get_opaque_user_data(wsi), wsi, in);
	case LWS_CALLBACK_HTTP_BODY:
		peer = lws_get_opaque_user_data(wsi);
		return peer ? take_body(h, peer, in, len) : -1;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		peer = lws_get_opaque_user_data(wsi);
		return peer && peer->in_len ? ask(peer) : -1;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return -1; /* a long answer has been sent */
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return tandem_ng_http_tls_made(h, user);
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		tandem_ng_http_tls_renew(h);
		tandem_ng_http_deliver(h);
		return 0;
	default:
		return 0;
	}
}
