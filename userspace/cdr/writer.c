/* SPDX-License-Identifier: GPL-2.0-only */
/* From documents to disk: what the two spools are given, and what their threads do with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/cdr/local.h"
#include "userspace/util/log.h"

#define SPOOL_ITEMS 20000
#define EXPIRE_MS   60000
#define DAY_MS	    86400000LL
#define DUMP_FLAGS  (JSON_COMPACT | JSON_REAL_PRECISION(12))

int64_t tandem_cdr_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int put_aside(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char from[4096], to[4096];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		snprintf(to, sizeof(to), "%s.damaged%s", path, parts[i]);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* A damaged file is kept under another name: the calls of today must not be lost for it. */
static int open_table(struct tandem_cdr *c, char *why, size_t why_size)
{
	int err = tandem_cdr_table_open(&c->table, c->cfg.database, 0, why, why_size);

	if (err != -EBADMSG || put_aside(c->cfg.database))
		return err;
	tandem_log(TANDEM_LOG_ERROR, "cdr", "%s; it is now %s.damaged, and a new one is begun", why,
		   c->cfg.database);
	return tandem_cdr_table_open(&c->table, c->cfg.database, 0, why, why_size);
}

static int write_items(struct tandem_cdr_table *t, const struct tandem_spool_item *item)
{
	int err = 0;

	for (; item && !err; item = item->next) {
		const struct tandem_cdr_row row = {
			.call_id = item->key,
			.start_ms = item->start_ms,
			.end_ms = item->end_ms,
			.status = item->status,
			.json = item->text,
		};

		err = item->op == TANDEM_CDR_OPEN
			      ? tandem_cdr_table_put_open(t, item->key, item->text)
			      : tandem_cdr_table_put(t, &row);
	}
	return err;
}

static int expire(struct tandem_cdr *c)
{
	int64_t now = tandem_cdr_now();

	if (now - c->expired_ms < EXPIRE_MS && now >= c->expired_ms)
		return 0;
	c->expired_ms = now;
	return tandem_cdr_table_expire(c->table, now - c->cfg.keep_days * DAY_MS,
				       c->cfg.max_records);
}

static int write_db(const struct tandem_spool_item *first, char *why, size_t why_size, void *arg)
{
	struct tandem_cdr *c = arg;
	int err = c->table ? 0 : open_table(c, why, why_size);

	if (err)
		return err;
	err = tandem_cdr_table_begin(c->table);
	if (!err)
		err = write_items(c->table, first);
	if (!err)
		err = expire(c);
	if (!err)
		err = tandem_cdr_table_commit(c->table);
	if (!err)
		return 0;
	snprintf(why, why_size, "%s: %s", c->cfg.database, tandem_cdr_table_error(c->table));
	tandem_cdr_table_rollback(c->table);
	if (err != -EBADMSG && err != -EIO)
		return err;
	/* what is wrong may be the handle's alone; a damaged file is put aside when it is opened */
	tandem_cdr_table_close(c->table);
	c->table = NULL;
	return err;
}

int tandem_cdr_writer_open(struct tandem_cdr *c, tandem_cdr_open_h *h, void *arg)
{
	char why[512] = "";
	int err = 0;

	if (c->cfg.database) {
		/* one that fails is tried again by the thread, which then says so */
		if (!open_table(c, why, sizeof(why)))
			(void)tandem_cdr_table_list_open(c->table, h, arg);
		err = tandem_spool_open(&c->db_spool, "database of call records", SPOOL_ITEMS,
					write_db, c);
	}
	if (!err && c->cfg.log)
		err = tandem_cdr_sink_alloc(&c->sink, c->cfg.log);
	if (!err && c->sink)
		err = tandem_spool_open(&c->log_spool, "log of call records", SPOOL_ITEMS,
					tandem_cdr_sink_write, c->sink);
	return err;
}

void tandem_cdr_writer_close(struct tandem_cdr *c)
{
	tandem_spool_close(c->log_spool);
	tandem_spool_close(c->db_spool);
	tandem_cdr_sink_free(c->sink);
	tandem_cdr_table_close(c->table);
}

static void put(struct tandem_spool *spool, enum tandem_cdr_op op, const char *call_id,
		const json_t *doc, const char *text)
{
	struct tandem_spool_item *item = tandem_spool_item_alloc(op, call_id, text);

	if (item) {
		item->start_ms = json_integer_value(json_object_get(doc, "start_ms"));
		item->end_ms = json_integer_value(json_object_get(doc, "end_ms"));
		item->status = (int)json_integer_value(json_object_get(doc, "status"));
	}
	(void)tandem_spool_put(spool, item);
}

void tandem_cdr_write_open(struct tandem_cdr *c, const char *call_id, const json_t *doc)
{
	char *text = c->db_spool ? json_dumps(doc, DUMP_FLAGS) : NULL;

	if (text)
		put(c->db_spool, TANDEM_CDR_OPEN, call_id, doc, text);
	free(text);
}

void tandem_cdr_write_done(struct tandem_cdr *c, const char *call_id, const json_t *doc)
{
	char *text = json_dumps(doc, DUMP_FLAGS);

	c->records++;
	if (!text) {
		c->dropped++;
		return;
	}
	if (c->db_spool)
		put(c->db_spool, TANDEM_CDR_DONE, call_id, doc, text);
	if (c->log_spool)
		put(c->log_spool, TANDEM_CDR_DONE, NULL, doc, text);
	free(text);
}
