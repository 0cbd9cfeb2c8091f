/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cdr/table.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/store/db.h"
#include "userspace/util/path.h"

#define BUSY_TIMEOUT_MS 2000

enum statement {
	OPEN_PUT,
	OPEN_REMOVE,
	OPEN_LIST,
	RECORD_PUT,
	RECORD_LIST,
	RECORD_FIND,
	EXPIRE_AGE,
	EXPIRE_COUNT,
	STATEMENTS,
};

struct tandem_cdr_table {
	sqlite3 *db;
	sqlite3_stmt *stmt[STATEMENTS];
};

static const char schema_sql[] =
	"CREATE TABLE IF NOT EXISTS open_calls (call_id TEXT PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS records ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL,"
	"  start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,"
	"  status INTEGER NOT NULL, json TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS records_call ON records (call_id);"
	"CREATE INDEX IF NOT EXISTS records_end ON records (end_ms);";

static const char *const statement_sql[STATEMENTS] = {
	[OPEN_PUT] = "INSERT OR REPLACE INTO open_calls (call_id, json) VALUES (?1, ?2)",
	[OPEN_REMOVE] = "DELETE FROM open_calls WHERE call_id = ?1",
	[OPEN_LIST] = "SELECT call_id, json FROM open_calls",
	[RECORD_PUT] = "INSERT INTO records (call_id, start_ms, end_ms, status, json)"
		       " VALUES (?1, ?2, ?3, ?4, ?5)",
	[RECORD_LIST] = "SELECT * FROM (SELECT id, call_id, start_ms, end_ms, status, json"
			" FROM records WHERE start_ms >= ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id",
	[RECORD_FIND] = "SELECT id, call_id, start_ms, end_ms, status, json FROM records"
			" WHERE call_id = ?1 OR id = ?2 ORDER BY id",
	[EXPIRE_AGE] = "DELETE FROM records WHERE end_ms < ?1",
	[EXPIRE_COUNT] = "DELETE FROM records WHERE id <= (SELECT max(id) FROM records) - ?1",
};

/* The records say who called whom: for the owner alone. -wal and -shm inherit the mode. */
static int make_file(const char *path)
{
	int fd, err = tandem_path_make_parents(path, 0750);

	if (err)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int open_db(struct tandem_cdr_table *t, const char *path, int read_only)
{
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int i, rc = sqlite3_open_v2(path, &t->db, flags | SQLITE_OPEN_FULLMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(t->db, BUSY_TIMEOUT_MS);
	if (rc == SQLITE_OK && !read_only)
		rc = sqlite3_exec(t->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
				  NULL, NULL, NULL);
	if (rc == SQLITE_OK && !read_only)
		rc = sqlite3_exec(t->db, schema_sql, NULL, NULL, NULL);
	for (i = 0; i < STATEMENTS && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(t->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					&t->stmt[i], NULL);
	return tandem_db_error(rc);
}

int tandem_cdr_table_open(struct tandem_cdr_table **tp, const char *path, int read_only, char *why,
			  size_t why_size)
{
	struct tandem_cdr_table *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	err = read_only || !strcmp(path, ":memory:") ? 0 : make_file(path);
	if (err) {
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
	} else {
		err = open_db(t, path, read_only);
		if (err)
			snprintf(why, why_size, "%s: %s", path, tandem_cdr_table_error(t));
	}
	if (err)
		tandem_cdr_table_close(t);
	else
		*tp = t;
	return err;
}

void tandem_cdr_table_close(struct tandem_cdr_table *t)
{
	int i;

	if (!t)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(t->stmt[i]);
	sqlite3_close(t->db);
	free(t);
}

const char *tandem_cdr_table_error(const struct tandem_cdr_table *t)
{
	return t->db ? sqlite3_errmsg(t->db) : "out of memory";
}

int tandem_cdr_table_begin(struct tandem_cdr_table *t)
{
	return tandem_db_error(sqlite3_exec(t->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

int tandem_cdr_table_commit(struct tandem_cdr_table *t)
{
	return tandem_db_error(sqlite3_exec(t->db, "COMMIT", NULL, NULL, NULL));
}

void tandem_cdr_table_rollback(struct tandem_cdr_table *t)
{
	/* some errors have ended the transaction themselves */
	if (!sqlite3_get_autocommit(t->db))
		(void)sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
}

static void bind_text(sqlite3_stmt *stmt, int n, const char *text)
{
	sqlite3_bind_text(stmt, n, text ? text : "", -1, SQLITE_STATIC);
}

static int run(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return tandem_db_error(rc);
}

int tandem_cdr_table_put_open(struct tandem_cdr_table *t, const char *call_id, const char *json)
{
	bind_text(t->stmt[OPEN_PUT], 1, call_id);
	bind_text(t->stmt[OPEN_PUT], 2, json);
	return run(t->stmt[OPEN_PUT]);
}

int tandem_cdr_table_put(struct tandem_cdr_table *t, const struct tandem_cdr_row *row)
{
	sqlite3_stmt *stmt = t->stmt[RECORD_PUT];
	int err;

	bind_text(stmt, 1, row->call_id);
	sqlite3_bind_int64(stmt, 2, row->start_ms);
	sqlite3_bind_int64(stmt, 3, row->end_ms);
	sqlite3_bind_int(stmt, 4, row->status);
	bind_text(stmt, 5, row->json);
	err = run(stmt);
	if (err)
		return err;
	bind_text(t->stmt[OPEN_REMOVE], 1, row->call_id);
	return run(t->stmt[OPEN_REMOVE]);
}

static const char *text(sqlite3_stmt *stmt, int column)
{
	const char *s = (const char *)sqlite3_column_text(stmt, column);

	return s ? s : "";
}

static int done(sqlite3_stmt *stmt, int rc)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return tandem_db_error(rc);
}

int tandem_cdr_table_list_open(struct tandem_cdr_table *t, tandem_cdr_open_h *h, void *arg)
{
	sqlite3_stmt *stmt = t->stmt[OPEN_LIST];
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		h(text(stmt, 0), text(stmt, 1), arg);
	return done(stmt, rc);
}

static int list_rows(sqlite3_stmt *stmt, tandem_cdr_row_h *h, void *arg)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct tandem_cdr_row row = {
			.id = sqlite3_column_int64(stmt, 0),
			.call_id = text(stmt, 1),
			.start_ms = sqlite3_column_int64(stmt, 2),
			.end_ms = sqlite3_column_int64(stmt, 3),
			.status = sqlite3_column_int(stmt, 4),
			.json = text(stmt, 5),
		};

		h(&row, arg);
	}
	return done(stmt, rc);
}

int tandem_cdr_table_list(struct tandem_cdr_table *t, int64_t since_ms, uint32_t limit,
			  tandem_cdr_row_h *h, void *arg)
{
	sqlite3_bind_int64(t->stmt[RECORD_LIST], 1, since_ms);
	sqlite3_bind_int64(t->stmt[RECORD_LIST], 2, limit);
	return list_rows(t->stmt[RECORD_LIST], h, arg);
}

int tandem_cdr_table_find(struct tandem_cdr_table *t, const char *name, tandem_cdr_row_h *h,
			  void *arg)
{
	char *end;
	long long id = strtoll(name, &end, 10);

	bind_text(t->stmt[RECORD_FIND], 1, name);
	sqlite3_bind_int64(t->stmt[RECORD_FIND], 2, *name && !*end ? id : -1);
	return list_rows(t->stmt[RECORD_FIND], h, arg);
}

int tandem_cdr_table_expire(struct tandem_cdr_table *t, int64_t before_ms, uint32_t max)
{
	int err;

	sqlite3_bind_int64(t->stmt[EXPIRE_AGE], 1, before_ms);
	err = run(t->stmt[EXPIRE_AGE]);
	if (err)
		return err;
	sqlite3_bind_int64(t->stmt[EXPIRE_COUNT], 1, max);
	return run(t->stmt[EXPIRE_COUNT]);
}
