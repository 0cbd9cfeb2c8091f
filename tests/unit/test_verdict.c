/* SPDX-License-Identifier: GPL-2.0-only */
/* What is said of a call, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "userspace/session/verdict.h"

#define UP .answered = true, .relayed = true
#define TALKS                                                                                      \
	{                                                                                          \
		.may_send = true, .packets = 500, .last_ms = 60000                                 \
	}
#define STOPPED                                                                                    \
	{                                                                                          \
		.may_send = true, .packets = 500, .last_ms = 49999                                 \
	}
#define CROWDED                                                                                    \
	{                                                                                          \
		.may_send = true, .packets = 500, .last_ms = 60000, .full = true                   \
	}
#define HUSHED                                                                                     \
	{                                                                                          \
		.may_send = true, .packets = 500, .last_ms = 60000, .blocked = true                \
	}
#define PAUSES                                                                                     \
	{                                                                                          \
		.may_send = true, .packets = 500, .last_ms = 50000                                 \
	}
#define SILENT                                                                                     \
	{                                                                                          \
		.may_send = true                                                                   \
	}
#define LISTENS                                                                                    \
	{                                                                                          \
		.may_send = false                                                                  \
	}

static void table(void **state)
{
	static const struct {
		struct tandem_verdict_input in;
		const char *want;
	} cases[] = {
		{ { .relayed = true, .side = { TALKS, TALKS } }, "not answered" },
		{ { .answered = true }, "not relayed" },
		{ { UP, .held = true, .side = { SILENT, SILENT } }, "on hold" },
		{ { UP, .side = { TALKS, TALKS } }, "two-way" },
		{ { UP, .side = { SILENT, SILENT } }, "no media" },
		{ { UP, .side = { SILENT, TALKS } }, "one-way: caller is silent" },
		{ { UP, .side = { TALKS, SILENT } }, "one-way: callee is silent" },
		{ { UP, .side = { STOPPED, TALKS } }, "one-way: caller is silent" },
		{ { UP, .side = { TALKS, STOPPED } }, "one-way: callee is silent" },
		{ { UP, .side = { TALKS, PAUSES } }, "two-way" },
		{ { UP, .side = { STOPPED, STOPPED } }, "two-way" },
		{ { UP, .now_ms = 70000, .side = { TALKS, TALKS } }, "two-way" },
		{ { UP, .now_ms = 70001, .side = { PAUSES, TALKS } }, "no media for 10 s" },
		{ { UP, .now_ms = 99000, .side = { TALKS, STOPPED } },
		  "one-way: callee is silent" },
		{ { UP, .side = { HUSHED, TALKS } },
		  "media of the caller is blocked by command; else two-way" },
		{ { UP, .side = { HUSHED, HUSHED } },
		  "media of both is blocked by command; else two-way" },
		{ { UP, .side = { SILENT, { .silenced = true, .full = true } } },
		  "media of the callee is silenced by command; packets of the callee are dropped: "
		  "no room for their SSRC under the key; else no media" },
		{ { UP, .side = { TALKS, LISTENS } }, "one-way as negotiated" },
		{ { UP, .side = { LISTENS, TALKS } }, "one-way as negotiated" },
		{ { UP, .side = { LISTENS, SILENT } }, "no media" },
		{ { UP, .side = { CROWDED, TALKS } },
		  "packets of the caller are dropped: no room for their SSRC under the key; else "
		  "two-way" },
		{ { UP, .side = { SILENT, CROWDED } },
		  "packets of the callee are dropped: no room for their SSRC under the key; else "
		  "one-way: caller is silent" },
		{ { UP, .now_ms = 70001, .side = { CROWDED, CROWDED } },
		  "packets of both are dropped: no room for their SSRC under the key; else "
		  "no media for 10 s" },
		{ { UP, .side = { CROWDED, { .obstacle = "DTLS goes on" } } },
		  "no keys with the callee: DTLS goes on" },
		{ { UP, .held = true, .side = { CROWDED, CROWDED } }, "on hold" },
		{ { UP, .side = { TALKS, { .obstacle = "DTLS goes on" } } },
		  "no keys with the callee: DTLS goes on" },
	};
	char buf[TANDEM_VERDICT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(tandem_verdict(&cases[i].in, buf, sizeof(buf)), cases[i].want);
}

static void mismatch(void **state)
{
	struct tandem_verdict_input in = { UP, .side = { SILENT, TALKS } };
	char buf[TANDEM_VERDICT_SIZE];

	(void)state;
	in.side[0].unknown = 3;
	tandem_ip_parse(&in.side[0].unknown_from.ip, "192.0.2.9");
	in.side[0].unknown_from.port = 4000;
	tandem_ip_parse(&in.side[0].expected_from.ip, "10.0.0.1");
	in.side[0].expected_from.port = 5000;
	assert_string_equal(tandem_verdict(&in, buf, sizeof(buf)),
			    "media from an unexpected source: NAT mismatch (caller) "
			    "192.0.2.9:4000 instead of 10.0.0.1:5000");
	in.side[1] = in.side[0];
	in.side[0].packets = 1; /* then the strangers on its port are just that */
	assert_string_equal(tandem_verdict(&in, buf, sizeof(buf)),
			    "media from an unexpected source: NAT mismatch (callee) "
			    "192.0.2.9:4000 instead of 10.0.0.1:5000");
	in.side[1].packets = 1;
	assert_string_equal(tandem_verdict(&in, buf, sizeof(buf)), "two-way");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(mismatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
