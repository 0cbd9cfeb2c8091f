/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SIP front end on loopback with real sessions over a plane that only says yes,
 * and peers that are plain sockets in the same thread:
 *
 *   alice 127.0.0.1:* --- udp/tcp 127.0.0.1:25060 | relay | udp [::1]:25060 --- bob ::1
 */
#ifndef TANDEM_TESTS_SIP_FIXTURE_H
#define TANDEM_TESTS_SIP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/loopback.h"
#include "userspace/sip/libre.h"
#include "userspace/sip/sip.h"
#include "userspace/util/log.h"

#define RELAY_PORT 25060
#define RELAY	   "127.0.0.1:25060"
#define MSG_SIZE   8192

struct world {
	struct tandem_plane *plane;
	struct tandem_sessions *ss;
	struct tandem_store *store;
	struct tandem_sip *sip;
	struct tandem_sip_config cfg;
	char path[64];
};

struct peer {
	int fd;
	int listen_fd; /* TCP: where it can be called */
	bool tcp;
	char host[64]; /* as in a URI */
	uint16_t port;
	char msg[MSG_SIZE]; /* last received */
	char rest[2 * MSG_SIZE];
	size_t rest_len;
};

/* ---- a plane that only says yes ---- */

struct tandem_datapath {
	size_t flows;
};

static struct tandem_datapath yes_dp;

static inline int yes_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
			   char *why, size_t size)
{
	(void)cfg;
	(void)why;
	(void)size;
	memset(&yes_dp, 0, sizeof(yes_dp));
	*dpp = &yes_dp;
	return 0;
}

static inline int yes_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		changes[i].result = 0;
		dp->flows += changes[i].op == TANDEM_FLOW_SET ? 1 : (size_t)-1;
	}
	return 0;
}

static inline int yes_read(struct tandem_datapath *dp, uint64_t id, struct tandem_flow_stats *stats)
{
	(void)dp;
	(void)id;
	memset(stats, 0, sizeof(*stats));
	stats->datapath = "yes";
	stats->reason = "";
	return 0;
}

static inline int yes_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	(void)dp;
	(void)h;
	(void)arg;
	return 0;
}

static inline int yes_counters(struct tandem_datapath *dp, struct reason_counters *counters)
{
	(void)dp;
	memset(counters, 0, sizeof(*counters));
	return 0;
}

static inline int yes_event_fd(struct tandem_datapath *dp)
{
	(void)dp;
	return -1;
}

static inline void yes_dispatch(struct tandem_datapath *dp,
				const struct tandem_event_handlers *handlers, void *arg)
{
	(void)dp;
	(void)handlers;
	(void)arg;
}

static inline const char *yes_describe(struct tandem_datapath *dp)
{
	(void)dp;
	return "yes";
}

static inline void yes_close(struct tandem_datapath *dp, bool keep)
{
	(void)dp;
	(void)keep;
}

static const struct tandem_datapath_ops yes_ops = {
	.name = "yes",
	.open = yes_open,
	.apply = yes_apply,
	.read = yes_read,
	.list = yes_list,
	.counters = yes_counters,
	.event_fd = yes_event_fd,
	.dispatch = yes_dispatch,
	.describe = yes_describe,
	.close = yes_close,
};

/* ---- the relay ---- */

static inline void ended(const char *call_id, const char *why, void *arg)
{
	tandem_sip_session_ended(((struct world *)arg)->sip, call_id, why);
}

static inline void world_start(struct world *w)
{
	static const char *const listeners[] = { "udp:127.0.0.1:25060", "tcp:127.0.0.1:25060",
						 "udp:[::1]:25060", "tcp:[::1]:25060" };
	static const char *const domains[] = { "example.test" };
	struct tandem_datapath_config dp = {
		.port_min = 26000, .port_max = 26199, .locals_count = 2, .flow_capacity = 1024
	};
	struct tandem_sessions_config cfg = {
		.port_min = 26000,
		.port_max = 26199,
		.locals_count = 2,
		.inactivity_timeout_s = 60,
		.hold_timeout_s = 3600,
		.setup_timeout_s = 200,
		.learn = TANDEM_LEARN_NAT,
		.learn_window_ms = 5000,
		.max_sessions = 20,
	};
	char why[256] = "";

	tandem_ip_parse(&cfg.locals[0].ip, "127.0.0.1");
	tandem_ip_parse(&cfg.locals[1].ip, "::1");
	memcpy(dp.locals, cfg.locals, sizeof(cfg.locals));
	cfg.advertise[0] = cfg.locals[0].ip;
	cfg.advertise[1] = cfg.locals[1].ip;

	assert_int_equal(tandem_store_open(&w->store, w->path, why, sizeof(why)), 0);
	assert_int_equal(
		tandem_plane_open_ops(&w->plane, NULL, false, &yes_ops, &dp, why, sizeof(why)), 0);
	assert_int_equal(tandem_sessions_alloc(&w->ss, &cfg, w->plane, w->store, ended, w), 0);
	w->cfg.listen = listeners;
	w->cfg.listen_count = 4;
	if (!w->cfg.domains) {
		w->cfg.domains = domains;
		w->cfg.domains_count = 1;
	}
	if (tandem_sip_alloc(&w->sip, &w->cfg, w->ss, w->store, why, sizeof(why)))
		fail_msg("%s", why);
}

static inline void world_stop(struct world *w)
{
	tandem_sip_free(w->sip);
	tandem_sessions_free(w->ss);
	tandem_plane_close(w->plane, false);
	tandem_store_close(w->store);
	w->sip = NULL;
}

/* What a kill and a new start amount to. */
static inline void world_restart(struct world *w)
{
	world_stop(w);
	world_start(w);
}

/* As root the test has a loopback of its own, so that two runs do not meet on one port. */
static inline void own_loopback(void)
{
	static bool done;
	int err;

	if (done)
		return;
	done = true;
	err = loopback_enter();
	assert_true(!err || err == -EPERM);
}

/* Serving these domains; NULL: example.test. */
static inline int world_setup_with(void **state, const char *const *domains, size_t count)
{
	struct world *w = calloc(1, sizeof(*w));

	w->cfg.domains = domains;
	w->cfg.domains_count = count;
	own_loopback();
	assert_int_equal(libre_init(), 0);
	snprintf(w->path, sizeof(w->path), "/tmp/tandem-sip-%d.db", (int)getpid());
	unlink(w->path);
	world_start(w);
	*state = w;
	return 0;
}

static inline int world_setup(void **state)
{
	return world_setup_with(state, NULL, 0);
}

static inline void unlink_with(const char *path, const char *suffix)
{
	char name[80];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	unlink(name);
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;
	struct memstat stat;

	world_stop(w);
	unlink_with(w->path, "");
	unlink_with(w->path, "-wal");
	unlink_with(w->path, "-shm");
	free(w);
	libre_close();
	/* libre counts its own blocks where it was built to: none may be left */
	if (!mem_get_stat(&stat) && stat.blocks_cur)
		fail_msg("%zu blocks leaked", stat.blocks_cur);
	return 0;
}

/* ---- time ---- */

static inline void cancel_loop(void *arg)
{
	(void)arg;
	re_cancel();
}

static inline void run_ms(uint64_t ms)
{
	struct tmr tmr;

	tmr_init(&tmr);
	tmr_start(&tmr, ms, cancel_loop, NULL);
	re_main(NULL);
	tmr_cancel(&tmr);
}

/* ---- peers ---- */

static inline void peer_addr(struct sockaddr_storage *ss, socklen_t *len, int af, uint16_t port)
{
	memset(ss, 0, sizeof(*ss));
	if (af == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons(port);
		*len = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons(port);
		*len = sizeof(*in);
	}
}

static inline void peer_open(struct peer *p, int af, bool tcp)
{
	struct sockaddr_storage ss;
	socklen_t len;

	memset(p, 0, sizeof(*p));
	p->tcp = tcp;
	p->listen_fd = -1;
	strcpy(p->host, af == AF_INET6 ? "[::1]" : "127.0.0.1");
	p->fd = socket(af, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	peer_addr(&ss, &len, af, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&ss, len), 0);
	getsockname(p->fd, (struct sockaddr *)&ss, &len);
	p->port = ntohs(af == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
				       : ((struct sockaddr_in *)&ss)->sin_port);
	peer_addr(&ss, &len, af, RELAY_PORT);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&ss, len), 0);
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	run_ms(10);
}

static inline void peer_close(struct peer *p)
{
	close(p->fd);
}

static inline void peer_send_raw(struct peer *p, const char *data, size_t len)
{
	assert_int_equal(send(p->fd, data, len, 0), (ssize_t)len);
	run_ms(15);
}

/* Lines are written with \n and sent with \r\n; "%L" in body lengths is left to the caller. */
__attribute__((format(printf, 3, 4))) static inline void peer_send(struct peer *p, const char *body,
								   const char *fmt, ...)
{
	char head[MSG_SIZE], out[2 * MSG_SIZE];
	size_t n = 0, i;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	for (i = 0; head[i]; i++) {
		if (head[i] == '\n')
			out[n++] = '\r';
		out[n++] = head[i];
	}
	n += (size_t)sprintf(out + n, "%sContent-Length: %zu\r\n\r\n%s",
			     body ? "Content-Type: application/sdp\r\n" : "",
			     body ? strlen(body) : 0, body ? body : "");
	peer_send_raw(p, out, n);
}

/* Length of the first whole message in text, 0 when it is not all there. */
static inline size_t message_length(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4), *cl;
	size_t head;

	if (!end)
		return 0;
	head = (size_t)(end - text) + 4;
	cl = memmem(text, head, "\r\nContent-Length: ", 18);
	assert_non_null(cl);
	head += strtoul(cl + 18, NULL, 10);
	return head <= len ? head : 0;
}

/* One message into p->msg; false when none comes within ms. */
static inline bool peer_try(struct peer *p, unsigned int ms)
{
	unsigned int waited = 0;
	size_t len;
	ssize_t n;

	for (;;) {
		len = message_length(p->rest, p->rest_len);
		if (len) {
			memcpy(p->msg, p->rest, len);
			p->msg[len] = '\0';
			memmove(p->rest, p->rest + len, p->rest_len - len);
			p->rest_len -= len;
			return true;
		}
		n = recv(p->fd, p->rest + p->rest_len, sizeof(p->rest) - p->rest_len, 0);
		if (n > 0) {
			p->rest_len += (size_t)n;
			continue;
		}
		if (waited >= ms)
			return false;
		run_ms(5);
		waited += 5;
	}
}

/* The next message must begin with start. */
static inline const char *peer_expect(struct peer *p, const char *start)
{
	if (!peer_try(p, 1500))
		fail_msg("nothing received, expected \"%s\"", start);
	if (strncmp(p->msg, start, strlen(start)))
		fail_msg("expected \"%s\", got:\n%s", start, p->msg);
	return p->msg;
}

static inline void peer_expect_nothing(struct peer *p, unsigned int ms)
{
	if (peer_try(p, ms))
		fail_msg("expected nothing, got:\n%s", p->msg);
}

/* The value of the n-th header of that name ("Via", 0), or NULL; static buffers in turn. */
static inline const char *header_n(const char *msg, const char *name, unsigned int n)
{
	static char bufs[16][1024];
	static unsigned int turn;
	const char *p = msg, *end = strstr(msg, "\r\n\r\n");
	size_t len = strlen(name);
	char *buf = bufs[turn++ % 16];

	while ((p = strstr(p, "\r\n")) && p < end) {
		p += 2;
		if (strncasecmp(p, name, len) || p[len] != ':' || n--)
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(buf, 1024, "%.*s", (int)strcspn(p, "\r"), p);
		return buf;
	}
	return NULL;
}

static inline const char *header(const char *msg, const char *name)
{
	return header_n(msg, name, 0);
}

/* All headers of that name as lines, to be echoed. */
static inline const char *headers(const char *msg, const char *name)
{
	static char bufs[8][4096];
	static unsigned int turn;
	char *buf = bufs[turn++ % 8];
	const char *val;
	unsigned int n;
	size_t used = 0;

	buf[0] = '\0';
	for (n = 0; (val = header_n(msg, name, n)); n++)
		used += (size_t)snprintf(buf + used, 4096 - used, "%s: %s\n", name, val);
	return buf;
}

/* Record-Route values of a response, as the Route headers of who sent the request. */
static inline const char *routes_reversed(const char *msg)
{
	static char buf[2048];
	int n = 0;

	buf[0] = '\0';
	while (header_n(msg, "Record-Route", (unsigned int)n))
		n++;
	while (n-- > 0)
		sprintf(buf + strlen(buf), "Route: %s\n",
			header_n(msg, "Record-Route", (unsigned int)n));
	return buf;
}

/* Record-Route values of a request, as the Route headers of who received it. */
static inline const char *routes_forward(const char *msg)
{
	static char buf[2048];
	const char *val;
	unsigned int n;

	buf[0] = '\0';
	for (n = 0; (val = header_n(msg, "Record-Route", n)); n++)
		sprintf(buf + strlen(buf), "Route: %s\n", val);
	return buf;
}

static inline const char *body(const char *msg)
{
	return strstr(msg, "\r\n\r\n") + 4;
}

#endif
