/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "userspace/store/db.h"

int tandem_store_contact_put(struct tandem_store *store, const struct tandem_contact *c)
{
	const enum tandem_db_statement id = TANDEM_DB_CONTACT_PUT;
	sqlite3_stmt *stmt;
	int err;

	if (!store || !c || !c->aor || !c->uri)
		return -EINVAL;

	/* a registration that was acknowledged must survive a power cut */
	err = tandem_db_sync(store, TANDEM_DB_FULL);
	if (err)
		return err;

	stmt = store->stmt[id];
	tandem_db_bind(store, id, 1, c->aor);
	tandem_db_bind(store, id, 2, c->uri);
	tandem_db_bind(store, id, 3, c->call_id);
	sqlite3_bind_int64(stmt, 4, c->cseq);
	sqlite3_bind_int64(stmt, 5, c->q);
	sqlite3_bind_int64(stmt, 6, c->expires);
	tandem_db_bind(store, id, 7, c->source);
	tandem_db_bind(store, id, 8, c->transport);
	tandem_db_bind(store, id, 9, c->local);
	tandem_db_bind(store, id, 10, c->path);
	tandem_db_bind(store, id, 11, c->user_agent);
	tandem_db_bind(store, id, 12, c->instance ? c->instance : "");
	sqlite3_bind_int64(stmt, 13, c->reg_id);

	return tandem_db_run(store, id);
}

int tandem_store_contact_remove(struct tandem_store *store, const struct tandem_contact *c)
{
	enum tandem_db_statement id = TANDEM_DB_CONTACT_REMOVE_ALL;
	int err;

	if (!store || !c || !c->aor)
		return -EINVAL;

	err = tandem_db_sync(store, TANDEM_DB_FULL);
	if (err)
		return err;

	if (c->uri) {
		id = TANDEM_DB_CONTACT_REMOVE;
		tandem_db_bind(store, id, 2, c->uri);
		tandem_db_bind(store, id, 3, c->instance ? c->instance : "");
		sqlite3_bind_int64(store->stmt[id], 4, c->reg_id);
	}
	tandem_db_bind(store, id, 1, c->aor);
	err = tandem_db_run(store, id);
	if (!err && !sqlite3_changes(store->db))
		err = -ENOENT;

	return err;
}

static const char *text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *s = sqlite3_column_text(stmt, column);

	return s ? (const char *)s : "";
}

int tandem_store_contact_list(struct tandem_store *store, const char *aor, int64_t now,
			      tandem_contact_h *h, void *arg)
{
	enum tandem_db_statement id = aor ? TANDEM_DB_CONTACT_LIST : TANDEM_DB_CONTACT_LIST_ALL;
	sqlite3_stmt *stmt;
	int rc;

	if (!store || !h)
		return -EINVAL;

	stmt = store->stmt[id];
	sqlite3_bind_int64(stmt, 1, now);
	if (aor)
		tandem_db_bind(store, id, 2, aor);

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct tandem_contact c = {
			.aor = text(stmt, 0),
			.uri = text(stmt, 1),
			.call_id = text(stmt, 2),
			.cseq = (uint32_t)sqlite3_column_int64(stmt, 3),
			.q = (unsigned int)sqlite3_column_int(stmt, 4),
			.expires = sqlite3_column_int64(stmt, 5),
			.source = text(stmt, 6),
			.transport = text(stmt, 7),
			.local = text(stmt, 8),
			.path = text(stmt, 9),
			.user_agent = text(stmt, 10),
			.instance = text(stmt, 11),
			.reg_id = (uint32_t)sqlite3_column_int64(stmt, 12),
		};

		h(&c, arg);
	}

	return tandem_db_done(store, id, rc);
}

int tandem_store_contact_expire(struct tandem_store *store, int64_t now)
{
	int err;

	if (!store)
		return -EINVAL;

	/* what has expired may come back after a power cut: it is still expired */
	err = tandem_db_sync(store, TANDEM_DB_NORMAL);
	if (err)
		return err;

	sqlite3_bind_int64(store->stmt[TANDEM_DB_CONTACT_EXPIRE], 1, now);
	err = tandem_db_run(store, TANDEM_DB_CONTACT_EXPIRE);

	return err ? err : sqlite3_changes(store->db);
}

int tandem_store_contact_count(struct tandem_store *store, size_t *count)
{
	int rc;

	if (!store || !count)
		return -EINVAL;

	rc = sqlite3_step(store->stmt[TANDEM_DB_CONTACT_COUNT]);
	if (rc == SQLITE_ROW)
		*count = (size_t)sqlite3_column_int64(store->stmt[TANDEM_DB_CONTACT_COUNT], 0);

	return tandem_db_done(store, TANDEM_DB_CONTACT_COUNT, rc);
}
