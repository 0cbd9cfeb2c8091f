/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the store: the database handle, its prepared statements, its errors. */
#ifndef TANDEM_STORE_DB_H
#define TANDEM_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "userspace/store/checkpoint.h"
#include "userspace/store/store.h"

/* Version of the tables. A file of an earlier one is brought up to it, a later one refused. */
#define TANDEM_DB_SCHEMA 3

/* How long a write waits for another process that has the database locked. */
#define TANDEM_DB_BUSY_TIMEOUT_MS 1000

enum tandem_db_statement {
	TANDEM_DB_CONTACT_PUT,
	TANDEM_DB_CONTACT_REMOVE,
	TANDEM_DB_CONTACT_REMOVE_ALL,
	TANDEM_DB_CONTACT_LIST,
	TANDEM_DB_CONTACT_LIST_ALL,
	TANDEM_DB_CONTACT_EXPIRE,
	TANDEM_DB_CONTACT_COUNT,
	TANDEM_DB_SESSION_PUT,
	TANDEM_DB_SESSION_REMOVE,
	TANDEM_DB_SESSION_LIST,
	TANDEM_DB_FORWARD_PUT,
	TANDEM_DB_FORWARD_REMOVE,
	TANDEM_DB_FORWARD_LIST,
	TANDEM_DB_USER_ADD,
	TANDEM_DB_USER_PASSWD,
	TANDEM_DB_USER_REMOVE,
	TANDEM_DB_USER_GET,
	TANDEM_DB_USER_LIST,
	TANDEM_DB_BLOCK_PUT,
	TANDEM_DB_BLOCK_REMOVE,
	TANDEM_DB_BLOCK_LIST,
	TANDEM_DB_DATA_VERSION,
	TANDEM_DB_META_GET,
	TANDEM_DB_META_PUT,
	TANDEM_DB_STATEMENTS,
};

/* What a write must survive: the death of the process, or that of the machine too. */
enum tandem_db_sync {
	TANDEM_DB_NORMAL,
	TANDEM_DB_FULL,
};

struct tandem_store {
	sqlite3 *db;
	struct tandem_checkpoint *checkpoint; /* NULL: it is in memory */
	sqlite3_stmt *stmt[TANDEM_DB_STATEMENTS];
	enum tandem_db_sync sync;
	bool in_transaction;
	bool locked; /* another process had it longer than we wait: now nobody waits for it */
};

/* An SQLite result code as negative errno. */
int tandem_db_error(int rc);

/* Choose what the next write must survive. No-op within a transaction (which is always FULL). */
int tandem_db_sync(struct tandem_store *store, enum tandem_db_sync sync);

/*
 * Run a bound statement that returns no rows, then reset and unbind it. A failure
 * is logged with SQLite's own words. Returns 0 or a negative errno.
 */
int tandem_db_run(struct tandem_store *store, enum tandem_db_statement id);

/* Reset and unbind after the last row; rc is the last step's result. */
int tandem_db_done(struct tandem_store *store, enum tandem_db_statement id, int rc);

/* The same, but -EBUSY at once when another process has the database locked. */
int tandem_db_run_at_once(struct tandem_store *store, enum tandem_db_statement id);

/* Bind text to parameter n of a statement (NULL as ""); borrowed until the statement has run. */
void tandem_db_bind(struct tandem_store *store, enum tandem_db_statement id, int n,
		    const char *text);

/* A value of the meta table. get: *len is the room, then the length; -ENOENT, -EMSGSIZE. */
int tandem_db_meta_get(struct tandem_store *store, const char *key, void *value, size_t *len);
int tandem_db_meta_put(struct tandem_store *store, const char *key, const void *value, size_t len);

#endif
