/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of the log: their form, what a peer can do to them, and floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/util/log.h"
#include "userspace/util/log_flood.h"

static int out = -1;
static char text[65536];

static void begin(enum tandem_log_format format)
{
	char path[] = "/tmp/tandem-log-XXXXXX";

	out = mkstemp(path);
	assert_true(out >= 0);
	unlink(path);
	tandem_log_set_output(format, out);
}

static const char *written(void)
{
	ssize_t n = pread(out, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	close(out);
	tandem_log_set_output(TANDEM_LOG_TEXT, STDERR_FILENO);
	return text;
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void a_line_is_level_module_and_text(void **state)
{
	(void)state;
	begin(TANDEM_LOG_TEXT);
	tandem_log(TANDEM_LOG_WARNING, "sip", "%d things", 3);
	tandem_log(TANDEM_LOG_DEBUG, "sip", "not asked for");
	assert_string_equal(written(), "warning sip: 3 things\n");
}

static void control_characters_forge_nothing(void **state)
{
	(void)state;
	begin(TANDEM_LOG_TEXT);
	tandem_log(TANDEM_LOG_INFO, "sip", "%s", "a\r\nerror sip: forged\x1b[2J\x7f\xc2\x9b\xff");
	assert_string_equal(written(), "info sip: a\\x0d\\x0aerror sip: "
				       "forged\\x1b[2J\\x7f\\xc2\\x9b\\xff\n");
}

static void json_is_json_whatever_is_in_it(void **state)
{
	struct tandem_log_scope scope;
	const char *call = "id\"\\\n@x";
	json_t *doc;

	(void)state;
	begin(TANDEM_LOG_JSON);
	tandem_log_enter(&scope, call, strlen(call));
	tandem_log(TANDEM_LOG_ERROR, "sip",
		   "quote \" backslash \\ line\nM\xc3\xbcller \xff \xed\xa0\x80");
	tandem_log_leave(&scope);
	doc = json_loads(written(), 0, NULL);
	assert_non_null(doc);
	assert_int_equal(lines(text), 1);
	assert_string_equal(json_string_value(json_object_get(doc, "call_id")), call);
	assert_string_equal(json_string_value(json_object_get(doc, "level")), "error");
	assert_non_null(strstr(json_string_value(json_object_get(doc, "text")),
			       "quote \" backslash \\ line\nM\xc3\xbcller "));
	json_decref(doc);
}

static void every_line_of_a_call_carries_its_id_once(void **state)
{
	struct tandem_log_scope outer, inner;

	(void)state;
	begin(TANDEM_LOG_TEXT);
	tandem_log_enter(&outer, "one@x", 5);
	tandem_log(TANDEM_LOG_INFO, "uring", "a port is gone");
	tandem_log_enter(&inner, "two@x", 5);
	tandem_log(TANDEM_LOG_INFO, "sip", "two@x: has ended");
	tandem_log_leave(&inner);
	tandem_log(TANDEM_LOG_INFO, "sip", "again");
	tandem_log_leave(&outer);
	tandem_log(TANDEM_LOG_INFO, "sip", "of none");
	assert_string_equal(written(), "info uring: a port is gone [call one@x]\n"
				       "info sip: two@x: has ended\n"
				       "info sip: again [call one@x]\n"
				       "info sip: of none\n");
}

static void a_long_id_is_cut(void **state)
{
	struct tandem_log_scope scope;
	char id[2000];

	(void)state;
	memset(id, '\n', sizeof(id));
	begin(TANDEM_LOG_TEXT);
	tandem_log_enter(&scope, id, sizeof(id));
	tandem_log(TANDEM_LOG_INFO, "sip", "x");
	tandem_log_leave(&scope);
	assert_int_equal(lines(written()), 1);
}

static void equal_lines_are_summed_up(void **state)
{
	int i;

	(void)state;
	begin(TANDEM_LOG_TEXT);
	for (i = 0; i < 1000; i++)
		tandem_log(TANDEM_LOG_ERROR, "store", "the disk is full, says a test");
	assert_int_equal(lines(written()), 5);
}

static void count_sum(const struct tandem_log_sum *sum, void *arg)
{
	/* those of the test before are none of ours */
	if (strcmp(sum->module, "m"))
		return;
	assert_non_null(strstr(sum->text, "alike"));
	*(unsigned int *)arg += sum->count;
}

/* Each was written or is in a sum: none is lost without a word. */
static void alike_lines_are_bounded_and_counted(void **state)
{
	unsigned int admitted = 0, held = 0, i;
	char line[32];

	(void)state;
	for (i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "alike %u", i);
		admitted += tandem_log_flood_admit(0, "m", "alike %u", line, count_sum, &held);
	}
	/* all within a second, but for a machine that stands still */
	assert_in_range(admitted, 100, 400);
	for (i = 0; i < 200 && admitted + held < 2000; i++) {
		usleep(20000);
		tandem_log_flood_tick(count_sum, &held);
	}
	assert_int_equal(admitted + held, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_level_module_and_text),
		cmocka_unit_test(control_characters_forge_nothing),
		cmocka_unit_test(json_is_json_whatever_is_in_it),
		cmocka_unit_test(every_line_of_a_call_carries_its_id_once),
		cmocka_unit_test(a_long_id_is_cut),
		cmocka_unit_test(equal_lines_are_summed_up),
		cmocka_unit_test(alike_lines_are_bounded_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
