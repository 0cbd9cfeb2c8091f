/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "userspace/store/db.h"

/*
 * Calls must outlive the process, not the machine: after a power cut their media
 * is gone anyway, and a call setup should not wait for the disk, nor for a lock.
 */

int tandem_store_session_put(struct tandem_store *store, const char *id, const char *json)
{
	int err;

	if (!store || !id || !json)
		return -EINVAL;

	err = tandem_db_sync(store, TANDEM_DB_NORMAL);
	if (err)
		return err;

	tandem_db_bind(store, TANDEM_DB_SESSION_PUT, 1, id);
	tandem_db_bind(store, TANDEM_DB_SESSION_PUT, 2, json);

	return tandem_db_run_at_once(store, TANDEM_DB_SESSION_PUT);
}

int tandem_store_session_remove(struct tandem_store *store, const char *id)
{
	int err;

	if (!store || !id)
		return -EINVAL;

	err = tandem_db_sync(store, TANDEM_DB_NORMAL);
	if (err)
		return err;

	tandem_db_bind(store, TANDEM_DB_SESSION_REMOVE, 1, id);
	err = tandem_db_run_at_once(store, TANDEM_DB_SESSION_REMOVE);
	if (!err && !sqlite3_changes(store->db))
		err = -ENOENT;

	return err;
}

int tandem_store_session_list(struct tandem_store *store, tandem_session_row_h *h, void *arg)
{
	sqlite3_stmt *stmt;
	int rc;

	if (!store || !h)
		return -EINVAL;

	stmt = store->stmt[TANDEM_DB_SESSION_LIST];
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		h((const char *)sqlite3_column_text(stmt, 0),
		  (const char *)sqlite3_column_text(stmt, 1), arg);

	return tandem_db_done(store, TANDEM_DB_SESSION_LIST, rc);
}
