/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions that change together reach the store together: all of them, or none. */
#include "tests/unit/session_stored.h"

#include <sqlite3.h>
#include <unistd.h>

/* The same database, as another process has it. */
struct other {
	char dir[32], path[64];
	sqlite3 *db;
};

static void other_open(struct fixture *fx, struct other *other)
{
	strcpy(other->dir, "/tmp/tandem-save-XXXXXX");
	assert_non_null(mkdtemp(other->dir));
	snprintf(other->path, sizeof(other->path), "%s/db", other->dir);
	fx_open_stored_at(fx, other->path);
	assert_int_equal(sqlite3_open(other->path, &other->db), SQLITE_OK);
}

static void other_do(struct other *other, const char *sql)
{
	assert_int_equal(sqlite3_exec(other->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void other_close(struct fixture *fx, struct other *other)
{
	char command[80];

	sqlite3_close(other->db);
	fx_clean(fx);
	snprintf(command, sizeof(command), "rm -r %s", other->dir);
	assert_int_equal(system(command), 0);
}

static void written_at_the_end(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	tandem_sessions_begin(fx.ss);
	fx_call(&fx, CALL);
	tandem_sessions_begin(fx.ss);
	fx_call(&fx, "call-2");
	tandem_sessions_commit(fx.ss);
	assert_int_equal(stored(&fx), 0);
	tandem_sessions_commit(fx.ss);
	assert_int_equal(stored(&fx), 2);

	/* the one behind it is written at once again */
	fx_call(&fx, "call-3");
	assert_int_equal(stored(&fx), 3);
	fx_clean(&fx);
}

static void removed_at_the_end(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	fx_call(&fx, "call-2");
	tandem_sessions_begin(fx.ss);
	assert_int_equal(tandem_session_confirm(fx.ss, CALL), 0);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	fx_call(&fx, "call-3");
	fx_call(&fx, "call-4");
	assert_int_equal(tandem_session_end(fx.ss, "call-3", "bye"), 0);
	assert_int_equal(stored(&fx), 2);
	tandem_sessions_commit(fx.ss);
	assert_int_equal(stored(&fx), 2);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	fx_clean(&fx);
}

/* What is there at the end is what counts. */
static void last_state_is_stored(void **state)
{
	struct fixture fx;
	enum tandem_party_id party;

	(void)state;
	fx_open_stored(&fx);
	tandem_sessions_begin(fx.ss);
	fx_call(&fx, CALL);
	assert_int_equal(tandem_session_label(fx.ss, CALL, TANDEM_PARTY_A, "first"), 0);
	assert_int_equal(tandem_session_label(fx.ss, CALL, TANDEM_PARTY_A, "last"), 0);
	tandem_sessions_commit(fx.ss);
	restart(&fx, 1000);
	assert_int_equal(tandem_session_party_of(fx.ss, CALL, "first", NULL, &party), -ENOENT);
	assert_int_equal(tandem_session_party_of(fx.ss, CALL, "last", NULL, &party), 0);
	fx_clean(&fx);
}

static void locked_meanwhile(void **state)
{
	struct fixture fx;
	struct other other;

	(void)state;
	other_open(&fx, &other);
	fx_call(&fx, CALL);
	other_do(&other, "BEGIN IMMEDIATE");
	tandem_sessions_begin(fx.ss);
	fx_call(&fx, "call-2");
	fx_call(&fx, "call-3");
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	tandem_sessions_commit(fx.ss);
	assert_int_equal(stored(&fx), 1);
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 1);
	other_do(&other, "COMMIT");
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 2);
	other_close(&fx, &other);
}

/* One of them cannot be written: then none is, and a tick tries again. */
static void one_is_refused(void **state)
{
	struct fixture fx;
	struct other other;

	(void)state;
	other_open(&fx, &other);
	fx_call(&fx, CALL);
	other_do(&other, "CREATE TRIGGER refuse BEFORE INSERT ON sessions "
			 "WHEN new.json LIKE '%call-3%' BEGIN SELECT RAISE(FAIL, 'refused'); END");
	tandem_sessions_begin(fx.ss);
	fx_call(&fx, "call-2");
	fx_call(&fx, "call-3");
	fx_call(&fx, "call-4");
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	tandem_sessions_commit(fx.ss);
	assert_int_equal(stored(&fx), 1);
	other_do(&other, "DROP TRIGGER refuse");
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 3);
	other_close(&fx, &other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_at_the_end),	cmocka_unit_test(removed_at_the_end),
		cmocka_unit_test(last_state_is_stored), cmocka_unit_test(locked_meanwhile),
		cmocka_unit_test(one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
