/* SPDX-License-Identifier: GPL-2.0-only */
/* tandem inspect: what a capture file has. No relay has to run. */
#include <stdlib.h>
#include <string.h>

#include "userspace/capture/inspect.h"
#include "userspace/cli/command.h"
#include "userspace/cli/list.h"
#include "userspace/cli/table.h"

static double number(const json_t *js, const char *key)
{
	return json_number_value(json_object_get(js, key));
}

static void put_text(json_t *js, const char *key, const char *text)
{
	json_object_set_new(js, key, json_string(text));
}

/* "0, 8, 101" */
static void format_pts(const json_t *js, char *buf, size_t size)
{
	const json_t *list = json_object_get(js, "payload_types"), *pt;
	size_t i, n = 0;

	buf[0] = '\0';
	json_array_foreach (list, i, pt) {
		if (n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%d", i ? "," : "",
					      (int)json_integer_value(pt));
	}
}

/* What a row has and the document not: two numbers in one cell. */
static void add_columns(json_t *js)
{
	const char *codec = json_string_value(json_object_get(js, "codec"));
	char text[128], pts[64];

	snprintf(text, sizeof(text), "%.3f-%.3f", number(js, "start_s"), number(js, "end_s"));
	put_text(js, "time", text);
	format_pts(js, pts, sizeof(pts));
	snprintf(text, sizeof(text), "%s (%s)", codec ? codec : "?", pts);
	put_text(js, "format", text);
	snprintf(text, sizeof(text), "%.0f (%.1f%%)", number(js, "lost"),
		 number(js, "lost_percent"));
	put_text(js, "loss", text);
	snprintf(text, sizeof(text), "%.3f %.3f", number(js, "delta_mean_ms"),
		 number(js, "delta_max_ms"));
	put_text(js, "delta", text);
	if (!json_object_get(js, "jitter_max_ms"))
		return;
	snprintf(text, sizeof(text), "%.3f %.3f", number(js, "jitter_mean_ms"),
		 number(js, "jitter_max_ms"));
	put_text(js, "jitter", text);
	snprintf(text, sizeof(text), "%.3f", number(js, "skew_max_ms"));
	put_text(js, "skew", text);
	if (json_object_get(js, "mos")) {
		snprintf(text, sizeof(text), "%.2f", number(js, "mos"));
		put_text(js, "score", text);
	}
}

static void show_streams(json_t *doc)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("TIME S", "time", 0),
		TANDEM_TEXT("FROM", "from", 0),
		TANDEM_TEXT("TO", "to", 0),
		TANDEM_TEXT("SSRC", "ssrc", 0),
		TANDEM_TEXT("CODEC (PT)", "format", 12),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_TEXT("LOST", "loss", 0),
		TANDEM_NUMBER("GAPS", "gaps", 0),
		TANDEM_TEXT("DELTA MS (MEAN, MAX)", "delta", 0),
		TANDEM_TEXT("JITTER MS (MEAN, MAX)", "jitter", 0),
		TANDEM_TEXT("SKEW MS", "skew", 0),
		TANDEM_TEXT("MOS", "score", 0),
	};
	json_t *js;
	size_t i;

	json_array_foreach (json_object_get(doc, "streams"), i, js)
		add_columns(js);
	tandem_list_show_all(doc, "streams", columns, sizeof(columns) / sizeof(columns[0]), stdout,
			     tandem_terminal_width());
}

static void show_calls(const json_t *doc)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_NUMBER("START S", "start_s", 3), TANDEM_TEXT("METHOD", "method", 0),
		TANDEM_TEXT("FROM", "from", 16),	TANDEM_TEXT("TO", "to", 16),
		TANDEM_KNOWN("STATUS", "status", 0),	TANDEM_KNOWN("ANSWER S", "answer_s", 3),
		TANDEM_KNOWN("END S", "end_s", 3),	TANDEM_TEXT("CALL-ID", "call_id", 12),
	};

	if (json_array_size(json_object_get(doc, "calls"))) {
		putchar('\n');
		tandem_list_show_all(doc, "calls", columns, sizeof(columns) / sizeof(columns[0]),
				     stdout, tandem_terminal_width());
	}
}

/* What was not read, where there is such. */
static void show_file(const json_t *doc)
{
	static const struct {
		const char *key, *text;
	} counts[] = {
		{ "fragments", "fragments of IP, put together where all of a datagram were there" },
		{ "bad", "packets with broken headers" },
		{ "cut", "datagrams that were captured in part" },
		{ "streams_missed", "packets of more streams than are followed" },
		{ "sip_missed", "SIP messages more than are kept" },
	};
	const json_t *file = json_object_get(doc, "file");

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		json_int_t n = json_integer_value(json_object_get(file, counts[i].key));

		if (n)
			printf("\n%lld %s\n", (long long)n, counts[i].text);
	}
}

static void show(const struct tandem_options *opts, const struct tandem_inspection *in, json_t *doc)
{
	if (opts->json) {
		tandem_command_print_json(doc);
		return;
	}
	show_streams(doc);
	show_calls(doc);
	show_file(doc);
	if (opts->ladder) {
		putchar('\n');
		tandem_inspection_ladder(in, stdout);
	}
}

static int write_files(const struct tandem_options *opts, const struct tandem_inspection *in)
{
	char why[512] = "";
	int err = 0;

	if (opts->svg)
		err = tandem_inspection_svg(in, opts->svg, why, sizeof(why));
	if (opts->rtpdump && !err)
		err = tandem_inspection_rtpdump(in, opts->argument, opts->rtpdump, why,
						sizeof(why));
	if (err)
		fprintf(stderr, "tandem: %s\n", why);
	return err;
}

int tandem_cmd_inspect(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_inspection in = { 0 };
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	char why[512] = "";
	json_t *doc = NULL;

	if (status >= 0)
		return status;
	status = TANDEM_EXIT_FAILURE;
	if (tandem_inspection_init(&in) ||
	    tandem_inspect_file(&in, opts.argument, why, sizeof(why)))
		goto out;
	doc = tandem_inspection_json(&in);
	if (!doc)
		goto out;
	show(&opts, &in, doc);
	if (!write_files(&opts, &in) && !in.damaged)
		status = TANDEM_EXIT_OK;
out:
	if (!doc && !why[0])
		snprintf(why, sizeof(why), "out of memory");
	if (why[0])
		fprintf(stderr, "tandem: %s\n", why);
	json_decref(doc);
	tandem_inspection_clean(&in);
	return status;
}
