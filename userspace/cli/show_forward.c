/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards, for people. */
#include "userspace/cli/show.h"

#include <string.h>

#include "userspace/cli/fields.h"
#include "userspace/cli/table.h"

void tandem_show_forwards(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "NAME", false, 8 },	{ "SOURCE", false, 14 }, { "RECEIVED AT", false, 14 },
		{ "LEGS", true, 0 },	{ "DURATION", true, 0 }, { "PACKETS", true, 0 },
		{ "DROPPED", true, 0 }, { "OFFLOAD", false, 8 },
	};
	const json_t *list = json_object_get(doc, "forwards"), *f;
	struct tandem_table *t;
	size_t i;

	if (!json_array_size(list)) {
		fputs("no forwards\n", out);
		return;
	}
	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, f) {
		char n[4][TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(f, "name"),
			tandem_field_text(f, "from"),
			tandem_field_text(f, "to"),
			tandem_field_number(f, "leg_count", 0, n[0]),
			tandem_show_duration(json_integer_value(json_object_get(f, "duration_s")),
					     n[1], TANDEM_FIELD_SIZE),
			tandem_field_number(f, "packets", 0, n[2]),
			tandem_field_number(f, "dropped", 0, n[3]),
			tandem_field_text(f, "offload"),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

static void show_flows(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "KIND", false, 0 },	{ "SOURCE", false, 14 },     { "RECEIVED AT", false, 14 },
		{ "PACKETS", true, 0 }, { "DROPPED", true, 0 },	     { "UNKNOWN", true, 0 },
		{ "PUNTED", true, 0 },	{ "LAST REASON", false, 8 }, { "PATH", false, 0 },
	};
	struct tandem_table *t;
	const json_t *f;
	size_t i;

	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, f) {
		char n[4][TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(f, "kind"),
			tandem_field_text(f, "remote"),
			tandem_field_text(f, "local"),
			tandem_field_number(f, "packets", 0, n[0]),
			tandem_field_number(f, "dropped", 0, n[1]),
			tandem_field_number(f, "unknown_source", 0, n[2]),
			tandem_field_number(f, "punted", 0, n[3]),
			tandem_field_text(f, "last_reason"),
			tandem_field_text(f, "offload"),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
	json_array_foreach (list, i, f) {
		const char *reason = tandem_field_text(f, "reason");
		char buf[200];

		if (strcmp(reason, "-") != 0)
			fprintf(out, "not in the fast path: %s: %s\n", tandem_field_text(f, "kind"),
				tandem_text_clean(reason, buf, sizeof(buf)));
	}
}

static void show_legs(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "LEG", true, 0 },	  { "FOR", false, 0 },	       { "SENT FROM", false, 14 },
		{ "SENT TO", false, 14 }, { "PACKETS", true, 0 },      { "OCTETS", true, 0 },
		{ "LOST", true, 0 },	  { "LAST REASON", false, 8 }, { "RTCP", true, 0 },
	};
	struct tandem_table *t;
	const json_t *leg;
	size_t i;

	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, leg) {
		char n[5][TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_number(leg, "id", 0, n[0]),
			tandem_field_text(leg, "for"),
			tandem_field_text(leg, "from"),
			tandem_field_text(leg, "to"),
			tandem_field_number(leg, "packets", 0, n[1]),
			tandem_field_number(leg, "octets", 0, n[2]),
			tandem_field_number(leg, "lost", 0, n[3]),
			tandem_field_text(leg, "last_reason"),
			tandem_field_number(json_object_get(leg, "rtcp"), "packets", 0, n[4]),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

static void show_line(const json_t *doc, const char *label, const char *key, FILE *out)
{
	char buf[256];

	fprintf(out, "%-9s %s\n", label,
		tandem_text_clean(tandem_field_text(doc, key), buf, sizeof(buf)));
}

void tandem_show_forward(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct {
		const char *key, *one;
		void (*show)(const json_t *list, FILE *out, unsigned int width);
	} parts[] = {
		{ "flows", "flow", show_flows },
		{ "legs", "leg", show_legs },
		{ "streams", "stream", tandem_show_streams },
	};
	char duration[TANDEM_FIELD_SIZE];
	const json_t *list;
	size_t i;

	show_line(doc, "name", "name", out);
	show_line(doc, "id", "id", out);
	show_line(doc, "from", "from", out);
	show_line(doc, "to", "to", out);
	fprintf(out, "%-9s %s\n", "duration",
		tandem_show_duration(json_integer_value(json_object_get(doc, "duration_s")),
				     duration, sizeof(duration)));
	show_line(doc, "offload", "offload", out);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		list = json_object_get(doc, parts[i].key);
		fprintf(out, "\n%zu %s%s\n", json_array_size(list), parts[i].one,
			json_array_size(list) == 1 ? "" : "s");
		if (json_array_size(list))
			parts[i].show(list, out, width);
	}
}
