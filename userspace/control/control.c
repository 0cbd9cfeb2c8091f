/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/control/listener.h"
#include "userspace/control/reply.h"

/* Leaves the event loop to others when a client keeps asking. */
#define REQUESTS_PER_TURN 8
#define DRAIN_TURNS	  16
#define FIRST_ROOM	  4096U /* for a request; more is taken as one turns out longer */

struct client {
	int fd;	       /* -1: the place is free */
	uint64_t used; /* turn of its last sign of life */
	char *in;
	size_t in_len, in_room;
	char *out; /* reply being sent; no further request is read before it is out */
	size_t out_len, out_done;
	bool closing; /* close once out is sent */
};

struct tandem_control {
	int epoll_fd;
	int listen_fd;
	int spare_fd; /* given up to turn a caller away when there is no other; -1: none */
	char *path;
	tandem_control_call_h *call_h;
	void *arg;
	uint64_t turn;
	struct client clients[TANDEM_CONTROL_MAX_CLIENTS];
};

static void client_close(struct client *client)
{
	close(client->fd);
	free(client->in);
	free(client->out);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

static bool has_request(const struct client *client)
{
	return client->in_len && memchr(client->in, '\n', client->in_len) != NULL;
}

/* With a request left over from this turn, being writable is what calls us back. */
static bool has_work(const struct client *client)
{
	return client->out || has_request(client);
}

static void client_watch(struct tandem_control *ctl, struct client *client, int op)
{
	struct epoll_event ev = {
		.events = has_work(client) ? EPOLLOUT : EPOLLIN,
		.data.ptr = client,
	};

	if (epoll_ctl(ctl->epoll_fd, op, client->fd, &ev))
		client_close(client);
}

static struct client *free_place(struct tandem_control *ctl)
{
	struct client *oldest = &ctl->clients[0];

	for (size_t i = 0; i < TANDEM_CONTROL_MAX_CLIENTS; i++) {
		struct client *client = &ctl->clients[i];

		if (client->fd < 0)
			return client;
		if (client->used < oldest->used)
			oldest = client;
	}
	client_close(oldest);
	return oldest;
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A caller that cannot be let in would keep the listener readable, and the loop busy. */
static void turn_away(struct tandem_control *ctl)
{
	if (ctl->spare_fd >= 0)
		close(ctl->spare_fd);
	ctl->spare_fd = accept4(ctl->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (ctl->spare_fd >= 0)
		close(ctl->spare_fd);
	ctl->spare_fd = open_spare();
}

static void accept_client(struct tandem_control *ctl)
{
	int fd = accept4(ctl->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			turn_away(ctl);
		return;
	}
	client = free_place(ctl);
	client->fd = fd;
	client->used = ctl->turn;
	client_watch(ctl, client, EPOLL_CTL_ADD);
}

/* What is left unread when a Unix socket is closed takes the reply back from the peer. */
static void client_drain(struct client *client)
{
	for (int i = 0; i < DRAIN_TURNS; i++) {
		if (recv(client->fd, client->in, client->in_room, 0) <= 0)
			return;
	}
}

/* Sends what it can. False when the client is gone. */
static bool client_flush(struct client *client)
{
	while (client->out && client->out_done < client->out_len) {
		ssize_t n = send(client->fd, client->out + client->out_done,
				 client->out_len - client->out_done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			client_close(client);
			return false;
		}
		client->out_done += (size_t)n;
	}
	free(client->out);
	client->out = NULL;
	if (!client->closing)
		return true;
	client_drain(client);
	client_close(client);
	return false;
}

/* Takes over reply. */
static bool client_reply(struct client *client, char *reply)
{
	if (!reply) {
		client_close(client);
		return false;
	}
	client->out = reply;
	client->out_len = strlen(reply);
	client->out_done = 0;
	return client_flush(client);
}

/* Room for more of a request; false when there is no memory. */
static bool client_grow(struct client *client)
{
	size_t room = client->in_room ? client->in_room * 2 : FIRST_ROOM;
	char *in;

	if (client->in_len < client->in_room)
		return true;
	if (room > TANDEM_CONTROL_MAX_REQUEST)
		room = TANDEM_CONTROL_MAX_REQUEST;
	in = realloc(client->in, room);
	if (!in)
		return false;
	client->in = in;
	client->in_room = room;
	return true;
}

/* A client that has nothing to say keeps no more than it came with. */
static void client_shrink(struct client *client)
{
	char *in = client->in_room > FIRST_ROOM ? realloc(client->in, FIRST_ROOM) : NULL;

	if (!in)
		return;
	client->in = in;
	client->in_room = FIRST_ROOM;
}

/* Answers the requests that have come in whole. False when the client is gone. */
static bool client_answer(struct tandem_control *ctl, struct client *client)
{
	for (int i = 0; i < REQUESTS_PER_TURN && !client->out; i++) {
		char *end, *reply;
		size_t len;

		if (!has_request(client))
			break;
		end = memchr(client->in, '\n', client->in_len);
		len = (size_t)(end - client->in);
		reply = tandem_reply_make(client->in, len, ctl->call_h, ctl->arg);
		client->in_len -= len + 1;
		memmove(client->in, end + 1, client->in_len);
		if (!client_reply(client, reply))
			return false;
	}
	if (!client->in_len)
		client_shrink(client);
	if (has_work(client) || client->in_len < TANDEM_CONTROL_MAX_REQUEST)
		return true;
	client->closing = true;
	return client_reply(client, tandem_reply_error(-EBADMSG, "request is too long"));
}

static void client_read(struct tandem_control *ctl, struct client *client)
{
	ssize_t n = client_grow(client) ? recv(client->fd, client->in + client->in_len,
					       client->in_room - client->in_len, 0)
					: 0;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			client_close(client);
		return;
	}
	client->in_len += (size_t)n;
	if (client_answer(ctl, client) && has_work(client))
		client_watch(ctl, client, EPOLL_CTL_MOD);
}

static void client_write(struct tandem_control *ctl, struct client *client)
{
	if (!client_flush(client) || client->out)
		return;
	if (client_answer(ctl, client))
		client_watch(ctl, client, EPOLL_CTL_MOD);
}

static void client_serve(struct tandem_control *ctl, struct client *client, uint32_t events)
{
	if (client->fd < 0)
		return;
	client->used = ctl->turn;
	if (events & EPOLLERR)
		client_close(client);
	else if (has_work(client))
		client_write(ctl, client);
	else
		client_read(ctl, client);
}

void tandem_control_dispatch(struct tandem_control *ctl)
{
	struct epoll_event events[TANDEM_CONTROL_MAX_CLIENTS + 1];
	bool accepting = false;
	int n = epoll_wait(ctl->epoll_fd, events, TANDEM_CONTROL_MAX_CLIENTS + 1, 0);

	ctl->turn++;
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == ctl)
			accepting = true;
		else
			client_serve(ctl, events[i].data.ptr, events[i].events);
	}
	/* Last, since it may give away the place of a client that has an event here. */
	if (accepting)
		accept_client(ctl);
}

int tandem_control_open(struct tandem_control **ctlp, const char *path,
			tandem_control_call_h *call_h, void *arg, char *why, size_t why_size)
{
	struct tandem_control *ctl = calloc(1, sizeof(*ctl));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ctl };
	int ret = -ENOMEM;

	if (!ctl)
		goto out;
	for (size_t i = 0; i < TANDEM_CONTROL_MAX_CLIENTS; i++)
		ctl->clients[i].fd = -1;
	ctl->listen_fd = -1;
	ctl->spare_fd = open_spare();
	ctl->call_h = call_h;
	ctl->arg = arg;
	ctl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ctl->epoll_fd < 0) {
		ret = -errno;
		goto out;
	}
	ret = tandem_listener_open(path, why, why_size);
	if (ret < 0) {
		tandem_control_close(ctl);
		return ret;
	}
	ctl->listen_fd = ret;
	ctl->path = strdup(path);
	ret = ctl->path ? 0 : -ENOMEM;
	if (!ret && epoll_ctl(ctl->epoll_fd, EPOLL_CTL_ADD, ctl->listen_fd, &ev))
		ret = -errno;
out:
	if (ret) {
		snprintf(why, why_size, "%s: %s", path, strerror(-ret));
		tandem_control_close(ctl);
	} else {
		*ctlp = ctl;
	}
	return ret;
}

void tandem_control_close(struct tandem_control *ctl)
{
	if (!ctl)
		return;
	for (size_t i = 0; i < TANDEM_CONTROL_MAX_CLIENTS; i++) {
		if (ctl->clients[i].fd >= 0)
			client_close(&ctl->clients[i]);
	}
	if (ctl->listen_fd >= 0)
		close(ctl->listen_fd);
	if (ctl->path)
		unlink(ctl->path);
	if (ctl->epoll_fd >= 0)
		close(ctl->epoll_fd);
	if (ctl->spare_fd >= 0)
		close(ctl->spare_fd);
	free(ctl->path);
	free(ctl);
}

int tandem_control_fd(const struct tandem_control *ctl)
{
	return ctl->epoll_fd;
}
