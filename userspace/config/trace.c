/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libcyaml says what is wrong in one log line and then, in a backtrace, where:
 * "in mapping field 'KEY' (line: L, column: C)" from the innermost outwards.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/config/schema.h"

static const char field_mark[] = "in mapping field '";
static const char entry_mark[] = "in sequence entry '";
static const char unknown_mark[] = "Unexpected key: ";

static void add_frame(struct tandem_config_trace *trace, const char *name, bool entry)
{
	size_t max = sizeof(trace->frames) / sizeof(trace->frames[0]);
	char *frame;

	if (trace->frames_count == max)
		return;
	frame = trace->frames[trace->frames_count++];
	/* libcyaml counts entries from 1. */
	if (entry)
		snprintf(frame, sizeof(trace->frames[0]), "[%lu]", strtoul(name, NULL, 10) - 1);
	else
		snprintf(frame, sizeof(trace->frames[0]), "%.*s", (int)strcspn(name, "'"), name);
}

void tandem_config_trace_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct tandem_config_trace *trace = ctx;
	char line[512];
	const char *at;

	if (level != CYAML_LOG_ERROR)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';

	if (strncmp(line, "Load: ", 6) == 0) {
		if (!trace->text[0] && strcmp(line + 6, "Backtrace:") != 0)
			snprintf(trace->text, sizeof(trace->text), "%.*s",
				 (int)sizeof(trace->text) - 1, line + 6);
		return;
	}
	at = strstr(line, field_mark);
	if (at)
		add_frame(trace, at + sizeof(field_mark) - 1, false);
	at = strstr(line, entry_mark);
	if (at)
		add_frame(trace, at + sizeof(entry_mark) - 1, true);
	at = strstr(line, "(line: ");
	if (at && !trace->line)
		trace->line = (unsigned int)strtoul(at + 7, NULL, 10);
}

static void build_path(const struct tandem_config_trace *trace, char *path, size_t size)
{
	size_t used = 0;

	path[0] = '\0';
	for (size_t i = trace->frames_count; i-- > 0 && used < size;) {
		const char *frame = trace->frames[i];

		used += (size_t)snprintf(path + used, size - used, "%s%s",
					 used && frame[0] != '[' ? "." : "", frame);
	}
}

/* libcyaml's "Expecting MAPPING, got event: SCALAR" in the words of who wrote the file. */
static const char *expected(const char *text)
{
	static const struct {
		const char *prefix, *words;
	} kinds[] = {
		{ "Expecting MAPPING", "expected keys below it" },
		{ "Expecting SEQUENCE", "expected a list" },
		{ "Expecting ", "expected a single value" },
		{ "STRING length < ", "must not be empty" },
		{ "STRING length > ", "is too long" },
		{ "Excessive entries", "has too many entries" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].words;
	}
	return NULL;
}

static void explain_unknown(const struct tandem_config_trace *trace,
			    struct tandem_config_error *err)
{
	const char *name = trace->text + sizeof(unknown_mark) - 1;
	size_t used = strlen(err->key);

	snprintf(err->key + used, sizeof(err->key) - used, "%s%s", used ? "." : "", name);
	snprintf(err->text, sizeof(err->text), "unknown key");
}

void tandem_config_trace_explain(const struct tandem_config_trace *trace,
				 const struct tandem_yaml *y, struct tandem_config_error *err)
{
	const struct tandem_config_number *number;
	const char *words = expected(trace->text);

	build_path(trace, err->key, sizeof(err->key));
	if (strncmp(trace->text, unknown_mark, sizeof(unknown_mark) - 1) == 0)
		explain_unknown(trace, err);
	/* libcyaml's lines are where its parser stood, which may be a line early. */
	err->line = err->key[0] ? tandem_yaml_line(y, err->key) : 0;
	if (!err->line)
		err->line = trace->line;
	if (err->text[0])
		return;
	number = tandem_config_number_find(err->key);
	if (number && tandem_yaml_scalar(y, number->path))
		snprintf(err->text, sizeof(err->text),
			 "'%.40s' is not a number from %" PRIu32 " to %" PRIu32,
			 tandem_yaml_scalar(y, number->path), number->min, number->max);
	else
		snprintf(err->text, sizeof(err->text), "%s", words ? words : trace->text);
}
