/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/store/db.h"
#include "userspace/util/log.h"
#include "userspace/util/path.h"

#define SECRET_MAX 64

/* Versions differ in tables that the earlier ones have not; and see migrate(). */
static const char schema_sql[] =
	"CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS contacts ("
	"  id INTEGER PRIMARY KEY,"
	"  aor TEXT NOT NULL, uri TEXT NOT NULL, call_id TEXT NOT NULL,"
	"  cseq INTEGER NOT NULL, q INTEGER NOT NULL, expires INTEGER NOT NULL,"
	"  source TEXT NOT NULL, transport TEXT NOT NULL, local TEXT NOT NULL,"
	"  path TEXT NOT NULL, user_agent TEXT NOT NULL,"
	"  instance TEXT NOT NULL DEFAULT '', reg_id INTEGER NOT NULL DEFAULT 0,"
	"  UNIQUE (aor, uri, instance, reg_id));"
	"CREATE INDEX IF NOT EXISTS contacts_expires ON contacts (expires);"
	"CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS forward (name TEXT PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS blocks ("
	"  network TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS users ("
	"  name TEXT PRIMARY KEY, realm TEXT NOT NULL,"
	"  sha256 BLOB NOT NULL, md5 BLOB NOT NULL, max_contacts INTEGER NOT NULL);";

static const char *const statement_sql[TANDEM_DB_STATEMENTS] = {
	/* a replaced row gets a new id: the highest id is the newest binding */
	[TANDEM_DB_CONTACT_PUT] =
		"INSERT OR REPLACE INTO contacts (aor, uri, call_id, cseq, q, expires, source,"
		" transport, local, path, user_agent, instance, reg_id)"
		" VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
	[TANDEM_DB_CONTACT_REMOVE] = "DELETE FROM contacts WHERE aor = ?1 AND uri = ?2"
				     " AND instance = ?3 AND reg_id = ?4",
	[TANDEM_DB_CONTACT_REMOVE_ALL] = "DELETE FROM contacts WHERE aor = ?1",
	[TANDEM_DB_CONTACT_LIST] =
		"SELECT aor, uri, call_id, cseq, q, expires, source, transport, local, path,"
		" user_agent, instance, reg_id FROM contacts WHERE aor = ?2 AND expires > ?1 ORDER "
		"BY q DESC, id "
		"DESC",
	[TANDEM_DB_CONTACT_LIST_ALL] =
		"SELECT aor, uri, call_id, cseq, q, expires, source, transport, local, path,"
		" user_agent, instance, reg_id FROM contacts WHERE expires > ?1 ORDER BY aor, q "
		"DESC, id DESC",
	[TANDEM_DB_CONTACT_EXPIRE] = "DELETE FROM contacts WHERE expires <= ?1",
	[TANDEM_DB_CONTACT_COUNT] = "SELECT count(*) FROM contacts",
	[TANDEM_DB_SESSION_PUT] = "INSERT OR REPLACE INTO sessions (id, json) VALUES (?1, ?2)",
	[TANDEM_DB_SESSION_REMOVE] = "DELETE FROM sessions WHERE id = ?1",
	[TANDEM_DB_SESSION_LIST] = "SELECT id, json FROM sessions ORDER BY rowid",
	[TANDEM_DB_FORWARD_PUT] = "INSERT OR REPLACE INTO forward (name, json) VALUES (?1, ?2)",
	[TANDEM_DB_FORWARD_REMOVE] = "DELETE FROM forward WHERE name = ?1",
	[TANDEM_DB_FORWARD_LIST] = "SELECT name, json FROM forward ORDER BY name",
	[TANDEM_DB_USER_ADD] =
		"INSERT OR IGNORE INTO users (name, realm, sha256, md5, max_contacts)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	[TANDEM_DB_USER_PASSWD] =
		"UPDATE users SET realm = ?2, sha256 = ?3, md5 = ?4 WHERE name = ?1",
	[TANDEM_DB_USER_REMOVE] = "DELETE FROM users WHERE name = ?1",
	[TANDEM_DB_USER_GET] =
		"SELECT name, realm, sha256, md5, max_contacts FROM users WHERE name = ?1",
	[TANDEM_DB_USER_LIST] =
		"SELECT name, realm, sha256, md5, max_contacts FROM users ORDER BY name",
	[TANDEM_DB_BLOCK_PUT] =
		"INSERT OR REPLACE INTO blocks (network, since, until) VALUES (?1, ?2, ?3)",
	[TANDEM_DB_BLOCK_REMOVE] = "DELETE FROM blocks WHERE network = ?1",
	[TANDEM_DB_BLOCK_LIST] = "SELECT network, since, until FROM blocks ORDER BY since",
	[TANDEM_DB_DATA_VERSION] = "PRAGMA data_version",
	[TANDEM_DB_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[TANDEM_DB_META_PUT] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
};

/*
 * There are keys of SRTP and digests of passwords in it. SQLite would create it readable
 * for all; its -wal and -shm inherit the mode.
 */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	/* one of an earlier version; who may not change its mode is told by the log */
	if (!fstat(fd, &st) && (st.st_mode & 0077) && fchmod(fd, st.st_mode & 0700))
		tandem_log(TANDEM_LOG_WARNING, "store", "%s can be read by others than its owner",
			   path);
	close(fd);

	return 0;
}

/* Before the tables are made: a file of a later version is left as it is. */
static int schema_check(struct tandem_store *store, char *why, size_t why_size)
{
	static const char sql[] = "SELECT value FROM meta WHERE key = 'schema'";
	sqlite3_stmt *stmt = NULL;
	unsigned int version = 0;

	/* there is no such table in a new file */
	if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == 1)
		version = *(const uint8_t *)sqlite3_column_blob(stmt, 0);
	sqlite3_finalize(stmt);
	if (version > TANDEM_DB_SCHEMA) {
		snprintf(why, why_size, "schema version %u, this program needs %u", version,
			 TANDEM_DB_SCHEMA);
		return -EPROTO;
	}

	return 0;
}

/* Up to version 2 a contact was known by its URI alone. */
static int migrate(struct tandem_store *store)
{
	static const char sql[] = "BEGIN IMMEDIATE;"
				  "DROP INDEX IF EXISTS contacts_expires;"
				  "ALTER TABLE contacts RENAME TO contacts_2;";
	static const char copy[] =
		"INSERT INTO contacts (id, aor, uri, call_id, cseq, q, expires, source, transport,"
		" local, path, user_agent) SELECT id, aor, uri, call_id, cseq, q, expires, source,"
		" transport, local, path, user_agent FROM contacts_2;"
		"DROP TABLE contacts_2; COMMIT;";
	int rc;

	/* there is no such table yet, or it has what is asked for */
	if (sqlite3_exec(store->db, "SELECT uri FROM contacts LIMIT 0", NULL, NULL, NULL) !=
		    SQLITE_OK ||
	    sqlite3_exec(store->db, "SELECT reg_id FROM contacts LIMIT 0", NULL, NULL, NULL) ==
		    SQLITE_OK)
		return SQLITE_OK;
	rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, schema_sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, copy, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);

	return rc;
}

static int schema_mark(struct tandem_store *store)
{
	uint8_t version = 0;
	size_t len = sizeof(version);
	int err;

	err = tandem_db_meta_get(store, "schema", &version, &len);
	if ((err && err != -ENOENT) || (!err && version == TANDEM_DB_SCHEMA))
		return err;
	if (!err)
		tandem_log(TANDEM_LOG_INFO, "store", "database brought from version %u to %u",
			   version, TANDEM_DB_SCHEMA);
	version = TANDEM_DB_SCHEMA;

	return tandem_db_meta_put(store, "schema", &version, sizeof(version));
}

static int open_db(struct tandem_store *store, const char *path, char *why, size_t why_size)
{
	int rc, i, err;

	rc = sqlite3_open_v2(path, &store->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			     NULL);
	if (rc != SQLITE_OK)
		return tandem_db_error(rc);

	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, TANDEM_DB_BUSY_TIMEOUT_MS);

	/* what is deleted is overwritten, as there are keys in it */
	rc = sqlite3_exec(store->db,
			  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			  "PRAGMA secure_delete = ON;",
			  NULL, NULL, NULL);
	err = rc == SQLITE_OK ? schema_check(store, why, why_size) : 0;
	if (err)
		return err;
	if (rc == SQLITE_OK)
		rc = migrate(store);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, schema_sql, NULL, NULL, NULL);

	for (i = 0; i < TANDEM_DB_STATEMENTS && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(store->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					&store->stmt[i], NULL);

	return tandem_db_error(rc);
}

int tandem_store_open(struct tandem_store **storep, const char *path, char *why, size_t why_size)
{
	struct tandem_store *store;
	int err = 0;

	if (!storep || !path || !why || !why_size)
		return -EINVAL;

	why[0] = '\0';
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	store->sync = TANDEM_DB_FULL;

	if (strcmp(path, ":memory:")) {
		err = tandem_path_make_parents(path, 0750);
		if (!err)
			err = make_file(path);
	}
	if (err) {
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
		goto out;
	}

	err = open_db(store, path, why, why_size);
	if (err) {
		if (!why[0])
			snprintf(why, why_size, "%s: %s", path,
				 store->db ? sqlite3_errmsg(store->db) : strerror(-err));
		goto out;
	}

	err = schema_mark(store);
	if (!err && strcmp(path, ":memory:"))
		err = tandem_checkpoint_open(&store->checkpoint, store->db);
	if (err)
		snprintf(why, why_size, "%s: %s", path, sqlite3_errmsg(store->db));

out:
	if (err)
		tandem_store_close(store);
	else
		*storep = store;

	return err;
}

void tandem_store_close(struct tandem_store *store)
{
	int i;

	if (!store)
		return;

	tandem_checkpoint_close(store->checkpoint);
	for (i = 0; i < TANDEM_DB_STATEMENTS; i++)
		sqlite3_finalize(store->stmt[i]);
	sqlite3_close(store->db);
	free(store);
}

int tandem_store_secret(struct tandem_store *store, const char *name, uint8_t *key, size_t len)
{
	uint8_t value[SECRET_MAX];
	size_t n = sizeof(value);
	int err;

	if (!store || !name || !key || !len || len > SECRET_MAX)
		return -EINVAL;

	err = tandem_db_meta_get(store, name, value, &n);
	if (err && err != -ENOENT)
		return err;

	if (err == -ENOENT || n != len) {
		if (getrandom(value, len, 0) != (ssize_t)len)
			return -EIO;
		err = tandem_db_meta_put(store, name, value, len);
		if (err)
			return err;
	}
	memcpy(key, value, len);

	return 0;
}
