/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests by TCP: one behind the other, each answered before the next is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/ng/message.h"
#include "userspace/ng/server.h"

#define FIRST_ROOM 4096U
#define PER_TURN   16 /* requests, before others get their turn */

void tandem_ng_client_close(struct tandem_ng_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->in);
	free(client->out);
	*client = (struct tandem_ng_client){ .fd = -1 };
}

/* A free place, or that of who was silent longest. */
static struct tandem_ng_client *find_place(struct tandem_ng *ng)
{
	struct tandem_ng_client *oldest = &ng->clients[0];
	size_t i;

	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++) {
		if (ng->clients[i].fd < 0)
			return &ng->clients[i];
		if (ng->clients[i].used_ms < oldest->used_ms)
			oldest = &ng->clients[i];
	}
	tandem_ng_client_close(oldest);
	return oldest;
}

void tandem_ng_client_accept(struct tandem_ng *ng, int listen_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct tandem_endpoint peer;
	struct tandem_ng_client *client;
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(listen_fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (tandem_endpoint_from_sockaddr(&peer, (struct sockaddr *)&ss) ||
	    !tandem_ng_allowed(ng, &peer)) {
		close(fd);
		return;
	}
	client = find_place(ng);
	client->fd = fd;
	client->peer = peer;
	client->used_ms = tandem_ng_now_ms();
	ev.data.ptr = client;
	if (epoll_ctl(ng->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		tandem_ng_client_close(client);
}

static bool grow(struct tandem_ng_client *client)
{
	size_t room = client->in_room ? client->in_room * 2 : FIRST_ROOM;
	char *in;

	if (client->in_len < client->in_room)
		return true;
	if (client->in_room >= TANDEM_NG_MESSAGE_MAX)
		return false;
	in = realloc(client->in, room);
	if (!in)
		return false;
	client->in = in;
	client->in_room = room;
	return true;
}

static bool flush(struct tandem_ng_client *client)
{
	while (client->out_done < client->out_len) {
		ssize_t n = send(client->fd, client->out + client->out_done,
				 client->out_len - client->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->out_done += (size_t)n;
	}
	free(client->out);
	client->out = NULL;
	client->out_len = client->out_done = 0;
	return true;
}

/* Answers are of the cache: what cannot be sent at once is copied. */
static bool reply(struct tandem_ng_client *client, const char *text, size_t len)
{
	client->out = malloc(len);
	if (!client->out)
		return false;
	memcpy(client->out, text, len);
	client->out_len = len;
	client->out_done = 0;
	return flush(client);
}

/* Requests that are complete. False: the connection is over. */
static bool answer(struct tandem_ng *ng, struct tandem_ng_client *client)
{
	const char *out;
	size_t used, len;
	int i, ret;

	client->more = false;
	for (i = 0; client->in_len; i++) {
		client->more = i == PER_TURN || client->out;
		if (client->more)
			return true;
		ret = tandem_ng_respond(ng, &client->peer, client->in, client->in_len, &used, &out,
					&len);
		if (ret == -EAGAIN)
			return true;
		/* where the next one would begin is not known behind one that cannot be read */
		if (ret) {
			if (out)
				(void)reply(client, out, len);
			return false;
		}
		client->in_len -= used;
		memmove(client->in, client->in + used, client->in_len);
		if (!reply(client, out, len))
			return false;
	}
	return true;
}

static bool receive(struct tandem_ng_client *client)
{
	ssize_t n;

	if (!grow(client))
		return false;
	n = recv(client->fd, client->in + client->in_len, client->in_room - client->in_len,
		 MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	client->in_len += (size_t)n;
	return true;
}

void tandem_ng_client_serve(struct tandem_ng *ng, struct tandem_ng_client *client)
{
	struct epoll_event ev = { .data.ptr = client };
	bool alive;

	if (client->fd < 0)
		return;
	client->used_ms = tandem_ng_now_ms();
	alive = client->out ? flush(client) : client->more || receive(client);
	if (alive && !client->out)
		alive = answer(ng, client);
	if (!alive) {
		tandem_ng_client_close(client);
		return;
	}
	/* with requests left over from this turn, being writable is what calls us back */
	ev.events = client->out || client->more ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(ng->epoll_fd, EPOLL_CTL_MOD, client->fd, &ev))
		tandem_ng_client_close(client);
}
