/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands of the NG protocol do to sessions. */
#include "tests/unit/ng_fixture.h"

#define OFFER  "'command': 'offer', 'call-id': 'c1', 'from-tag': 'a'"
#define ANSWER "'command': 'answer', 'call-id': 'c1', 'from-tag': 'a', 'to-tag': 'b'"

static void call(struct ng_fixture *ng)
{
	ng_ask(ng, OFFER, audio("192.0.2.1", 4000, ""));
	ng_assert_result(ng, "ok");
	ng_ask(ng, ANSWER, audio("192.0.2.2", 5000, ""));
	ng_assert_result(ng, "ok");
}

static void a_call(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng, OFFER, audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "ok");
	assert_true(ng_has_line(&ng, "c=IN IP4 10.0.0.1\r\n"));
	assert_false(strstr(ng_text(&ng, "sdp"), "192.0.2.1") != NULL);
	assert_int_equal(ng.fx.plane.n, 0);
	ng_ask(&ng, ANSWER, audio("192.0.2.2", 5000, ""));
	ng_assert_result(&ng, "ok");
	assert_int_equal(ng.fx.plane.n, 4);
	assert_int_equal(tandem_session_state(fx_session(&ng.fx, "c1 ng")),
			 TANDEM_STATE_ESTABLISHED);

	ng_ask(&ng, "'command': 'delete', 'call-id': 'c1', 'from-tag': 'a'", NULL);
	ng_assert_result(&ng, "ok");
	assert_non_null(json_object_get(ng.reply, "totals"));
	assert_string_equal(ng_text(&ng, "warning"), "");
	assert_int_equal(ng.fx.plane.n, 0);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c1', 'from-tag': 'a'", NULL);
	ng_assert_result(&ng, "ok");
	assert_string_not_equal(ng_text(&ng, "warning"), "");
	ng_close(&ng);
}

/* The callee holds: it is the one who offers now, and its tag the From tag. */
static void offers_of_the_callee(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	call(&ng);
	ng_ask(&ng, "'command': 'offer', 'call-id': 'c1', 'from-tag': 'b', 'to-tag': 'a'",
	       audio("192.0.2.2", 5000, "a=sendonly\r\n"));
	ng_assert_result(&ng, "ok");
	assert_true(ng_has_line(&ng, "a=sendonly\r\n"));
	ng_ask(&ng, "'command': 'answer', 'call-id': 'c1', 'from-tag': 'b', 'to-tag': 'a'",
	       audio("192.0.2.1", 4000, "a=recvonly\r\n"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_session_state(fx_session(&ng.fx, "c1 ng")), TANDEM_STATE_HELD);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_close(&ng);
}

/* Each branch has ports of its own, and what is deleted is one of them. */
static void branches(void **state)
{
	struct ng_fixture ng;
	char first[2048];

	(void)state;
	ng_open(&ng);
	ng_ask(&ng, OFFER ", 'via-branch': 'x'", audio("192.0.2.1", 4000, ""));
	snprintf(first, sizeof(first), "%s", ng_text(&ng, "sdp"));
	ng_ask(&ng, OFFER ", 'via-branch': 'y'", audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "ok");
	assert_string_not_equal(first, ng_text(&ng, "sdp"));
	ng_ask(&ng, OFFER ", 'via-branch': 'x'", audio("192.0.2.1", 4000, ""));
	assert_string_equal(first, ng_text(&ng, "sdp"));
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 2);

	ng_ask(&ng, ANSWER ", 'via-branch': 'y'", audio("192.0.2.2", 5000, ""));
	ng_assert_result(&ng, "ok");
	assert_true(fx_session(&ng.fx, "c1 ng 1")->answered);
	assert_false(fx_session(&ng.fx, "c1 ng")->answered);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c1', 'from-tag': 'a', 'via-branch': 'x'",
	       NULL);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	/* in the dialog the branch is another one's */
	ng_ask(&ng, OFFER ", 'to-tag': 'b', 'via-branch': 'z'", audio("192.0.2.1", 4002, ""));
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_ask(&ng,
	       "'command': 'answer', 'call-id': 'c1', 'from-tag': 'a', 'to-tag': 'q', "
	       "'via-branch': 'none'",
	       audio("192.0.2.2", 5000, ""));
	ng_assert_result(&ng, "error");
	assert_string_equal(ng_text(&ng, "error-reason"), "Unknown call-id");
	ng_close(&ng);
}

/* A fork that the client does not tell of: one set of ports, and the last answer counts. */
static void answers_of_several(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	call(&ng);
	ng_ask(&ng, "'command': 'answer', 'call-id': 'c1', 'from-tag': 'a', 'to-tag': 'b2'",
	       audio("192.0.2.3", 6000, ""));
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	assert_egress(fx_flow(&ng.fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, "192.0.2.3:6000");
	/* the caller goes on to the next, before any to-tag is known */
	ng_ask(&ng, OFFER, audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_close(&ng);
}

static void what_is_missing(void **state)
{
	static const struct {
		const char *request, *why;
	} cases[] = {
		{ "'command': 'offer', 'call-id': 'c', 'from-tag': 'a'", "No SDP body in message" },
		{ "'command': 'answer', 'call-id': 'c', 'from-tag': 'a', 'to-tag': 'b'",
		  "No SDP body in message" },
		{ "'command': 'offer', 'from-tag': 'a', 'sdp': 'v=0'", "No call-id in message" },
		{ "'command': 'offer', 'call-id': '', 'from-tag': 'a', 'sdp': 'v=0'",
		  "No call-id in message" },
		{ "'command': 'offer', 'call-id': 'c', 'sdp': 'v=0'", "No from-tag in message" },
		{ "'command': 'answer', 'call-id': 'c', 'from-tag': 'a', 'sdp': 'v=0'",
		  "No to-tag in message" },
		{ "'command': 'offer', 'call-id': 'c', 'from-tag': 'a', 'sdp': 'x'",
		  "Failed to parse SDP" },
		{ "'command': 'offer', 'call-id': 'c d', 'from-tag': 'a', 'sdp': 'v=0\\r\\n'",
		  "Call-id or tags cannot be used" },
		{ "'command': 'delete'", "No call-id in message" },
		{ "'command': 'query', 'call-id': 'c'", "Unknown call-id" },
		{ "'command': 'play media', 'call-id': 'c'", "Command is not supported" },
		{ "'command': 'make coffee'", "Unrecognized command" },
		{ "'call-id': 'c'", "Unrecognized command" },
	};
	struct ng_fixture ng;
	size_t i;

	(void)state;
	ng_open(&ng);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ng_ask(&ng, cases[i].request, NULL);
		ng_assert_result(&ng, "error");
		if (strcmp(ng_text(&ng, "error-reason"), cases[i].why))
			fail_msg("%s: %s", cases[i].request, ng_text(&ng, "error-reason"));
	}
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	ng_close(&ng);
}

static void what_is_asked(void **state)
{
	struct ng_fixture ng;
	const json_t *tag, *stream;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng, "'command': 'ping'", NULL);
	ng_assert_result(&ng, "pong");
	call(&ng);
	fx_stats(&ng.fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 50;
	fx_stats(&ng.fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.octets = 8600;
	fx_stats(&ng.fx, TANDEM_PARTY_B, TANDEM_RTCP)->flow.packets = 2;

	ng_ask(&ng, "'command': 'query', 'call-id': 'c1'", NULL);
	ng_assert_result(&ng, "ok");
	tag = json_object_get(json_object_get(ng.reply, "tags"), "a");
	assert_string_equal(json_string_value(json_object_get(tag, "in dialogue with")), "b");
	stream = json_array_get(
		json_object_get(json_array_get(json_object_get(tag, "medias"), 0), "streams"), 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stream, "stats"), "packets")),
		50);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(stream, "endpoint"), "address")),
		"192.0.2.1");
	tag = json_object_get(json_object_get(ng.reply, "totals"), "RTCP");
	assert_int_equal(json_integer_value(json_object_get(tag, "packets")), 2);

	ng_ask(&ng, "'command': 'list'", NULL);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(ng.reply, "calls"), 0)), "c1");
	ng_ask(&ng, "'command': 'statistics'", NULL);
	tag = json_object_get(json_object_get(ng.reply, "statistics"), "currentstatistics");
	assert_int_equal(json_integer_value(json_object_get(tag, "sessionstotal")), 1);
	ng_close(&ng);
}

/* Who knows of it gets another word for "full", and tries elsewhere. */
static void no_more_calls(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	call(&ng);
	ng.draining = true;
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c2', 'from-tag': 'a', 'supports': ['load limit']",
	       audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "load limit");
	ng_ask(&ng, "'command': 'offer', 'call-id': 'c2', 'from-tag': 'a'",
	       audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "error");
	ng_ask(&ng, OFFER ", 'to-tag': 'b'",
	       audio("192.0.2.1", 4000, "")); /* one that is up goes on */
	ng_assert_result(&ng, "ok");
	ng.draining = false;
	ng.fx.ss->cfg.max_sessions = 1;
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c3', 'from-tag': 'a', 'supports': ['load limit']",
	       audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "load limit");
	ng_close(&ng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call),	   cmocka_unit_test(offers_of_the_callee),
		cmocka_unit_test(branches),	   cmocka_unit_test(answers_of_several),
		cmocka_unit_test(what_is_missing), cmocka_unit_test(what_is_asked),
		cmocka_unit_test(no_more_calls),
	};

	return cmocka_run_group_tests_name("ng_calls", tests, NULL, NULL);
}
