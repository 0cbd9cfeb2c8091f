/* SPDX-License-Identifier: GPL-2.0-only */
/* One process hands over to another, which may not keep its word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/abi.h"
#include "userspace/control/client.h"
#include "userspace/datapath/bequest.h"
#include "userspace/handover/go.h"
#include "userspace/handover/handover.h"

struct going {
	char dir[64], control[96], socket[128];
	struct tandem_handover *h;
	bool is_quiet, gone;
	int asked, open_turns; /* looks at what is open, and how many of them find something */
};

static void quiet(bool on, void *arg)
{
	((struct going *)arg)->is_quiet = on;
}

static size_t open_transactions(void *arg)
{
	struct going *g = arg;

	return g->asked++ < g->open_turns;
}

static void go(void *arg)
{
	((struct going *)arg)->gone = true;
}

static const struct tandem_bequest nothing;
static const struct tandem_handover_ops ops = { quiet, open_transactions, go };

static int set_up(void **state)
{
	struct going *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	snprintf(g->dir, sizeof(g->dir), "/tmp/tandem-handover-XXXXXX");
	assert_non_null(mkdtemp(g->dir));
	snprintf(g->control, sizeof(g->control), "%s/c.sock", g->dir);
	snprintf(g->socket, sizeof(g->socket), "%s.handover", g->control);
	assert_int_equal(tandem_handover_open(&g->h, g->control, &ops, g), 0);
	*state = g;
	return 0;
}

/* Nothing but the directory is left. */
static int tear_down(void **state)
{
	struct going *g = *state;
	int ret;

	tandem_handover_close(g->h);
	ret = rmdir(g->dir);
	free(g);
	return ret;
}

static int start(struct going *g, const char *version, int abi, char *why, size_t why_size)
{
	json_t *params = json_pack("{s:s*, s:i}", "version", version, "abi", abi), *result = NULL;
	int ret = tandem_handover_call("handover.start", params, &result, why, why_size, g->h);

	if (!ret)
		assert_string_equal(json_string_value(json_object_get(result, "socket")),
				    g->socket);
	json_decref(params);
	json_decref(result);
	return ret;
}

static void invite(struct going *g)
{
	char why[256] = "";

	assert_int_equal(start(g, "2", TANDEM_ABI_VERSION, why, sizeof(why)), 0);
}

/* Turns of the event loop, until it is agreed or off; false when neither comes. */
static bool turn(struct going *g, bool until_off)
{
	struct pollfd pfd = { .fd = tandem_handover_fd(g->h), .events = POLLIN };

	for (int i = 0; i < 500; i++) {
		if (until_off ? i > 5 && !g->is_quiet : g->gone)
			return true;
		poll(&pfd, 1, 20);
		tandem_handover_dispatch(g->h);
	}
	return false;
}

enum manner { READY, DIES, BABBLES };

/* A process that connects, waits to be told, and then does as it likes. */
static pid_t comes(struct going *g, enum manner manner)
{
	pid_t pid = fork();
	char word[8] = "";
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	fd = tandem_client_connect(g->socket, 0);
	if (fd < 0 || read(fd, word, sizeof(word) - 1) != 3 || strcmp(word, "go\n"))
		_exit(1);
	if (manner == READY)
		_exit(tandem_handover_ready(fd) ? 1 : 0);
	if (manner == DIES)
		_exit(0);
	if (write(fd, "well\n", 5) == 5)
		pause();
	_exit(1);
}

static void others_are_refused(void **state)
{
	struct going *g = *state;
	char why[256] = "", abi[32];
	json_t *result = NULL;

	assert_int_equal(start(g, "9.9", TANDEM_ABI_VERSION + 1, why, sizeof(why)), -EINVAL);
	snprintf(abi, sizeof(abi), "ABI %d:", TANDEM_ABI_VERSION);
	assert_non_null(strstr(why, abi));
	snprintf(abi, sizeof(abi), "ABI %d ", TANDEM_ABI_VERSION + 1);
	assert_non_null(strstr(why, abi));
	assert_non_null(strstr(why, "9.9"));
	assert_int_equal(start(g, NULL, TANDEM_ABI_VERSION, why, sizeof(why)), -EINVAL);
	assert_int_equal(tandem_handover_call("stats", NULL, &result, why, sizeof(why), g->h),
			 -ENOSYS);
	invite(g);
	assert_int_equal(start(g, "2", TANDEM_ABI_VERSION, why, sizeof(why)), -EAGAIN);
}

static void transactions_are_waited_for(void **state)
{
	struct going *g = *state;
	int status = -1;
	pid_t pid;

	g->open_turns = 7;
	invite(g);
	pid = comes(g, READY);
	assert_true(turn(g, false));
	assert_int_equal(g->asked, 8);
	assert_true(g->is_quiet && tandem_handover_agreed(g->h));
	assert_int_equal(tandem_handover_give(g->h, &nothing), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int pair(int fds[2])
{
	const struct timeval limit = { .tv_sec = 5 };

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) ||
	       setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* As many as there may be, in their order, close-on-exec; and the words that go with them. */
static void sockets_come_along(void **state)
{
	struct tandem_bequest sent = { .len = TANDEM_BEQUEST_DATA }, got = { 0 };
	int fds[2], pipes[2];
	char byte = 'x';

	(void)state;
	assert_int_equal(pair(fds), 0);
	assert_int_equal(pipe(pipes), 0);
	memset(sent.data, 7, sizeof(sent.data));
	while (!tandem_bequest_add(&sent, pipes[sent.fd_count % 2]))
		continue;
	assert_int_equal(sent.fd_count, TANDEM_BEQUEST_FDS);
	assert_int_equal(tandem_handover_send_go(fds[0], &sent), 0);
	tandem_bequest_clean(&sent);
	assert_int_equal(tandem_handover_receive_go(fds[1], &got), 0);
	assert_int_equal(got.fd_count, TANDEM_BEQUEST_FDS);
	assert_int_equal(got.len, TANDEM_BEQUEST_DATA);
	assert_int_equal(got.data[TANDEM_BEQUEST_DATA - 1], 7);
	assert_true(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got.fds[TANDEM_BEQUEST_FDS - 1], &byte, 1), 1);
	assert_int_equal(read(got.fds[0], &byte, 1), 1);
	tandem_bequest_clean(&got);

	/* an older one says only that */
	assert_int_equal(write(fds[0], "go\n", 3), 3);
	assert_int_equal(tandem_handover_receive_go(fds[1], &got), 0);
	assert_int_equal(got.len + got.fd_count, 0);
	assert_int_equal(write(fds[0], "no", 2), 2);
	assert_int_equal(tandem_handover_receive_go(fds[1], &got), -ECONNRESET);
	close(fds[0]);
	assert_int_equal(tandem_handover_receive_go(fds[1], &got), -ECONNRESET);
	close(fds[1]);
	close(pipes[0]);
	close(pipes[1]);
}

static void broken_word(struct going *g, enum manner manner, int *status)
{
	pid_t pid;

	invite(g);
	pid = comes(g, manner);
	assert_true(turn(g, false));
	assert_int_equal(tandem_handover_give(g->h, &nothing), -ECONNRESET);
	assert_int_equal(waitpid(pid, status, 0), pid);
}

static void who_dies_is_noticed(void **state)
{
	int status = -1;

	broken_word(*state, DIES, &status);
	assert_true(WIFEXITED(status));
}

/* It would have the relay as well. */
static void who_is_not_ready_is_ended(void **state)
{
	int status = -1;

	broken_word(*state, BABBLES, &status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void who_goes_away_is_forgotten(void **state)
{
	struct going *g = *state;
	int status = -1;
	pid_t pid;

	g->open_turns = 1000000;
	invite(g);
	pid = comes(g, READY);
	for (int i = 0; i < 500 && !g->is_quiet; i++) {
		usleep(10000);
		tandem_handover_dispatch(g->h);
	}
	assert_true(g->is_quiet);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(turn(g, true));
	assert_false(g->gone);
	invite(g); /* so the next one may ask */
}

static void nobody_to_take_over_from(void **state)
{
	struct going *g = *state;
	struct tandem_bequest left = { 0 };
	char why[256] = "";
	int fd = 0;

	assert_int_equal(tandem_handover_take(&fd, &left, g->control, why, sizeof(why)), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(left.fd_count, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(others_are_refused),
		CASE(transactions_are_waited_for),
		CASE(who_dies_is_noticed),
		CASE(who_is_not_ready_is_ended),
		CASE(who_goes_away_is_forgotten),
		CASE(nobody_to_take_over_from),
		cmocka_unit_test(sockets_come_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
