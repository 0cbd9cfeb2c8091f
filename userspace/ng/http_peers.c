/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is connected by HTTP or WebSocket, and what goes between them and the controller. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "userspace/ng/http_local.h"
#include "userspace/ng/message.h"
#include "userspace/ng/server.h"
#include "userspace/util/log.h"

#define FIRST_ROOM 4096U

void tandem_ng_asks_put(struct tandem_ng_asks *q, struct tandem_ng_ask *ask)
{
	ask->next = NULL;
	if (q->last)
		q->last->next = ask;
	else
		q->first = ask;
	q->last = ask;
}

struct tandem_ng_ask *tandem_ng_asks_get(struct tandem_ng_asks *q)
{
	struct tandem_ng_ask *ask = q->first;

	if (!ask)
		return NULL;
	q->first = ask->next;
	if (!q->first)
		q->last = NULL;
	return ask;
}

void tandem_ng_ask_free(struct tandem_ng_ask *ask)
{
	if (!ask)
		return;
	free(ask->text);
	free(ask);
}

static int address_of(struct tandem_endpoint *from, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		return -errno;
	return tandem_endpoint_from_sockaddr(from, (struct sockaddr *)&ss);
}

int tandem_ng_http_may_connect(struct tandem_ng_http *h, int fd)
{
	struct tandem_endpoint from;

	if (address_of(&from, fd) || !tandem_ng_allows(h->cfg, &from.ip)) {
		h->denied++;
		return -EACCES;
	}
	if (h->connections < TANDEM_NG_MAX_CLIENTS)
		return 0;
	h->refused++;
	return -EUSERS;
}

void tandem_ng_http_connected(struct tandem_ng_http *h, struct lws *wsi)
{
	struct tandem_ng_peer *peer = calloc(1, sizeof(*peer));
	size_t i;

	for (i = 0; i < TANDEM_NG_MAX_CLIENTS && h->peers[i]; i++)
		;
	/* without a peer each request is refused */
	if (!peer || i == TANDEM_NG_MAX_CLIENTS ||
	    address_of(&peer->from, lws_get_socket_fd(wsi))) {
		free(peer);
		return;
	}
	peer->from.port = 0;
	peer->wsi = wsi;
	peer->since_ms = tandem_ng_now_ms();
	peer->place = i;
	peer->id = ++h->last_id;
	h->peers[i] = peer;
	h->connections++;
	lws_set_opaque_user_data(wsi, peer);
}

void tandem_ng_http_gone(struct tandem_ng_http *h, struct lws *wsi)
{
	struct tandem_ng_peer *peer = lws_get_opaque_user_data(wsi);
	struct tandem_ng_ask *ask;

	if (!peer)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	h->peers[peer->place] = NULL;
	h->connections--;
	while ((ask = tandem_ng_asks_get(&peer->out)))
		tandem_ng_ask_free(ask);
	free(peer->in);
	free(peer);
}

int tandem_ng_http_append(struct tandem_ng_peer *peer, const char *p, size_t len)
{
	size_t room = peer->in_room ? peer->in_room : FIRST_ROOM;
	char *in;

	if (len > TANDEM_NG_MESSAGE_MAX - peer->in_len)
		return -EMSGSIZE;
	while (room < peer->in_len + len)
		room *= 2;
	if (room > peer->in_room) {
		in = realloc(peer->in, room);
		if (!in)
			return -ENOMEM;
		peer->in = in;
		peer->in_room = room;
	}
	memcpy(peer->in + peer->in_len, p, len);
	peer->in_len += len;
	return 0;
}

int tandem_ng_http_ask(struct tandem_ng_peer *peer, bool binary)
{
	struct tandem_ng_http *h = lws_context_user(lws_get_context(peer->wsi));
	struct tandem_ng_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return -ENOMEM;
	*ask = (struct tandem_ng_ask){
		.place = peer->place,
		.id = peer->id,
		.target = peer->target,
		.peer = peer->from,
		.binary = binary,
		.text = peer->in,
		.len = peer->in_len,
	};
	peer->in = NULL;
	peer->in_len = peer->in_room = 0;
	peer->pending++;
	pthread_mutex_lock(&h->lock);
	tandem_ng_asks_put(&h->asked, ask);
	pthread_mutex_unlock(&h->lock);
	(void)eventfd_write(h->event_fd, 1);
	return 0;
}

void tandem_ng_http_deliver(struct tandem_ng_http *h)
{
	struct tandem_ng_asks answered;
	struct tandem_ng_ask *ask;
	struct tandem_ng_peer *peer;

	pthread_mutex_lock(&h->lock);
	answered = h->answered;
	h->answered = (struct tandem_ng_asks){ 0 };
	pthread_mutex_unlock(&h->lock);
	while ((ask = tandem_ng_asks_get(&answered))) {
		peer = h->peers[ask->place];
		if (!peer || peer->id != ask->id) {
			tandem_ng_ask_free(ask);
			continue;
		}
		tandem_ng_asks_put(&peer->out, ask);
		if (peer->socket)
			(void)lws_callback_on_writable(peer->wsi);
		else
			tandem_ng_http_write(peer);
	}
}
