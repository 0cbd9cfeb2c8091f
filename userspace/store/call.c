/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept as JSON text under a name: calls and forwards. */
#include <errno.h>

#include "userspace/store/db.h"

/*
 * Calls must outlive the process, not the machine: after a power cut their media
 * is gone anyway, and a call setup should not wait for the disk, nor for a lock.
 * A forward is an operator's setting: it reaches the disk.
 */

static int put(struct tandem_store *store, enum tandem_db_statement id, enum tandem_db_sync sync,
	       const char *name, const char *json)
{
	int err;

	if (!store || !name || !json)
		return -EINVAL;

	err = tandem_db_sync(store, sync);
	if (err)
		return err;

	tandem_db_bind(store, id, 1, name);
	tandem_db_bind(store, id, 2, json);

	return tandem_db_run_at_once(store, id);
}

static int drop(struct tandem_store *store, enum tandem_db_statement id, enum tandem_db_sync sync,
		const char *name)
{
	int err;

	if (!store || !name)
		return -EINVAL;

	err = tandem_db_sync(store, sync);
	if (err)
		return err;

	tandem_db_bind(store, id, 1, name);
	err = tandem_db_run_at_once(store, id);
	if (!err && !sqlite3_changes(store->db))
		err = -ENOENT;

	return err;
}

static int list(struct tandem_store *store, enum tandem_db_statement id, tandem_session_row_h *h,
		void *arg)
{
	sqlite3_stmt *stmt;
	int rc;

	if (!store || !h)
		return -EINVAL;

	stmt = store->stmt[id];
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		h((const char *)sqlite3_column_text(stmt, 0),
		  (const char *)sqlite3_column_text(stmt, 1), arg);

	return tandem_db_done(store, id, rc);
}

int tandem_store_session_put(struct tandem_store *store, const char *id, const char *json)
{
	return put(store, TANDEM_DB_SESSION_PUT, TANDEM_DB_NORMAL, id, json);
}

int tandem_store_session_remove(struct tandem_store *store, const char *id)
{
	return drop(store, TANDEM_DB_SESSION_REMOVE, TANDEM_DB_NORMAL, id);
}

int tandem_store_session_list(struct tandem_store *store, tandem_session_row_h *h, void *arg)
{
	return list(store, TANDEM_DB_SESSION_LIST, h, arg);
}

int tandem_store_forward_put(struct tandem_store *store, const char *name, const char *json)
{
	return put(store, TANDEM_DB_FORWARD_PUT, TANDEM_DB_FULL, name, json);
}

int tandem_store_forward_remove(struct tandem_store *store, const char *name)
{
	return drop(store, TANDEM_DB_FORWARD_REMOVE, TANDEM_DB_FULL, name);
}

int tandem_store_forward_list(struct tandem_store *store, tandem_session_row_h *h, void *arg)
{
	return list(store, TANDEM_DB_FORWARD_LIST, h, arg);
}
