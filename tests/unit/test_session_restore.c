/* SPDX-License-Identifier: GPL-2.0-only */
/* The process goes, the calls stay: what the next one finds and makes of it. */
#include "tests/unit/session_stored.h"

#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

static int by_id(const void *a, const void *b)
{
	const struct tandem_flow_spec *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void everything_comes_back(void **state)
{
	struct tandem_flow_spec before[8];
	struct fixture fx;
	enum tandem_party_id party;
	char id[20];
	size_t ports;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	fx_call(&fx, "call-2");
	fx_dialog(&fx, "only-offered");
	fx_offer_from(&fx, "only-offered", TANDEM_PARTY_A, CALLER, CALLEE, audio(CALLER, 4000, ""));
	strcpy(id, fx_session(&fx, CALL)->id);
	memcpy(before, fx.plane.specs, sizeof(before));
	fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 50;
	ports = fx_free_ports(&fx);

	restart(&fx, 5000);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	assert_string_equal(tandem_session_find(fx.ss, id), CALL);
	assert_int_equal(tandem_session_party(fx.ss, CALL, "tag-a", &party), 0);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_ESTABLISHED);
	assert_true(fx_session(&fx, CALL)->started_ms == 1700000000000LL);
	assert_int_equal(fx.plane.n, 8);
	assert_int_equal(fx.plane.removes, 0);
	assert_int_equal(fx_free_ports(&fx), ports + 2);
	assert_int_equal(fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets, 50);
	qsort(fx.plane.specs, 8, sizeof(before[0]), by_id);
	qsort(before, 8, sizeof(before[0]), by_id);
	assert_memory_equal(before, fx.plane.specs, sizeof(before));

	/* and it goes on as if nothing had been */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5500, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), CALLEE ":5500");
	tandem_session_end(fx.ss, CALL, "bye");
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(stored(&fx), 1);
	fx_clean(&fx);
}

/* Until when a call lasts without a refresh is known to the next process, too. */
static void session_timers_come_back(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	fx_call(&fx, "call-2");
	fx_call(&fx, "call-3");
	fx.ss->cfg.inactivity_timeout_s = 0;
	assert_int_equal(tandem_session_lasts(fx.ss, CALL, 100), 0);
	assert_int_equal(tandem_session_lasts(fx.ss, "call-2", 5), 0);
	assert_int_equal(tandem_session_lasts(fx.ss, "call-3", 5), 0);
	assert_int_equal(tandem_session_lasts(fx.ss, "call-3", 0), 0);
	assert_int_equal(tandem_session_lasts(fx.ss, "stranger", 5), -ENOENT);

	restart(&fx, 10000);
	fx.ss->cfg.inactivity_timeout_s = 0;
	/* its refresh may have found nobody: there is time for one more */
	fx.now_ms += 31000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 3);
	fx.now_ms += 1000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	assert_null(tandem_session_find(fx.ss, "call-2"));
	fx.now_ms += 57000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	fx.now_ms += 1000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 1);
	assert_non_null(tandem_session_find(fx.ss, "call-3"));
	fx_clean(&fx);
}

/* The fast path lost some, has some too many, and one that is out of date. */
static void plane_is_brought_in_line(void **state)
{
	struct fixture fx;
	uint64_t lost, number;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	lost = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->id;
	fake_remove(&fx.plane, lost);
	fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.remote_port = htons(1);
	number = (fx.epoch_ms + 1000000) & 0xffffffffffffULL;
	fx.plane.specs[fx.plane.n] = fx.plane.specs[0];
	fx.plane.specs[fx.plane.n++].id = number << 16 | 1 << 8;

	restart(&fx, 1000);
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(fx.plane.removes, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":4000");
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->id == lost);
	/* no later session takes a name that has been in use */
	fx_call(&fx, "next");
	assert_true(fx_session(&fx, "next")->number > number);
	fx_clean(&fx);
}

/* A clock that has gone back must not make names come again either. */
static void numbers_do_not_come_again(void **state)
{
	struct fixture fx;
	uint64_t number;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	number = fx_session(&fx, CALL)->number;
	fx.epoch_ms -= 1000000;
	restart(&fx, 0);
	fx_call(&fx, "next");
	assert_true(fx_session(&fx, "next")->number > number);
	fx_clean(&fx);
}

static void learned_source_survives(void **state)
{
	struct fixture fx;
	struct tandem_unknown_source src = { .head_len = 12, .len = 160 };
	int i;

	(void)state;
	fx_open_stored(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio("192.168.1.5", 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	tandem_session_confirm(fx.ss, CALL);
	for (i = 0; i < 2; i++) {
		src.flow_id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id;
		src.remote = ep(CALLER, 61000);
		src.head[0] = 0x80;
		src.head[3] = i;
		tandem_learn_source(&src, fx.ss);
	}
	restart(&fx, 1000);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");
	/* the window for RTCP was open, and has the rest of its time */
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP)->flags & RULE_F_LEARN);
	restart(&fx, 14000);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP)->flags & RULE_F_LEARN);
	fx_clean(&fx);
}

/* The answer came just before the end: whom it left to be learned is learned after it. */
static void window_goes_on(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio("192.168.1.5", 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	tandem_session_confirm(fx.ss, CALL);
	restart(&fx, 1000);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_LEARN);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->flags & RULE_F_LEARN);
	/* who has been heard from where it was expected is not learned anew */
	fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 1;
	restart(&fx, 1000);
	tandem_sessions_tick(fx.ss);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_LEARN);
	/* after a reboot, the end that was stored is far away */
	fx.now_ms = 1000;
	restart(&fx, 0);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_LEARN);
	fx_clean(&fx);
}

static void unusable_rows(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"number\":1}",
		"{\"number\":-5,\"call_id\":\"x\",\"from\":\"\",\"to\":\"\",\"tag_a\":\"t\","
		"\"tag_b\":null,\"started_ms\":1,\"confirmed\":true,\"source_a\":null,"
		"\"source_b\":null,\"media\":[]}",
		"{\"number\":5,\"call_id\":\"x\",\"from\":\"\",\"to\":\"\",\"tag_a\":\"t\","
		"\"tag_b\":null,\"started_ms\":1,\"confirmed\":true,\"source_a\":\"1.2.3.4\","
		"\"source_b\":null,\"media\":[]}",
		"{\"number\":5,\"call_id\":\"x\",\"from\":\"\",\"to\":\"\",\"tag_a\":\"t\","
		"\"tag_b\":null,\"started_ms\":1,\"confirmed\":true,\"source_a\":null,"
		"\"source_b\":null,\"media\":[7]}",
	};
	struct fixture fx;
	char id[8];
	size_t i;

	(void)state;
	fx_open_stored(&fx);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(id, sizeof(id), "bad%zu", i);
		assert_int_equal(tandem_store_session_put(fx.store, id, rows[i]), 0);
	}
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(stored(&fx), 0);
	fx_clean(&fx);
}

/* A row under another name than its own could never be removed again. */
static void row_under_another_name(void **state)
{
	struct fixture fx;
	json_t *js;
	char *text;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	js = tandem_session_dump(fx.ss, fx_session(&fx, CALL));
	text = json_dumps(js, JSON_COMPACT);
	tandem_session_end(fx.ss, CALL, "bye");
	assert_int_equal(tandem_store_session_put(fx.store, "another", text), 0);
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(stored(&fx), 0);
	free(text);
	json_decref(js);
	fx_clean(&fx);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Somebody has locked the database: calls go on at once, and are stored when it is free. */
static void store_is_locked(void **state)
{
	char dir[] = "/tmp/tandem-restore-XXXXXX", path[64], command[80];
	struct fixture fx;
	double began;
	sqlite3 *other;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	fx_open_stored_at(&fx, path);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	began = seconds();
	fx_call(&fx, CALL);
	fx_call(&fx, "call-2");
	tandem_sessions_tick(fx.ss);
	/* far less than if each of five writes had waited its second */
	assert_true(seconds() - began < 2);
	assert_int_equal(fx.plane.n, 8);
	assert_int_equal(stored(&fx), 0);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 2);

	/* one that ends while it is locked must not come back either */
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 2);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	tandem_sessions_tick(fx.ss);
	assert_int_equal(stored(&fx), 1);
	sqlite3_close(other);
	fx_clean(&fx);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* Every row cut short or with one byte changed is refused or taken, but never trips. */
static void damaged_rows(void **state)
{
	struct tandem_session *s;
	struct fixture fx;
	char *text;
	json_t *js;
	size_t i;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	js = tandem_session_dump(fx.ss, fx_session(&fx, CALL));
	text = json_dumps(js, JSON_COMPACT);
	json_decref(js);
	for (i = 0; text[i]; i++) {
		char was = text[i];

		text[i] = was == '9' ? '-' : '9';
		js = json_loads(text, 0, NULL);
		if (js && !tandem_session_parse(fx.ss, &s, js))
			tandem_session_destroy(s);
		json_decref(js);
		text[i] = was;
	}
	free(text);
	fx_clean(&fx);
}

static void local_address_is_gone(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	fx.cfg.locals[1].ip = ip("10.0.0.3");
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

/* Addresses in another order, a port range that no longer has the ports. */
static void configuration_has_changed(void **state)
{
	struct tandem_local first;
	struct fixture fx;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	first = fx.cfg.locals[0];
	fx.cfg.locals[0] = fx.cfg.locals[2];
	fx.cfg.locals[2] = first;
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 1);
	assert_endpoint(&fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.local, htons(1),
			"10.0.0.1:1");
	fx.cfg.port_min = 30000;
	fx.cfg.port_max = 30099;
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(fx.plane.n, 0);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(session_timers_come_back),
		cmocka_unit_test(plane_is_brought_in_line),
		cmocka_unit_test(numbers_do_not_come_again),
		cmocka_unit_test(learned_source_survives),
		cmocka_unit_test(window_goes_on),
		cmocka_unit_test(unusable_rows),
		cmocka_unit_test(row_under_another_name),
		cmocka_unit_test(store_is_locked),
		cmocka_unit_test(damaged_rows),
		cmocka_unit_test(local_address_is_gone),
		cmocka_unit_test(configuration_has_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
