/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands about media that flows, by the NG protocol and by the local API: blocked, silence. */
#include "tests/unit/ng_fixture.h"
#include "userspace/control/api.h"

#define OFFER  "'command': 'offer', 'call-id': 'c1', 'from-tag': 'a'"
#define ANSWER "'command': 'answer', 'call-id': 'c1', 'from-tag': 'a', 'to-tag': 'b'"
#define EVENT  "a=rtpmap:101 telephone-event/8000\r\n"

static const char *sdp(const char *host, const char *formats)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP "
		 "%s\r\n"
		 "a=rtpmap:97 AMR/8000\r\n" EVENT,
		 host, host, formats);
	return text;
}

static void call(struct ng_fixture *ng, const char *formats)
{
	ng_open(ng);
	ng_ask(ng, OFFER ", 'label': 'left'", sdp("192.0.2.1", formats));
	ng_assert_result(ng, "ok");
	ng_ask(ng, ANSWER ", 'flags': ['label=right side']", sdp("192.0.2.2", formats));
	ng_assert_result(ng, "ok");
}

static uint8_t acts(struct ng_fixture *ng, enum tandem_party_id party)
{
	return tandem_acts_of(fx_session(&ng->fx, "c1 ng"), party, 0);
}

/* One order after the other in the same call, and what is wanted of either party then. */
static void orders(void **state)
{
	static const struct {
		const char *ask;
		uint8_t a, b;
		const char *result;
	} steps[] = {
		{ "'command': 'block media', 'from-tag': 'a'", 1, 0, "ok" },
		{ "'command': 'silence media', 'from-tag': 'b', 'to-tag': 'a'", 1, 2, "ok" },
		{ "'command': 'block DTMF'", 5, 6, "ok" },
		{ "'command': 'unblock DTMF'", 1, 2, "ok" },
		{ "'command': 'block DTMF', 'label': 'left'", 5, 2, "ok" },
		/* of the call, not of whom it was asked for alone */
		{ "'command': 'unblock DTMF'", 5, 2, "ok" },
		{ "'command': 'unblock DTMF', 'flags': ['all']", 1, 2, "ok" },
		{ "'command': 'unblock media', 'address': '192.0.2.1'", 0, 2, "ok" },
		{ "'command': 'unsilence media', 'label': 'right side'", 0, 0, "ok" },
		{ "'command': 'block media', 'flags': 'label=left all=flows'", 1, 0, "ok" },
		{ "'command': 'unblock media', 'all': 'all'", 0, 0, "ok" },
		{ "'command': 'block media', 'from-tag': 'a', 'all': 'except-offer-answer'", 0, 0,
		  "ok" },
		{ "'command': 'silence media', 'label': 'left', 'to-label': 'right side'", 2, 0,
		  "ok" },
		{ "'command': 'unsilence media', 'from-tag': 'a', 'to-tag': 'x'", 2, 0, "error" },
		{ "'command': 'block media', 'from-tag': 'x'", 2, 0, "error" },
		{ "'command': 'block media', 'address': '192.0.2.9'", 2, 0, "error" },
		{ "'command': 'block media', 'via-branch': 'x'", 2, 0, "error" },
	};
	struct ng_fixture ng;
	char text[256];
	size_t i;

	(void)state;
	call(&ng, "0 101");
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		snprintf(text, sizeof(text), "'call-id': 'c1', %s", steps[i].ask);
		ng_ask(&ng, text, NULL);
		ng_assert_result(&ng, steps[i].result);
		assert_int_equal(ng.unknown, 0);
		if (acts(&ng, TANDEM_PARTY_A) != steps[i].a ||
		    acts(&ng, TANDEM_PARTY_B) != steps[i].b)
			fail_msg("%s: %u, %u", steps[i].ask, acts(&ng, TANDEM_PARTY_A),
				 acts(&ng, TANDEM_PARTY_B));
	}
	ng_ask(&ng, "'command': 'block media', 'call-id': 'stranger'", NULL);
	ng_assert_result(&ng, "error");
	ng_ask(&ng, "'command': 'block media'", NULL);
	ng_assert_result(&ng, "error");
	ng_ask(&ng,
	       "'command': 'block media', 'call-id': 'c1', 'address': 'nowhere', 'all': 'some'",
	       NULL);
	assert_int_equal(ng.unknown, 2);
	ng_close(&ng);
}

/* The same in descriptions: what is wanted of who sends one. */
static void in_descriptions(void **state)
{
	struct ng_fixture ng;

	(void)state;
	call(&ng, "0 101");
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c1', 'from-tag': 'b', 'to-tag': 'a', 'flags': "
	       "['block DTMF']",
	       sdp("192.0.2.2", "0 101"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(acts(&ng, TANDEM_PARTY_A), 0);
	assert_int_equal(acts(&ng, TANDEM_PARTY_B), 4);
	ng_ask(&ng,
	       "'command': 'answer', 'call-id': 'c1', 'from-tag': 'b', 'to-tag': 'a', 'flags': "
	       "['block-media']",
	       sdp("192.0.2.1", "0 101"));
	ng_assert_result(&ng, "ok");
	assert_int_equal(acts(&ng, TANDEM_PARTY_A), 1);
	assert_int_equal(acts(&ng, TANDEM_PARTY_B), 4);
	ng_close(&ng);
}

static void what_has_no_silence(void **state)
{
	struct ng_fixture ng;

	(void)state;
	call(&ng, "0 101");
	ng_ask(&ng, "'command': 'silence media', 'call-id': 'c1'", NULL);
	assert_string_equal(ng_text(&ng, "warning"), "");
	ng_close(&ng);
	call(&ng, "0 97 101");
	ng_ask(&ng, "'command': 'silence media', 'call-id': 'c1'", NULL);
	ng_assert_result(&ng, "ok");
	assert_string_not_equal(ng_text(&ng, "warning"), "");
	ng_ask(&ng, "'command': 'unsilence media', 'call-id': 'c1'", NULL);
	assert_string_equal(ng_text(&ng, "warning"), "");
	ng_close(&ng);
}

/* The same by the local API. */
static void by_the_api(void **state)
{
	static const struct {
		const char *call, *params;
		int ret;
		uint8_t a, b;
	} steps[] = {
		{ "session.block", "\"party\":\"a\"", 0, 1, 0 },
		{ "session.silence", "\"off\":false", 0, 3, 2 },
		{ "session.silence", "\"party\":\"a\",\"off\":true", 0, 1, 2 },
		{ "session.block", "\"what\":\"dtmf\",\"media\":0,\"party\":\"b\"", 0, 1, 6 },
		{ "session.block", "\"what\":\"dtmf\",\"off\":true", 0, 1, 2 },
		{ "session.block", "\"media\":null,\"party\":null,\"off\":true", 0, 0, 2 },
		{ "session.silence", "\"off\":true", 0, 0, 0 },
		{ "session.block", "\"party\":\"c\"", -EINVAL, 0, 0 },
		{ "session.block", "\"party\":1", -EINVAL, 0, 0 },
		{ "session.block", "\"media\":1", -EINVAL, 0, 0 },
		{ "session.block", "\"media\":-1", -EINVAL, 0, 0 },
		{ "session.block", "\"media\":4294967296", -EINVAL, 0, 0 },
		{ "session.block", "\"media\":\"0\"", -EINVAL, 0, 0 },
		{ "session.block", "\"off\":1", -EINVAL, 0, 0 },
	};
	struct tandem_api api = { 0 };
	struct ng_fixture ng;
	size_t i;

	(void)state;
	call(&ng, "0 97 101");
	api.sessions = ng.fx.ss;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char text[128], why[128] = "";
		json_t *params, *result = NULL;

		snprintf(text, sizeof(text), "{\"id\":\"c1\",%s}", steps[i].params);
		params = json_loads(text, 0, NULL);
		assert_int_equal(
			tandem_api_call(steps[i].call, params, &result, why, sizeof(why), &api),
			steps[i].ret);
		assert_int_equal(why[0] != 0, steps[i].ret != 0);
		if (acts(&ng, TANDEM_PARTY_A) != steps[i].a ||
		    acts(&ng, TANDEM_PARTY_B) != steps[i].b)
			fail_msg("%s: %u, %u", text, acts(&ng, TANDEM_PARTY_A),
				 acts(&ng, TANDEM_PARTY_B));
		/* of AMR there is no silence */
		if (i == 1)
			assert_true(json_is_true(json_object_get(result, "partly")));
		json_decref(params);
		json_decref(result);
	}
	ng_close(&ng);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(in_descriptions),
		cmocka_unit_test(what_has_no_silence),
		cmocka_unit_test(by_the_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
