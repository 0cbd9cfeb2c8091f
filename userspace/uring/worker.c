/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/uring/worker.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define MODULE	      "uring"
#define BATCH	      256 /* packets and copies between two looks at what else there is */
#define PATIENCE      16  /* packets that a command waits for */
#define REAP	      64
#define DRAIN_NS      1000000000ULL
#define DRAIN_WAIT_NS 20000000

/* Between the thread and the one that starts it. */
struct start {
	struct tandem_datapath *dp;
	char *why;
	size_t why_size;
	int result;
	sem_t ready;
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* True when that is all there is to it; else it has to wait for its turn. */
static bool complete_now(struct tandem_datapath *dp, const struct io_uring_cqe *cqe)
{
	uint32_t index = (uint32_t)cqe->user_data;

	switch ((enum uring_kind)(cqe->user_data >> 56)) {
	case URING_SEND:
		tandem_uring_sent(dp, index, cqe->res);
		return true;
	case URING_COPY:
		tandem_uring_copy_sent(dp, index, cqe->res);
		return true;
	case URING_WAKE:
		dp->woken = true;
		return true;
	case URING_IGNORE:
		return true;
	case URING_RECV:
		break;
	}
	return false;
}

void tandem_uring_collect(struct tandem_datapath *dp)
{
	struct io_uring_cqe *cqes[REAP], cqe;
	uint32_t room = URING_COMPLETIONS - (dp->todo_tail - dp->todo_head);
	unsigned int n;

	/* What there is no room for stays in the ring. */
	do {
		n = io_uring_peek_batch_cqe(&dp->ring, cqes, room < REAP ? room : REAP);
		for (unsigned int i = 0; i < n; i++) {
			cqe = *cqes[i];
			if (!(cqe.flags & IORING_CQE_F_MORE))
				dp->in_flight--;
			if (complete_now(dp, &cqe))
				continue;
			if (cqe.flags & IORING_CQE_F_BUFFER)
				dp->buffers_free--;
			dp->todo[dp->todo_tail++ % URING_COMPLETIONS] = cqe;
			room--;
		}
		io_uring_cq_advance(&dp->ring, n);
	} while (n);
}

static bool todo(const struct tandem_datapath *dp)
{
	return dp->todo_head != dp->todo_tail;
}

/* Whoever waits for a command does not wait for a flood, nor for the completion that tells of it. */
static void serve(struct tandem_datapath *dp)
{
	bool woken = dp->woken;

	if (!woken && !__atomic_load_n(&dp->commands_waiting, __ATOMIC_RELAXED))
		return;
	dp->woken = false;
	tandem_uring_commands_run(dp);
	if (woken && !dp->stopping)
		tandem_uring_commands_arm(dp);
}

/*
 * Some of what has completed; what comes of it leaves with the next submission, all at once.
 */
static void batch(struct tandem_datapath *dp)
{
	uint32_t n = 0;

	dp->env.now_ns = monotonic_ns();
	dp->work = 0;
	tandem_uring_collect(dp);
	serve(dp);
	tandem_uring_ways_listen(dp);
	for (; todo(dp) && dp->work < BATCH; dp->work++) {
		struct io_uring_cqe cqe;

		if (n % URING_AHEAD == 0)
			tandem_uring_ahead(dp);
		cqe = dp->todo[dp->todo_head++ % URING_COMPLETIONS];
		if (++n % PATIENCE == 0)
			serve(dp);
		tandem_uring_received(dp, (uint32_t)cqe.user_data, &cqe);
	}
	tandem_uring_publish(dp);
	tandem_uring_ports_feed(dp);
	tandem_uring_events_flush(dp);
}

static void cancel_everything(struct tandem_datapath *dp)
{
	struct io_uring_sqe *sqe = tandem_uring_sqe(dp, uring_data(URING_IGNORE, 0));

	io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY);
}

static bool trunks_armed(const struct tandem_datapath *dp)
{
	uint32_t i = 0;

	while (i < 2 * URING_TRUNKS && !dp->ports[uring_trunk(dp, i)].armed)
		i++;
	return i < 2 * URING_TRUNKS || todo(dp);
}

/*
 * The kernel may write into buffers until the last request has completed. Ports
 * cancel theirs as their flows go; what then is left are sends that wait for room.
 */
static void drain(struct tandem_datapath *dp)
{
	struct __kernel_timespec wait = { .tv_nsec = DRAIN_WAIT_NS };
	uint64_t start = monotonic_ns();
	struct io_uring_cqe *cqe;

	tandem_uring_trunks_stop(dp);
	/* what is with us already nobody else will get */
	while (dp->bequeathed && trunks_armed(dp) && monotonic_ns() - start < DRAIN_NS) {
		io_uring_submit_and_wait_timeout(&dp->ring, &cqe, 1, &wait, NULL);
		batch(dp);
	}
	tandem_uring_flows_drop(dp);
	while ((dp->in_flight || todo(dp)) && monotonic_ns() - start < DRAIN_NS) {
		uint32_t before = dp->in_flight;

		io_uring_submit_and_wait_timeout(&dp->ring, &cqe, 1, &wait, NULL);
		batch(dp);
		if (dp->in_flight >= before)
			cancel_everything(dp);
	}
	if (dp->in_flight)
		tandem_log(TANDEM_LOG_WARNING, MODULE, "%u requests did not end", dp->in_flight);
}

/* Nothing is known to lead here; should it, whoever waits for a command must not hang. */
static void ring_failed(struct tandem_datapath *dp, int err)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	tandem_log(TANDEM_LOG_ERROR, MODULE, "io_uring: %s", strerror(-err));
	tandem_uring_commands_run(dp);
	nanosleep(&pause, NULL);
}

static int wait(struct tandem_datapath *dp)
{
	int err;

	pthread_mutex_unlock(&dp->at_work);
	err = io_uring_submit_and_wait(&dp->ring, 1);
	pthread_mutex_lock(&dp->at_work);
	return err;
}

static void loop(struct tandem_datapath *dp)
{
	tandem_uring_commands_arm(dp);
	while (!dp->stopping) {
		int err = todo(dp) ? io_uring_submit_and_get_events(&dp->ring) : wait(dp);

		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY)
			ring_failed(dp, err);
		batch(dp);
	}
}

/* If it can be done; else each port gets a socket. */
static void share_ports(struct tandem_datapath *dp)
{
	int err = 0;

	if (!dp->multishot)
		snprintf(dp->no_trunks, sizeof(dp->no_trunks), "no multishot receive");
	else if (!dp->trunked)
		snprintf(dp->no_trunks, sizeof(dp->no_trunks), "not wanted");
	else
		err = tandem_uring_trunks_open(dp, dp->no_trunks, sizeof(dp->no_trunks));
	dp->trunked = !dp->no_trunks[0];
	if (err)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "a socket for each media port, as they cannot be shared: %s",
			   dp->no_trunks);
}

static void *worker(void *arg)
{
	struct start *start = arg;
	struct tandem_datapath *dp = start->dp;

	/* The ring is bound to the thread that makes it. */
	start->result = tandem_uring_ring_open(dp, start->why, start->why_size);
	if (start->result) {
		sem_post(&start->ready);
		return NULL;
	}
	share_ports(dp);
	pthread_mutex_lock(&dp->at_work);
	sem_post(&start->ready);
	loop(dp);
	drain(dp);
	tandem_uring_ring_close(dp);
	tandem_uring_trunks_close(dp);
	pthread_mutex_unlock(&dp->at_work);
	return NULL;
}

int tandem_uring_worker_start(struct tandem_datapath *dp, char *why, size_t why_size)
{
	struct start start = { .dp = dp, .why = why, .why_size = why_size };
	int err;

	sem_init(&start.ready, 0, 0);
	err = tandem_thread_start(&dp->thread, worker, &start);
	if (!err) {
		pthread_setname_np(dp->thread, "tandem-uring");
		while (sem_wait(&start.ready) < 0)
			;
		err = start.result;
		if (err)
			pthread_join(dp->thread, NULL);
		else
			dp->thread_started = true;
	}
	sem_destroy(&start.ready);
	return err;
}

void tandem_uring_worker_join(struct tandem_datapath *dp)
{
	if (!dp->thread_started)
		return;
	tandem_uring_stop(dp);
	pthread_join(dp->thread, NULL);
}
