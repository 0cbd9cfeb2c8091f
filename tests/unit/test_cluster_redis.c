/* SPDX-License-Identifier: GPL-2.0-only */
/* The connection to Redis, with a real server: what it does when that is well, and when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/cluster/libre.h"
#include "userspace/cluster/redis.h"
#include "userspace/util/log.h"

#define PORT	 "6390"
#define TLS_PORT "6391"
#define WAIT_MS	 20000

struct world {
	char dir[32];
	pid_t server;
	struct tandem_redis *redis;
	struct tmr poll, limit;
	bool (*done)(const struct world *w);
	bool timed_out;
	bool up;
	unsigned int ups, downs;
	char why[128];
	unsigned int replies, lost;
	char text[128]; /* of the last reply */
};

static void run_command(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line))
		fail_msg("%s", line);
}

static const char config[] = "port " PORT "\nbind 127.0.0.1\nsave \"\"\n"
			     "user default off\nuser relay on >sesame ~* &* +@all\n"
			     "tls-port " TLS_PORT "\ntls-cert-file cert.pem\n"
			     "tls-key-file key.pem\ntls-ca-cert-file cert.pem\n"
			     "tls-auth-clients no\n";

static void start_server(struct world *w)
{
	w->server = fork();
	assert_true(w->server >= 0);
	if (w->server)
		return;
	if (chdir(w->dir))
		_exit(126);
	if (!freopen("/dev/null", "w", stdout))
		_exit(126);
	execlp("redis-server", "redis-server", "redis.conf", NULL);
	_exit(127);
}

static void stop_server(struct world *w)
{
	kill(w->server, SIGKILL);
	waitpid(w->server, NULL, 0);
}

static void open_world(struct world *w)
{
	char path[64];
	FILE *f;

	memset(w, 0, sizeof(*w));
	strcpy(w->dir, "/tmp/tandem-redis-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	run_command("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		    "-subj /CN=redis.example -addext subjectAltName=DNS:redis.example "
		    "-keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
		    w->dir, w->dir);
	snprintf(path, sizeof(path), "%s/redis.conf", w->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(config, f);
	fclose(f);
	tmr_init(&w->poll);
	tmr_init(&w->limit);
	start_server(w);
}

static void close_world(struct world *w)
{
	tandem_redis_free(w->redis);
	stop_server(w);
	run_command("rm -r %s", w->dir);
}

static void on_state(bool up, const char *why, void *arg)
{
	struct world *w = arg;

	w->up = up;
	w->ups += up;
	w->downs += !up;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static void open_redis(struct world *w, struct tandem_redis_config cfg)
{
	cfg.host = cfg.host ? cfg.host : "127.0.0.1";
	cfg.port = cfg.port ? cfg.port : (uint16_t)atoi(PORT);
	tandem_redis_free(w->redis);
	w->ups = w->downs = 0;
	assert_int_equal(tandem_redis_alloc(&w->redis, &cfg, on_state, w), 0);
}

static void on_poll(void *arg)
{
	struct world *w = arg;

	if (w->done(w))
		re_cancel();
	else
		tmr_start(&w->poll, 10, on_poll, w);
}

static void on_limit(void *arg)
{
	struct world *w = arg;

	w->timed_out = true;
	re_cancel();
}

static void wait_until(struct world *w, bool (*done)(const struct world *w))
{
	w->done = done;
	w->timed_out = false;
	tmr_start(&w->poll, 1, on_poll, w);
	tmr_start(&w->limit, WAIT_MS, on_limit, w);
	re_main(NULL);
	tmr_cancel(&w->poll);
	tmr_cancel(&w->limit);
	if (w->timed_out)
		fail_msg("it did not come to that; %s", w->why);
}

static bool is_up(const struct world *w)
{
	return w->up;
}

static bool was_down(const struct world *w)
{
	return w->downs;
}

/* For what the server says, not because it did not run yet. */
static bool was_down_often(const struct world *w)
{
	return w->downs >= 3 && strcmp(w->why, strerror(ECONNREFUSED));
}

static bool has_reply(const struct world *w)
{
	return w->replies || w->lost;
}

static bool has_forty(const struct world *w)
{
	return w->replies == 40;
}

static void on_reply(const struct redisReply *reply, void *arg)
{
	struct world *w = arg;

	w->replies += reply != NULL;
	w->lost += reply == NULL;
	snprintf(w->text, sizeof(w->text), "%s",
		 reply && reply->str && reply->type != REDIS_REPLY_ERROR ? reply->str : "");
}

static int ask(struct world *w, const char *word, const char *a, const char *b)
{
	const char *argv[] = { word, a, b };

	return tandem_redis_send(w->redis, a ? b ? 3 : 2 : 1, argv, NULL, on_reply, w);
}

/* The last of the reasons is what the server says, once it listens. */
static void assert_why(const struct world *w, const char *word)
{
	if (!strstr(w->why, word))
		fail_msg("'%s', not '%s'", w->why, word);
}

static const struct tandem_redis_config good = { .user = "relay", .password = "sesame", .db = 3 };

static void requests_are_answered_in_order(void **state)
{
	struct world w;
	char value[16];
	int i;

	(void)state;
	open_world(&w);
	open_redis(&w, good);
	assert_int_equal(ask(&w, "PING", NULL, NULL), -ENOTCONN);
	wait_until(&w, is_up);
	for (i = 0; i < 20; i++) {
		snprintf(value, sizeof(value), "v%d", i);
		assert_int_equal(ask(&w, "SET", "key", value), 0);
		assert_int_equal(ask(&w, "GET", "key", NULL), 0);
	}
	wait_until(&w, has_forty);
	assert_string_equal(w.text, "v19");
	for (i = 0; i < TANDEM_REDIS_PENDING; i++)
		assert_int_equal(ask(&w, "PING", NULL, NULL), 0);
	assert_int_equal(ask(&w, "PING", NULL, NULL), -ENOBUFS);
	close_world(&w);
}

static void who_it_is_matters(void **state)
{
	struct tandem_redis_config cfg = good;
	struct world w;

	(void)state;
	open_world(&w);
	cfg.password = "simsim";
	open_redis(&w, cfg);
	wait_until(&w, was_down_often);
	assert_why(&w, "WRONGPASS");
	assert_int_equal(w.ups, 0);
	open_redis(&w, (struct tandem_redis_config){ 0 });
	wait_until(&w, was_down_often);
	assert_why(&w, "NOAUTH");
	cfg = good;
	cfg.db = 99;
	open_redis(&w, cfg);
	wait_until(&w, was_down_often);
	assert_why(&w, "DB index");
	cfg.host = "no.such.host.invalid";
	open_redis(&w, cfg);
	wait_until(&w, was_down);
	close_world(&w);
}

static void a_server_that_dies_is_found_again(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	open_redis(&w, good);
	wait_until(&w, is_up);
	kill(w.server, SIGSTOP);
	assert_int_equal(ask(&w, "PING", NULL, NULL), 0);
	wait_until(&w, has_reply);
	assert_int_equal(w.lost, 1);
	assert_string_equal(w.why, "no reply for too long");
	kill(w.server, SIGCONT);
	wait_until(&w, is_up);
	stop_server(&w);
	w.downs = 0;
	wait_until(&w, was_down);
	assert_int_equal(ask(&w, "PING", NULL, NULL), -ENOTCONN);
	start_server(&w);
	wait_until(&w, is_up);
	close_world(&w);
}

static void tls_is_with_whom_it_should_be(void **state)
{
	struct tandem_redis_config cfg = good;
	char ca[64];
	struct world w;

	(void)state;
	open_world(&w);
	snprintf(ca, sizeof(ca), "%s/cert.pem", w.dir);
	cfg.port = (uint16_t)atoi(TLS_PORT);
	cfg.tls = true;
	cfg.ca = ca;
	cfg.tls_name = "redis.example";
	open_redis(&w, cfg);
	wait_until(&w, is_up);
	cfg.tls_name = "elsewhere.example";
	w.up = false;
	open_redis(&w, cfg);
	wait_until(&w, was_down_often);
	assert_int_equal(w.ups, 0);
	cfg.tls_name = "redis.example";
	cfg.ca = NULL; /* nobody that the host trusts has signed for it */
	open_redis(&w, cfg);
	wait_until(&w, was_down_often);
	assert_int_equal(w.ups, 0);
	cfg.tls = false; /* plain, to a port of TLS */
	open_redis(&w, cfg);
	wait_until(&w, was_down);
	assert_int_equal(w.ups, 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_in_order),
		cmocka_unit_test(who_it_is_matters),
		cmocka_unit_test(a_server_that_dies_is_found_again),
		cmocka_unit_test(tls_is_with_whom_it_should_be),
	};
	int ret;

	signal(SIGPIPE, SIG_IGN);
	tandem_log_set_level(TANDEM_LOG_ERROR);
	if (libre_init() || fd_setsize(1024))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return ret;
}
