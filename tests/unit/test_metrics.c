/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters in Prometheus's text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "userspace/control/metrics.h"

static char *text_of(const char *stats)
{
	json_error_t error;
	json_t *js = json_loads(stats, 0, &error);
	char *text;

	if (!js)
		fail_msg("%s", error.text);
	text = tandem_metrics_text(js);
	json_decref(js);
	assert_non_null(text);
	return text;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("%s\nhas no %s", text, line);
}

static void numbers(void **state)
{
	char *text = text_of("{\"datapath\": \"xdp\", \"sessions\": 7, \"draining\": true,"
			     " \"registrations\": 3, \"transactions\": 0}");

	(void)state;
	assert_has(text, "tandem_info{version=\"" TANDEM_VERSION "\",datapath=\"xdp\"} 1\n");
	assert_has(text, "# TYPE tandem_sessions gauge\ntandem_sessions 7\n");
	assert_has(text, "tandem_draining 1\n");
	assert_has(text, "tandem_registrations 3\n");
	assert_has(text, "tandem_transactions 0\n");
	free(text);
}

/* Lines of one metric are together, under one heading. */
static void labels(void **state)
{
	char *text = text_of(
		"{\"fast\": {\"forwarded\": 12, \"rtcp\": 1}, \"slow\": {\"forwarded\": 5},"
		" \"ng\": {\"commands\": {\"start recording\": 2}, \"errors\": 4,"
		" \"connections\": 9}}");

	(void)state;
	assert_has(text, "# TYPE tandem_packets_total counter\n"
			 "tandem_packets_total{path=\"fast\",reason=\"forwarded\"} 12\n"
			 "tandem_packets_total{path=\"fast\",reason=\"rtcp\"} 1\n"
			 "tandem_packets_total{path=\"slow\",reason=\"forwarded\"} 5\n"
			 "# HELP");
	assert_has(text, "tandem_ng_commands_total{command=\"start recording\"} 2\n");
	assert_has(text, "tandem_ng_total{event=\"errors\"} 4\n");
	assert_has(text, "tandem_ng_connections 9\n");
	assert_null(strstr(text, "event=\"connections\""));
	free(text);
}

static void states_and_events(void **state)
{
	char *text = text_of(
		"{\"connections\": {\"open\": 2, \"accepted\": 5},"
		" \"auth\": {\"mode\": \"on\", \"failed\": 1},"
		" \"cdr\": {\"calls\": 1, \"records\": 6, \"database\": {\"failing\": 1}}}");

	(void)state;
	assert_has(
		text,
		"# TYPE tandem_sip_connections gauge\ntandem_sip_connections{state=\"open\"} 2\n");
	assert_has(text, "tandem_sip_connections_total{event=\"accepted\"} 5\n");
	assert_null(strstr(text, "event=\"open\""));
	assert_has(text, "tandem_sip_auth_total{result=\"failed\"} 1\n");
	assert_null(strstr(text, "mode"));
	assert_has(text, "tandem_cdr_calls 1\n");
	assert_has(text, "tandem_cdr_total{event=\"records\"} 6\n");
	free(text);
}

/* What is not in use is null; names that are no label are escaped. */
static void what_is_missing_or_strange(void **state)
{
	char *text = text_of(
		"{\"datapath\": null, \"sessions\": \"many\", \"ng\": null, \"web\": null,"
		" \"fast\": [], \"slow\": {\"a\\\"b\\\\c\\nd\": 1}}");

	(void)state;
	assert_has(text, "datapath=\"\"} 1\n");
	assert_has(text, "{path=\"slow\",reason=\"a\\\"b\\\\c\\nd\"} 1\n");
	assert_null(strstr(text, "tandem_sessions"));
	assert_null(strstr(text, "tandem_ng"));
	assert_null(strstr(text, "tandem_web"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(labels),
		cmocka_unit_test(states_and_events),
		cmocka_unit_test(what_is_missing_or_strange),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
