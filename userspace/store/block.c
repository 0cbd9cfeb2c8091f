/* SPDX-License-Identifier: GPL-2.0-only */
/* Networks that an operator has blocked. */
#include <errno.h>

#include "userspace/store/db.h"

int tandem_store_block_put(struct tandem_store *store, const char *network, int64_t since,
			   int64_t until)
{
	const enum tandem_db_statement id = TANDEM_DB_BLOCK_PUT;
	int err;

	if (!store || !network)
		return -EINVAL;
	err = tandem_db_sync(store, TANDEM_DB_FULL);
	if (err)
		return err;
	tandem_db_bind(store, id, 1, network);
	sqlite3_bind_int64(store->stmt[id], 2, since);
	sqlite3_bind_int64(store->stmt[id], 3, until);

	return tandem_db_run(store, id);
}

int tandem_store_block_remove(struct tandem_store *store, const char *network)
{
	int err;

	if (!store || !network)
		return -EINVAL;
	err = tandem_db_sync(store, TANDEM_DB_FULL);
	if (err)
		return err;
	tandem_db_bind(store, TANDEM_DB_BLOCK_REMOVE, 1, network);

	return tandem_db_run(store, TANDEM_DB_BLOCK_REMOVE);
}

int tandem_store_block_list(struct tandem_store *store, tandem_block_row_h *h, void *arg)
{
	sqlite3_stmt *stmt;
	int rc;

	if (!store || !h)
		return -EINVAL;
	stmt = store->stmt[TANDEM_DB_BLOCK_LIST];
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		h((const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1),
		  sqlite3_column_int64(stmt, 2), arg);

	return tandem_db_done(store, TANDEM_DB_BLOCK_LIST, rc);
}
