/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A browser's connection and the one that goes on to the SIP stack: each message that comes on
 * one goes out on the other. Both have a queue with a bound; who does not read loses its connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/util/log.h"
#include "userspace/web/local.h"
#include "userspace/web/text.h"

#define QUEUE_MAX (4 * TANDEM_WEB_MESSAGE_MAX) /* octets that wait for one side */
#define CONNECT_S 1

struct chunk {
	struct chunk *next;
	size_t len;
	uint8_t data[]; /* LWS_PRE octets of room, then len */
};

struct queue {
	struct chunk *first;
	struct chunk **last;
	size_t octets;
};

/* Octets that are no whole message yet. */
struct heap {
	char *p;
	size_t len;
	size_t size;
};

struct session {
	struct lws *ws;
	struct lws *inner;
	const struct tandem_web_listener *listener;
	struct tandem_web_peer peer;
	struct queue to_ws;
	struct queue to_inner;
	struct heap frame;  /* of the browser's */
	struct heap stream; /* of the SIP stack's */
	bool listed;
};

size_t tandem_web_session_size(void)
{
	return sizeof(struct session);
}

/* ---- queues ---------------------------------------------------------------------- */

static int queue_put(struct queue *q, const char *p, size_t len)
{
	struct chunk *c;

	if (q->octets + len > QUEUE_MAX)
		return -ENOBUFS;
	c = malloc(sizeof(*c) + LWS_PRE + len);
	if (!c)
		return -ENOMEM;
	c->next = NULL;
	c->len = len;
	memcpy(c->data + LWS_PRE, p, len);
	if (!q->first)
		q->last = &q->first;
	*q->last = c;
	q->last = &c->next;
	q->octets += len;

	return 0;
}

static void queue_drop(struct queue *q)
{
	struct chunk *c = q->first;

	q->first = c->next;
	q->octets -= c->len;
	free(c);
}

static void queue_clean(struct queue *q)
{
	while (q->first)
		queue_drop(q);
}

static int heap_add(struct heap *h, const char *p, size_t len)
{
	size_t size = h->size ? h->size : 2048;
	char *more;

	if (len > TANDEM_WEB_MESSAGE_MAX - h->len)
		return -EMSGSIZE;
	while (size < h->len + len)
		size *= 2;
	if (size > h->size) {
		more = realloc(h->p, size);
		if (!more)
			return -ENOMEM;
		h->p = more;
		h->size = size;
	}
	memcpy(h->p + h->len, p, len);
	h->len += len;

	return 0;
}

static void heap_take(struct heap *h, size_t len)
{
	memmove(h->p, h->p + len, h->len - len);
	h->len -= len;
}

/* ---- from the browser -------------------------------------------------------------- */

/* RFC 5626 section 3.5.1: who sends two empty lines is told by one that we are here. */
static bool is_keepalive(const struct heap *frame)
{
	size_t i;

	for (i = 0; i < frame->len; i++) {
		if (frame->p[i] != '\r' && frame->p[i] != '\n')
			return false;
	}

	return true;
}

static int pass_inward(struct session *s)
{
	size_t len;
	char *text;
	int err;

	if (is_keepalive(&s->frame)) {
		err = s->frame.len >= 4 ? queue_put(&s->to_ws, "\r\n", 2) : 0;
		(void)lws_callback_on_writable(s->ws);
		return err;
	}
	err = tandem_web_text_inward(&text, &len, s->frame.p, s->frame.len);
	if (err == -EBADMSG) {
		s->listener->web->malformed++;
		return 0;
	}
	if (err)
		return err;
	err = queue_put(&s->to_inner, text, len);
	free(text);
	(void)lws_callback_on_writable(s->inner);

	return err;
}

static int receive_frame(struct session *s, const char *p, size_t len)
{
	int err;

	if (!s->inner)
		return -1;
	err = heap_add(&s->frame, p, len);
	if (!err && lws_is_final_fragment(s->ws) && !lws_remaining_packet_payload(s->ws)) {
		err = pass_inward(s);
		s->frame.len = 0;
	}
	if (!err)
		return 0;
	lws_close_reason(s->ws,
			 err == -EMSGSIZE ? LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE
					  : LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
			 NULL, 0);

	return -1;
}

/* What is not UTF-8 must not go in a text frame (RFC 6455 section 8.1). */
static bool is_utf8(const char *p, size_t len)
{
	json_t *text = json_stringn(p, len);

	json_decref(text);

	return text != NULL;
}

static int write_frame(struct session *s)
{
	struct chunk *c = s->to_ws.first;
	bool text;
	int n;

	if (!c)
		return 0;
	text = is_utf8((const char *)c->data + LWS_PRE, c->len);
	n = lws_write(s->ws, c->data + LWS_PRE, c->len, text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
	if (n < (int)c->len)
		return -1;
	queue_drop(&s->to_ws);
	if (s->to_ws.first)
		(void)lws_callback_on_writable(s->ws);

	return 0;
}

/* ---- the connection to the SIP stack -------------------------------------------------- */

/* The port is known, and listed, before the stack hears of the connection. */
static int open_inner(struct session *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const struct timeval patience = { .tv_sec = CONNECT_S };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)inet_pton(AF_INET, TANDEM_WEB_INNER, &sin.sin_addr);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    getsockname(fd, (struct sockaddr *)&sin, &len))
		goto err;
	s->peer.inner = ntohs(sin.sin_port);
	s->peer.listener = s->listener->inner_port;
	tandem_web_peers_add(&s->listener->web->peers, &s->peer);
	s->listed = true;
	sin.sin_port = htons(s->listener->inner_port);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) || fcntl(fd, F_SETFL, O_NONBLOCK))
		goto err;

	return fd;
err:
	len = (socklen_t)errno;
	close(fd);
	return -(int)len;
}

static int begin(struct session *s, struct lws *wsi)
{
	lws_sock_file_fd_type fd;

	memset(s, 0, sizeof(*s));
	s->ws = wsi;
	s->listener = lws_vhost_user(lws_get_vhost(wsi));
	if (tandem_web_peer_address(&s->peer.addr, lws_get_socket_fd(wsi)))
		return -1;
	fd.sockfd = open_inner(s);
	if (fd.sockfd < 0) {
		tandem_log(TANDEM_LOG_WARNING, "web", "the SIP stack takes no connection: %s",
			   strerror(-fd.sockfd));
		return -1;
	}
	s->inner = lws_adopt_descriptor_vhost(s->listener->vhost, LWS_ADOPT_SOCKET, fd,
					      TANDEM_WEB_INNER_PROTOCOL, NULL);
	if (!s->inner)
		return -1;
	lws_set_opaque_user_data(s->inner, s);
	s->listener->web->accepted++;

	return 0;
}

static void end(struct session *s)
{
	if (s->listed)
		tandem_web_peers_remove(&s->listener->web->peers, &s->peer);
	s->listed = false;
	if (s->inner) {
		lws_set_opaque_user_data(s->inner, NULL);
		lws_set_timeout(s->inner, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	}
	s->inner = NULL;
	queue_clean(&s->to_ws);
	queue_clean(&s->to_inner);
	free(s->frame.p);
	free(s->stream.p);
	memset(&s->frame, 0, sizeof(s->frame));
	memset(&s->stream, 0, sizeof(s->stream));
}

static int pass_outward(struct session *s, size_t len)
{
	size_t out_len;
	char *text;
	int err;

	err = tandem_web_text_outward(&text, &out_len, s->stream.p, len, s->listener->via);
	if (err)
		return err;
	err = queue_put(&s->to_ws, text, out_len);
	free(text);

	return err;
}

/* CRLF between messages is nobody's. */
static void skip_lines(struct heap *h)
{
	size_t n = 0;

	while (n < h->len && (h->p[n] == '\r' || h->p[n] == '\n'))
		n++;
	if (n)
		heap_take(h, n);
}

static int receive_stream(struct session *s, const char *p, size_t len)
{
	ssize_t n = 0;
	int err = heap_add(&s->stream, p, len);

	while (!err) {
		skip_lines(&s->stream);
		n = tandem_web_text_length(s->stream.p, s->stream.len);
		if (n <= 0)
			break;
		err = pass_outward(s, (size_t)n);
		heap_take(&s->stream, (size_t)n);
	}
	if (s->to_ws.first)
		(void)lws_callback_on_writable(s->ws);

	return err || n < 0 ? -1 : 0;
}

static int write_stream(struct session *s)
{
	struct chunk *c = s->to_inner.first;

	if (!c)
		return 0;
	if (lws_write(s->inner, c->data + LWS_PRE, c->len, LWS_WRITE_RAW) < (int)c->len)
		return -1;
	queue_drop(&s->to_inner);
	if (s->to_inner.first)
		(void)lws_callback_on_writable(s->inner);

	return 0;
}

/* ---- what libwebsockets calls ---------------------------------------------------------- */

int tandem_web_sip_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t len)
{
	struct tandem_web *w = lws_context_user(lws_get_context(wsi));
	struct session *s = user;

	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		if (tandem_web_handshake_fits(w, wsi))
			return 0;
		w->refused++;
		return -1;
	case LWS_CALLBACK_ESTABLISHED:
		return begin(s, wsi);
	case LWS_CALLBACK_RECEIVE:
		return receive_frame(s, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return write_frame(s);
	case LWS_CALLBACK_CLOSED:
		end(s);
		return 0;
	default:
		return 0;
	}
}

int tandem_web_inner_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			      void *in, size_t len)
{
	struct session *s = lws_get_opaque_user_data(wsi);

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_RAW_RX:
		return s ? receive_stream(s, in, len) : -1;
	case LWS_CALLBACK_RAW_WRITEABLE:
		return s ? write_stream(s) : 0;
	case LWS_CALLBACK_RAW_CLOSE:
		if (s) {
			s->inner = NULL;
			lws_set_timeout(s->ws, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
		}
		return 0;
	default:
		return 0;
	}
}
