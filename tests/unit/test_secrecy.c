/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel may do with a process that has keys; each test in a process of its own. Locked
 * memory is the business of tests/netns/srtp_survives.t: sanitizers make nothing of mlockall().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/util/secrecy.h"

/* As a process that would leave a core dump in its directory. */
static void begin(const char *dir)
{
	struct rlimit most;

	if (chdir(dir) || getrlimit(RLIMIT_CORE, &most))
		_exit(2);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_CORE, &most);
	prctl(PR_SET_DUMPABLE, 1); /* the sanitizers' memory is large */
}

static void no_core(void **state)
{
	char dir[] = "/tmp/tandem-core-XXXXXX";
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	pid = fork();
	if (!pid) {
		begin(dir);
		tandem_secrecy(false);
		if (prctl(PR_GET_DUMPABLE))
			_exit(3);
		signal(SIGABRT, SIG_DFL);
		kill(getpid(), SIGABRT);
		_exit(4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_false(WCOREDUMP(status));
	assert_int_equal(rmdir(dir), 0); /* there is nothing in it */
}

static void core_if_wanted(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		begin("/tmp");
		tandem_secrecy(true);
		_exit(prctl(PR_GET_DUMPABLE) == 1 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_core),
		cmocka_unit_test(core_if_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
