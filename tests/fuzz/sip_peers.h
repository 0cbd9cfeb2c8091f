/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who talks to a SIP server under a fuzzer: plain sockets, and what they have received last.
 *
 *   a 127.0.0.2, b 127.0.0.3, c ::1    phones by UDP, trusted        t 127.0.0.7  the same by TCP, calls
 *   d 127.0.0.4                        has to show credentials       s 127.0.0.8  by TCP, is called
 *   g 127.0.0.5, h 127.0.0.6           gateways one and two         u, v 127.0.0.10  by TCP, not trusted
 */
#ifndef TANDEM_TESTS_FUZZ_SIP_PEERS_H
#define TANDEM_TESTS_FUZZ_SIP_PEERS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <strings.h>

#include "tests/fuzz/sip_world.h"

#define PEER_MESSAGE 8192
#define PEER_LAST    4

struct peer {
	char letter;
	const char *name;
	const char *ip;
	uint16_t port;
	bool tcp;
	int fd;	       /* -1: no connection */
	int listen_fd; /* TCP, who is called */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char last[PEER_LAST][PEER_MESSAGE]; /* received, terminated; the newest first */
	char rest[2 * PEER_MESSAGE];	    /* TCP: of a message that is not all there */
	size_t rest_len;
};

static bool peer_mute;	/* gateway one does not answer when it is asked whether it is there */
static bool peer_gone;	/* who is called by TCP hangs up at once */
static bool peer_trace; /* say on standard error who has sent and received what */

static struct peer peers[] = {
	{ .letter = 'a', .name = "alice", .ip = "127.0.0.2", .port = 5060 },
	{ .letter = 'b', .name = "bob", .ip = "127.0.0.3", .port = 5060 },
	{ .letter = 'c', .name = "carol", .ip = "::1", .port = 5062 },
	{ .letter = 'd', .name = "dave", .ip = "127.0.0.4", .port = 5060 },
	{ .letter = 'g', .name = "one", .ip = "127.0.0.5", .port = 5060 },
	{ .letter = 'h', .name = "two", .ip = "127.0.0.6", .port = 5060 },
	{ .letter = 's', .name = "sam", .ip = "127.0.0.8", .port = 5060, .tcp = true },
	{ .letter = 't', .name = "tom", .ip = "127.0.0.7", .port = 0, .tcp = true },
	{ .letter = 'u', .name = "una", .ip = "127.0.0.10", .port = 0, .tcp = true },
	{ .letter = 'v', .name = "vera", .ip = "127.0.0.10", .port = 0, .tcp = true },
};

static inline struct peer *peer_find(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		if (peers[i].letter == letter)
			return &peers[i];
	}
	return NULL;
}

static inline socklen_t peer_address(struct sockaddr_storage *ss, const char *ip, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	CHECK(inet_pton(AF_INET, ip, &in->sin_addr) == 1);
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return sizeof(*in);
}

static inline int peer_socket(const struct peer *p)
{
	struct sockaddr_storage ss;
	socklen_t len = peer_address(&ss, p->ip, p->port);
	int fd = socket(ss.ss_family, (p->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	int on = 1;

	CHECK(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	if (bind(fd, (struct sockaddr *)&ss, len)) {
		perror("the fuzzer needs a loopback of its own: bind");
		abort();
	}
	return fd;
}

/* Where it reaches the server; who calls by TCP is connected when it sends. */
static inline void peer_open(struct peer *p)
{
	const char *relay = strchr(p->ip, ':') ? "::1" : "127.0.0.1";

	p->addr_len = peer_address(&p->addr, relay, 5060);
	p->fd = p->listen_fd = -1;
	if (!p->tcp) {
		p->fd = peer_socket(p);
		CHECK(!fcntl(p->fd, F_SETFL, O_NONBLOCK));
	} else if (p->port) {
		p->listen_fd = peer_socket(p);
		CHECK(!listen(p->listen_fd, 8) && !fcntl(p->listen_fd, F_SETFL, O_NONBLOCK));
	}
}

/* By a reset, which leaves nothing behind in the kernel. */
static inline void peer_hang_up(struct peer *p)
{
	struct linger linger = { .l_onoff = 1 };

	if (!p->tcp || p->fd < 0)
		return;
	(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(p->fd);
	p->fd = -1;
	p->rest_len = 0;
}

static inline void peer_connect(struct peer *p)
{
	if (!p->tcp || p->fd >= 0 || p->listen_fd >= 0)
		return;
	p->fd = peer_socket(p);
	if (connect(p->fd, (struct sockaddr *)&p->addr, p->addr_len))
		peer_hang_up(p);
	else
		CHECK(!fcntl(p->fd, F_SETFL, O_NONBLOCK));
}

static inline void peer_show(const struct peer *p, const char *what, const char *data, size_t len)
{
	if (peer_trace)
		fprintf(stderr, "---- %llu ms: %s %s\n%.*s\n", (unsigned long long)fuzz_clock_ms,
			p->name, what, (int)len, data);
}

static inline void peer_send(struct world *w, struct peer *p, const char *data, size_t len)
{
	peer_connect(p);
	if (p->fd < 0)
		return;
	peer_show(p, "sends", data, len);
	/* what the server does not take at once is lost, as on a network */
	if (p->tcp)
		(void)send(p->fd, data, len, MSG_NOSIGNAL);
	else
		(void)sendto(p->fd, data, len, 0, (struct sockaddr *)&p->addr, p->addr_len);
	world_run(w);
}

/* ---- receiving ---- */

/* The head of its request will do for an answer, but for the first line. */
static inline bool peer_is_asked(struct peer *p, const char *data, size_t len)
{
	static const char ask[] = "OPTIONS sip:127.0.0.5:5060 ";
	char buf[PEER_MESSAGE];
	const char *rest = memchr(data, '\r', len);
	int n;

	if (peer_mute || p->letter != 'g' || len < sizeof(ask) || !rest ||
	    memcmp(data, ask, sizeof(ask) - 1))
		return false;
	n = snprintf(buf, sizeof(buf), "SIP/2.0 200 OK%.*s", (int)(data + len - rest), rest);
	(void)sendto(p->fd, buf, (size_t)n, 0, (struct sockaddr *)&p->addr, p->addr_len);
	return true;
}

static inline void peer_remember(struct peer *p, const char *data, size_t len)
{
	peer_show(p, "receives", data, len);
	if (peer_is_asked(p, data, len))
		return;
	if (len >= PEER_MESSAGE)
		len = PEER_MESSAGE - 1;
	memmove(p->last[1], p->last[0], sizeof(p->last[0]) * (PEER_LAST - 1));
	memcpy(p->last[0], data, len);
	p->last[0][len] = '\0';
}

/* Octets of the first message of a stream; 0: not all there. The server always writes its length. */
static inline size_t peer_message(const char *data, size_t len)
{
	static const char name[] = "\r\nContent-Length:";
	const char *end = memmem(data, len, "\r\n\r\n", 4), *p = data;
	size_t head;

	if (!end)
		return 0;
	head = (size_t)(end - data) + 4;
	while (p < end && strncasecmp(p, name, sizeof(name) - 1))
		p++;
	if (p < end)
		head += strtoul(p + sizeof(name) - 1, NULL, 10);
	return head <= len ? head : 0;
}

static inline void peer_take_stream(struct peer *p)
{
	size_t len;

	while ((len = peer_message(p->rest, p->rest_len))) {
		peer_remember(p, p->rest, len);
		p->rest_len -= len;
		memmove(p->rest, p->rest + len, p->rest_len);
	}
	/* longer than anybody keeps */
	if (p->rest_len == sizeof(p->rest))
		p->rest_len = 0;
}

static inline void peer_read(struct peer *p)
{
	static char buf[65536];
	ssize_t n;

	if (!p->tcp) {
		while ((n = recv(p->fd, buf, sizeof(buf), 0)) >= 0 || errno == ECONNREFUSED) {
			if (n > 0)
				peer_remember(p, buf, (size_t)n);
		}
		return;
	}
	if (p->listen_fd >= 0) {
		int fd = accept4(p->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			peer_hang_up(p);
			p->fd = fd;
		}
	}
	if (peer_gone)
		peer_hang_up(p);
	if (p->fd < 0)
		return;
	while ((n = recv(p->fd, p->rest + p->rest_len, sizeof(p->rest) - p->rest_len, 0)) > 0) {
		p->rest_len += (size_t)n;
		peer_take_stream(p);
	}
	if (!n || errno != EAGAIN)
		peer_hang_up(p);
}

static inline void peers_open(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		peer_open(&peers[i]);
}

/* Nothing received, no connection. */
static inline void peers_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		peer_hang_up(&peers[i]);
		for (size_t k = 0; k < PEER_LAST; k++)
			peers[i].last[k][0] = '\0';
	}
}

/* ---- what they have received ---- */

static inline bool message_is_request(const char *msg)
{
	return *msg && strncmp(msg, "SIP/", 4);
}

/* The n-th request or response before the last one, or NULL. */
static inline const char *peer_last(const struct peer *p, bool request, unsigned int n)
{
	for (size_t i = 0; i < PEER_LAST && p->last[i][0]; i++) {
		if (message_is_request(p->last[i]) == request && !n--)
			return p->last[i];
	}
	return NULL;
}

/* The value of the n-th header of that name and its length; NULL: there is none. */
static inline const char *message_header(const char *msg, const char *name, unsigned int n,
					 size_t *len)
{
	size_t name_len = strlen(name);
	const char *p = msg;

	while ((p = strstr(p, "\r\n")) && strncmp(p, "\r\n\r\n", 4)) {
		p += 2;
		if (strncasecmp(p, name, name_len) || p[name_len] != ':' || n--)
			continue;
		p += name_len + 1;
		p += strspn(p, " ");
		*len = strcspn(p, "\r");
		return p;
	}
	*len = 0;
	return NULL;
}

static inline const char *message_body(const char *msg)
{
	const char *end = strstr(msg, "\r\n\r\n");

	return end ? end + 4 : "";
}

#endif
