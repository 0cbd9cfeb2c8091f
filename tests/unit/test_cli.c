/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line as a user types it, against a relay that gives set answers. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/control/api.h"
#include "userspace/control/control.h"

#define MAX_WORDS 10

static char dir[64], sock[96], conf[96], bad_conf[96];
static pid_t server;

/* One media, that tells what was asked for. */
static json_t *show_act(const char *call, const json_t *params)
{
	const bool silence = strcmp(call, "session.silence") == 0;

	return json_pack("{s:b, s:[{s:I, s:s, s:{s:b, s:b}, s:{s:b}}]}", "partly", silence, "media",
			 "index", json_integer_value(json_object_get(params, "media")), "type",
			 json_object_get(params, "party") ? "audio" : "video", "a", "blocked",
			 !silence, "dtmf_blocked", json_is_true(json_object_get(params, "off")),
			 "b", "silenced", silence);
}

static int answer(const char *call, const json_t *params, json_t **result, char *why,
		  size_t why_size, void *arg)
{
	const char *id = json_string_value(json_object_get(params, "id"));

	(void)arg;
	if (strcmp(call, "session.list") == 0)
		*result = json_pack("{s:[{s:s, s:s}]}", "sessions", "id", "0a1b", "verdict",
				    "two-way");
	else if (strcmp(call, "stats") == 0)
		*result = json_pack("{s:s, s:{s:f}, s:{s:s, s:s, s:i}, s:b, s:{s:s}, s:{s:i}}",
				    "datapath", "uring", "slow", "x", 0.09, "auth", "mode",
				    "required", "realm", "r", "failed", 7, "draining", 1, "cdr",
				    "alarm", "no space", "dropped", "agent", 3);
	else if (strcmp(call, "registrations") == 0)
		*result = json_pack("{s:[]}", "registrations");
	else if (strcmp(call, "block.add") == 0)
		*result = json_pack("{s:O}", "blocked",
				    json_object_get(params, json_object_get(params, "seconds")
								    ? "seconds"
								    : "network"));
	else if (strcmp(call, "block.list") == 0)
		*result = json_pack("{s:[{s:s, s:n}]}", "blocks", "network", "192.0.2.0/24",
				    "left_s");
	else if (strncmp(call, "drain.", 6) == 0)
		*result = json_pack("{s:b, s:i, s:i, s:i}", "draining", strcmp(call, "drain.stop"),
				    "sessions", 3, "transactions", 1, "left_s", 60);
	else if (!id || strcmp(id, "0a1b") != 0)
		return snprintf(why, why_size, "no session %s", id ? id : "?"), -ENOENT;
	else if (strcmp(call, "session.end") == 0)
		*result = json_pack("{s:s}", "ended", "call@host");
	else if (strcmp(call, "session.block") == 0 || strcmp(call, "session.silence") == 0)
		*result = show_act(call, params);
	else
		*result = json_pack("{s:s}", "verdict", "one-way: callee is silent");
	return *result ? 0 : -ENOMEM;
}

static void serve_forever(void)
{
	struct tandem_control *ctl;
	char why[256];

	if (tandem_control_open(&ctl, sock, answer, NULL, why, sizeof(why)))
		_exit(1);
	alarm(60);
	for (;;) {
		struct pollfd pfd = { .fd = tandem_control_fd(ctl), .events = POLLIN };

		poll(&pfd, 1, -1);
		tandem_control_dispatch(ctl);
	}
}

static void write_file(const char *path, const char *fmt, const char *value)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, fmt, value);
	fclose(f);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tandem-cli-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(sock, sizeof(sock), "%s/c.sock", dir);
	snprintf(conf, sizeof(conf), "%s/good.conf", dir);
	snprintf(bad_conf, sizeof(bad_conf), "%s/bad.conf", dir);
	write_file(conf, "control_socket: %s\ncdr:\n  database: /nonexistent/cdr.db\n", sock);
	write_file(bad_conf, "# line\nmedia:\n  port_mni: %s\n", "4");
	server = fork();
	if (server == 0)
		serve_forever();
	for (int i = 0; i < 200 && access(sock, F_OK) != 0; i++)
		usleep(10000);
	return access(sock, F_OK);
}

static int tear_down(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	unlink(sock);
	unlink(conf);
	unlink(bad_conf);
	return rmdir(dir);
}

struct outcome {
	int status;
	char out[8192], err[4096];
};

static void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
}

static int temporary(void)
{
	char path[] = "/tmp/tandem-cli-out-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

/* "@s", "@c" and "@b" stand for the socket, the configuration and the bad one. */
static const char *word(const char *text)
{
	return strcmp(text, "@s") == 0	 ? sock
	       : strcmp(text, "@c") == 0 ? conf
	       : strcmp(text, "@b") == 0 ? bad_conf
					 : text;
}

static void type(struct outcome *o, const char *const *words)
{
	char *argv[MAX_WORDS + 2] = { (char *)"tandem" };
	int argc = 1, out = temporary(), err = temporary();
	int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);

	for (; argc <= MAX_WORDS && words[argc - 1]; argc++)
		argv[argc] = (char *)word(words[argc - 1]);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	o->status = tandem_cli_main(argc, argv);
	fflush(stdout);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	read_back(out, o->out, sizeof(o->out));
	read_back(err, o->err, sizeof(o->err));
	close(saved_out);
	close(saved_err);
	close(out);
	close(err);
}

static const struct {
	const char *words[MAX_WORDS];
	int status;
	const char *out, *err; /* what must be in it; NULL: nothing at all */
} cases[] = {
	{ { NULL }, TANDEM_EXIT_USAGE, NULL, "session list" },
	{ { "--help" }, TANDEM_EXIT_OK, "registrations", NULL },
	{ { "help" }, TANDEM_EXIT_OK, "Run the relay in the foreground.", NULL },
	{ { "help", "run" },
	  TANDEM_EXIT_OK,
	  "[--datapath auto|xdp|kmod|dpdk|uring] [--fresh]",
	  NULL },
	{ { "help", "session" }, TANDEM_EXIT_OK, "session end ID", NULL },
	{ { "help", "session", "show" }, TANDEM_EXIT_OK, "usage: tandem session show ID", NULL },
	{ { "help", "frob" }, TANDEM_EXIT_USAGE, NULL, "no command frob" },
	{ { "session", "list", "--help" }, TANDEM_EXIT_OK, "--watch SECONDS", NULL },
	{ { "session", "--help" }, TANDEM_EXIT_OK, "session show ID", NULL },
	{ { "--version" }, TANDEM_EXIT_OK, "tandem " TANDEM_VERSION "\n", NULL },
	{ { "version", "--json" }, TANDEM_EXIT_OK, "{\"version\":\"" TANDEM_VERSION "\"}\n", NULL },
	{ { "frob" }, TANDEM_EXIT_USAGE, NULL, "no command frob" },
	{ { "session", "block", "0a1b", "b", "--media", "3", "--off", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "3 audio from a: blocked, DTMF blocked\n3 audio from b: passes\n",
	  NULL },
	{ { "session", "silence", "0a1b", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "0 video from b: silenced\nsome of it has no silence",
	  NULL },
	{ { "session", "block", "0a1b", "c" }, TANDEM_EXIT_USAGE, NULL, "neither a" },
	{ { "session", "block", "0a1b", "--media", "32" }, TANDEM_EXIT_USAGE, NULL, "--media" },
	{ { "session", "silence", "0a1b", "--dtmf" }, TANDEM_EXIT_USAGE, NULL, "dtmf" },
	{ { "session" }, TANDEM_EXIT_USAGE, NULL, "session end ID" },
	{ { "session", "frob" }, TANDEM_EXIT_USAGE, NULL, "session list" },
	{ { "sess", "list" }, TANDEM_EXIT_USAGE, NULL, "no command sess" },
	{ { "stats", "--fresh" }, TANDEM_EXIT_USAGE, NULL, "tandem: unrecognized option" },
	{ { "stats", "extra" }, TANDEM_EXIT_USAGE, NULL, "too many arguments" },
	{ { "session", "show" }, TANDEM_EXIT_USAGE, NULL, "an argument is missing" },
	{ { "run", "--datapath", "none" },
	  TANDEM_EXIT_USAGE,
	  NULL,
	  "none of auto, xdp, kmod, dpdk, uring" },
	{ { "stats", "--watch", "0" }, TANDEM_EXIT_USAGE, NULL, "--watch: '0'" },
	{ { "stats", "--watch", "-1" }, TANDEM_EXIT_USAGE, NULL, "--watch: '-1'" },
	{ { "stats", "--watch", "2x" }, TANDEM_EXIT_USAGE, NULL, "--watch: '2x'" },
	{ { "stats", "--socket" }, TANDEM_EXIT_USAGE, NULL, "requires an argument" },
	/* configurations */
	{ { "stats", "-c", "@b" }, TANDEM_EXIT_USAGE, NULL, "bad.conf:3: media.port_mni: unknown" },
	{ { "run", "-c", "@b" }, TANDEM_EXIT_USAGE, NULL, "bad.conf:3: media.port_mni: unknown" },
	{ { "doctor", "-c", "@b" }, TANDEM_EXIT_USAGE, NULL, "media.port_mni: unknown key" },
	{ { "stats", "-c", "/nonexistent" }, TANDEM_EXIT_USAGE, NULL, "No such file" },
	/* a running relay */
	{ { "session", "list", "--socket", "@s" }, TANDEM_EXIT_OK, "0a1b  -", NULL },
	{ { "session", "list", "-c", "@c" }, TANDEM_EXIT_OK, "two-way", NULL },
	{ { "session", "list", "--socket", "@s", "--json" },
	  TANDEM_EXIT_OK,
	  "{\"sessions\":[{\"id\":\"0a1b\",\"verdict\":\"two-way\"}]}\n",
	  NULL },
	{ { "session", "show", "0a1b", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "callee is silent",
	  NULL },
	{ { "session", "show", "--json", "--socket", "@s", "0a1b" },
	  TANDEM_EXIT_OK,
	  "{\"verdict\":\"one-way: callee is silent\"}",
	  NULL },
	{ { "session", "show", "none", "--socket", "@s" },
	  TANDEM_EXIT_FAILURE,
	  NULL,
	  "tandem: no session none" },
	{ { "session", "show", "\xff", "--socket", "@s" }, TANDEM_EXIT_USAGE, NULL, "UTF-8" },
	{ { "session", "end", "0a1b", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "ended call@host\n",
	  NULL },
	{ { "registrations", "--socket", "@s" }, TANDEM_EXIT_OK, "no registrations\n", NULL },
	{ { "stats", "--socket", "@s" }, TANDEM_EXIT_OK, "required, realm r\n", NULL },
	{ { "stats", "--socket", "@s" }, TANDEM_EXIT_OK, "failed            7\n", NULL },
	{ { "stats", "--socket", "@s" }, TANDEM_EXIT_OK, "call records wait: no space\n", NULL },
	{ { "stats", "--socket", "@s" }, TANDEM_EXIT_OK, "new calls are refused\n", NULL },
	{ { "stats", "--socket", "@s", "--json" }, TANDEM_EXIT_OK, "{\"x\":0.09}", NULL },
	{ { "block", "add", "192.0.2.1", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "blocked 192.0.2.1\n",
	  NULL },
	{ { "block", "add", "192.0.2.1", "60", "--json", "--socket", "@s" },
	  TANDEM_EXIT_OK,
	  "{\"blocked\":60}",
	  NULL },
	{ { "block", "add", "192.0.2.1", "soon" }, TANDEM_EXIT_USAGE, NULL, "number of seconds" },
	{ { "block", "add", "a", "1", "b" }, TANDEM_EXIT_USAGE, NULL, "too many arguments" },
	{ { "block", "add" }, TANDEM_EXIT_USAGE, NULL, "an argument is missing" },
	{ { "block", "list", "--socket", "@s" }, TANDEM_EXIT_OK, "192.0.2.0/24  ", NULL },
	{ { "drain", "--socket", "@s", "--timeout", "60" },
	  TANDEM_EXIT_OK,
	  "draining: 3 calls, 1 transactions, 60 s left\n",
	  NULL },
	{ { "drain", "--off", "--socket", "@s" }, TANDEM_EXIT_OK, "in service\n", NULL },
	{ { "drain", "--off", "--wait" }, TANDEM_EXIT_USAGE, NULL, "--off goes without" },
	{ { "drain", "--timeout", "0" }, TANDEM_EXIT_USAGE, NULL, "--timeout: '0'" },
	{ { "cdr", "list", "-c", "@c" }, TANDEM_EXIT_FAILURE, NULL, "unable to open" },
	/* none */
	{ { "stats", "--socket", "/nonexistent/s" },
	  TANDEM_EXIT_NO_RELAY,
	  NULL,
	  "no relay is running at /nonexistent/s" },
};

static bool as_wanted(const char *got, const char *want)
{
	return want ? strstr(got, want) != NULL : got[0] == '\0';
}

static void what_users_type(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o;

		type(&o, cases[i].words);
		if (o.status != cases[i].status || !as_wanted(o.out, cases[i].out) ||
		    !as_wanted(o.err, cases[i].err))
			fail_msg("case %zu (%s %s): status %d\nout: %s\nerr: %s", i,
				 cases[i].words[0] ? cases[i].words[0] : "",
				 cases[i].words[0] && cases[i].words[1] ? cases[i].words[1] : "",
				 o.status, o.out, o.err);
	}
}

static void a_doctor_that_cannot_tell(void **state)
{
	static const char *const words[] = { "doctor", "--json", "-c", "@c", NULL };
	struct outcome o;
	json_t *doc;
	(void)state;

	/* Documentation addresses are on no interface, whatever the host. */
	write_file(conf, "media: {addresses: [{address: %s}]}\n", "203.0.113.77");
	type(&o, words);
	write_file(conf, "control_socket: %s\n", sock);
	assert_int_equal(o.status, TANDEM_EXIT_FAILURE);
	doc = json_loads(o.out, 0, NULL);
	assert_non_null(doc);
	assert_true(json_is_false(json_object_get(doc, "usable")));
	assert_int_equal(json_array_size(json_object_get(doc, "datapaths")), 4);
	assert_non_null(strstr(o.out, "203.0.113.77 is on no interface that is up"));
	json_decref(doc);
}

static void the_api_without_a_relay(void **state)
{
	static const struct {
		const char *call, *params;
		int ret;
	} rows[] = {
		{ "frob", "{}", -ENOSYS },
		{ "session.list", "{}", -EAGAIN },
		{ "session.show", "{}", -EINVAL },
		{ "session.show", "{\"id\":7}", -EINVAL },
		{ "session.end", "{\"id\":\"x\"}", -EAGAIN },
		{ "session.block", "{\"id\":\"x\"}", -EAGAIN },
		{ "session.block", "{\"id\":\"x\",\"what\":\"rtcp\"}", -EINVAL },
		{ "session.silence", "{}", -EINVAL },
		{ "session.play", "{\"file\":\"x.wav\"}", -EINVAL },
		{ "session.play", "{\"id\":\"x\",\"file\":\"x.wav\",\"party\":\"c\"}", -EINVAL },
		{ "session.play", "{\"id\":\"x\",\"file\":\"x.wav\"}", -EAGAIN },
		{ "session.play_stop", "{\"id\":\"x\"}", -EAGAIN },
		{ "session.dtmf", "{\"id\":\"x\",\"digits\":\"1\"}", -EINVAL },
		{ "session.dtmf", "{\"id\":\"x\",\"digits\":\"1\",\"party\":\"a\"}", -EAGAIN },
		{ "registrations", "{}", -EAGAIN },
		{ "gateways", "{}", -EAGAIN },
		{ "stats", "{}", -EAGAIN },
		{ "version", "{}", 0 },
	};
	struct tandem_api api = { 0 };
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *params = json_loads(rows[i].params, 0, NULL), *result = NULL;
		char why[128] = "";

		assert_int_equal(
			tandem_api_call(rows[i].call, params, &result, why, sizeof(why), &api),
			rows[i].ret);
		assert_int_equal(result != NULL, rows[i].ret == 0);
		json_decref(result);
		json_decref(params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_users_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_doctor_that_cannot_tell, set_up, tear_down),
		cmocka_unit_test(the_api_without_a_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
