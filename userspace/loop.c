/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/loop.h"

#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MAX_WATCHES 16
/* libre keeps a table of this many descriptors; beyond it fd_listen() fails. */
#define MAX_FDS 65536

struct watch {
	int fd;
	tandem_loop_h *h;
	void *arg;
};

struct tandem_loop {
	struct watch watches[MAX_WATCHES];
	size_t watches_count;
	struct tmr tick;
	uint32_t tick_ms;
	tandem_loop_h *tick_h;
	void *tick_arg;
};

/* libre's handler for signals has no argument. */
static int stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
	re_cancel();
}

/* Every media port of the io_uring datapath is a descriptor. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_max < MAX_FDS) {
		struct rlimit more = { MAX_FDS, MAX_FDS };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			return;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int tandem_loop_open(struct tandem_loop **loopp)
{
	struct tandem_loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	raise_descriptor_limit();
	err = libre_init();
	if (!err)
		err = fd_setsize(MAX_FDS);
	if (err) {
		free(loop);
		return -err;
	}
	tmr_init(&loop->tick);
	*loopp = loop;
	return 0;
}

void tandem_loop_close(struct tandem_loop *loop)
{
	if (!loop)
		return;
	tandem_loop_forget(loop);
	libre_close();
	free(loop);
}

void tandem_loop_forget(struct tandem_loop *loop)
{
	tmr_cancel(&loop->tick);
	while (loop->watches_count)
		fd_close(loop->watches[--loop->watches_count].fd);
}

static void on_readable(int flags, void *arg)
{
	const struct watch *watch = arg;

	(void)flags;
	watch->h(watch->arg);
}

int tandem_loop_watch(struct tandem_loop *loop, int fd, tandem_loop_h *h, void *arg)
{
	struct watch *watch = &loop->watches[loop->watches_count];
	int err;

	if (fd < 0)
		return -EBADF;
	if (loop->watches_count == MAX_WATCHES)
		return -ENOSPC;
	*watch = (struct watch){ fd, h, arg };
	err = fd_listen(fd, FD_READ, on_readable, watch);
	if (!err)
		loop->watches_count++;
	return -err;
}

static void on_tick(void *arg)
{
	struct tandem_loop *loop = arg;

	tmr_start(&loop->tick, loop->tick_ms, on_tick, loop);
	loop->tick_h(loop->tick_arg);
}

void tandem_loop_every(struct tandem_loop *loop, uint32_t ms, tandem_loop_h *h, void *arg)
{
	loop->tick_ms = ms;
	loop->tick_h = h;
	loop->tick_arg = arg;
	tmr_start(&loop->tick, ms, on_tick, loop);
}

void tandem_loop_stop(struct tandem_loop *loop)
{
	(void)loop;
	re_cancel();
}

int tandem_loop_run(struct tandem_loop *loop)
{
	int err;

	(void)loop;
	stop_signal = 0;
	err = re_main(on_signal);
	return stop_signal ? stop_signal : -err;
}
