/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests by WebSocket: each message is one, and each answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/http_local.h"

static int close_for(struct lws *wsi, enum lws_close_status status)
{
	lws_close_reason(wsi, status, NULL, 0);
	return -1;
}

static int receive(struct tandem_ng_http *h, struct tandem_ng_peer *peer, const char *p, size_t len)
{
	int err = tandem_ng_http_append(peer, p, len);

	if (!err && (!lws_is_final_fragment(peer->wsi) || lws_remaining_packet_payload(peer->wsi)))
		return 0;
	if (!err)
		err = tandem_ng_http_ask(peer, lws_frame_is_binary(peer->wsi));
	if (err) {
		h->refused++;
		return close_for(peer->wsi, err == -EMSGSIZE
						    ? LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE
						    : LWS_CLOSE_STATUS_UNEXPECTED_CONDITION);
	}
	if (peer->pending >= TANDEM_NG_PENDING_MAX)
		(void)lws_rx_flow_control(peer->wsi, 0);
	return 0;
}

static int write_message(struct lws *wsi, const struct tandem_ng_ask *ask)
{
	unsigned char *buf = malloc(LWS_PRE + ask->len);
	int n;

	if (!buf)
		return -1;
	memcpy(buf + LWS_PRE, ask->text, ask->len);
	n = lws_write(wsi, buf + LWS_PRE, ask->len,
		      ask->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
	free(buf);
	return n < (int)ask->len ? -1 : 0;
}

static int write_answer(struct tandem_ng_peer *peer, struct lws *wsi)
{
	struct tandem_ng_ask *ask = tandem_ng_asks_get(&peer->out);
	int ret;

	if (!ask)
		return 0;
	if (peer->pending-- == TANDEM_NG_PENDING_MAX)
		(void)lws_rx_flow_control(wsi, 1);
	ret = ask->text ? write_message(wsi, ask) : 0;
	if (!ret && ask->status != HTTP_STATUS_OK)
		ret = close_for(wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD);
	tandem_ng_ask_free(ask);
	if (!ret && peer->out.first)
		(void)lws_callback_on_writable(wsi);
	return ret;
}

int tandem_ng_socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			      void *in, size_t len)
{
	struct tandem_ng_http *h = lws_context_user(lws_get_context(wsi));
	struct tandem_ng_peer *peer = lws_get_opaque_user_data(wsi);

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		peer->socket = true;
		peer->target = strcmp(lws_get_protocol(wsi)->name, TANDEM_NG_SUBPROTOCOL)
				       ? TANDEM_NG_PLAIN
				       : TANDEM_NG_MESSAGE;
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return receive(h, peer, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return write_answer(peer, wsi);
	default:
		return 0;
	}
}
