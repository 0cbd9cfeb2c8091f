/* SPDX-License-Identifier: GPL-2.0-only */
/* What people read: tables, and the local API's answers in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/list.h"
#include "userspace/cli/show.h"
#include "userspace/cli/table.h"

static void cleaned_text(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
	} cases[] = {
		{ "plain", 32, "plain" },
		{ "a\x1b[31mred\r\n", 32, "a?[31mred??" },
		{ "\x7f\x01", 32, "??" },
		{ "csi \xc2\x9b"
		  "31m",
		  32, "csi ?31m" },
		{ "J\xc3\xbcrgen", 32, "J\xc3\xbcrgen" },
		{ "J\xc3\xbcrgen", 3, "J" }, /* not half a character */
		{ "abcdef", 4, "abc" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[32];

		assert_string_equal(tandem_text_clean(cases[i].in, buf, cases[i].size),
				    cases[i].out);
	}
}

static const struct tandem_column columns[] = {
	{ "NAME", false, 6 },
	{ "COUNT", true, 0 },
	{ "WHY", false, 8 },
};

static char *printed(unsigned int width)
{
	static const char *const rows[][3] = {
		{ "alice", "7", "because" },
		{ "everyone-with-a-long-name", "12345", NULL },
		{ "J\xc3\xbcrgen", "1", "a reason that goes on" },
	};
	struct tandem_table *t;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(tandem_table_alloc(&t, columns, 3), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(tandem_table_add(t, rows[i]), 0);
	tandem_table_print(t, out, width);
	tandem_table_free(t);
	fclose(out);
	return text;
}

static void wide_and_narrow(void **state)
{
	char *text = printed(100);
	(void)state;

	assert_string_equal(text,
			    "NAME                       COUNT  WHY\n"
			    "alice                          7  because\n"
			    "everyone-with-a-long-name  12345  -\n"
			    "J\xc3\xbcrgen                         1  a reason that goes on\n");
	free(text);
	text = printed(36);
	assert_string_equal(text, "NAME           COUNT  WHY\n"
				  "alice              7  because\n"
				  "everyone-w...  12345  -\n"
				  "J\xc3\xbcrgen             1  a reason th...\n");
	free(text);
	/* Not below the minima, whatever is asked. */
	text = printed(5);
	assert_string_equal(text, "NAME    COUNT  WHY\n"
				  "alice       7  because\n"
				  "eve...  12345  -\n"
				  "J\xc3\xbcrgen      1  a rea...\n");
	free(text);
}

static void bounds(void **state)
{
	struct tandem_table *t;
	(void)state;

	assert_int_equal(tandem_table_alloc(&t, columns, 0), -EINVAL);
	assert_int_equal(tandem_table_alloc(&t, columns, TANDEM_TABLE_MAX_COLUMNS + 1), -EINVAL);
	tandem_table_free(NULL);
}

static void durations(void **state)
{
	static const struct {
		json_int_t s;
		const char *text;
	} cases[] = { { 0, "0:00" },	   { 7, "0:07" },	  { 62, "1:02" }, { 3599, "59:59" },
		      { 3600, "1:00:00" }, { 90061, "25:01:01" }, { -5, "0:00" } };
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[32];

		assert_string_equal(tandem_list_duration(cases[i].s, buf, sizeof(buf)),
				    cases[i].text);
	}
}

typedef void(show_h)(const json_t *doc, FILE *out, unsigned int width);

static char *shown(show_h *show, const char *json)
{
	json_t *doc = json_loads(json, 0, NULL);
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(doc);
	show(doc, out, 100);
	fclose(out);
	json_decref(doc);
	return text;
}

static const char one_session[] =
	"{\"id\":\"0a1b\",\"call_id\":\"c@h\",\"from\":\"sip:alice@example.test\","
	"\"to\":\"sip:bob@example.test\",\"state\":\"established\",\"duration_s\":62,"
	"\"verdict\":\"two-way\",\"offload\":\"xdp\","
	"\"media\":[{\"a\":{\"rtp\":\"10.0.0.9:6000\",\"learned_rtp\":\"10.77.1.2:6000\"},"
	"\"b\":{\"learned_rtp\":null}}],\"flows\":["
	"{\"from\":\"a\",\"kind\":\"rtp\",\"remote\":\"10.77.1.2:6000\","
	"\"local\":\"10.77.1.1:16384\",\"egress_remote\":\"10.77.2.2:7000\",\"packets\":500,"
	"\"dropped\":0,\"unknown_source\":3,\"offload\":\"xdp\",\"reason\":\"\"},"
	"{\"from\":\"b\",\"kind\":\"rtp\",\"remote\":null,\"local\":\"10.77.2.1:16384\","
	"\"egress_remote\":\"10.77.1.2:6000\",\"packets\":0,\"dropped\":0,"
	"\"unknown_source\":0,\"offload\":\"uring\",\"reason\":\"waiting for \\u001b a source\"}],"
	"\"streams\":[{\"from\":\"a\",\"ssrc\":\"0xdeadbeef\",\"codec\":\"PCMU\","
	"\"packets\":500,\"lost\":5,\"loss_percent\":0.99,\"jitter_ms\":1.25,\"rtt_ms\":null,"
	"\"mos\":4.36,\"duplicates\":0,\"reordered\":0,\"gaps\":1}]}";

static void a_session(void **state)
{
	char *text = shown(tandem_show_session, one_session), *line;
	unsigned int widest = 0;
	(void)state;

	assert_non_null(strstr(text, "verdict   two-way\n"));
	assert_non_null(strstr(text, "duration  1:02\n"));
	assert_non_null(strstr(text, "10.77.1.2:6000"));
	assert_non_null(strstr(text, "not in the fast path: b rtp: waiting for ? a source\n"));
	assert_null(strstr(text, "not in the fast path: a"));
	assert_non_null(strstr(text, "learned: a is at 10.77.1.2:6000, and said 10.0.0.9:6000\n"));
	assert_null(strstr(text, "learned: b"));
	assert_non_null(strstr(text, "0xdeadbeef  PCMU"));
	assert_non_null(strstr(text, "0.99"));
	assert_non_null(strstr(text, "4.4"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		widest = strlen(line) > widest ? (unsigned int)strlen(line) : widest;
	assert_in_range(widest, 40, 100);
	free(text);
}

static void lists(void **state)
{
	static const struct {
		show_h *show;
		const char *json;
		const char *words[3];
	} cases[] = {
		{ tandem_show_sessions, "{\"sessions\":[]}", { "no sessions" } },
		{ tandem_show_sessions, "{}", { "no sessions" } },
		{ tandem_show_sessions,
		  "{\"sessions\":[{\"id\":\"0a1b\",\"from\":\"sip:a@x\",\"state\":\"early\","
		  "\"duration_s\":5,\"verdict\":\"not answered\"}]}",
		  { "0a1b  sip:a@x  -", "0:05", "not answered" } },
		{ tandem_show_registrations, "{\"registrations\":[]}", { "no registrations" } },
		{ tandem_show_registrations,
		  "{\"registrations\":[{\"aor\":\"sip:a@x\",\"contact\":\"sip:a@192.0.2.1:5062\","
		  "\"source\":\"192.0.2.1:5062\",\"transport\":\"udp\",\"expires_s\":3599}]}",
		  { "sip:a@192.0.2.1:5062", "udp", "59:59" } },
		{ tandem_show_gateways, "{\"gateways\":[]}", { "no gateways" } },
		{ tandem_show_gateways,
		  "{\"gateways\":[{\"name\":\"carrier1\",\"uri\":\"sip:192.0.2.1\",\"state\":"
		  "\"down\","
		  "\"changed_ago_s\":61,\"priority\":1,\"weight\":10,\"calls\":7,\"failures\":5,"
		  "\"unanswered\":2,\"rtt_ms\":0.0}]}",
		  { "carrier1  sip:192.0.2.1  down ", "1:01", "10      7       5" } },
		{ tandem_show_stats,
		  "{\"datapath\":\"uring\",\"sessions\":0,\"fast\":{},\"slow\":{}}",
		  { "datapath       uring", "no packets yet" } },
		{ tandem_show_stats,
		  "{\"datapath\":\"xdp\",\"fast\":{\"forwarded_rtp\":7},\"slow\":{\"learning\":2}}",
		  { "forwarded_rtp          7         -", "learning               -         2" } },
		{ tandem_show_stats,
		  "{\"fast\":{},\"dtls\":{\"half_open\":3,\"connected\":12}}",
		  { "DTLS HANDSHAKES", "half_open            3", "connected           12" } },
		/* An answer of another shape is no reason to fall over. */
		{ tandem_show_session,
		  "{\"flows\":7,\"streams\":[3]}",
		  { "verdict   -", "0 flows" } },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = shown(cases[i].show, cases[i].json);

		for (size_t j = 0; j < 3 && cases[i].words[j]; j++) {
			if (!strstr(text, cases[i].words[j]))
				fail_msg("case %zu lacks '%s':\n%s", i, cases[i].words[j], text);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleaned_text), cmocka_unit_test(wide_and_narrow),
		cmocka_unit_test(bounds),	cmocka_unit_test(durations),
		cmocka_unit_test(a_session),	cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
