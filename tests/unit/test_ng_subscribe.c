/* SPDX-License-Identifier: GPL-2.0-only */
/* publish, subscribe request, subscribe answer, unsubscribe. */
#include "tests/unit/ng_fixture.h"

#define REQUEST "'command': 'subscribe request', 'call-id': 'c1'"

static void call(struct ng_fixture *ng)
{
	ng_ask(ng, "'command': 'offer', 'call-id': 'c1', 'from-tag': 'a', 'label': 'caller'",
	       audio("192.0.2.1", 4000, ""));
	ng_ask(ng, "'command': 'answer', 'call-id': 'c1', 'from-tag': 'a', 'to-tag': 'b'",
	       audio("192.0.2.2", 5000, ""));
	ng_assert_result(ng, "ok");
}

static size_t legs(struct ng_fixture *ng, enum tandem_party_id from)
{
	size_t i;

	for (i = 0; i < ng->fx.plane.n; i++) {
		const struct tandem_flow_spec *spec = &ng->fx.plane.specs[i];
		const struct tandem_session *s = fx_session(&ng->fx, "c1 ng");

		if (spec->id == tandem_flow_id(s, 0, from, TANDEM_RTP))
			return spec->fan ? spec->fan->leg_count : 1;
	}
	return 0;
}

static size_t count_of(const struct ng_fixture *ng, const char *text)
{
	const char *at = ng_text(ng, "sdp");
	size_t n = 0;

	while ((at = strstr(at, text))) {
		at++;
		n++;
	}
	return n;
}

/* Ways to say whose media it is. */
static void sources(void **state)
{
	static const struct {
		const char *who;
		size_t media;
		const char *from;
	} cases[] = {
		{ "'from-tag': 'a'", 1, "a" },	  { "'from-tag': 'b'", 1, "b" },
		{ "'from-tags': ['b']", 1, "b" }, { "'from-tags': ['a', 'b']", 2, "" },
		{ "'flags': ['all']", 2, "" },	  { "'label': 'caller'", 1, "a" },
	};
	struct ng_fixture ng;
	size_t i;

	(void)state;
	ng_open(&ng);
	call(&ng);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], tag[64];

		snprintf(text, sizeof(text), REQUEST ", %s", cases[i].who);
		ng_ask(&ng, text, NULL);
		ng_assert_result(&ng, "ok");
		assert_int_equal(ng.unknown, 0);
		assert_int_equal(count_of(&ng, "m=audio"), cases[i].media);
		assert_int_equal(count_of(&ng, "a=sendonly"), cases[i].media);
		assert_int_equal(json_array_size(json_object_get(ng.reply, "from-tags")),
				 cases[i].media);
		assert_string_equal(ng_text(&ng, "from-tag"), cases[i].from);
		assert_int_equal(strlen(ng_text(&ng, "to-tag")), 24);
		snprintf(tag, sizeof(tag), "%s", ng_text(&ng, "to-tag"));
		snprintf(text, sizeof(text),
			 "'command': 'unsubscribe', 'call-id': 'c1', 'to-tag': '%s'", tag);
		ng_ask(&ng, text, NULL);
		ng_assert_result(&ng, "ok");
	}
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_close(&ng);
}

static void a_subscription(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	call(&ng);
	ng_ask(&ng, REQUEST ", 'from-tag': 'a', 'to-tag': 'ear', 'transport-protocol': 'RTP/SAVP'",
	       NULL);
	ng_assert_result(&ng, "ok");
	assert_string_equal(ng_text(&ng, "to-tag"), "ear");
	assert_int_equal(count_of(&ng, "RTP/SAVP "), 1);
	assert_true(count_of(&ng, "a=crypto:") > 0);
	/* once more, and otherwise */
	ng_ask(&ng, REQUEST ", 'from-tag': 'a', 'to-tag': 'ear'", NULL);
	ng_assert_result(&ng, "ok");
	assert_int_equal(count_of(&ng, "RTP/AVP "), 1);
	assert_int_equal(legs(&ng, TANDEM_PARTY_A), 1);
	ng_ask(&ng, "'command': 'subscribe answer', 'call-id': 'c1', 'to-tag': 'ear'",
	       audio("192.0.2.3", 6000, "a=recvonly\r\n"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(legs(&ng, TANDEM_PARTY_A), 2);
	assert_int_equal(legs(&ng, TANDEM_PARTY_B), 1);
	ng_ask(&ng, "'command': 'query', 'call-id': 'c1'", NULL);
	assert_int_equal(json_object_size(json_object_get(ng.reply, "tags")), 3);
	assert_non_null(json_object_get(json_object_get(ng.reply, "tags"), "ear"));
	ng_ask(&ng, "'command': 'list'", NULL);
	assert_int_equal(json_array_size(json_object_get(ng.reply, "calls")), 1);
	ng_ask(&ng, "'command': 'query', 'call-id': 'c1', 'from-tag': 'a'", NULL);
	assert_int_equal(json_object_size(json_object_get(ng.reply, "tags")), 2);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c1', 'from-tag': 'a'", NULL);
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	assert_int_equal(ng.fx.plane.n, 0);
	ng_close(&ng);
}

static void a_publication(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng, "'command': 'publish', 'call-id': 'c1', 'from-tag': 'a'",
	       audio("192.0.2.1", 4000, "a=sendonly\r\n"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(count_of(&ng, "a=recvonly"), 1);
	ng_ask(&ng, REQUEST ", 'flags': ['all'], 'to-tag': 'ear'", NULL);
	ng_assert_result(&ng, "ok");
	ng_ask(&ng, "'command': 'subscribe answer', 'call-id': 'c1', 'to-tag': 'ear'",
	       audio("192.0.2.3", 6000, "a=recvonly\r\n"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(legs(&ng, TANDEM_PARTY_A), 1);
	ng_ask(&ng, "'command': 'publish', 'call-id': 'c1', 'from-tag': 'a'",
	       audio("192.0.2.1", 4002, "a=sendonly\r\n"));
	ng_assert_result(&ng, "ok");
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c1'", NULL);
	ng_assert_result(&ng, "ok");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	ng_close(&ng);
}

static void refused(void **state)
{
	static const struct {
		const char *request;
		const char *why;
	} cases[] = {
		{ REQUEST, "No participant party specified" },
		{ REQUEST ", 'from-tag': 'x'", "No matching participant party" },
		{ REQUEST ", 'from-tags': ['a', 'x']", "No matching participant party" },
		{ REQUEST ", 'from-tag': 'a', 'to-tag': 'b'", "To-tag is in use" },
		{ REQUEST ", 'from-tag': 'a', 'direction': ['inside', 'nowhere']",
		  "Unknown interface in direction" },
		{ "'command': 'subscribe request', 'call-id': 'c2', 'flags': ['all']",
		  "Unknown call-id" },
		{ "'command': 'unsubscribe', 'call-id': 'c1', 'to-tag': 'x'",
		  "No such subscription" },
		{ "'command': 'unsubscribe', 'call-id': 'c1', 'to-tag': 'b'",
		  "No such subscription" },
		{ "'command': 'unsubscribe', 'call-id': 'c1'", "No to-tag in message" },
	};
	struct ng_fixture ng;
	size_t i;

	(void)state;
	ng_open(&ng);
	call(&ng);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ng_ask(&ng, cases[i].request, NULL);
		ng_assert_result(&ng, "error");
		if (strcmp(ng_text(&ng, "error-reason"), cases[i].why))
			fail_msg("%s: %s", cases[i].request, ng_text(&ng, "error-reason"));
	}
	ng_ask(&ng, "'command': 'subscribe answer', 'call-id': 'c1', 'to-tag': 'b'",
	       audio("192.0.2.3", 6000, ""));
	ng_assert_result(&ng, "error");
	ng_ask(&ng, "'command': 'publish', 'call-id': 'c1', 'from-tag': 'a'",
	       audio("192.0.2.3", 6000, ""));
	ng_assert_result(&ng, "error");
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_close(&ng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources),
		cmocka_unit_test(a_subscription),
		cmocka_unit_test(a_publication),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
