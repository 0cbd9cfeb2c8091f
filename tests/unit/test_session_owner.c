/* SPDX-License-Identifier: GPL-2.0-only */
/* Two front ends with sessions of the same Call-ID, and even the same tags: each has its own. */
#include "tests/unit/ng_fixture.h"

#define NG_NAME CALL " ng"

static const struct tandem_dialog sip = { .owner = TANDEM_OWNER_SIP,
					  .call_id = CALL,
					  .from_uri = "sip:alice@example.org",
					  .to_uri = "sip:bob@example.org",
					  .from_tag = "tag-a",
					  .to_tag = "tag-b",
					  .via = "branch" };
static const struct tandem_dialog ng = { .owner = TANDEM_OWNER_NG,
					 .call_id = CALL,
					 .from_tag = "tag-a",
					 .to_tag = "tag-b",
					 .via = "branch" };

static void names(void **state)
{
	char name[TANDEM_SESSION_NAME_SIZE];

	(void)state;
	tandem_session_name(name, TANDEM_OWNER_SIP, "x", 0);
	assert_string_equal(name, "x");
	assert_int_equal(tandem_session_branch(name), 0);
	tandem_session_name(name, TANDEM_OWNER_SIP, "x", 2);
	assert_string_equal(name, "x 2");
	assert_int_equal(tandem_session_branch(name), 2);
	tandem_session_name(name, TANDEM_OWNER_NG, "x", 0);
	assert_string_equal(name, "x ng");
	assert_int_equal(tandem_session_branch(name), 0);
	tandem_session_name(name, TANDEM_OWNER_NG, "x", 11);
	assert_string_equal(name, "x ng 11");
	assert_int_equal(tandem_session_branch(name), 11);
}

static void each_finds_its_own(void **state)
{
	enum tandem_party_id party;
	struct fixture fx;
	int owner;

	(void)state;
	fx_open(&fx);
	assert_int_equal(tandem_session_open(fx.ss, &sip), 0);
	for (owner = TANDEM_OWNER_SIP; owner <= TANDEM_OWNER_NG; owner++) {
		const bool own = owner == TANDEM_OWNER_SIP;

		assert_int_equal(tandem_session_first(fx.ss, owner, CALL) != NULL, own);
		assert_int_equal(tandem_session_by_via(fx.ss, owner, CALL, "branch") != NULL, own);
		assert_int_equal(
			tandem_session_dialog(fx.ss, owner, CALL, "tag-a", "tag-b", &party) != NULL,
			own);
		assert_int_equal(tandem_session_spare(fx.ss, owner, CALL), own);
	}
	assert_int_equal(tandem_session_open(fx.ss, &ng), 0);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	assert_string_equal(tandem_session_first(fx.ss, TANDEM_OWNER_SIP, CALL), CALL);
	assert_string_equal(tandem_session_first(fx.ss, TANDEM_OWNER_NG, CALL), NG_NAME);
	assert_string_equal(
		tandem_session_dialog(fx.ss, TANDEM_OWNER_SIP, CALL, "tag-b", "tag-a", &party),
		CALL);
	assert_string_equal(tandem_session_by_via(fx.ss, TANDEM_OWNER_NG, CALL, "branch"), NG_NAME);
	assert_int_equal(tandem_session_confirm(fx.ss, NG_NAME), 0);
	assert_false(tandem_session_confirmed(fx.ss, TANDEM_OWNER_SIP, CALL));
	assert_true(tandem_session_confirmed(fx.ss, TANDEM_OWNER_NG, CALL));
	fx_clean(&fx);
}

/* What a client of NG says of the call does nothing to the one that SIP has, and the other way round. */
static void none_ends_the_others(void **state)
{
	struct ng_fixture f;

	(void)state;
	ng_open(&f);
	fx_call(&f.fx, CALL);
	assert_int_equal(tandem_session_open(f.fx.ss, &sip), 0);

	ng_ask(&f, "'command': 'delete', 'call-id': '" CALL "', 'from-tag': 'tag-a'", NULL);
	assert_string_not_equal(ng_text(&f, "warning"), "");
	ng_ask(&f, "'command': 'delete', 'call-id': '" CALL "'", NULL);
	assert_string_not_equal(ng_text(&f, "warning"), "");
	ng_ask(&f, "'command': 'query', 'call-id': '" CALL "'", NULL);
	ng_assert_result(&f, "error");
	ng_ask(&f, "'command': 'block media', 'call-id': '" CALL "'", NULL);
	ng_assert_result(&f, "error");
	assert_false(tandem_acts_any(fx_session(&f.fx, CALL)));
	ng_ask(&f, "'command': 'list'", NULL);
	assert_int_equal(json_array_size(json_object_get(f.reply, "calls")), 0);
	ng_ask(&f,
	       "'command': 'answer', 'call-id': '" CALL "', 'from-tag': 'tag-a', 'to-tag': 'tag-b'",
	       audio("203.0.113.9", 9000, ""));
	assert_string_equal(ng_text(&f, "error-reason"), "Unknown call-id");

	ng_ask(&f, "'command': 'offer', 'call-id': '" CALL "', 'from-tag': 'tag-a'",
	       audio("192.0.2.7", 7000, ""));
	ng_assert_result(&f, "ok");
	assert_int_equal(fx_session(&f.fx, CALL)->pending_from, TANDEM_PARTY_NONE);
	assert_int_equal(tandem_sessions_count(f.fx.ss), 2);
	ng_ask(&f, "'command': 'list'", NULL);
	assert_int_equal(json_array_size(json_object_get(f.reply, "calls")), 1);
	ng_ask(&f, "'command': 'block media', 'call-id': '" CALL "'", NULL);
	ng_assert_result(&f, "ok");
	assert_true(tandem_acts_any(fx_session(&f.fx, NG_NAME)));
	assert_false(tandem_acts_any(fx_session(&f.fx, CALL)));

	ng_ask(&f, "'command': 'delete', 'call-id': '" CALL "'", NULL);
	assert_string_equal(ng_text(&f, "warning"), "");
	assert_int_equal(tandem_sessions_count(f.fx.ss), 1);
	assert_int_equal(f.fx.plane.n, 4);
	assert_int_equal(tandem_session_end(f.fx.ss, CALL, "BYE from A"), 0);
	ng_close(&f);
}

static void call_of(struct fixture *fx, const struct tandem_dialog *dialog, const char *name,
		    unsigned int port)
{
	assert_int_equal(tandem_session_open(fx->ss, dialog), 0);
	assert_int_equal(
		fx_offer_from(fx, name, TANDEM_PARTY_A, CALLER, CALLEE, audio(CALLER, port, "")),
		0);
	assert_int_equal(
		fx_answer_from(fx, name, TANDEM_PARTY_B, CALLEE, CALLER, audio(CALLEE, port, "")),
		0);
	assert_int_equal(tandem_session_confirm(fx->ss, name), 0);
}

static void is_kept(void **state)
{
	struct fixture fx;
	char why[128];

	(void)state;
	fx_init(&fx);
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	assert_int_equal(fx_start(&fx), 0);
	call_of(&fx, &sip, CALL, 4000);
	call_of(&fx, &ng, NG_NAME, 5000);
	tandem_sessions_free(fx.ss);
	fx.ss = NULL;
	assert_int_equal(fx_start(&fx), 0);
	assert_int_equal(fx_session(&fx, CALL)->owner, TANDEM_OWNER_SIP);
	assert_int_equal(fx_session(&fx, NG_NAME)->owner, TANDEM_OWNER_NG);
	assert_int_equal(fx.plane.n, 8);
	fx_clean(&fx);
}

static char *text_of(struct fixture *fx, const char *name, const char *owner)
{
	char *text = tandem_session_text(fx->ss, fx_session(fx, name)->number), *out;
	json_t *js = json_loads(text, 0, NULL);

	assert_non_null(json_object_get(js, "owner"));
	if (owner)
		json_object_set_new(js, "owner", json_string(owner));
	else
		json_object_del(js, "owner");
	out = json_dumps(js, 0);
	json_decref(js);
	free(text);
	return out;
}

/* What an earlier version has stored does not tell. */
static void is_guessed(void **state)
{
	const struct tandem_dialog *dialogs[] = { &sip, &ng };
	const char *names[] = { CALL, NG_NAME };
	struct fixture fx;
	char *text;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fx_open(&fx);
		call_of(&fx, dialogs[i], names[i], 4000);
		text = text_of(&fx, names[i], NULL);
		assert_int_equal(tandem_session_end(fx.ss, names[i], "moved"), 0);
		assert_int_equal(tandem_session_adopt(fx.ss, text, NULL, NULL), 0);
		assert_int_equal(fx_session(&fx, names[i])->owner, dialogs[i]->owner);
		free(text);
		text = text_of(&fx, names[i], "h323");
		assert_int_equal(tandem_session_end(fx.ss, names[i], "moved"), 0);
		assert_int_equal(tandem_session_adopt(fx.ss, text, NULL, NULL), -EBADMSG);
		free(text);
		fx_clean(&fx);
	}
}

static void note_owner(enum tandem_owner owner, const char *call_id, const char *why,
		       bool established, json_t *report, void *arg)
{
	(void)why;
	(void)established;
	assert_string_equal(call_id, CALL);
	((unsigned int *)arg)[owner]++;
	json_decref(report);
}

static void is_told(void **state)
{
	unsigned int over[2] = { 0 };
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	tandem_sessions_on_over(fx.ss, note_owner, over);
	call_of(&fx, &sip, CALL, 4000);
	call_of(&fx, &ng, NG_NAME, 5000);
	js = tandem_session_json(fx.ss, NG_NAME);
	assert_string_equal(json_string_value(json_object_get(js, "owner")), "ng");
	json_decref(js);
	assert_int_equal(tandem_session_end(fx.ss, NG_NAME, "deleted"), 0);
	assert_int_equal(over[TANDEM_OWNER_SIP], 0);
	assert_int_equal(over[TANDEM_OWNER_NG], 1);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "BYE from A"), 0);
	assert_int_equal(over[TANDEM_OWNER_SIP], 1);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(each_finds_its_own),
		cmocka_unit_test(none_ends_the_others),
		cmocka_unit_test(is_kept),
		cmocka_unit_test(is_guessed),
		cmocka_unit_test(is_told),
	};

	return cmocka_run_group_tests_name("session_owner", tests, NULL, NULL);
}
