/* SPDX-License-Identifier: GPL-2.0-only */
/* The NG protocol by HTTP: who is listened to, and what is answered. */
#include "tests/unit/ng_http.h"

#include "userspace/ng/http_rules.h"

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
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
