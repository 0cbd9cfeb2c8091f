/* SPDX-License-Identifier: GPL-2.0-only */
/* The NG protocol by HTTP and WebSocket: who is listened to, and what is answered. */
#include "tests/unit/session_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/ng/http_rules.h"
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

static char *some_metrics(void *arg)
{
	char *text = metrics_size ? calloc(1, metrics_size + 1) : strdup("tandem_sessions 0\n");

	(*(int *)arg)++;
	if (metrics_size)
		memset(text, 'x', metrics_size);
	return text;
}

static void open_ng(struct world *w, const char *allow, const char *local)
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

static void hang_up(struct world *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->heard_len = 0;
	w->closed = false;
}

static void close_ng(struct world *w)
{
	hang_up(w);
	tandem_ng_close(w->ng);
	fx_clean(&w->fx);
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say_raw(struct world *w, const void *text, size_t len)
{
	if (w->fd < 0)
		w->fd = dial();
	assert_int_equal(send(w->fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say(struct world *w, const char *text)
{
	say_raw(w, text, strlen(text));
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* One turn of the controller, and whatever has come meanwhile. */
static void turn(struct world *w)
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
static bool is_whole(const struct world *w)
{
	const char *body = memmem(w->heard, w->heard_len, "\r\n\r\n", 4);
	const char *length = strstr(w->heard, "content-length: ");

	return body && length &&
	       w->heard_len >= (size_t)(body + 4 - w->heard) + strtoul(length + 16, NULL, 10);
}

static void hear(struct world *w)
{
	uint64_t end = now_ms() + PATIENT;

	while (!w->closed && !is_whole(w) && now_ms() < end)
		turn(w);
	if (!w->closed && !is_whole(w))
		fail_msg("no answer but '%.*s'", (int)w->heard_len, w->heard);
}

static void hear_end(struct world *w)
{
	uint64_t end = now_ms() + PATIENT;

	while (!w->closed && now_ms() < end)
		turn(w);
	assert_true(w->closed);
}

static void hear_octets(struct world *w, size_t len)
{
	uint64_t end = now_ms() + PATIENT;

	while (w->heard_len < len && !w->closed && now_ms() < end)
		turn(w);
	if (w->heard_len < len)
		fail_msg("%zu octets of %zu", w->heard_len, len);
}

static void forget(struct world *w)
{
	w->heard_len = 0;
	w->heard[0] = '\0';
}

static json_int_t counted(const struct world *w, const char *name)
{
	json_t *js = tandem_ng_json(w->ng);
	json_int_t n = json_integer_value(json_object_get(js, name));

	json_decref(js);
	return n;
}

static void wait_counted(struct world *w, const char *name, json_int_t want)
{
	uint64_t end = now_ms() + PATIENT;

	while (counted(w, name) != want && now_ms() < end)
		turn(w);
	assert_int_equal(counted(w, name), want);
}

/* A request with a body, which has its length. */
static void post(struct world *w, const char *path, const char *headers, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s",
		 path, headers, strlen(body), body);
	say(w, text);
}

/* ---- HTTP ------------------------------------------------------------------ */

static void requests(void **state)
{
	static const struct {
		const char *path, *headers, *body;
		const char *status, *answer;
	} cases[] = {
		{ "/ng", NG, "c1 d7:command4:pinge", "200", "c1 d6:result4:ponge" },
		{ "/ng", NG, "c2 {\"command\":\"ping\"}", "200", "c2 {\"result\":\"pong\"}" },
		{ "/ng-plain", NG, "d7:command4:pinge", "200", "d6:result4:ponge" },
		{ "/ng-plain", "Content-Type: application/json\r\n", " {\"command\":\"ping\"}\n",
		  "200", "{\"result\":\"pong\"}" },
		{ "/ng-plain", "Content-type: application/JSON; charset=utf-8\r\n",
		  "{\"command\":\"sing\"}", "200", "Unrecognized command" },
		{ "/ng", NG, "c3 i7e", "400", "Failed to decode" },
		{ "/ng", NG, "c4 d7:command4:pi", "400", "cannot be read" },
		{ "/ng", NG, "no_cookie", "400", "cannot be read" },
		{ "/ng-plain", NG, "c5 d7:command4:pinge", "400", "cannot be read" },
		{ "/ng-plain", NG, "d7:command", "400", "cannot be read" },
		{ "/ng-plain", NG, "[]", "400", "cannot be read" },
		{ "/ng-plain", NG, " ", "400", "cannot be read" },
	};
	char want[32];
	struct world w;
	size_t i;

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		post(&w, cases[i].path, cases[i].headers, cases[i].body);
		hear(&w);
		snprintf(want, sizeof(want), "HTTP/1.1 %s ", cases[i].status);
		if (strncmp(w.heard, want, strlen(want)) || !strstr(w.heard, cases[i].answer))
			fail_msg("%s: %s", cases[i].body, w.heard);
		hear_end(&w);
		hang_up(&w);
	}
	assert_int_equal(counted(&w, "malformed"), 7);
	assert_int_equal(counted(&w, "refused"), 0);
	close_ng(&w);
}

/* None of these is read as a command. */
static void refused(void **state)
{
#define LENGTH "Content-Length: 16\r\n"
#define BODY   "\r\nd7:command4:pinge"
	static const struct {
		const char *text, *status;
	} cases[] = {
		{ "POST /ng-plain HTTP/1.1\r\n" HOST LENGTH BODY, "415" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST LENGTH "Content-Type: text/plain\r\n" BODY,
		  "415" },
		{ "POST /ng HTTP/1.1\r\n" HOST LENGTH "Content-Type: application/json\r\n" BODY,
		  "415" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST LENGTH NG "Origin: http://a.example\r\n" BODY,
		  "403" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST LENGTH NG "Origin: null\r\n" BODY, "403" },
		{ "POST /ng-plain HTTP/1.1\r\nHost: a.example\r\n" LENGTH NG BODY, "403" },
		{ "POST /ng-plain HTTP/1.1\r\nHost: 127.0.0.1.a.example\r\n" LENGTH NG BODY,
		  "403" },
		{ "GET /metrics HTTP/1.1\r\nHost: a.example\r\n\r\n", "403" },
		{ "GET /ping HTTP/1.0\r\n\r\n", "403" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG BODY, "411" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG LENGTH
		  "Transfer-Encoding: chunked\r\n" BODY,
		  "411" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG "Content-Length: 0\r\n\r\n", "400" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG "Content-Length: -1\r\n" BODY, "400" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG LENGTH "Content-Length: 15\r\n" BODY,
		  "400" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG "Content-Length: 131073\r\n" BODY, "413" },
		{ "POST /ng-plain HTTP/1.1\r\n" HOST NG
		  "Content-Length: 99999999999999999999\r\n" BODY,
		  "413" },
		{ "POST / HTTP/1.1\r\n" HOST LENGTH NG BODY, "404" },
		{ "POST /metrics HTTP/1.1\r\n" HOST LENGTH NG BODY, "405" },
		{ "GET /ng HTTP/1.1\r\n" HOST "\r\n", "405" },
		{ "PUT /ng-plain HTTP/1.1\r\n" HOST LENGTH NG BODY, "405" },
	};
	char want[32];
	struct world w;
	size_t i, n = sizeof(cases) / sizeof(cases[0]);

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	for (i = 0; i < n; i++) {
		say(&w, cases[i].text);
		hear_end(&w);
		snprintf(want, sizeof(want), "HTTP/1.1 %s ", cases[i].status);
		if (strncmp(w.heard, want, strlen(want)) && strncmp(w.heard, "HTTP/1.0 ", 9))
			fail_msg("%s: %s, wanted %s", cases[i].text, w.heard, cases[i].status);
		assert_non_null(strstr(w.heard, cases[i].status));
		hang_up(&w);
	}
	assert_int_equal(counted(&w, "refused"), n);
	assert_int_equal(counted(&w, "malformed"), 0);
	close_ng(&w);
}

/* What is no HTTP at all is not answered with a command's answer, and the connection ends. */
static void not_http(void **state)
{
	static const char *const texts[] = {
		"c1 d7:command4:pinge\r\n\r\n",
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /ping HTTP/1.1\r\n" HOST
		"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
	};
	struct world w;
	size_t i;

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		say(&w, texts[i]);
		shutdown(w.fd, SHUT_WR);
		hear_end(&w);
		assert_null(strstr(w.heard, "pong"));
		hang_up(&w);
	}
	wait_counted(&w, "connections", 0);
	close_ng(&w);
}

/* And of requests that come at once only the first is carried out. */
static void in_pieces_and_at_once(void **state)
{
#define PING "POST /ng HTTP/1.1\r\n" HOST NG "Content-Length: 20\r\n\r\n%s d7:command4:pinge"
	char text[1024];
	struct world w;
	size_t i, len;

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	len = (size_t)snprintf(text, sizeof(text), PING, "c1");
	for (i = 0; i < len; i++) {
		say_raw(&w, text + i, 1);
		if (i % 16 == 0)
			turn(&w);
	}
	hear_end(&w);
	assert_non_null(strstr(w.heard, "\r\n\r\nc1 d6:result4:ponge"));
	hang_up(&w);
	snprintf(text, sizeof(text), PING PING, "c2", "c3");
	say(&w, text);
	hear_end(&w);
	assert_non_null(strstr(w.heard, "\r\n\r\nc2 d6:result4:ponge"));
	assert_int_equal(w.heard_len, strstr(w.heard, "ponge") + 5 - w.heard);
	wait_counted(&w, "connections", 0);
	assert_int_equal(counted(&w, "malformed"), 0);
	close_ng(&w);
}

/* Ten seconds for all of it, however often something comes. */
static void a_drop_at_a_time(void **state)
{
	uint64_t begin = now_ms();
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	say(&w, "POST /ng HTTP/1.1\r\n" HOST NG "Content-Length: 4096\r\n\r\n");
	while (!w.closed && now_ms() - begin < 6 * PATIENT) {
		(void)send(w.fd, "x", 1, MSG_NOSIGNAL);
		turn(&w);
	}
	assert_true(w.closed);
	assert_int_equal(w.heard_len, 0);
	assert_int_equal(counted(&w, "refused"), 1);
	close_ng(&w);
}

/* The answer was lost with its connection: it is the same one, though the call is there by now. */
static void the_same_once_more(void **state)
{
	char request[1024], first[2048];
	const char *sdp = audio("192.0.2.1", 4000, "");
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	snprintf(request, sizeof(request),
		 "7_1 d7:call-id1:c7:command5:offer8:from-tag1:a3:sdp%zu:%se", strlen(sdp), sdp);
	post(&w, "/ng", NG, request);
	hear(&w);
	assert_non_null(strstr(w.heard, "6:result2:ok"));
	assert_true(w.heard_len < sizeof(first));
	memcpy(first, w.heard, w.heard_len + 1);
	hang_up(&w);
	post(&w, "/ng", NG, request);
	hear(&w);
	assert_string_equal(w.heard, first);
	assert_int_equal(counted(&w, "duplicates"), 1);
	assert_int_equal(tandem_sessions_count(w.fx.ss), 1);
	close_ng(&w);
}

static void metrics_and_ping(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	say(&w, "GET /metrics HTTP/1.1\r\nHost: Relay.Example.ORG:22250\r\n\r\n");
	hear(&w);
	assert_non_null(strstr(w.heard, "text/plain; version=0.0.4"));
	assert_non_null(strstr(w.heard, "\r\n\r\ntandem_sessions 0\n"));
	assert_int_equal(metrics_asked, 1);
	hear_end(&w);
	hang_up(&w);
	say(&w, "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
	hear(&w);
	assert_non_null(strstr(w.heard, "\r\n\r\npong\n"));
	close_ng(&w);
}

/* More than the socket takes at once: it arrives all the same, however late it is read. */
static void long_answers(void **state)
{
	uint64_t end = now_ms() + PATIENT;
	struct world w;
	size_t got = 0;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	metrics_size = 8 << 20;
	say(&w, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
	while (!w.closed && now_ms() < end) {
		turn(&w);
		got += w.heard_len;
		forget(&w);
	}
	metrics_size = 0;
	assert_true(got > 8 << 20 && got < (8 << 20) + 512);
	close_ng(&w);
}

static void strangers(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "192.0.2.0/24", "127.0.0.1");
	w.fd = dial();
	hear_end(&w);
	assert_int_equal(w.heard_len, 0);
	wait_counted(&w, "denied", 1);
	assert_int_equal(counted(&w, "connections"), 0);
	close_ng(&w);
}

static void too_many(void **state)
{
	int fds[TANDEM_NG_MAX_CLIENTS], i;
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++)
		fds[i] = dial();
	wait_counted(&w, "connections", TANDEM_NG_MAX_CLIENTS);
	w.fd = dial();
	hear_end(&w);
	assert_int_equal(counted(&w, "refused"), 1);
	hang_up(&w);
	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++)
		close(fds[i]);
	wait_counted(&w, "connections", 0);
	post(&w, "/ng", NG, "c1 d7:command4:pinge");
	hear(&w);
	assert_non_null(strstr(w.heard, "pong"));
	close_ng(&w);
}

/* They have gone when their answer comes, or it never does. */
static void gone_before_the_answer(void **state)
{
	struct world w;
	int i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	for (i = 0; i < 20; i++) {
		post(&w, "/ng-plain", NG, "d7:command4:pinge");
		hang_up(&w);
		if (i % 4 == 0)
			turn(&w);
	}
	wait_counted(&w, "connections", 0);
	post(&w, "/ng-plain", NG, "d7:command4:pinge");
	hear(&w);
	assert_non_null(strstr(w.heard, "pong"));
	hang_up(&w);
	for (i = 0; i < 20; i++) {
		post(&w, "/ng-plain", NG, "d7:command4:pinge");
		usleep(1000);
		hang_up(&w);
	}
	close_ng(&w);
}

static void taken_address(void **state)
{
	struct tandem_ng_config cfg = { .listen_count = 1 };
	struct tandem_ng *second;
	struct world w;
	char why[128];

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	cfg.listen[0] = (struct tandem_ng_listen){ TANDEM_NG_HTTP, ep("127.0.0.1", PORT) };
	assert_int_equal(tandem_ng_open(&second, &cfg, w.fx.ss, why, sizeof(why)), -EADDRINUSE);
	assert_non_null(strstr(why, "http:127.0.0.1:22250"));
	close_ng(&w);
}

/* ---- WebSocket (RFC 6455) ---------------------------------------------------- */

#define TEXT   0x1
#define BINARY 0x2
#define CLOSE  0x8
#define FIN    0x80

static bool shake_hands(struct world *w, const char *headers)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "GET / HTTP/1.1\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		 headers);
	say(w, text);
	while (!w->closed && !memmem(w->heard, w->heard_len, "\r\n\r\n", 4))
		turn(w);
	/* of the key above, as section 1.3 has it */
	if (!strncmp(w->heard, "HTTP/1.1 101 ", 13) &&
	    !strcasestr(w->heard, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
		fail_msg("%s", w->heard);
	return !strncmp(w->heard, "HTTP/1.1 101 ", 13);
}

static void open_socket(struct world *w, const char *protocol)
{
	char headers[256];

	snprintf(headers, sizeof(headers), HOST "Sec-WebSocket-Protocol: %s\r\n", protocol);
	assert_true(shake_hands(w, headers));
	forget(w);
}

/* A frame of a client's: masked, and here with zeros. */
static size_t put_frame(unsigned char *buf, unsigned int first, const char *text, size_t len)
{
	size_t n = 2;

	buf[0] = (unsigned char)first;
	buf[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		buf[2] = (unsigned char)(len >> 8);
		buf[3] = (unsigned char)len;
		n = 4;
	}
	memset(buf + n, 0, 4);
	memcpy(buf + n + 4, text, len);
	return n + 4 + len;
}

static void say_frame(struct world *w, unsigned int first, const char *text)
{
	unsigned char buf[4096];

	say_raw(w, buf, put_frame(buf, first, text, strlen(text)));
}

/* The next frame of the server's is this one. */
static void hear_frame(struct world *w, unsigned int first, const char *text)
{
	size_t len = strlen(text);

	hear_octets(w, 2 + len);
	assert_int_equal((unsigned char)w->heard[0], first);
	assert_int_equal((unsigned char)w->heard[1], len);
	assert_memory_equal(w->heard + 2, text, len);
	w->heard_len -= 2 + len;
	memmove(w->heard, w->heard + 2 + len, w->heard_len);
}

static void hear_close(struct world *w, unsigned int status)
{
	hear_octets(w, 4);
	assert_int_equal((unsigned char)w->heard[0], FIN | CLOSE);
	assert_int_equal((unsigned char)w->heard[2] << 8 | (unsigned char)w->heard[3], status);
}

static void messages(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	say_frame(&w, FIN | TEXT, "c1 {\"command\":\"ping\"}");
	hear_frame(&w, FIN | TEXT, "c1 {\"result\":\"pong\"}");
	say_frame(&w, FIN | BINARY, "c2 d7:command4:pinge");
	hear_frame(&w, FIN | BINARY, "c2 d6:result4:ponge");
	say_frame(&w, TEXT, "c3 d7:comm");
	say_frame(&w, 0, "and4:pi");
	say_frame(&w, FIN, "nge");
	hear_frame(&w, FIN | TEXT, "c3 d6:result4:ponge");
	say_frame(&w, FIN | TEXT, "c2 d7:command4:pinge");
	hear_frame(&w, FIN | TEXT, "c2 d6:result4:ponge");
	assert_int_equal(counted(&w, "duplicates"), 1);
	say_frame(&w, FIN | TEXT, "c4 i7e");
	hear_frame(&w, FIN | TEXT,
		   "c4 d12:error-reason28:Failed to decode the message6:result5:errore");
	hear_close(&w, 1007);
	hang_up(&w);
	open_socket(&w, "ng-plain.rtpengine.com");
	say_frame(&w, FIN | TEXT, "d7:command4:pinge");
	hear_frame(&w, FIN | TEXT, "d6:result4:ponge");
	say_frame(&w, FIN | TEXT, "c5 d7:command4:pinge");
	hear_close(&w, 1007);
	assert_int_equal(counted(&w, "malformed"), 2);
	close_ng(&w);
}

/* More than may be under way, all of them answered in their order. */
static void many_messages(void **state)
{
	unsigned char buf[300 * 40];
	char text[32];
	struct world w;
	size_t len = 0;
	int i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d d7:command4:pinge", i);
		len += put_frame(buf + len, FIN | TEXT, text, strlen(text));
	}
	say_raw(&w, buf, len);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d d6:result4:ponge", i);
		hear_frame(&w, FIN | TEXT, text);
	}
	close_ng(&w);
}

static void too_long_a_message(void **state)
{
	static char part[60001];
	static unsigned char buf[60010];
	struct world w;
	int i;

	(void)state;
	memset(part, ' ', 60000);
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	for (i = 0; i < 2; i++)
		say_raw(&w, buf, put_frame(buf, i ? 0 : TEXT, part, 60000));
	say_raw(&w, buf, put_frame(buf, 0, part, 20000));
	hear_close(&w, 1009);
	wait_counted(&w, "refused", 1);
	close_ng(&w);
}

static void handshakes(void **state)
{
	static const char *const headers[] = {
		HOST
		"Sec-WebSocket-Protocol: ng.rtpengine.com\r\nOrigin: http://127.0.0.1:22250\r\n",
		HOST "Sec-WebSocket-Protocol: ng-plain.rtpengine.com\r\nOrigin: null\r\n",
		"Host: a.example\r\nSec-WebSocket-Protocol: ng.rtpengine.com\r\n",
		HOST "Sec-WebSocket-Protocol: sip\r\n",
		HOST,
	};
	struct world w;
	size_t i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (shake_hands(&w, headers[i]))
			fail_msg("%s", headers[i]);
		hang_up(&w);
		forget(&w);
	}
	wait_counted(&w, "connections", 0);
	assert_int_equal(counted(&w, "refused"), sizeof(headers) / sizeof(headers[0]));
	close_ng(&w);
}

/* ---- rules ------------------------------------------------------------------- */

static void hosts(void **state)
{
	static const char *const names[] = { "relay.example.org", "relay" };
	static const struct {
		const char *host;
		bool fits;
	} cases[] = {
		{ "127.0.0.1", true },
		{ "127.0.0.1:2225", true },
		{ "192.0.2.7:", true },
		{ "[::1]", true },
		{ "[2001:db8::1]:2225", true },
		{ "localhost", true },
		{ "LocalHost:80", true },
		{ "relay", true },
		{ "Relay.Example.org:2225", true },
		{ "", false },
		{ ":2225", false },
		{ "::1", false },
		{ "[]", false },
		{ "[::1", false },
		{ "[::1]2225", false },
		{ "[127.0.0.1]", false },
		{ "[localhost]", false },
		{ "127.0.0.1:22x", false },
		{ "127.0.0.1 ", false },
		{ "127.0.0.1.example", false },
		{ "localhost.example", false },
		{ "relay.example.com", false },
		{ "relay.example.org.", false },
		{ "a.example", false },
		{ "127.0.0.1, a.example", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (tandem_ng_host_fits(cases[i].host, names, 2) != cases[i].fits)
			fail_msg("'%s'", cases[i].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(refused),
		cmocka_unit_test(not_http),
		cmocka_unit_test(in_pieces_and_at_once),
		cmocka_unit_test(a_drop_at_a_time),
		cmocka_unit_test(the_same_once_more),
		cmocka_unit_test(metrics_and_ping),
		cmocka_unit_test(long_answers),
		cmocka_unit_test(strangers),
		cmocka_unit_test(too_many),
		cmocka_unit_test(gone_before_the_answer),
		cmocka_unit_test(taken_address),
		cmocka_unit_test(messages),
		cmocka_unit_test(many_messages),
		cmocka_unit_test(too_long_a_message),
		cmocka_unit_test(handshakes),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests_name("ng_http", tests, NULL, NULL);
}
