/* SPDX-License-Identifier: GPL-2.0-only */
/* The SQLite store: what is put is found again, by another process too. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "userspace/store/store.h"

struct fixture {
	char dir[64];
	char path[128];
	struct tandem_store *store;
};

static struct tandem_store *open_or_fail(const char *path)
{
	struct tandem_store *store = NULL;
	char why[256] = "";

	if (tandem_store_open(&store, path, why, sizeof(why)))
		fail_msg("open: %s", why);

	return store;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/tandem-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/a/b/tandem.db", f->dir);
	f->store = open_or_fail(f->path);
	*state = f;

	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[256];

	tandem_store_close(f->store);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", f->dir);
	assert_int_equal(system(cmd), 0);
	free(f);

	return 0;
}

static struct tandem_contact contact(const char *aor, const char *uri, unsigned int q,
				     int64_t expires)
{
	return (struct tandem_contact){
		.aor = aor,
		.uri = uri,
		.call_id = "c1@host",
		.cseq = 4294967295u,
		.q = q,
		.expires = expires,
		.source = "192.0.2.7:5060",
		.transport = "udp",
		.local = "192.0.2.1:5060",
		.path = "<sip:p1;lr>, <sip:p2;lr>",
		.user_agent = "phone \"x\" 'y'",
	};
}

static int remove_contact(struct fixture *f, const char *uri)
{
	const struct tandem_contact c = { .aor = "sip:bob@x", .uri = uri };

	return tandem_store_contact_remove(f->store, &c);
}

static void collect(const struct tandem_contact *c, void *arg)
{
	char *out = arg;

	strcat(out, c->uri);
	strcat(out, "|");
}

static void check_fields(const struct tandem_contact *c, void *arg)
{
	const struct tandem_contact want = contact("sip:bob@x", "sip:bob@192.0.2.7", 500, 2000);

	assert_string_equal(c->aor, want.aor);
	assert_string_equal(c->uri, want.uri);
	assert_string_equal(c->call_id, want.call_id);
	assert_int_equal(c->cseq, want.cseq);
	assert_int_equal(c->q, want.q);
	assert_int_equal(c->expires, want.expires);
	assert_string_equal(c->source, want.source);
	assert_string_equal(c->transport, want.transport);
	assert_string_equal(c->local, want.local);
	assert_string_equal(c->path, want.path);
	assert_string_equal(c->user_agent, want.user_agent);
	++*(int *)arg;
}

static void creates_the_directory_private(void **state)
{
	struct fixture *f = *state;
	char dir[128];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/a/b", f->dir);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0027, 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
}

static void keeps_every_field_over_a_reopen(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c = contact("sip:bob@x", "sip:bob@192.0.2.7", 500, 2000);
	int seen = 0;

	assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_contact_list(f->store, "sip:bob@x", 0, check_fields, &seen),
			 0);
	assert_int_equal(seen, 1);
}

static void lists_best_q_first_then_newest(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c;
	char out[256] = "";

	c = contact("sip:bob@x", "a", 500, 2000);
	tandem_store_contact_put(f->store, &c);
	c = contact("sip:bob@x", "b", 1000, 2000);
	tandem_store_contact_put(f->store, &c);
	c = contact("sip:bob@x", "c", 500, 2000);
	tandem_store_contact_put(f->store, &c);
	c = contact("sip:eve@x", "z", 1000, 2000);
	tandem_store_contact_put(f->store, &c);
	tandem_store_contact_list(f->store, "sip:bob@x", 1000, collect, out);
	assert_string_equal(out, "b|c|a|");

	/* a refresh makes it the newest, and replaces it */
	c = contact("sip:bob@x", "a", 500, 3000);
	tandem_store_contact_put(f->store, &c);
	out[0] = '\0';
	tandem_store_contact_list(f->store, "sip:bob@x", 1000, collect, out);
	assert_string_equal(out, "b|a|c|");
}

/* Two flows of a phone, with one URI, are two contacts. */
static void flows_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c = contact("sip:bob@x", "a", 1000, 2000);
	size_t n = 0;

	c.instance = "<urn:uuid:1>";
	for (c.reg_id = 1; c.reg_id <= 2; c.reg_id++)
		assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	c.reg_id = 2;
	assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	assert_int_equal(tandem_store_contact_count(f->store, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(remove_contact(f, "a"), -ENOENT);
	assert_int_equal(tandem_store_contact_remove(f->store, &c), 0);
	assert_int_equal(tandem_store_contact_remove(f->store, &c), -ENOENT);
	assert_int_equal(tandem_store_contact_count(f->store, &n), 0);
	assert_int_equal(n, 1);
}

/* A database of version 2 keeps its contacts. */
static void contacts_of_an_earlier_version(void **state)
{
	struct fixture *f = *state;
	char out[256] = "";
	sqlite3 *db;

	tandem_store_close(f->store);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "DROP TABLE contacts; CREATE TABLE contacts (id INTEGER PRIMARY KEY,"
			     " aor TEXT NOT NULL, uri TEXT NOT NULL, call_id TEXT NOT NULL,"
			     " cseq INTEGER NOT NULL, q INTEGER NOT NULL, expires INTEGER NOT NULL,"
			     " source TEXT NOT NULL, transport TEXT NOT NULL, local TEXT NOT NULL,"
			     " path TEXT NOT NULL, user_agent TEXT NOT NULL, UNIQUE (aor, uri));"
			     "INSERT INTO contacts VALUES "
			     "(1,'sip:bob@x','a','i',1,1000,2000,'s','udp','l','','');"
			     "UPDATE meta SET value = x'02' WHERE key = 'schema';",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_contact_list(f->store, "sip:bob@x", 0, collect, out), 0);
	assert_string_equal(out, "a|");
}

static void expires_and_removes(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c;
	char out[256] = "";
	size_t n = 99;

	c = contact("sip:bob@x", "a", 1000, 100);
	tandem_store_contact_put(f->store, &c);
	c = contact("sip:bob@x", "b", 1000, 101);
	tandem_store_contact_put(f->store, &c);
	tandem_store_contact_list(f->store, NULL, 100, collect, out);
	assert_string_equal(out, "b|");
	assert_int_equal(tandem_store_contact_expire(f->store, 100), 1);
	assert_int_equal(tandem_store_contact_count(f->store, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(remove_contact(f, "a"), -ENOENT);
	assert_int_equal(remove_contact(f, NULL), 0);
	assert_int_equal(tandem_store_contact_count(f->store, &n), 0);
	assert_int_equal(n, 0);
}

static void session_row(const char *id, const char *json, void *arg)
{
	char *out = arg;

	strcat(out, id);
	strcat(out, "=");
	strcat(out, json);
	strcat(out, ";");
}

static void keeps_sessions(void **state)
{
	struct fixture *f = *state;
	char out[256] = "";

	assert_int_equal(tandem_store_session_put(f->store, "1", "{}"), 0);
	assert_int_equal(tandem_store_session_put(f->store, "2", "{\"a\":1}"), 0);
	assert_int_equal(tandem_store_session_remove(f->store, "1"), 0);
	assert_int_equal(tandem_store_session_remove(f->store, "1"), -ENOENT);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_session_list(f->store, session_row, out), 0);
	assert_string_equal(out, "2={\"a\":1};");
}

static void keeps_forwards(void **state)
{
	struct fixture *f = *state;
	char out[256] = "";

	assert_int_equal(tandem_store_forward_put(f->store, "b", "{}"), 0);
	assert_int_equal(tandem_store_forward_put(f->store, "a", "1"), 0);
	assert_int_equal(tandem_store_forward_put(f->store, "a", "2"), 0);
	assert_int_equal(tandem_store_forward_put(f->store, "c", "{}"), 0);
	assert_int_equal(tandem_store_forward_remove(f->store, "c"), 0);
	assert_int_equal(tandem_store_forward_remove(f->store, "c"), -ENOENT);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_forward_list(f->store, session_row, out), 0);
	assert_string_equal(out, "a=2;b={};");
	*out = '\0';
	assert_int_equal(tandem_store_session_list(f->store, session_row, out), 0);
	assert_string_equal(out, "");
}

static void block_row(const char *network, int64_t since, int64_t until, void *arg)
{
	char *out = arg;

	sprintf(out + strlen(out), "%s %d %d;", network, (int)since, (int)until);
}

static void keeps_blocks(void **state)
{
	struct fixture *f = *state;
	char out[256] = "";

	assert_int_equal(tandem_store_block_put(f->store, "192.0.2.1", 1, 0), 0);
	assert_int_equal(tandem_store_block_put(f->store, "10.0.0.0/8", 2, 5), 0);
	assert_int_equal(tandem_store_block_put(f->store, "10.0.0.0/8", 3, 9), 0);
	assert_int_equal(tandem_store_block_put(f->store, "::/0", 4, 9), 0);
	assert_int_equal(tandem_store_block_remove(f->store, "::/0"), 0);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_block_list(f->store, block_row, out), 0);
	assert_string_equal(out, "192.0.2.1 1 0;10.0.0.0/8 3 9;");
	assert_int_equal(tandem_store_block_put(f->store, NULL, 0, 0), -EINVAL);
}

static void transaction_is_seen_as_a_whole(void **state)
{
	struct fixture *f = *state;
	struct tandem_store *other = open_or_fail(f->path);
	struct tandem_contact c = contact("sip:bob@x", "a", 1000, 100);
	size_t n;

	assert_int_equal(tandem_store_begin(f->store), 0);
	assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	tandem_store_contact_count(other, &n);
	assert_int_equal(n, 0);
	assert_int_equal(tandem_store_commit(f->store), 0);
	tandem_store_contact_count(other, &n);
	assert_int_equal(n, 1);
	assert_int_equal(tandem_store_commit(f->store), -EINVAL);

	assert_int_equal(tandem_store_begin(f->store), 0);
	assert_int_equal(remove_contact(f, NULL), 0);
	tandem_store_rollback(f->store);
	tandem_store_contact_count(f->store, &n);
	assert_int_equal(n, 1);
	tandem_store_close(other);
}

static void locked_database_is_busy_not_lost(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c = contact("sip:bob@x", "a", 1000, 100);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(tandem_store_contact_put(f->store, &c), -EBUSY);
	/* from here on nobody waits a second for it: a hundred would take more than a minute */
	alarm(60);
	for (int i = 0; i < 100; i++)
		assert_int_equal(tandem_store_contact_put(f->store, &c), -EBUSY);
	alarm(0);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	sqlite3_close(db);
}

static void refuses_a_foreign_file_and_version(void **state)
{
	struct fixture *f = *state;
	struct tandem_store *store = NULL;
	char why[256], path[160];
	FILE *file;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/text", f->dir);
	file = fopen(path, "w");
	fputs("this is not a database, and it is long enough to be seen as none at all, "
	      "because SQLite reads the first hundred bytes of it",
	      file);
	fclose(file);
	assert_int_equal(tandem_store_open(&store, path, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, "not a database"));

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_exec(db, "UPDATE meta SET value = x'63' WHERE key = 'schema'", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(tandem_store_open(&store, f->path, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "99"));

	assert_int_equal(tandem_store_open(&store, "/proc/none/x.db", why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "/proc/none"));
}

static void secret_stays(void **state)
{
	struct fixture *f = *state;
	uint8_t a[20], b[20], c[20];

	assert_int_equal(tandem_store_secret(f->store, "one", a, sizeof(a)), 0);
	assert_int_equal(tandem_store_secret(f->store, "two", b, sizeof(b)), 0);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_secret(f->store, "one", c, sizeof(c)), 0);
	assert_memory_equal(a, c, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
}

static struct tandem_user user(const char *name, const char *realm, uint32_t max_contacts)
{
	struct tandem_user u = { .max_contacts = max_contacts };

	strcpy(u.name, name);
	strcpy(u.realm, realm);
	u.has[TANDEM_DIGEST_SHA256] = true;
	memset(u.ha1[TANDEM_DIGEST_SHA256], 0, 32);
	u.ha1[TANDEM_DIGEST_SHA256][31] = (uint8_t)name[0];

	return u;
}

static void collect_user(const struct tandem_user *u, void *arg)
{
	strcat(arg, u->name);
	strcat(arg, " ");
}

static void users(void **state)
{
	struct fixture *f = *state;
	struct tandem_user u = user("bob", "r", 0), got;
	char names[64] = "";
	uint64_t removals = 7;
	bool seen = true;

	assert_int_equal(tandem_store_users_seen(f->store, &seen), 0);
	assert_false(seen);
	assert_int_equal(tandem_store_user_add(f->store, &u), 0);
	assert_int_equal(tandem_store_user_add(f->store, &u), -EEXIST);
	u = user("alice", "r", 3);
	u.has[TANDEM_DIGEST_MD5] = true;
	memset(u.ha1[TANDEM_DIGEST_MD5], 5, 16);
	assert_int_equal(tandem_store_user_add(f->store, &u), 0);

	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_user_get(f->store, "alice", &got), 0);
	assert_memory_equal(&got, &u, sizeof(u));
	assert_int_equal(tandem_store_user_get(f->store, "Alice", &got), -ENOENT);
	assert_int_equal(tandem_store_user_list(f->store, collect_user, names), 0);
	assert_string_equal(names, "alice bob ");

	u = user("alice", "other", 9);
	assert_int_equal(tandem_store_user_passwd(f->store, &u), 0);
	assert_int_equal(tandem_store_user_get(f->store, "alice", &got), 0);
	assert_string_equal(got.realm, "other");
	assert_false(got.has[TANDEM_DIGEST_MD5]);
	assert_int_equal(got.max_contacts, 3);
	u = user("carol", "r", 0);
	assert_int_equal(tandem_store_user_passwd(f->store, &u), -ENOENT);

	assert_int_equal(tandem_store_user_removals(f->store, &removals), 0);
	assert_int_equal(removals, 0);
	assert_int_equal(tandem_store_user_remove(f->store, "alice"), 0);
	assert_int_equal(tandem_store_user_remove(f->store, "alice"), -ENOENT);
	assert_int_equal(tandem_store_user_remove(f->store, "bob"), 0);
	assert_int_equal(tandem_store_user_removals(f->store, &removals), 0);
	assert_int_equal(removals, 2);
	assert_int_equal(tandem_store_user_get(f->store, "alice", &got), -ENOENT);
	assert_int_equal(tandem_store_users_seen(f->store, &seen), 0);
	assert_true(seen);

	u = user("a:b", "r", 0);
	assert_int_equal(tandem_store_user_add(f->store, &u), -EINVAL);
	u = user("ab", "\"", 0);
	assert_int_equal(tandem_store_user_add(f->store, &u), -EINVAL);
}

static void sees_what_others_write(void **state)
{
	struct fixture *f = *state;
	struct tandem_user u = user("bob", "r", 0);
	int64_t before, after;
	struct tandem_store *other = open_or_fail(f->path);

	assert_int_equal(tandem_store_foreign_changes(f->store, &before), 0);
	assert_int_equal(tandem_store_flag_set(f->store, "own", true), 0);
	assert_int_equal(tandem_store_foreign_changes(f->store, &after), 0);
	assert_int_equal(after, before);
	assert_int_equal(tandem_store_user_add(other, &u), 0);
	assert_int_equal(tandem_store_foreign_changes(f->store, &after), 0);
	assert_int_not_equal(after, before);
	assert_int_equal(tandem_store_user_remove(f->store, "bob"), 0);
	tandem_store_close(other);
}

/* A file as the first version left it: no users, and its contacts stay. */
static void brings_an_earlier_version_up(void **state)
{
	struct fixture *f = *state;
	struct tandem_contact c = contact("sip:bob@example.test", "sip:bob@192.0.2.7", 1000, 2000);
	struct tandem_user u = user("bob", "r", 0);
	size_t count = 0;
	sqlite3 *db;

	assert_int_equal(tandem_store_contact_put(f->store, &c), 0);
	tandem_store_close(f->store);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE users;"
				      "UPDATE meta SET value = x'01' WHERE key = 'schema'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);

	f->store = open_or_fail(f->path);
	assert_int_equal(tandem_store_contact_count(f->store, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(tandem_store_user_add(f->store, &u), 0);
	/* and it says so, so that an earlier program does not touch it */
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_exec(db, "DELETE FROM meta WHERE key = 'schema' AND value = x'03'", NULL, NULL,
		     NULL);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
}

/* What is in its log reaches the database while it is in use, and the log does not grow for ever. */
static void log_is_put_into_the_database(void **state)
{
	struct fixture *f = *state;
	char text[8192], id[16];
	struct stat st = { 0 };
	int i;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 2000; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(tandem_store_session_put(f->store, id, text), 0);
	}
	for (i = 0; i < 6000 && st.st_size < 8 << 20; i++) {
		usleep(10000);
		assert_int_equal(stat(f->path, &st), 0);
	}
	assert_true(st.st_size >= 8 << 20);
	tandem_store_close(f->store);
	f->store = open_or_fail(f->path);
	for (i = 0; i < 2000; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(tandem_store_session_remove(f->store, id), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(creates_the_directory_private),
		TEST(keeps_every_field_over_a_reopen),
		TEST(lists_best_q_first_then_newest),
		TEST(expires_and_removes),
		TEST(flows_are_told_apart),
		TEST(contacts_of_an_earlier_version),
		TEST(keeps_sessions),
		TEST(keeps_forwards),
		TEST(keeps_blocks),
		TEST(transaction_is_seen_as_a_whole),
		TEST(locked_database_is_busy_not_lost),
		TEST(refuses_a_foreign_file_and_version),
		TEST(secret_stays),
		TEST(users),
		TEST(sees_what_others_write),
		TEST(brings_an_earlier_version_up),
		TEST(log_is_put_into_the_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
