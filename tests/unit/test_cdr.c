/* SPDX-License-Identifier: GPL-2.0-only */
/* Call records: what they say, restarts, and disks that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/cdr/cdr.h"
#include "userspace/cdr/spool.h"
#include "userspace/cdr/table.h"

static char dir[64], db[96], log_path[96];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tandem-cdr-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(db, sizeof(db), "%s/cdr.db", dir);
	snprintf(log_path, sizeof(log_path), "%s/cdr.log", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "cdr.db",	"cdr.db-wal",	  "cdr.db-shm",
					     "cdr.log", "cdr.db.damaged", "cdr.log.1" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct tandem_cdr *open_cdr(void)
{
	const struct tandem_cdr_config cfg = { .database = db,
					       .log = log_path,
					       .keep_days = 30,
					       .max_records = 1000,
					       .max_calls = 3 };
	struct tandem_cdr *c;

	assert_int_equal(tandem_cdr_open(&c, &cfg), 0);
	return c;
}

static struct tandem_cdr_call call_of(const char *id)
{
	return (struct tandem_cdr_call){
		.call_id = id,
		.from = "sip:a@x",
		.to = "sip:b@x",
		.uri = "sip:b@x",
		.user = "",
		.address = "192.0.2.1:5060",
		.transport = "UDP",
		.agent = "bad \xff octet",
	};
}

static void begin(struct tandem_cdr *c, const char *id)
{
	const struct tandem_cdr_call call = call_of(id);

	tandem_cdr_begin(c, &call);
	tandem_cdr_branch(c, id, "sip:b@192.0.2.2", "192.0.2.2:5060", "UDP", "");
}

static void answer(struct tandem_cdr *c, const char *id)
{
	tandem_cdr_status(c, id, 180, "Ringing");
	tandem_cdr_branch_status(c, id, "192.0.2.2:5060", 200);
	tandem_cdr_status(c, id, 200, "OK");
}

static void collect(const struct tandem_cdr_row *row, void *arg)
{
	json_array_append_new(arg, json_loads(row->json, 0, NULL));
}

/* All records, as an array. */
static json_t *records(void)
{
	struct tandem_cdr_table *t;
	json_t *list = json_array();
	char why[256];

	assert_int_equal(tandem_cdr_table_open(&t, db, 1, why, sizeof(why)), 0);
	assert_int_equal(tandem_cdr_table_list(t, 0, 1000, collect, list), 0);
	tandem_cdr_table_close(t);
	return list;
}

static const char *text_of(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static json_int_t number_of(const json_t *list, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(list, i), key));
}

static bool none_exists(const char *call_id, void *arg)
{
	(void)call_id;
	(void)arg;
	return false;
}

static bool all_exist(const char *call_id, void *arg)
{
	(void)call_id;
	(void)arg;
	return true;
}

static void a_call_that_was_answered(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *list;

	(void)state;
	begin(c, "one");
	answer(c, "one");
	tandem_cdr_hangup(c, "one", "callee", "Q.850;cause=16");
	tandem_cdr_session_over(c, "one", "BYE from B", true,
				json_pack("{s:s}", "verdict", "two-way"));
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(number_of(list, 0, "status"), 200);
	assert_string_equal(text_of(list, 0, "ended_by"), "callee");
	assert_string_equal(text_of(list, 0, "cause"), "Q.850;cause=16");
	assert_string_equal(text_of(list, 0, "why"), "BYE from B");
	assert_true(number_of(list, 0, "ring_ms") >= number_of(list, 0, "start_ms"));
	assert_true(number_of(list, 0, "answer_ms") >= number_of(list, 0, "ring_ms"));
	assert_true(number_of(list, 0, "end_ms") >= number_of(list, 0, "answer_ms"));
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(json_array_get(list, 0), "media"), "verdict")),
			    "two-way");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(json_array_get(list, 0), "callee"), "address")),
			    "192.0.2.2:5060");
	json_decref(list);
}

static void calls_that_come_to_nothing(void **state)
{
	struct tandem_cdr *c = open_cdr();
	const struct tandem_cdr_call refused = call_of("refused");
	json_t *list;

	(void)state;
	begin(c, "busy");
	tandem_cdr_branch_status(c, "busy", "192.0.2.2:5060", 486);
	tandem_cdr_status(c, "busy", 486, "Busy Here");
	tandem_cdr_session_over(c, "busy", "486 Busy Here", false, NULL);
	begin(c, "gone");
	tandem_cdr_hangup(c, "gone", "caller", "");
	tandem_cdr_status(c, "gone", 487, "Request Terminated");
	tandem_cdr_tick(c); /* it never had a session */
	tandem_cdr_refused(c, &refused, 404, "Not Found");
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 3);
	assert_int_equal(number_of(list, 0, "status"), 486);
	assert_string_equal(text_of(list, 0, "ended_by"), "callee");
	assert_string_equal(text_of(list, 1, "ended_by"), "caller");
	assert_int_equal(number_of(list, 2, "status"), 404);
	assert_string_equal(text_of(list, 2, "ended_by"), "relay");
	json_decref(list);
}

/* Of several branches' sessions, the one of the answered branch ends the call. */
static void a_branch_that_lost_ends_nothing(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *list;

	(void)state;
	begin(c, "fork");
	answer(c, "fork");
	tandem_cdr_session_over(c, "fork", "487 Request Terminated", false, json_object());
	tandem_cdr_session_over(c, "fork", "media inactivity", true, json_object());
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text_of(list, 0, "why"), "media inactivity");
	assert_string_equal(text_of(list, 0, "ended_by"), "relay");
	json_decref(list);
}

static void a_restart_keeps_calls_that_go_on(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *list;

	(void)state;
	begin(c, "goes on");
	answer(c, "goes on");
	begin(c, "was ringing");
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);

	c = open_cdr();
	tandem_cdr_reconcile(c, all_exist, NULL);
	tandem_cdr_session_over(c, "goes on", "BYE from A", true, NULL);
	tandem_cdr_reconcile(c, none_exists, NULL);
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(number_of(list, 0, "status"), 200);
	assert_string_equal(text_of(list, 0, "why"), "BYE from A");
	assert_string_equal(text_of(list, 1, "ended_by"), "restart");
	json_decref(list);

	/* and then they are written for good */
	c = open_cdr();
	tandem_cdr_reconcile(c, none_exists, NULL);
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
}

static void calls_beyond_the_bound_are_counted(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *doc;

	(void)state;
	begin(c, "1");
	begin(c, "2");
	begin(c, "3");
	begin(c, "4");
	begin(c, "1"); /* the same attempt again */
	doc = tandem_cdr_json(c);
	assert_int_equal(json_integer_value(json_object_get(doc, "calls")), 3);
	assert_int_equal(json_integer_value(json_object_get(doc, "dropped")), 1);
	assert_true(json_is_null(json_object_get(doc, "alarm")));
	json_decref(doc);
	tandem_cdr_close(c);
}

/* A log that never has room: the database has the record, and the alarm is raised. */
static void a_log_on_a_full_disk_loses_no_record(void **state)
{
	const struct tandem_cdr_config cfg = { .database = db,
					       .log = "/dev/full",
					       .keep_days = 30,
					       .max_records = 1000,
					       .max_calls = 3 };
	const struct tandem_cdr_call refused = call_of("refused");
	struct tandem_cdr *c;
	json_t *doc = NULL, *list;
	int i;

	(void)state;
	assert_int_equal(tandem_cdr_open(&c, &cfg), 0);
	tandem_cdr_refused(c, &refused, 404, "Not Found");
	for (i = 0; i < 500; i++) {
		json_decref(doc);
		doc = tandem_cdr_json(c);
		if (json_is_string(json_object_get(doc, "alarm")))
			break;
		usleep(10000);
	}
	assert_non_null(strstr(json_string_value(json_object_get(doc, "alarm")), "/dev/full"));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(doc, "log"), "waiting")), 1);
	json_decref(doc);
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
}

/* A session that was stored, and its record not even begun. */
static void a_call_that_nothing_was_written_of(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *list;

	(void)state;
	tandem_cdr_adopt(c, "adopted", "sip:a@x", "sip:b@x", 1000);
	tandem_cdr_reconcile(c, all_exist, NULL);
	tandem_cdr_session_over(c, "adopted", "BYE from A", true, NULL);
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(number_of(list, 0, "start_ms"), 1000);
	assert_int_equal(number_of(list, 0, "status"), 200);
	json_decref(list);
}

static json_t *branch_of(const json_t *list, size_t record, size_t i)
{
	return json_array_get(json_object_get(json_array_get(list, record), "branches"), i);
}

static void a_branch_that_is_silent_and_one_that_is_not(void **state)
{
	struct tandem_cdr *c = open_cdr();
	json_t *list;

	(void)state;
	begin(c, "two");
	tandem_cdr_branch_status(c, "two", NULL, 408);
	tandem_cdr_branch(c, "two", "sip:b@192.0.2.3", "192.0.2.3:5060", "UDP", "gw");
	tandem_cdr_branch_status(c, "two", "192.0.2.3:5060", 200);
	tandem_cdr_status(c, "two", 200, "OK");
	tandem_cdr_session_over(c, "two", "BYE from A", true, NULL);
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_integer_value(json_object_get(branch_of(list, 0, 0), "status")), 408);
	assert_int_equal(json_integer_value(json_object_get(branch_of(list, 0, 1), "status")), 200);
	assert_string_equal(text_of(list, 0, "gateway"), "gw");
	json_decref(list);
}

static void a_damaged_file_is_put_aside(void **state)
{
	struct tandem_cdr *c;
	FILE *f = fopen(db, "w");
	json_t *list;
	char aside[128];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		fputs("this is no database ", f);
	fclose(f);
	c = open_cdr();
	begin(c, "one");
	tandem_cdr_status(c, "one", 503, "Service Unavailable");
	tandem_cdr_close(c);
	list = records();
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	snprintf(aside, sizeof(aside), "%s.damaged", db);
	assert_int_equal(access(aside, F_OK), 0);
}

/* ---- the spool ---- */

struct writer {
	int failures; /* still to come */
	size_t written;
};

static int write_h(const struct tandem_spool_item *first, char *why, size_t why_size, void *arg)
{
	struct writer *w = arg;

	if (__atomic_load_n(&w->failures, __ATOMIC_SEQ_CST) > 0) {
		snprintf(why, why_size, "no space left");
		return -28;
	}
	for (; first; first = first->next)
		__atomic_add_fetch(&w->written, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void a_full_disk_makes_records_wait(void **state)
{
	struct writer w = { .failures = 1 };
	struct tandem_spool_stats stats;
	struct tandem_spool *s;
	int i;

	(void)state;
	assert_int_equal(tandem_spool_open(&s, "test", 10, write_h, &w), 0);
	for (i = 0; i < 12; i++)
		(void)tandem_spool_put(s, tandem_spool_item_alloc(0, "k", "t"));
	for (i = 0; i < 500; i++) {
		tandem_spool_stats(s, &stats);
		if (stats.failing)
			break;
		usleep(10000);
	}
	assert_true(stats.failing);
	assert_string_equal(stats.why, "no space left");
	assert_int_equal(stats.waiting, 10);
	assert_int_equal(stats.dropped, 2);
	__atomic_store_n(&w.failures, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < 500 && stats.waiting; i++) {
		usleep(10000);
		tandem_spool_stats(s, &stats);
	}
	assert_int_equal(stats.waiting, 0);
	assert_int_equal(stats.written, 10);
	assert_false(stats.failing);
	tandem_spool_close(s);
	assert_int_equal(w.written, 10);
}

static void closing_writes_what_waits(void **state)
{
	struct writer w = { 0 };
	struct tandem_spool *s;
	int i;

	(void)state;
	assert_int_equal(tandem_spool_open(&s, "test", 5000, write_h, &w), 0);
	for (i = 0; i < 3000; i++)
		assert_true(tandem_spool_put(s, tandem_spool_item_alloc(0, NULL, "t")));
	tandem_spool_close(s);
	assert_int_equal(w.written, 3000);
}

static void old_records_go(void **state)
{
	struct tandem_cdr_table *t;
	json_t *list;
	char why[256];
	int i;

	(void)state;
	assert_int_equal(tandem_cdr_table_open(&t, db, 0, why, sizeof(why)), 0);
	for (i = 0; i < 20; i++) {
		const struct tandem_cdr_row row = {
			.call_id = "x", .start_ms = i, .end_ms = i, .json = "{}"
		};

		assert_int_equal(tandem_cdr_table_put(t, &row), 0);
	}
	assert_int_equal(tandem_cdr_table_expire(t, 5, 1000), 0);
	list = records();
	assert_int_equal(json_array_size(list), 15);
	json_decref(list);
	assert_int_equal(tandem_cdr_table_expire(t, 0, 10), 0);
	tandem_cdr_table_close(t);
	list = records();
	assert_int_equal(json_array_size(list), 10);
	json_decref(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_that_was_answered),
		TEST(calls_that_come_to_nothing),
		TEST(a_branch_that_lost_ends_nothing),
		TEST(a_restart_keeps_calls_that_go_on),
		TEST(calls_beyond_the_bound_are_counted),
		TEST(a_log_on_a_full_disk_loses_no_record),
		TEST(a_call_that_nothing_was_written_of),
		TEST(a_branch_that_is_silent_and_one_that_is_not),
		TEST(a_damaged_file_is_put_aside),
		TEST(a_full_disk_makes_records_wait),
		TEST(closing_writes_what_waits),
		TEST(old_records_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
