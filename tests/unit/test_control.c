/* SPDX-License-Identifier: GPL-2.0-only */
/* The local API's server and client over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/control/client.h"
#include "userspace/control/control.h"

static char dir[64], path[96];

static int serve(const char *call, const json_t *params, json_t **result, char *why,
		 size_t why_size, void *arg)
{
	int *calls = arg;

	(*calls)++;
	if (strcmp(call, "echo") == 0)
		*result = json_pack("{s:O?}", "id", json_object_get(params, "id"));
	else if (strcmp(call, "missing") == 0)
		return snprintf(why, why_size, "no session x"), -ENOENT;
	else
		return -ENOSYS;
	return *result ? 0 : -ENOMEM;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tandem-control-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run/control.sock", dir);
	return 0;
}

static int tear_down(void **state)
{
	char sub[80];
	(void)state;

	snprintf(sub, sizeof(sub), "%s/run", dir);
	unlink(path);
	rmdir(sub);
	return rmdir(dir);
}

static struct tandem_control *open_server(int *calls)
{
	struct tandem_control *ctl = NULL;
	char why[256] = "";

	if (tandem_control_open(&ctl, path, serve, calls, why, sizeof(why)))
		fail_msg("%s", why);
	return ctl;
}

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* Lets the server work until nothing is left to do. */
static void turn(struct tandem_control *ctl)
{
	struct pollfd pfd = { .fd = tandem_control_fd(ctl), .events = POLLIN };

	for (int i = 0; i < 1000 && poll(&pfd, 1, 5) > 0; i++)
		tandem_control_dispatch(ctl);
}

static size_t read_all(int fd, char *buf, size_t size)
{
	ssize_t n = recv(fd, buf, size - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* More than the socket holds at once. Stops where the server hangs up. */
static void send_in_turns(struct tandem_control *ctl, int fd, const char *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, data + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EPIPE)
			return;
		assert_true(n > 0 || errno == EAGAIN);
		done += n > 0 ? (size_t)n : 0;
		turn(ctl);
	}
}

static void requests_and_replies(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{\"call\":\"echo\",\"id\":\"a b\\n\"}\n", "{\"result\":{\"id\":\"a b\\n\"}}\n" },
		{ "{\"call\":\"nope\"}\n",
		  "{\"error\":{\"code\":\"unknown_call\",\"text\":\"no call nope\"}}\n" },
		{ "{\"call\":\"missing\"}\n",
		  "{\"error\":{\"code\":\"not_found\",\"text\":\"no session x\"}}\n" },
		{ "{\"call\":7}\n",
		  "{\"error\":{\"code\":\"bad_request\",\"text\":\"\\\"call\\\" is "
		  "missing or no string\"}}\n" },
		{ "[]\n", "{\"error\":{\"code\":\"bad_request\",\"text\":\"\\\"call\\\" is missing "
			  "or no string\"}}\n" },
	};
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	int fd = dial();
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[512];

		assert_true(write(fd, cases[i].in, strlen(cases[i].in)) > 0);
		turn(ctl);
		read_all(fd, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].out);
	}
	close(fd);
	tandem_control_close(ctl);
	assert_int_equal(access(path, F_OK), -1);
}

static void not_json(void **state)
{
	static const char *const lines[] = { "\n", "{\n", "hello\n", "{\"a\":1,\"a\":2}\n",
					     "{\"call\":\"\xff\"}\n" };
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	int fd = dial();
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char buf[512];

		assert_true(write(fd, lines[i], strlen(lines[i])) > 0);
		turn(ctl);
		read_all(fd, buf, sizeof(buf));
		assert_non_null(strstr(buf, "bad_request"));
	}
	/* as deep as fits into a request */
	{
		static char deep[TANDEM_CONTROL_MAX_REQUEST];
		char buf[512];

		memset(deep, '[', sizeof(deep));
		deep[sizeof(deep) - 1] = '\n';
		send_in_turns(ctl, fd, deep, sizeof(deep));
		turn(ctl);
		read_all(fd, buf, sizeof(buf));
		assert_non_null(strstr(buf, "bad_request"));
	}
	assert_int_equal(calls, 0);
	close(fd);
	tandem_control_close(ctl);
}

static void in_pieces_and_in_bulk(void **state)
{
	static const char one[] = "{\"call\":\"echo\",\"id\":1}\n";
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	int fd = dial();
	char buf[4096];
	size_t lines = 0;
	(void)state;

	for (size_t i = 0; i < strlen(one); i++) {
		assert_int_equal(read_all(fd, buf, sizeof(buf)), 0);
		assert_int_equal(write(fd, one + i, 1), 1);
		turn(ctl);
	}
	assert_string_equal((read_all(fd, buf, sizeof(buf)), buf), "{\"result\":{\"id\":1}}\n");
	/* More than one turn answers, and the socket says nothing new meanwhile. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(write(fd, one, strlen(one)), (ssize_t)strlen(one));
	turn(ctl);
	read_all(fd, buf, sizeof(buf));
	for (char *c = buf; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 50);
	assert_int_equal(calls, 51);
	close(fd);
	tandem_control_close(ctl);
}

/* A list of hundreds of legs is one request; the next one is as good as any. */
static void long_request(void **state)
{
	static char request[200000];
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	int fd = dial();
	char buf[512];
	(void)state;

	memset(request, ' ', sizeof(request));
	memcpy(request, "{\"call\":\"echo\",\"id\":7", 22);
	memcpy(request + sizeof(request) - 2, "}\n", 2);
	for (int i = 0; i < 2; i++) {
		send_in_turns(ctl, fd, request, sizeof(request));
		turn(ctl);
		read_all(fd, buf, sizeof(buf));
		assert_string_equal(buf, "{\"result\":{\"id\":7}}\n");
	}
	assert_int_equal(calls, 2);
	close(fd);
	tandem_control_close(ctl);
}

static void too_long(void **state)
{
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	int fd = dial();
	static char junk[TANDEM_CONTROL_MAX_REQUEST + 4096];
	char buf[512];
	(void)state;

	memset(junk, ' ', sizeof(junk));
	send_in_turns(ctl, fd, junk, sizeof(junk));
	turn(ctl);
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "request is too long"));
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 0);
	close(fd);
	tandem_control_close(ctl);
}

static void newcomers_replace_the_idle(void **state)
{
	static const char one[] = "{\"call\":\"echo\"}\n";
	int fds[TANDEM_CONTROL_MAX_CLIENTS + 1], calls = 0;
	struct tandem_control *ctl = open_server(&calls);
	char buf[64];
	(void)state;

	for (size_t i = 0; i < TANDEM_CONTROL_MAX_CLIENTS; i++) {
		fds[i] = dial();
		turn(ctl);
	}
	/* The first shows life, so the second is the one to go. */
	assert_true(write(fds[0], one, strlen(one)) > 0);
	turn(ctl);
	fds[TANDEM_CONTROL_MAX_CLIENTS] = dial();
	turn(ctl);
	assert_true(read_all(fds[0], buf, sizeof(buf)) > 0);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT), 0);
	assert_int_equal(recv(fds[2], buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_true(write(fds[TANDEM_CONTROL_MAX_CLIENTS], one, strlen(one)) > 0);
	turn(ctl);
	assert_true(read_all(fds[TANDEM_CONTROL_MAX_CLIENTS], buf, sizeof(buf)) > 0);
	for (size_t i = 0; i <= TANDEM_CONTROL_MAX_CLIENTS; i++)
		close(fds[i]);
	tandem_control_close(ctl);
}

static void private_and_exclusive(void **state)
{
	int calls = 0;
	struct tandem_control *ctl = open_server(&calls), *second = NULL;
	char why[256] = "";
	struct stat st;
	FILE *f;
	(void)state;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(tandem_control_open(&second, path, serve, &calls, why, sizeof(why)),
			 -EADDRINUSE);
	assert_non_null(strstr(why, "another relay"));
	tandem_control_close(ctl);

	/* Left behind by a relay that was killed: replaced. */
	{
		struct sockaddr_un sun = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
		assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
		close(fd);
	}
	ctl = open_server(&calls);
	tandem_control_close(ctl);

	/* A file is somebody's: kept. */
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(tandem_control_open(&second, path, serve, &calls, why, sizeof(why)),
			 -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
}

static int big_reply(const char *call, const json_t *params, json_t **result, char *why,
		     size_t why_size, void *arg)
{
	(void)call, (void)params, (void)why, (void)why_size, (void)arg;
	*result = json_array();
	for (int i = 0; i < 200000; i++)
		json_array_append_new(*result, json_string("sixteen letters."));
	return 0;
}

/* Runs the server in a child, for the client blocks. */
static pid_t fork_server(struct tandem_control *ctl)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		for (;;) {
			struct pollfd pfd = { .fd = tandem_control_fd(ctl), .events = POLLIN };

			poll(&pfd, 1, -1);
			tandem_control_dispatch(ctl);
		}
	}
	return pid;
}

/* Without a descriptor left, a caller is turned away; waiting, it would wake the loop for ever. */
static void no_descriptors_left(void **state)
{
	struct rlimit was, none;
	int calls = 0, fd, next;
	struct tandem_control *ctl = open_server(&calls);
	struct pollfd p = { .fd = tandem_control_fd(ctl), .events = POLLIN };
	char byte;
	(void)state;

	fd = dial();
	next = dup(fd);
	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	tandem_control_dispatch(ctl);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	close(fd);
	tandem_control_close(ctl);
}

/* With more callers waiting than there is room for, a relay is busy, not gone. */
static void busy_is_alive(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int calls = 0, fds[64], n = 0;
	struct tandem_control *ctl = open_server(&calls), *second = NULL;
	char why[256] = "";
	(void)state;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	do {
		assert_true(n < 64);
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (!connect(fds[n++], (struct sockaddr *)&sun, sizeof(sun)));
	assert_int_equal(errno, EAGAIN);
	assert_true(tandem_client_alive(path));
	assert_int_equal(tandem_control_open(&second, path, serve, &calls, why, sizeof(why)),
			 -EADDRINUSE);
	while (n)
		close(fds[--n]);
	tandem_control_close(ctl);
}

static void the_client(void **state)
{
	json_t *request = json_pack("{s:s}", "call", "list"), *result = NULL;
	struct tandem_control *ctl = NULL;
	char why[256] = "";
	pid_t pid;
	(void)state;

	assert_int_equal(tandem_client_call(path, request, &result, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "no relay is running"));
	assert_false(tandem_client_alive(path));

	assert_int_equal(tandem_control_open(&ctl, path, big_reply, NULL, why, sizeof(why)), 0);
	pid = fork_server(ctl);
	assert_int_equal(tandem_client_call(path, request, &result, why, sizeof(why)), 0);
	assert_int_equal(json_array_size(result), 200000);
	json_decref(result);
	json_object_del(request, "call");
	assert_int_equal(tandem_client_call(path, request, &result, why, sizeof(why)), -EREMOTEIO);
	assert_non_null(strstr(why, "missing"));
	assert_true(tandem_client_alive(path));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tandem_control_close(ctl);
	json_decref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_and_replies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_pieces_and_in_bulk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newcomers_replace_the_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(private_and_exclusive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_descriptors_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(busy_is_alive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_client, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
