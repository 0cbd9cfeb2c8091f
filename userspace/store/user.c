/* SPDX-License-Identifier: GPL-2.0-only */
/* Users, and what is left of their passwords. */
#include <errno.h>
#include <string.h>

#include "userspace/store/db.h"

/* Whether there was ever a user: removing the last one must not open the relay again. */
#define SEEN_FLAG "users-seen"

/* How many users have been removed so far. */
#define REMOVALS "users-removed"

static void bind_hash(sqlite3_stmt *stmt, int n, const struct tandem_user *user,
		      enum tandem_digest_alg alg)
{
	int size = user->has[alg] ? (int)tandem_digest_size(alg) : 0;

	sqlite3_bind_blob(stmt, n, user->ha1[alg], size, SQLITE_STATIC);
}

static bool is_sound(const struct tandem_store *store, const struct tandem_user *user)
{
	return store && user && !tandem_user_check(user->name) && !tandem_realm_check(user->realm);
}

int tandem_store_user_add(struct tandem_store *store, const struct tandem_user *user)
{
	const enum tandem_db_statement id = TANDEM_DB_USER_ADD;
	sqlite3_stmt *stmt;
	int err;

	if (!is_sound(store, user))
		return -EINVAL;

	err = tandem_store_begin(store);
	if (err)
		return err;
	stmt = store->stmt[id];
	tandem_db_bind(store, id, 1, user->name);
	tandem_db_bind(store, id, 2, user->realm);
	bind_hash(stmt, 3, user, TANDEM_DIGEST_SHA256);
	bind_hash(stmt, 4, user, TANDEM_DIGEST_MD5);
	sqlite3_bind_int64(stmt, 5, user->max_contacts);
	err = tandem_db_run(store, id);
	if (!err && !sqlite3_changes(store->db))
		err = -EEXIST;
	if (!err)
		err = tandem_store_flag_set(store, SEEN_FLAG, true);
	if (!err)
		return tandem_store_commit(store);
	tandem_store_rollback(store);

	return err;
}

int tandem_store_user_passwd(struct tandem_store *store, const struct tandem_user *user)
{
	const enum tandem_db_statement id = TANDEM_DB_USER_PASSWD;
	int err;

	if (!is_sound(store, user))
		return -EINVAL;

	err = tandem_db_sync(store, TANDEM_DB_FULL);
	if (err)
		return err;
	tandem_db_bind(store, id, 1, user->name);
	tandem_db_bind(store, id, 2, user->realm);
	bind_hash(store->stmt[id], 3, user, TANDEM_DIGEST_SHA256);
	bind_hash(store->stmt[id], 4, user, TANDEM_DIGEST_MD5);
	err = tandem_db_run(store, id);

	return err ? err : sqlite3_changes(store->db) ? 0 : -ENOENT;
}

int tandem_store_user_remove(struct tandem_store *store, const char *name)
{
	uint64_t removals = 0;
	int err;

	if (!store || !name)
		return -EINVAL;

	err = tandem_store_begin(store);
	if (err)
		return err;
	tandem_db_bind(store, TANDEM_DB_USER_REMOVE, 1, name);
	err = tandem_db_run(store, TANDEM_DB_USER_REMOVE);
	if (!err && !sqlite3_changes(store->db))
		err = -ENOENT;
	if (!err)
		err = tandem_store_user_removals(store, &removals);
	removals++;
	if (!err)
		err = tandem_db_meta_put(store, REMOVALS, &removals, sizeof(removals));
	if (!err)
		return tandem_store_commit(store);
	tandem_store_rollback(store);

	return err;
}

int tandem_store_user_removals(struct tandem_store *store, uint64_t *count)
{
	size_t len = sizeof(*count);
	int err;

	if (!store || !count)
		return -EINVAL;

	err = tandem_db_meta_get(store, REMOVALS, count, &len);
	if (err == -ENOENT)
		*count = 0;

	return err == -ENOENT ? 0 : err;
}

static void read_text(sqlite3_stmt *stmt, int column, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	size_t len = text ? strlen(text) : 0;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(buf, text, len);
	buf[len] = '\0';
}

static void read_hash(sqlite3_stmt *stmt, int column, struct tandem_user *user,
		      enum tandem_digest_alg alg)
{
	const void *blob = sqlite3_column_blob(stmt, column);
	size_t size = tandem_digest_size(alg);

	user->has[alg] = blob && (size_t)sqlite3_column_bytes(stmt, column) == size;
	if (user->has[alg])
		memcpy(user->ha1[alg], blob, size);
}

static void read_user(sqlite3_stmt *stmt, struct tandem_user *user)
{
	memset(user, 0, sizeof(*user));
	read_text(stmt, 0, user->name, sizeof(user->name));
	read_text(stmt, 1, user->realm, sizeof(user->realm));
	read_hash(stmt, 2, user, TANDEM_DIGEST_SHA256);
	read_hash(stmt, 3, user, TANDEM_DIGEST_MD5);
	user->max_contacts = (uint32_t)sqlite3_column_int64(stmt, 4);
}

int tandem_store_user_get(struct tandem_store *store, const char *name, struct tandem_user *user)
{
	int rc, err;

	if (!store || !name || !user)
		return -EINVAL;

	tandem_db_bind(store, TANDEM_DB_USER_GET, 1, name);
	rc = sqlite3_step(store->stmt[TANDEM_DB_USER_GET]);
	if (rc == SQLITE_ROW)
		read_user(store->stmt[TANDEM_DB_USER_GET], user);
	err = tandem_db_done(store, TANDEM_DB_USER_GET, rc);

	return err ? err : rc == SQLITE_ROW ? 0 : -ENOENT;
}

int tandem_store_user_list(struct tandem_store *store, tandem_user_h *h, void *arg)
{
	struct tandem_user user;
	int rc;

	if (!store || !h)
		return -EINVAL;

	while ((rc = sqlite3_step(store->stmt[TANDEM_DB_USER_LIST])) == SQLITE_ROW) {
		read_user(store->stmt[TANDEM_DB_USER_LIST], &user);
		h(&user, arg);
	}

	return tandem_db_done(store, TANDEM_DB_USER_LIST, rc);
}

int tandem_store_users_seen(struct tandem_store *store, bool *seen)
{
	return tandem_store_flag_get(store, SEEN_FLAG, seen);
}

int tandem_store_flag_get(struct tandem_store *store, const char *name, bool *set)
{
	uint8_t value = 0;
	size_t len = sizeof(value);
	int err;

	if (!store || !name || !set)
		return -EINVAL;

	err = tandem_db_meta_get(store, name, &value, &len);
	if (err && err != -ENOENT)
		return err;
	*set = !err && value;

	return 0;
}

int tandem_store_flag_set(struct tandem_store *store, const char *name, bool set)
{
	uint8_t value = set;

	if (!store || !name)
		return -EINVAL;

	return tandem_db_meta_put(store, name, &value, sizeof(value));
}

int tandem_store_foreign_changes(struct tandem_store *store, int64_t *version)
{
	int rc, err;

	if (!store || !version)
		return -EINVAL;

	rc = sqlite3_step(store->stmt[TANDEM_DB_DATA_VERSION]);
	if (rc == SQLITE_ROW)
		*version = sqlite3_column_int64(store->stmt[TANDEM_DB_DATA_VERSION], 0);
	err = tandem_db_done(store, TANDEM_DB_DATA_VERSION, rc);

	return err;
}
