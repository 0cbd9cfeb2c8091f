/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cdr/spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define BATCH_MS    100 /* how long what is put waits for company */
#define BATCH_ITEMS 1000
#define RETRY_MS    1000
#define IDLE_MS	    60000

struct tandem_spool {
	const char *name;
	size_t room;
	tandem_spool_write_h *write_h;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct tandem_spool_item *first, **last;
	bool closing;
	bool said_full; /* the log has it that items are dropped */
	struct tandem_spool_stats stats;
};

static char *copy_text(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

struct tandem_spool_item *tandem_spool_item_alloc(int op, const char *key, const char *text)
{
	struct tandem_spool_item *item = calloc(1, sizeof(*item));
	bool failed = false;

	if (!item)
		return NULL;
	item->op = op;
	item->key = copy_text(key, &failed);
	item->text = copy_text(text, &failed);
	if (!failed)
		return item;
	tandem_spool_item_free(item);
	return NULL;
}

void tandem_spool_item_free(struct tandem_spool_item *item)
{
	if (!item)
		return;
	free(item->key);
	free(item->text);
	free(item);
}

static size_t free_chain(struct tandem_spool_item *item)
{
	struct tandem_spool_item *next;
	size_t n = 0;

	for (; item; item = next, n++) {
		next = item->next;
		tandem_spool_item_free(item);
	}
	return n;
}

static struct timespec deadline(unsigned int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/* Until the time is over or the spool is closed; with the lock held. */
static void rest(struct tandem_spool *s, unsigned int ms)
{
	struct timespec until = deadline(ms);

	while (!s->closing && pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
		;
}

/* Until there is something to write; false: nothing has come for a minute, or it is the end. */
static bool wait_for_items(struct tandem_spool *s)
{
	struct timespec until = deadline(IDLE_MS);

	while (!s->first && !s->closing) {
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
			break;
	}
	if (s->first)
		rest(s, BATCH_MS);
	return s->first != NULL;
}

/* The first items, cut off from the queue. They count as waiting until they are written. */
static struct tandem_spool_item *take_batch(struct tandem_spool *s, size_t *count)
{
	struct tandem_spool_item *batch = s->first, **end = &s->first;
	size_t n;

	for (n = 0; *end && n < BATCH_ITEMS; n++)
		end = &(*end)->next;
	s->first = *end;
	*end = NULL;
	if (!s->first)
		s->last = &s->first;
	*count = n;
	return batch;
}

static void put_back(struct tandem_spool *s, struct tandem_spool_item *batch)
{
	struct tandem_spool_item **end = &batch;

	if (!batch)
		return;
	while (*end)
		end = &(*end)->next;
	*end = s->first;
	if (!s->first)
		s->last = end;
	s->first = batch;
}

static void note_result(struct tandem_spool *s, int err, const char *why)
{
	if (err) {
		if (!s->stats.failing)
			tandem_log(TANDEM_LOG_ERROR, "cdr", "%s: %s; call records wait", s->name,
				   why);
		s->stats.failures++;
		snprintf(s->stats.why, sizeof(s->stats.why), "%s", why);
	} else if (s->stats.failing) {
		tandem_log(TANDEM_LOG_INFO, "cdr", "%s: written again", s->name);
		s->stats.why[0] = '\0';
		s->said_full = false;
	}
	s->stats.failing = err != 0;
}

/* One batch, or housekeeping when there is none. False when it could not be written. */
static bool write_batch(struct tandem_spool *s)
{
	struct tandem_spool_item *batch;
	char why[sizeof(s->stats.why)] = "";
	size_t count = 0;
	int err;

	batch = take_batch(s, &count);
	pthread_mutex_unlock(&s->lock);
	err = s->write_h(batch, why, sizeof(why), s->arg);
	if (err && !why[0])
		snprintf(why, sizeof(why), "%s", strerror(-err));
	if (!err)
		free_chain(batch);
	pthread_mutex_lock(&s->lock);
	note_result(s, err, why);
	if (err) {
		put_back(s, batch);
		return false;
	}
	s->stats.written += count;
	s->stats.waiting -= count;
	return true;
}

static void *run(void *arg)
{
	struct tandem_spool *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		bool some = wait_for_items(s);

		if (!some && s->closing)
			break;
		if (!write_batch(s)) {
			if (s->closing)
				break;
			rest(s, RETRY_MS);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int tandem_spool_open(struct tandem_spool **sp, const char *name, size_t room,
		      tandem_spool_write_h *h, void *arg)
{
	struct tandem_spool *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int err;

	if (!s)
		return -ENOMEM;
	s->name = name;
	s->room = room;
	s->write_h = h;
	s->arg = arg;
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = tandem_thread_start(&s->thread, run, s);
	if (err) {
		pthread_cond_destroy(&s->wake);
		pthread_mutex_destroy(&s->lock);
		free(s);
		return err;
	}
	*sp = s;
	return 0;
}

void tandem_spool_close(struct tandem_spool *s)
{
	size_t left;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	left = free_chain(s->first);
	if (left)
		tandem_log(TANDEM_LOG_ERROR, "cdr", "%s: %zu call records could not be written",
			   s->name, left);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool tandem_spool_put(struct tandem_spool *s, struct tandem_spool_item *item)
{
	bool fits, say = false;

	pthread_mutex_lock(&s->lock);
	fits = item && s->stats.waiting < s->room;
	if (fits) {
		item->next = NULL;
		*s->last = item;
		s->last = &item->next;
		s->stats.waiting++;
		pthread_cond_signal(&s->wake);
	} else {
		s->stats.dropped++;
		say = !s->said_full;
		s->said_full = true;
	}
	pthread_mutex_unlock(&s->lock);
	if (fits)
		return true;
	tandem_spool_item_free(item);
	if (say)
		tandem_log(TANDEM_LOG_ERROR, "cdr",
			   "%s: too many call records are waiting; some are lost", s->name);
	return false;
}

void tandem_spool_stats(struct tandem_spool *s, struct tandem_spool_stats *stats)
{
	pthread_mutex_lock(&s->lock);
	*stats = s->stats;
	pthread_mutex_unlock(&s->lock);
}
