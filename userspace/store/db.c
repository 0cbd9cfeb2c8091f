/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/store/db.h"
#include "userspace/util/log.h"

int tandem_db_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

int tandem_db_sync(struct tandem_store *store, enum tandem_db_sync sync)
{
	int rc;

	/* SQLite ignores the pragma within a transaction */
	if (store->in_transaction || store->sync == sync)
		return 0;

	rc = sqlite3_exec(store->db,
			  sync == TANDEM_DB_FULL ? "PRAGMA synchronous = FULL"
						 : "PRAGMA synchronous = NORMAL",
			  NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		store->sync = sync;

	return tandem_db_error(rc);
}

/*
 * The event loop stands still while a write waits. One that has waited in vain is enough: until
 * the lock is known to be gone, no other does.
 */
static int note_lock(struct tandem_store *store, int rc)
{
	bool busy = tandem_db_error(rc) == -EBUSY;

	if (busy != store->locked) {
		store->locked = busy;
		sqlite3_busy_timeout(store->db, busy ? 0 : TANDEM_DB_BUSY_TIMEOUT_MS);
	}

	return tandem_db_error(rc);
}

int tandem_db_done(struct tandem_store *store, enum tandem_db_statement id, int rc)
{
	sqlite3_stmt *stmt = store->stmt[id];

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		tandem_log(TANDEM_LOG_ERROR, "store", "database: %s", sqlite3_errmsg(store->db));
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);

	return note_lock(store, rc);
}

int tandem_db_run(struct tandem_store *store, enum tandem_db_statement id)
{
	return tandem_db_done(store, id, sqlite3_step(store->stmt[id]));
}

/* After what has waited for no lock: that it is locked just now does not say that it has been for long. */
static void end_at_once(struct tandem_store *store, int err, bool locked)
{
	if (err == -EBUSY)
		store->locked = locked;
	sqlite3_busy_timeout(store->db, store->locked ? 0 : TANDEM_DB_BUSY_TIMEOUT_MS);
}

int tandem_db_run_at_once(struct tandem_store *store, enum tandem_db_statement id)
{
	bool locked = store->locked;
	int err;

	sqlite3_busy_timeout(store->db, 0);
	err = tandem_db_run(store, id);
	end_at_once(store, err, locked);

	return err;
}

void tandem_db_bind(struct tandem_store *store, enum tandem_db_statement id, int n,
		    const char *text)
{
	sqlite3_bind_text(store->stmt[id], n, text ? text : "", -1, SQLITE_STATIC);
}

int tandem_db_meta_get(struct tandem_store *store, const char *key, void *value, size_t *len)
{
	sqlite3_stmt *stmt = store->stmt[TANDEM_DB_META_GET];
	size_t n;
	int rc, err = 0;

	tandem_db_bind(store, TANDEM_DB_META_GET, 1, key);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		n = (size_t)sqlite3_column_bytes(stmt, 0);
		if (n > *len)
			err = -EMSGSIZE;
		else if (n)
			memcpy(value, sqlite3_column_blob(stmt, 0), n);
		*len = n;
	} else if (rc == SQLITE_DONE) {
		err = -ENOENT;
	}
	rc = tandem_db_done(store, TANDEM_DB_META_GET, rc);

	return rc ? rc : err;
}

int tandem_db_meta_put(struct tandem_store *store, const char *key, const void *value, size_t len)
{
	int err = tandem_db_sync(store, TANDEM_DB_FULL);

	if (err)
		return err;
	tandem_db_bind(store, TANDEM_DB_META_PUT, 1, key);
	sqlite3_bind_blob(store->stmt[TANDEM_DB_META_PUT], 2, value, (int)len, SQLITE_STATIC);

	return tandem_db_run(store, TANDEM_DB_META_PUT);
}

static int exec(struct tandem_store *store, const char *sql)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		tandem_log(TANDEM_LOG_ERROR, "store", "%s: %s", sql, sqlite3_errmsg(store->db));

	return note_lock(store, rc);
}

/* A disk that is full, and some other errors, have ended the transaction themselves. */
static void undo(struct tandem_store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		(void)exec(store, "ROLLBACK");
}

static int begin(struct tandem_store *store, enum tandem_db_sync sync)
{
	int err;

	if (!store)
		return -EINVAL;
	if (store->in_transaction)
		return -EALREADY;

	/* one that could not be undone in its time would stand in the way of all that follow */
	undo(store);
	err = tandem_db_sync(store, sync);
	if (!err)
		err = exec(store, "BEGIN IMMEDIATE");
	if (!err)
		store->in_transaction = true;

	return err;
}

int tandem_store_begin(struct tandem_store *store)
{
	return begin(store, TANDEM_DB_FULL);
}

int tandem_store_begin_at_once(struct tandem_store *store)
{
	bool locked = store && store->locked;
	int err;

	if (!store)
		return -EINVAL;
	sqlite3_busy_timeout(store->db, 0);
	err = begin(store, TANDEM_DB_NORMAL);
	end_at_once(store, err, locked);
	return err;
}

int tandem_store_commit(struct tandem_store *store)
{
	int err;

	if (!store || !store->in_transaction)
		return -EINVAL;

	err = exec(store, "COMMIT");
	if (err)
		undo(store);
	store->in_transaction = false;

	return err;
}

void tandem_store_rollback(struct tandem_store *store)
{
	if (!store || !store->in_transaction)
		return;

	undo(store);
	store->in_transaction = false;
}
