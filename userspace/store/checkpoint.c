/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/store/checkpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "userspace/util/thread.h"

/* Pages of 4 KiB: from how many on it is worth waiting for the disk, and how many are too many. */
#define WORTH_IT 1000
#define TOO_MANY 50000

struct tandem_checkpoint {
	sqlite3 *db; /* the event loop's */
	const char *path;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool wanted, stop;
};

/* False: to be stopped. */
static bool wait_for_work(struct tandem_checkpoint *cp)
{
	bool go_on;

	pthread_mutex_lock(&cp->lock);
	while (!cp->wanted && !cp->stop)
		pthread_cond_wait(&cp->wake, &cp->lock);
	cp->wanted = false;
	go_on = !cp->stop;
	pthread_mutex_unlock(&cp->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct tandem_checkpoint *cp = arg;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(cp->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	while (wait_for_work(cp)) {
		/* passive: it goes as far as it can without anybody having to wait for it */
		if (rc == SQLITE_OK)
			sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	sqlite3_close(db);
	return NULL;
}

static void ask(struct tandem_checkpoint *cp)
{
	if (!cp->started)
		cp->started = !tandem_thread_start(&cp->thread, run, cp);
	pthread_mutex_lock(&cp->lock);
	cp->wanted = true;
	pthread_cond_signal(&cp->wake);
	pthread_mutex_unlock(&cp->lock);
}

/* After each commit. Should the thread not keep up, or not be there, the disk has to be waited for. */
static int committed(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct tandem_checkpoint *cp = arg;

	if (pages >= WORTH_IT)
		ask(cp);
	if (pages >= TOO_MANY || (pages >= WORTH_IT && !cp->started))
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

int tandem_checkpoint_open(struct tandem_checkpoint **cpp, sqlite3 *db)
{
	struct tandem_checkpoint *cp = calloc(1, sizeof(*cp));

	if (!cp)
		return -ENOMEM;
	cp->db = db;
	cp->path = sqlite3_db_filename(db, "main");
	pthread_mutex_init(&cp->lock, NULL);
	pthread_cond_init(&cp->wake, NULL);
	sqlite3_wal_hook(db, committed, cp);
	*cpp = cp;
	return 0;
}

void tandem_checkpoint_close(struct tandem_checkpoint *cp)
{
	if (!cp)
		return;
	sqlite3_wal_hook(cp->db, NULL, NULL);
	if (cp->started) {
		pthread_mutex_lock(&cp->lock);
		cp->stop = true;
		pthread_cond_signal(&cp->wake);
		pthread_mutex_unlock(&cp->lock);
		pthread_join(cp->thread, NULL);
	}
	pthread_cond_destroy(&cp->wake);
	pthread_mutex_destroy(&cp->lock);
	free(cp);
}
