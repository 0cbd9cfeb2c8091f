/* SPDX-License-Identifier: GPL-2.0-only */
/* Which calls, packets and messages of SIP a capture has. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/abi.h"
#include "userspace/live/filter.h"

static const char invite[] = "INVITE sip:bob@example.org SIP/2.0\r\n"
			     "v: SIP/2.0/UDP 192.0.2.1\r\n"
			     "From: \"A\" <sip:alice@example.org>;tag=1\r\n"
			     "t : <sips:bob@example.org:5061>\r\n"
			     "Subject: Call-ID: not-this-one\r\n"
			     "Call-ID: one@host\r\n"
			     "\r\n"
			     "Call-ID: nor this\r\n";

static void parse(struct tandem_live_filter *f, const char *text, int expected)
{
	json_t *js = json_loads(text, 0, NULL);
	char why[128] = "";

	assert_non_null(js);
	assert_int_equal(tandem_live_filter_parse(f, js, why, sizeof(why)), expected);
	assert_int_equal(expected == 0, why[0] == '\0');
	json_decref(js);
}

static void what_is_asked_for(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t taps;
	} rows[] = {
		{ "{\"all\": true}", 0, RULE_F_TAP_IN | RULE_F_TAP_OUT },
		{ "{\"id\": \"x\", \"direction\": \"in\"}", 0, RULE_F_TAP_IN },
		{ "{\"user\": \"x\", \"direction\": \"out\"}", 0, RULE_F_TAP_OUT },
		{ "{\"address\": \"2001:db8::1\", \"clear\": true}", 0, RULE_F_TAP_CLEAR },
		{ "{\"ssrc\": 4294967295}", 0, RULE_F_TAP_IN | RULE_F_TAP_OUT },
		{ "{}", -EINVAL, 0 },
		{ "{\"all\": true, \"id\": \"x\"}", -EINVAL, 0 },
		{ "{\"id\": 1}", -EINVAL, 0 },
		{ "{\"id\": \"\"}", -EINVAL, 0 },
		{ "{\"address\": \"nowhere\"}", -EINVAL, 0 },
		{ "{\"ssrc\": -1}", -EINVAL, 0 },
		{ "{\"all\": true, \"direction\": \"up\"}", -EINVAL, 0 },
		{ "{\"all\": true, \"direction\": 1}", -EINVAL, 0 },
		{ "{\"all\": true, \"direction\": \"in\", \"clear\": true}", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tandem_live_filter f;

		parse(&f, rows[i].text, rows[i].err);
		if (!rows[i].err)
			assert_int_equal(f.taps, rows[i].taps);
		tandem_live_filter_clean(&f);
	}
}

static void calls(void **state)
{
	const struct tandem_tap_call call = {
		.call_id = "one@host",
		.id = "00ab",
		.name = "one@host 1",
		.from_uri = "sip:alice@example.org",
		.to_uri = "sips:bob@example.org:5061",
	};
	static const struct {
		const char *text;
		bool has;
	} rows[] = {
		{ "{\"all\": true}", true },
		{ "{\"id\": \"one@host\"}", true },
		{ "{\"id\": \"one@host 1\"}", true },
		{ "{\"id\": \"00ab\"}", true },
		{ "{\"id\": \"one\"}", false },
		{ "{\"user\": \"alice\"}", true },
		{ "{\"user\": \"bob@example.org\"}", true },
		{ "{\"user\": \"ali\"}", false },
		{ "{\"user\": \"alice@example\"}", false },
		{ "{\"user\": \"bob\", \"id\": \"two@host\"}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tandem_live_filter f;

		parse(&f, rows[i].text, 0);
		assert_int_equal(tandem_live_filter_wants(&f, &call) != 0, rows[i].has);
		tandem_live_filter_clean(&f);
	}
}

static void messages(void **state)
{
	static const struct {
		const char *text;
		bool sent, has;
	} rows[] = {
		{ "{\"all\": true}", false, true },
		{ "{\"id\": \"one@host\"}", true, true },
		{ "{\"id\": \"not-this-one\"}", true, false },
		{ "{\"id\": \"nor this\"}", true, false },
		{ "{\"user\": \"alice\"}", false, true },
		{ "{\"user\": \"bob@example.org\"}", false, true },
		{ "{\"user\": \"carol\"}", false, false },
		{ "{\"address\": \"192.0.2.1\"}", false, true },
		{ "{\"address\": \"192.0.2.1\"}", true, false },
		{ "{\"all\": true, \"direction\": \"in\"}", false, true },
		{ "{\"all\": true, \"direction\": \"in\"}", true, false },
		{ "{\"all\": true, \"clear\": true}", true, true },
		{ "{\"ssrc\": 1}", false, false },
	};
	struct tandem_live_sip m = { .transport = "udp",
				     .text = invite,
				     .len = sizeof(invite) - 1 };

	(void)state;
	tandem_ip_parse(&m.from.ip, "192.0.2.1");
	tandem_ip_parse(&m.to.ip, "192.0.2.2");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tandem_live_filter f;

		parse(&f, rows[i].text, 0);
		m.sent = rows[i].sent;
		assert_int_equal(tandem_live_filter_has_sip(&f, &m), rows[i].has);
		tandem_live_filter_clean(&f);
	}
}

static void packets(void **state)
{
	static const uint8_t rtp[12] = { 0x80, 0, [11] = 9 };
	static const uint8_t rtcp[8] = { 0x80, 200, 0, 1, [7] = 7 };
	struct tandem_live_packet p = { .payload = rtp, .payload_len = sizeof(rtp) };
	struct tandem_live_filter f;
	uint32_t ssrc;
	bool is_rtcp;

	(void)state;
	parse(&f, "{\"ssrc\": 9}", 0);
	assert_true(tandem_live_filter_has(&f, &p));
	p.payload_len = 11; /* cut before it */
	assert_false(tandem_live_filter_has(&f, &p));
	p.payload = rtcp;
	p.payload_len = sizeof(rtcp);
	assert_false(tandem_live_filter_has(&f, &p));
	assert_true(tandem_live_ssrc(&p, &ssrc, &is_rtcp));
	assert_true(is_rtcp && ssrc == 7);
	p.payload = NULL;
	assert_false(tandem_live_filter_has(&f, &p));
	tandem_live_filter_clean(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for),
		cmocka_unit_test(calls),
		cmocka_unit_test(messages),
		cmocka_unit_test(packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
