/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of the NG protocol about media that flows: blocked, silence. */
#include "tests/unit/ng_fixture.h"

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
	return tandem_acts_of(fx_session(&ng->fx, "c1"), party, 0);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(what_has_no_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
