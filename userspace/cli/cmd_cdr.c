/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands about call records. They read the file itself, so that no relay has to run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/cdr/table.h"
#include "userspace/cli/command.h"
#include "userspace/cli/list.h"
#include "userspace/cli/table.h"

#define LIST_LIMIT 1000

struct work {
	struct tandem_options opts;
	struct tandem_config *cfg;
	struct tandem_cdr_table *table;
};

/* -1 to go on, or what to exit with. */
static int begin(struct work *work, const struct tandem_command *cmd, int argc, char **argv)
{
	int status = tandem_options_parse(&work->opts, cmd, argc, argv);
	char buf[4096], why[512];
	const char *path;

	if (status >= 0)
		return status;
	work->cfg = tandem_command_config(&work->opts);
	if (!work->cfg)
		return TANDEM_EXIT_USAGE;
	path = tandem_config_cdr_database(work->cfg, buf, sizeof(buf));
	if (!path) {
		fputs("tandem: the configuration has no database of call records\n", stderr);
		return TANDEM_EXIT_USAGE;
	}
	if (tandem_cdr_table_open(&work->table, path, 1, why, sizeof(why))) {
		fprintf(stderr, "tandem: call records: %s\n", why);
		return TANDEM_EXIT_FAILURE;
	}
	return -1;
}

static int end(struct work *work, int status)
{
	tandem_cdr_table_close(work->table);
	tandem_config_free(work->cfg);
	return status;
}

/* "90s", "15m", "2h", "7d" ago, or "2026-01-31", "2026-01-31T12:00[:00]" in local time. */
static int parse_since(const char *text, int64_t *since_ms)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	static const char units[] = "smhd";
	static const unsigned int unit_s[] = { 1, 60, 3600, 86400 };
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);
	const char *unit = *rest && !rest[1] ? strchr(units, *rest) : NULL;

	if (*text >= '0' && *text <= '9' && unit) {
		*since_ms = ((int64_t)time(NULL) - (int64_t)n * unit_s[unit - units]) * 1000;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = { .tm_isdst = -1 };

		rest = strptime(text, forms[i], &tm);
		if (rest && !*rest) {
			*since_ms = (int64_t)mktime(&tm) * 1000;
			return 0;
		}
	}
	fprintf(stderr,
		"tandem: --since: '%s' is neither a time ago (90s, 15m, 2h, 7d) nor a date "
		"(2026-01-31, 2026-01-31T12:00)\n",
		text);
	return -EINVAL;
}

static void collect(const struct tandem_cdr_row *row, void *arg)
{
	json_t *doc = json_loads(row->json, 0, NULL);

	if (!json_is_object(doc)) {
		json_decref(doc);
		return;
	}
	json_object_set_new(doc, "id", json_integer(row->id));
	json_array_append_new(arg, doc);
}

/* What a table shows and a record has not: the time as text, seconds, who and whom. */
static void add_columns(json_t *doc)
{
	time_t start = json_integer_value(json_object_get(doc, "start_ms")) / 1000;
	json_int_t ms = json_integer_value(json_object_get(doc, "duration_ms"));
	const json_t *media = json_object_get(doc, "media");
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	json_object_set_new(doc, "start", json_string(text));
	json_object_set_new(doc, "duration_s", json_integer(ms / 1000));
	json_object_set(doc, "verdict", json_object_get(media, "verdict"));
}

static void show_list(json_t *list)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_NUMBER("ID", "id", 0),		TANDEM_TEXT("START", "start", 0),
		TANDEM_TEXT("FROM", "from", 12),	TANDEM_TEXT("TO", "to", 12),
		TANDEM_NUMBER("STATUS", "status", 0),	TANDEM_DURATION("DURATION", "duration_s"),
		TANDEM_TEXT("ENDED BY", "ended_by", 0), TANDEM_TEXT("VERDICT", "verdict", 8),
	};
	json_t *doc;
	size_t i;

	if (!json_array_size(list)) {
		puts("no call records");
		return;
	}
	json_array_foreach (list, i, doc)
		add_columns(doc);
	tandem_list_show(list, columns, sizeof(columns) / sizeof(columns[0]), stdout,
			 tandem_terminal_width());
}

int tandem_cmd_cdr_list(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);
	json_t *list, *doc;
	int64_t since = 0;

	if (status < 0 && work.opts.since && parse_since(work.opts.since, &since))
		status = TANDEM_EXIT_USAGE;
	if (status >= 0)
		return end(&work, status);
	list = json_array();
	if (!list ||
	    tandem_cdr_table_list(work.table, since, work.opts.limit ? work.opts.limit : LIST_LIMIT,
				  collect, list)) {
		fprintf(stderr, "tandem: call records: %s\n", tandem_cdr_table_error(work.table));
		json_decref(list);
		return end(&work, TANDEM_EXIT_FAILURE);
	}
	if (work.opts.json) {
		doc = json_pack("{s:o}", "records", list);
		tandem_command_print_json(doc);
		json_decref(doc);
	} else {
		show_list(list);
		json_decref(list);
	}
	return end(&work, TANDEM_EXIT_OK);
}

/* For people: the document over several lines, control characters escaped as JSON has it. */
static void show_record(const json_t *doc, bool json)
{
	if (json) {
		tandem_command_print_json(doc);
		return;
	}
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
}

int tandem_cmd_cdr_show(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);
	json_t *list, *doc;
	size_t i;

	if (status >= 0)
		return end(&work, status);
	list = json_array();
	if (!list || tandem_cdr_table_find(work.table, work.opts.argument, collect, list)) {
		fprintf(stderr, "tandem: call records: %s\n", tandem_cdr_table_error(work.table));
		status = TANDEM_EXIT_FAILURE;
	} else if (!json_array_size(list)) {
		fprintf(stderr, "tandem: there is no call record %s\n", work.opts.argument);
		status = TANDEM_EXIT_FAILURE;
	} else {
		json_array_foreach (list, i, doc)
			show_record(doc, work.opts.json);
		status = TANDEM_EXIT_OK;
	}
	json_decref(list);
	return end(&work, status);
}
