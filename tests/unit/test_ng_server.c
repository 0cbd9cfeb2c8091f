/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the NG protocol: who is answered, and what is when it comes in pieces or too often. */
#include "tests/unit/session_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/ng/message.h"
#include "userspace/ng/ng.h"

#define PORT 22230
#define PING "d7:command4:pinge"
#define PONG "d6:result4:ponge"

struct world {
	struct fixture fx;
	struct tandem_ng *ng;
	int fd;
};

static void open_ng(struct world *w, const char *allow, const char *local)
{
	struct tandem_ng_config cfg = { .listen_count = 2, .allow_count = 1 };
	char why[128] = "";

	memset(w, 0, sizeof(*w));
	w->fd = -1;
	fx_open(&w->fx);
	cfg.listen[0].local = cfg.listen[1].local = ep(local, PORT);
	cfg.listen[1].transport = TANDEM_NG_TCP;
	assert_int_equal(tandem_prefix_parse(&cfg.allow[0], allow), 0);
	if (tandem_ng_open(&w->ng, &cfg, w->fx.ss, why, sizeof(why)))
		fail_msg("%s", why);
}

static void close_ng(struct world *w)
{
	if (w->fd >= 0)
		close(w->fd);
	tandem_ng_close(w->ng);
	fx_clean(&w->fx);
}

static int dial(int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void serve(struct world *w)
{
	struct pollfd p = { .fd = tandem_ng_fd(w->ng), .events = POLLIN };

	while (poll(&p, 1, 50) == 1)
		tandem_ng_dispatch(w->ng);
}

static void say_to(struct world *w, int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
	serve(w);
}

static void say(struct world *w, const char *text)
{
	say_to(w, w->fd, text, strlen(text));
}

/* All that has come; "" when the other side has closed, and "-" when there is nothing. */
static const char *heard_by(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n < 0)
		return "-";
	buf[n] = '\0';
	return buf;
}

static json_int_t counted(const struct world *w, const char *name)
{
	json_t *js = tandem_ng_json(w->ng);
	json_int_t n = json_integer_value(json_object_get(js, name));

	json_decref(js);
	return n;
}

static void datagrams(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.0/8", "127.0.0.1");
	w.fd = dial(SOCK_DGRAM);
	say(&w, "c1 " PING);
	assert_string_equal(heard_by(w.fd), "c1 " PONG);
	say(&w, "c2 i7e");
	assert_non_null(strstr(heard_by(w.fd), "Failed to decode"));
	say(&w, "c3 {\"command\":\"ping\"}");
	assert_string_equal(heard_by(w.fd), "c3 {\"result\":\"pong\"}");
	say(&w, "no_cookie");
	say(&w, "c4 d7:command4:pi"); /* the rest of it will not come */
	say(&w, "");
	assert_string_equal(heard_by(w.fd), "-");
	assert_int_equal(counted(&w, "malformed"), 4);
	close_ng(&w);
}

/* Its answer was lost: it is the same one, though the call is there by now. */
static void the_same_once_more(void **state)
{
	char request[1024], first[2048];
	const char *sdp = audio("192.0.2.1", 4000, "");
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	w.fd = dial(SOCK_DGRAM);
	snprintf(request, sizeof(request),
		 "7_1 d7:call-id1:c7:command5:offer8:from-tag1:a3:sdp%zu:%se", strlen(sdp), sdp);
	say(&w, request);
	snprintf(first, sizeof(first), "%s", heard_by(w.fd));
	assert_non_null(strstr(first, "6:result2:ok"));
	say(&w, request);
	assert_string_equal(heard_by(w.fd), first);
	assert_int_equal(counted(&w, "duplicates"), 1);
	assert_int_equal(tandem_sessions_count(w.fx.ss), 1);
	close_ng(&w);
}

static void strangers(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "192.0.2.0/24", "127.0.0.1");
	w.fd = dial(SOCK_DGRAM);
	say(&w, "c1 " PING);
	assert_string_equal(heard_by(w.fd), "-");
	close(w.fd);
	w.fd = dial(SOCK_STREAM);
	serve(&w);
	assert_string_equal(heard_by(w.fd), "");
	assert_int_equal(counted(&w, "denied"), 2);
	assert_int_equal(counted(&w, "connections"), 0);
	close_ng(&w);
}

static void streams(void **state)
{
	static const char whole[] = "c3 " PING;
	struct world w;
	size_t i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	w.fd = dial(SOCK_STREAM);
	say(&w, "c1 " PING "\nc2 {\"command\":\"ping\"}\n");
	assert_string_equal(heard_by(w.fd), "c1 " PONG "c2 {\"result\":\"pong\"}");
	for (i = 0; i < sizeof(whole) - 1; i++) {
		assert_string_equal(heard_by(w.fd), "-");
		say_to(&w, w.fd, whole + i, 1);
	}
	assert_string_equal(heard_by(w.fd), "c3 " PONG);
	assert_int_equal(counted(&w, "connections"), 1);
	say(&w, "c4 i7e");
	assert_non_null(strstr(heard_by(w.fd), "Failed to decode"));
	assert_string_equal(heard_by(w.fd), "");
	assert_int_equal(counted(&w, "connections"), 0);
	close_ng(&w);
}

/* More requests at once than one turn answers, and more than the client reads. */
static void many_at_once(void **state)
{
	char text[200 * 32] = "";
	struct world w;
	size_t len = 0, got = 0;
	const char *p;
	int i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	w.fd = dial(SOCK_STREAM);
	for (i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d " PING, i);
	say_to(&w, w.fd, text, len);
	while (strcmp(p = heard_by(w.fd), "-")) {
		for (; (p = strstr(p, "4:pong")); p++)
			got++;
		serve(&w);
	}
	assert_int_equal(got, 200);
	close_ng(&w);
}

static void one_that_never_ends(void **state)
{
	static char text[TANDEM_NG_MESSAGE_MAX];
	struct world w;
	ssize_t n = 1;
	size_t sent;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "c1 d1:a999999:", 14);
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	w.fd = dial(SOCK_STREAM);
	for (sent = 0; n > 0 && sent < 2 * sizeof(text); sent += (size_t)n) {
		n = send(w.fd, sent ? text + 20 : text, 8000, MSG_NOSIGNAL);
		serve(&w);
	}
	assert_int_equal(counted(&w, "connections"), 0);
	close_ng(&w);
}

/* Who was silent longest goes for who comes. */
static void too_many_clients(void **state)
{
	int fds[TANDEM_NG_MAX_CLIENTS + 1], i;
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	for (i = 0; i <= TANDEM_NG_MAX_CLIENTS; i++) {
		fds[i] = dial(SOCK_STREAM);
		tandem_ng_dispatch(w.ng);
		usleep(2000);
		if (i == 1)
			say_to(&w, fds[0], "c1 " PING, strlen("c1 " PING));
	}
	serve(&w);
	assert_int_equal(counted(&w, "connections"), TANDEM_NG_MAX_CLIENTS);
	assert_string_equal(heard_by(fds[1]), "");
	assert_string_equal(heard_by(fds[0]), "c1 " PONG);
	assert_string_equal(heard_by(fds[TANDEM_NG_MAX_CLIENTS]), "-");
	for (i = 0; i <= TANDEM_NG_MAX_CLIENTS; i++)
		close(fds[i]);
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
	cfg.listen[0].local = ep("127.0.0.1", PORT);
	assert_int_equal(tandem_ng_open(&second, &cfg, w.fx.ss, why, sizeof(why)), -EADDRINUSE);
	assert_non_null(strstr(why, "udp:127.0.0.1:22230"));
	close_ng(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams),	    cmocka_unit_test(the_same_once_more),
		cmocka_unit_test(strangers),	    cmocka_unit_test(streams),
		cmocka_unit_test(many_at_once),	    cmocka_unit_test(one_that_never_ends),
		cmocka_unit_test(too_many_clients), cmocka_unit_test(taken_address),
	};

	return cmocka_run_group_tests_name("ng_server", tests, NULL, NULL);
}
