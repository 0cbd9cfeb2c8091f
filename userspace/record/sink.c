/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_S	    2
#define NS_PER_MS   1000000ULL
#define FIRST_MS    100
#define LAST_MS	    5000
#define PATIENCE_MS 5000 /* to connect */

struct tandem_sink {
	struct sockaddr_storage to;
	int fd; /* -1: none; it is tried again at again_ns */
	bool connected;
	uint64_t again_ns, since_ns;
	uint32_t wait_ms;
	char *about;
	size_t about_left;
	unsigned char *ring; /* of samples */
	size_t size, first, count;
};

int tandem_sink_alloc(struct tandem_sink **sp, const struct sockaddr_storage *to, const char *about,
		      uint32_t rate)
{
	struct tandem_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->to = *to;
	s->fd = -1;
	s->wait_ms = FIRST_MS;
	s->size = (size_t)rate * ROOM_S * sizeof(int16_t);
	s->ring = malloc(s->size);
	s->about = strdup(about);
	if (!s->ring || !s->about) {
		tandem_sink_free(s);
		return -ENOMEM;
	}
	*sp = s;
	return 0;
}

bool tandem_sink_connected(const struct tandem_sink *s)
{
	return s->connected;
}

size_t tandem_sink_put(struct tandem_sink *s, const int16_t *samples, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)samples;
	size_t len = n * sizeof(*samples), at = (s->first + s->count) % s->size, part;

	if (!s->connected || s->count + len > s->size)
		return n;
	part = len < s->size - at ? len : s->size - at;
	memcpy(s->ring + at, bytes, part);
	memcpy(s->ring, bytes + part, len - part);
	s->count += len;
	return 0;
}

static void give_up(struct tandem_sink *s, uint64_t now_ns)
{
	close(s->fd);
	s->fd = -1;
	s->connected = false;
	s->again_ns = now_ns + s->wait_ms * NS_PER_MS;
	s->wait_ms = 2 * s->wait_ms < LAST_MS ? 2 * s->wait_ms : LAST_MS;
}

static void begin(struct tandem_sink *s, uint64_t now_ns)
{
	socklen_t len = s->to.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						    : sizeof(struct sockaddr_in);

	s->fd = socket(s->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	s->since_ns = now_ns;
	if (s->fd < 0)
		s->again_ns = now_ns + LAST_MS * NS_PER_MS;
	else if (connect(s->fd, (const struct sockaddr *)&s->to, len) && errno != EINPROGRESS)
		give_up(s, now_ns);
}

/* It begins with the text, and with what is said from now on. */
static void look(struct tandem_sink *s, uint64_t now_ns)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0;

	if (!poll(&p, 1, 0)) {
		if (now_ns - s->since_ns > PATIENCE_MS * NS_PER_MS)
			give_up(s, now_ns);
		return;
	}
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		give_up(s, now_ns);
		return;
	}
	s->connected = true;
	s->wait_ms = FIRST_MS;
	s->about_left = strlen(s->about) + 1;
	s->first = s->count = 0;
}

/* False: the connection is gone. */
static bool send_some(struct tandem_sink *s, const void *data, size_t len, size_t *sent)
{
	ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);

	*sent = n > 0 ? (size_t)n : 0;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* What the listener says is not heard; that it is gone is. */
static bool is_there(const struct tandem_sink *s)
{
	char rest[256];
	ssize_t n = recv(s->fd, rest, sizeof(rest), 0);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool write_some(struct tandem_sink *s)
{
	size_t sent = 0, part;

	if (s->about_left) {
		if (!send_some(s, s->about + strlen(s->about) + 1 - s->about_left, s->about_left,
			       &sent))
			return false;
		s->about_left -= sent;
	}
	while (!s->about_left && s->count) {
		part = s->count < s->size - s->first ? s->count : s->size - s->first;
		if (!send_some(s, s->ring + s->first, part, &sent))
			return false;
		if (!sent)
			break;
		s->first = (s->first + sent) % s->size;
		s->count -= sent;
	}
	return true;
}

void tandem_sink_run(struct tandem_sink *s, uint64_t now_ns)
{
	if (s->fd < 0 && now_ns >= s->again_ns)
		begin(s, now_ns);
	if (s->fd >= 0 && !s->connected)
		look(s, now_ns);
	if (s->connected && (!is_there(s) || !write_some(s)))
		give_up(s, now_ns);
}

void tandem_sink_free(struct tandem_sink *s)
{
	if (!s)
		return;
	if (s->connected)
		(void)write_some(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s->ring);
	free(s->about);
	free(s);
}
