/* SPDX-License-Identifier: GPL-2.0-only */
/* A relay that listens for the NG protocol by HTTP, and a client of it. */
#ifndef TANDEM_TESTS_NG_HTTP_H
#define TANDEM_TESTS_NG_HTTP_H

#include "tests/unit/session_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/ng/message.h"
#include "userspace/ng/ng.h"

#define PORT	22250
#define HOST	"Host: 127.0.0.1:22250\r\n"
#define NG	"Content-Type: application/x-rtpengine-ng\r\n"
#define PATIENT 10000 /* ms */

struct world {
	struct fixture fx;
	struct tandem_ng *ng;
	int fd;
	char heard[1 << 16];
	size_t heard_len;
	bool closed; /* by the other side */
};

static int metrics_asked;
static size_t metrics_size;

static inline char *some_metrics(void *arg)
{
	char *text = metrics_size ? calloc(1, metrics_size + 1) : strdup("tandem_sessions 0\n");

	(*(int *)arg)++;
	if (metrics_size)
		memset(text, 'x', metrics_size);
	return text;
}

static inline void open_ng(struct world *w, const char *allow, const char *local)
{
	struct tandem_ng_config cfg = { .listen_count = 1,
					.allow_count = 1,
					.hosts = { "relay.example.org" },
					.hosts_count = 1,
					.metrics_h = some_metrics,
					.arg = &metrics_asked };
	char why[128] = "";

	memset(w, 0, sizeof(*w));
	w->fd = -1;
	fx_open(&w->fx);
	cfg.listen[0] = (struct tandem_ng_listen){ TANDEM_NG_HTTP, ep(local, PORT) };
	assert_int_equal(tandem_prefix_parse(&cfg.allow[0], allow), 0);
	if (tandem_ng_open(&w->ng, &cfg, w->fx.ss, why, sizeof(why)))
		fail_msg("%s", why);
}

static inline void hang_up(struct world *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->heard_len = 0;
	w->closed = false;
}

static inline void close_ng(struct world *w)
{
	hang_up(w);
	tandem_ng_close(w->ng);
	fx_clean(&w->fx);
}

static inline int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline void say_raw(struct world *w, const void *text, size_t len)
{
	if (w->fd < 0)
		w->fd = dial();
	assert_int_equal(send(w->fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void say(struct world *w, const char *text)
{
	say_raw(w, text, strlen(text));
}

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* One turn of the controller, and whatever has come meanwhile. */
static inline void turn(struct world *w)
{
	struct pollfd p[2] = { { .fd = tandem_ng_fd(w->ng), .events = POLLIN },
			       { .fd = w->closed ? -1 : w->fd, .events = POLLIN } };
	ssize_t n;

	(void)poll(p, 2, 50);
	if (p[0].revents)
		tandem_ng_dispatch(w->ng);
	if (!p[1].revents)
		return;
	n = recv(w->fd, w->heard + w->heard_len, sizeof(w->heard) - 1 - w->heard_len, MSG_DONTWAIT);
	w->closed = n <= 0;
	w->heard_len += n > 0 ? (size_t)n : 0;
	w->heard[w->heard_len] = '\0';
}

/* Until that many octets behind the head of an answer have come, or the end. */
static inline bool is_whole(const struct world *w)
{
	const char *body = memmem(w->heard, w->heard_len, "\r\n\r\n", 4);
	const char *length = strstr(w->heard, "content-length: ");

	return body && length &&
	       w->heard_len >= (size_t)(body + 4 - w->heard) + strtoul(length + 16, NULL, 10);
}

static inline void hear(struct world *w)
{
	uint64_t end = now_ms() + PATIENT;

	while (!w->closed && !is_whole(w) && now_ms() < end)
		turn(w);
	if (!w->closed && !is_whole(w))
		fail_msg("no answer but '%.*s'", (int)w->heard_len, w->heard);
}

static inline void hear_end(struct world *w)
{
	uint64_t end = now_ms() + PATIENT;

	while (!w->closed && now_ms() < end)
		turn(w);
	assert_true(w->closed);
}

static inline void hear_octets(struct world *w, size_t len)
{
	uint64_t end = now_ms() + PATIENT;

	while (w->heard_len < len && !w->closed && now_ms() < end)
		turn(w);
	if (w->heard_len < len)
		fail_msg("%zu octets of %zu", w->heard_len, len);
}

static inline void forget(struct world *w)
{
	w->heard_len = 0;
	w->heard[0] = '\0';
}

static inline json_int_t counted(const struct world *w, const char *name)
{
	json_t *js = tandem_ng_json(w->ng);
	json_int_t n = json_integer_value(json_object_get(js, name));

	json_decref(js);
	return n;
}

static inline void wait_counted(struct world *w, const char *name, json_int_t want)
{
	uint64_t end = now_ms() + PATIENT;

	while (counted(w, name) != want && now_ms() < end)
		turn(w);
	assert_int_equal(counted(w, name), want);
}

/* A request with a body, which has its length. */
static inline void post(struct world *w, const char *path, const char *headers, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s",
		 path, headers, strlen(body), body);
	say(w, text);
}

#endif
