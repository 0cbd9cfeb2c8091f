/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/handover/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/util/log.h"

#define MODULE	 "handover"
#define MAX_ARGS 64
#define TEXT	 8192

extern char **environ;

static pid_t successor; /* 0: none */

/* What was upgraded is another file of the same name. */
static int find_program(char *path, size_t size)
{
	static const char gone[] = " (deleted)";
	ssize_t len = readlink("/proc/self/exe", path, size - 1);

	if (len < 0)
		return -errno;
	path[len] = '\0';
	if ((size_t)len > sizeof(gone) && !strcmp(path + len - (sizeof(gone) - 1), gone))
		path[len - (ssize_t)(sizeof(gone) - 1)] = '\0';
	return 0;
}

static ssize_t read_arguments(char *text, size_t size)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size);
	int err = -errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err;
	return (size_t)n == size ? -E2BIG : n;
}

/* Those of this process, but that the calls are taken over, and not dropped. */
static int make_arguments(char *text, ssize_t len, char **argv)
{
	static char take_over[] = "--take-over";
	size_t n = 0;
	char *arg;

	for (arg = text; arg < text + len; arg += strlen(arg) + 1) {
		if (!strcmp(arg, take_over) || !strcmp(arg, "--fresh"))
			continue;
		if (n + 2 == MAX_ARGS)
			return -E2BIG;
		argv[n++] = arg;
	}
	argv[n++] = take_over;
	argv[n] = NULL;
	return 0;
}

static int spawn(const char *path, char **argv)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t signals;
	int err;

	posix_spawnattr_init(&attr);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attr, &signals);
	sigfillset(&signals);
	posix_spawnattr_setsigdefault(&attr, &signals);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	/* libre's sockets are not close-on-exec, and would keep their ports */
	posix_spawn_file_actions_init(&files);
	err = -posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (!err)
		err = -posix_spawn(&successor, path, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (err)
		successor = 0;
	return err;
}

int tandem_successor_start(void)
{
	char path[4096], text[TEXT], *argv[MAX_ARGS];
	ssize_t len;
	int err;

	if (successor)
		return -EBUSY;
	err = find_program(path, sizeof(path));
	len = err ? err : read_arguments(text, sizeof(text));
	err = len < 0 ? (int)len : make_arguments(text, len, argv);
	if (!err)
		err = spawn(path, argv);
	if (!err)
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s is started, to take over: process %d", path,
			   (int)successor);
	return err;
}

void tandem_successor_look(void)
{
	int status;

	if (!successor || waitpid(successor, &status, WNOHANG) != successor)
		return;
	tandem_log(TANDEM_LOG_ERROR, MODULE,
		   "process %d has ended (%s %d) without taking over; this one goes on",
		   (int)successor, WIFSIGNALED(status) ? "signal" : "status",
		   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	successor = 0;
}
