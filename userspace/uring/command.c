/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "userspace/uring/worker.h"

enum command_op {
	COMMAND_APPLY,
	COMMAND_RESUME,
	COMMAND_STOP,
};

/* Lives on the stack of the thread that waits for it. */
struct uring_command {
	struct uring_command *next;
	enum command_op op;
	struct tandem_change *changes;
	size_t n;
	bool done;
};

int tandem_uring_commands_init(struct tandem_datapath *dp)
{
	dp->commands_tail = &dp->commands;
	pthread_mutex_init(&dp->lock, NULL);
	pthread_mutex_init(&dp->at_work, NULL);
	pthread_cond_init(&dp->done, NULL);
	dp->wake_fd = eventfd(0, EFD_CLOEXEC);
	return dp->wake_fd < 0 ? -errno : 0;
}

void tandem_uring_commands_clean(struct tandem_datapath *dp)
{
	if (dp->wake_fd >= 0)
		close(dp->wake_fd);
	pthread_cond_destroy(&dp->done);
	pthread_mutex_destroy(&dp->at_work);
	pthread_mutex_destroy(&dp->lock);
}

void tandem_uring_commands_arm(struct tandem_datapath *dp)
{
	struct io_uring_sqe *sqe = tandem_uring_sqe(dp, uring_data(URING_WAKE, 0));

	io_uring_prep_read(sqe, dp->wake_fd, &dp->wake_value, sizeof(dp->wake_value), 0);
}

static void run(struct tandem_datapath *dp, struct uring_command *c)
{
	switch (c->op) {
	case COMMAND_APPLY:
		tandem_uring_flows_apply(dp, c->changes, c->n);
		break;
	case COMMAND_RESUME:
		tandem_uring_trunks_resume(dp);
		break;
	case COMMAND_STOP:
		dp->stopping = true;
		break;
	}
}

void tandem_uring_commands_run(struct tandem_datapath *dp)
{
	struct uring_command *c, *next;

	pthread_mutex_lock(&dp->lock);
	c = dp->commands;
	dp->commands = NULL;
	dp->commands_tail = &dp->commands;
	__atomic_store_n(&dp->commands_waiting, false, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&dp->lock);

	for (; c; c = next) {
		next = c->next;
		run(dp, c);
		pthread_mutex_lock(&dp->lock);
		c->done = true; /* c may be gone as soon as the lock is */
		pthread_cond_broadcast(&dp->done);
		pthread_mutex_unlock(&dp->lock);
	}
	tandem_uring_outlet_run(dp); /* the ports may have been opened just now */
	tandem_uring_inject_run(dp);
}

static void command(struct tandem_datapath *dp, struct uring_command *c)
{
	pthread_mutex_lock(&dp->lock);
	*dp->commands_tail = c;
	dp->commands_tail = &c->next;
	__atomic_store_n(&dp->commands_waiting, true, __ATOMIC_RELAXED);
	eventfd_write(dp->wake_fd, 1);
	while (!c->done)
		pthread_cond_wait(&dp->done, &dp->lock);
	pthread_mutex_unlock(&dp->lock);
}

/* Are all of its ports to be had without a socket of their own, for which the ring would be needed? */
static bool is_plain(const struct tandem_change *change)
{
	const struct tandem_flow_spec *spec = &change->spec;

	return change->op == TANDEM_FLOW_REMOVE ||
	       (!spec->fan && !tandem_ip_is_group(&spec->key.local) &&
		!tandem_ip_is_group(&spec->egress[0].remote) &&
		!tandem_ip_is_group(&spec->egress[1].remote));
}

static bool needs_no_ring(const struct tandem_datapath *dp, const struct tandem_change *changes,
			  size_t n)
{
	size_t i = 0;

	if (!dp->trunked || dp->own_sockets || dp->waits.first != TANDEM_NO_SLOT)
		return false;
	while (i < n && is_plain(&changes[i]))
		i++;
	return i == n;
}

/* Waking the worker, and being woken by it, takes ten times as long as what it would have to do. */
static bool apply_here(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	bool here;

	/* who changes nothing wants the worker to have been round once */
	if (!n || pthread_mutex_trylock(&dp->at_work))
		return false;
	here = needs_no_ring(dp, changes, n);
	if (here)
		tandem_uring_flows_apply(dp, changes, n);
	pthread_mutex_unlock(&dp->at_work);
	return here;
}

int tandem_uring_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	struct uring_command c = { .op = COMMAND_APPLY, .changes = changes, .n = n };

	if (apply_here(dp, changes, n))
		return 0;
	command(dp, &c);
	return 0;
}

void tandem_uring_resume(struct tandem_datapath *dp)
{
	struct uring_command c = { .op = COMMAND_RESUME };

	if (dp->holding)
		command(dp, &c);
}

void tandem_uring_stop(struct tandem_datapath *dp)
{
	struct uring_command c = { .op = COMMAND_STOP };

	command(dp, &c);
}
