/* SPDX-License-Identifier: GPL-2.0-only */
/* Who listens to a party, by TCP on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/record/sink.h"

#define RATE  8000
#define ABOUT "{\"party\":\"a\"}"
#define MS    1000000ULL

static uint64_t now; /* as the sink is told */

static int listener(struct sockaddr_storage *at)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(listen(fd, 4), 0);
	memset(at, 0, sizeof(*at));
	memcpy(at, &in, sizeof(in));
	return fd;
}

/* 20 ms of it, as often as is needed. */
static void run_until(struct tandem_sink *s, bool connected)
{
	const struct timespec a_bit = { 0, 1000000 };

	for (int i = 0; i < 2000 && tandem_sink_connected(s) != connected; i++) {
		now += 20 * MS;
		tandem_sink_run(s, now);
		nanosleep(&a_bit, NULL);
	}
	assert_int_equal(tandem_sink_connected(s), connected);
}

static void read_all(int fd, void *data, size_t len)
{
	size_t n = 0;

	while (n < len) {
		ssize_t got = recv(fd, (char *)data + n, len - n, 0);

		assert_true(got > 0);
		n += (size_t)got;
	}
}

static void expect_about(int fd)
{
	char text[sizeof(ABOUT)];

	read_all(fd, text, sizeof(text));
	assert_memory_equal(text, ABOUT, sizeof(ABOUT));
}

static void what_is_said_is_heard(void **state)
{
	int16_t samples[160], heard[160];
	struct sockaddr_storage at;
	int server = listener(&at), fd;
	struct tandem_sink *s;

	(void)state;
	for (int i = 0; i < 160; i++)
		samples[i] = (int16_t)(i * 200 - 16000);
	assert_int_equal(tandem_sink_alloc(&s, &at, ABOUT, RATE), 0);
	/* nobody is there yet */
	assert_int_equal(tandem_sink_put(s, samples, 160), 160);
	run_until(s, true);
	fd = accept(server, NULL, NULL);
	assert_true(fd >= 0);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(tandem_sink_put(s, samples, 160), 0);
		tandem_sink_run(s, now);
		if (!i)
			expect_about(fd);
		read_all(fd, heard, sizeof(heard));
		assert_memory_equal(heard, samples, sizeof(heard));
	}
	/* the rest is sent at the end */
	assert_int_equal(tandem_sink_put(s, samples, 160), 0);
	tandem_sink_free(s);
	read_all(fd, heard, sizeof(heard));
	assert_memory_equal(heard, samples, sizeof(heard));
	assert_int_equal(recv(fd, heard, 1, 0), 0);
	close(fd);
	close(server);
}

static void who_is_slow_misses_something(void **state)
{
	static int16_t second[RATE];
	struct sockaddr_storage at;
	int server = listener(&at), fd, small = 4096;
	struct tandem_sink *s;
	size_t lost = 0;

	(void)state;
	assert_int_equal(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(tandem_sink_alloc(&s, &at, ABOUT, RATE), 0);
	run_until(s, true);
	fd = accept(server, NULL, NULL);
	assert_true(fd >= 0);
	for (int i = 0; i < 2000 && !lost; i++) {
		lost = tandem_sink_put(s, second, RATE);
		tandem_sink_run(s, now);
	}
	assert_int_equal(lost, RATE);
	assert_true(tandem_sink_connected(s));
	tandem_sink_free(s);
	close(fd);
	close(server);
}

static void who_has_gone_is_looked_for(void **state)
{
	struct sockaddr_storage at;
	int server = listener(&at), fd;
	const uint64_t before = now;
	struct tandem_sink *s;

	(void)state;
	assert_int_equal(tandem_sink_alloc(&s, &at, ABOUT, RATE), 0);
	for (int i = 0; i < 3; i++) {
		run_until(s, true);
		fd = accept(server, NULL, NULL);
		assert_true(fd >= 0);
		tandem_sink_run(s, now);
		expect_about(fd);
		close(fd);
		run_until(s, false);
	}
	/* nobody at all: less and less often, up to every 5 s */
	close(server);
	for (int i = 0; i < 1000; i++) {
		now += 20 * MS;
		tandem_sink_run(s, now);
		assert_false(tandem_sink_connected(s));
	}
	assert_true(now > before);
	tandem_sink_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_heard),
		cmocka_unit_test(who_is_slow_misses_something),
		cmocka_unit_test(who_has_gone_is_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
