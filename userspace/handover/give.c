/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that goes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/abi.h"
#include "userspace/control/listener.h"
#include "userspace/datapath/bequest.h"
#include "userspace/handover/go.h"
#include "userspace/handover/handover.h"
#include "userspace/util/log.h"

#define MODULE	   "handover"
#define STEP_MS	   10
#define CONNECT_MS 5000	 /* from the request until it is connected */
#define QUIET_MS   2000	 /* transactions that are open are waited for */
#define READY_MS   15000 /* from "go" until it is in service */
#define EXIT_MS	   2000	 /* for it to end by itself, and again after it was killed */

enum state { IDLE, INVITED, QUIET, AGREED };

struct tandem_handover {
	const struct tandem_handover_ops *ops;
	void *arg;
	enum state state;
	bool wants_sockets; /* the process that comes knows what to do with them */
	uint64_t until_ms;
	int timer_fd, listen_fd, peer_fd, pid_fd;
	pid_t pid;
	char path[]; /* of listen_fd */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int set_timer(struct tandem_handover *h, long ms)
{
	const struct timespec step = { .tv_nsec = ms * 1000000 };
	const struct itimerspec its = { step, step };

	return timerfd_settime(h->timer_fd, 0, &its, NULL) ? -errno : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void stop_listening(struct tandem_handover *h)
{
	if (h->listen_fd >= 0)
		unlink(h->path);
	close_fd(&h->listen_fd);
}

static void reset(struct tandem_handover *h)
{
	stop_listening(h);
	close_fd(&h->peer_fd);
	close_fd(&h->pid_fd);
	set_timer(h, 0);
	h->state = IDLE;
}

static void call_off(struct tandem_handover *h, const char *why)
{
	bool quiet = h->state == QUIET;

	tandem_log(TANDEM_LOG_WARNING, MODULE, "no handover: %s; going on", why);
	reset(h);
	if (quiet)
		h->ops->quiet(false, h->arg);
}

/* The socket is of mode 0600, so whoever connects may end this process anyway. */
static int know_peer(struct tandem_handover *h)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(h->peer_fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	h->pid = cred.pid;
	h->pid_fd = pidfd_open(cred.pid, 0);
	return h->pid_fd < 0 ? -errno : 0;
}

static void step_invited(struct tandem_handover *h)
{
	int err;

	h->peer_fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (h->peer_fd < 0) {
		if (now_ms() >= h->until_ms)
			call_off(h, "the process that asked for it has not connected");
		return;
	}
	err = know_peer(h);
	if (err) {
		call_off(h, strerror(-err));
		return;
	}
	stop_listening(h);
	tandem_log(TANDEM_LOG_INFO, MODULE, "process %d takes over", (int)h->pid);
	h->state = QUIET;
	h->until_ms = now_ms() + QUIET_MS;
	h->ops->quiet(true, h->arg);
}

/* It has nothing to say yet: whatever can be read is its end. */
static void step_quiet(struct tandem_handover *h)
{
	struct pollfd pfd = { .fd = h->peer_fd, .events = POLLIN };
	size_t open;

	if (poll(&pfd, 1, 0) > 0) {
		call_off(h, "the other process has ended");
		return;
	}
	open = h->ops->open(h->arg);
	if (open && now_ms() < h->until_ms)
		return;
	if (open)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "SIP transactions that are open are given up: %zu", open);
	h->state = AGREED;
	set_timer(h, 0);
	h->ops->go(h->arg);
}

void tandem_handover_dispatch(struct tandem_handover *h)
{
	uint64_t expired;

	if (read(h->timer_fd, &expired, sizeof(expired)) < 0)
		return;
	if (h->state == INVITED)
		step_invited(h);
	else if (h->state == QUIET)
		step_quiet(h);
}

static int check_abi(const json_t *params, char *why, size_t why_size)
{
	const char *version = json_string_value(json_object_get(params, "version"));
	const json_t *abi = json_object_get(params, "abi");

	if (!version || !json_is_integer(abi)) {
		snprintf(why, why_size, "\"version\" or \"abi\" is missing or of another type");
		return -EINVAL;
	}
	if (json_integer_value(abi) == TANDEM_ABI_VERSION)
		return 0;
	snprintf(
		why, why_size,
		"version %.32s has ABI %lld and cannot take over calls of version %s with ABI %d: "
		"let them end (tandem drain), then start it; or see \"From one ABI to another\" in "
		"docs/upgrade.md",
		version, (long long)json_integer_value(abi), TANDEM_VERSION, TANDEM_ABI_VERSION);
	return -EINVAL;
}

int tandem_handover_call(const char *call, const json_t *params, json_t **result, char *why,
			 size_t why_size, void *arg)
{
	struct tandem_handover *h = arg;
	int ret;

	if (strcmp(call, "handover.start"))
		return -ENOSYS;
	if (h->state != IDLE) {
		snprintf(why, why_size, "another process is taking over already");
		return -EAGAIN;
	}
	ret = check_abi(params, why, why_size);
	if (ret)
		return ret;
	ret = tandem_listener_open(h->path, why, why_size);
	if (ret < 0)
		return ret;
	h->listen_fd = ret;
	ret = set_timer(h, STEP_MS);
	*result = ret ? NULL
		      : json_pack("{s:i, s:s, s:s}", "pid", (int)getpid(), "version",
				  TANDEM_VERSION, "socket", h->path);
	if (!*result) {
		reset(h);
		return ret ? ret : -ENOMEM;
	}
	h->state = INVITED;
	h->until_ms = now_ms() + CONNECT_MS;
	h->wants_sockets = json_is_true(json_object_get(params, "sockets"));
	return 0;
}

bool tandem_handover_agreed(const struct tandem_handover *h)
{
	return h && h->state == AGREED;
}

/* 0, or -ETIMEDOUT. */
static int wait_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t until = now_ms() + (uint64_t)ms, now;
	int n;

	do {
		now = now_ms();
		n = poll(&pfd, 1, now < until ? (int)(until - now) : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -ETIMEDOUT;
}

/* Two processes must not have the relay: that one ends now, if it has not. */
static void end_peer(struct tandem_handover *h)
{
	if (wait_readable(h->pid_fd, EXIT_MS) == 0)
		return;
	if (pidfd_send_signal(h->pid_fd, SIGKILL, NULL, 0) == 0)
		wait_readable(h->pid_fd, EXIT_MS);
}

int tandem_handover_give(struct tandem_handover *h, const struct tandem_bequest *bequest)
{
	const struct tandem_bequest nothing = { 0 };
	char word[16] = "";
	int ret = tandem_handover_send_go(h->peer_fd, h->wants_sockets ? bequest : &nothing);
	ssize_t n;

	if (!ret)
		ret = wait_readable(h->peer_fd, READY_MS);

	if (!ret) {
		n = recv(h->peer_fd, word, sizeof(word) - 1, 0);
		ret = n > 0 && strcmp(word, "ready\n") == 0 ? 0 : -ECONNRESET;
	}
	if (ret)
		end_peer(h);
	return ret;
}

int tandem_handover_open(struct tandem_handover **hp, const char *control_socket,
			 const struct tandem_handover_ops *ops, void *arg)
{
	static const char suffix[] = ".handover";
	size_t size = strlen(control_socket) + sizeof(suffix);
	struct tandem_handover *h = calloc(1, sizeof(*h) + size);
	int ret;

	if (!h)
		return -ENOMEM;
	snprintf(h->path, size, "%s%s", control_socket, suffix);
	h->ops = ops;
	h->arg = arg;
	h->listen_fd = h->peer_fd = h->pid_fd = -1;
	h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->timer_fd < 0) {
		ret = -errno;
		free(h);
		return ret;
	}
	*hp = h;
	return 0;
}

void tandem_handover_close(struct tandem_handover *h)
{
	if (!h)
		return;
	reset(h);
	close(h->timer_fd);
	free(h);
}

int tandem_handover_fd(const struct tandem_handover *h)
{
	return h->timer_fd;
}
