/* SPDX-License-Identifier: GPL-2.0-only */
/* The event loop: descriptors, the tick, and the end by signal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "userspace/loop.h"

struct seen {
	int fd;
	int reads, ticks;
	int stop_after; /* ticks */
};

static void on_read(void *arg)
{
	struct seen *seen = arg;
	char c;

	assert_int_equal(read(seen->fd, &c, 1), 1);
	seen->reads++;
}

static void on_tick(void *arg)
{
	struct seen *seen = arg;

	if (++seen->ticks == seen->stop_after)
		raise(SIGTERM);
}

static void reads_ticks_and_stops(void **state)
{
	struct seen seen = { .stop_after = 3 };
	struct tandem_loop *loop;
	int fds[2];
	(void)state;

	assert_int_equal(pipe(fds), 0);
	seen.fd = fds[0];
	assert_int_equal(tandem_loop_open(&loop), 0);
	assert_int_equal(tandem_loop_watch(loop, fds[0], on_read, &seen), 0);
	tandem_loop_every(loop, 20, on_tick, &seen);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	assert_int_equal(tandem_loop_run(loop), SIGTERM);
	assert_int_equal(seen.reads, 2);
	assert_int_equal(seen.ticks, 3);
	tandem_loop_forget(loop);
	close(fds[0]);
	close(fds[1]);
	tandem_loop_close(loop);
}

static void watches_are_few(void **state)
{
	struct tandem_loop *loop;
	int fds[2], n = 0, ret;
	(void)state;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(tandem_loop_open(&loop), 0);
	do {
		ret = tandem_loop_watch(loop, dup(fds[0]), on_read, NULL);
	} while (!ret && ++n < 100);
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(tandem_loop_watch(loop, -1, on_read, NULL), -EBADF);
	tandem_loop_close(loop);
	tandem_loop_close(NULL);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ticks_and_stops),
		cmocka_unit_test(watches_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
