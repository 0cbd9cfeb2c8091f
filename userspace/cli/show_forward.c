/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards, for people. */
#include "userspace/cli/show.h"

#include <string.h>

#include "userspace/cli/fields.h"
#include "userspace/cli/list.h"
#include "userspace/cli/table.h"

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

void tandem_show_forwards(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("NAME", "name", 8),
		TANDEM_TEXT("SOURCE", "from", 14),
		TANDEM_TEXT("RECEIVED AT", "to", 14),
		TANDEM_NUMBER("LEGS", "leg_count", 0),
		TANDEM_DURATION("DURATION", "duration_s"),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_NUMBER("DROPPED", "dropped", 0),
		TANDEM_TEXT("OFFLOAD", "offload", 8),
	};

	tandem_list_show_all(doc, "forwards", columns, COUNT(columns), out, width);
}

static void show_flows(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("KIND", "kind", 0),
		TANDEM_TEXT("SOURCE", "remote", 14),
		TANDEM_TEXT("RECEIVED AT", "local", 14),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_NUMBER("DROPPED", "dropped", 0),
		TANDEM_NUMBER("UNKNOWN", "unknown_source", 0),
		TANDEM_NUMBER("PUNTED", "punted", 0),
		TANDEM_TEXT("LAST REASON", "last_reason", 8),
		TANDEM_TEXT("PATH", "offload", 0),
	};
	const json_t *f;
	size_t i;

	tandem_list_show(list, columns, COUNT(columns), out, width);
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
	static const struct tandem_list_column columns[] = {
		TANDEM_NUMBER("LEG", "id", 0),
		TANDEM_TEXT("FOR", "for", 0),
		TANDEM_TEXT("SENT FROM", "from", 14),
		TANDEM_TEXT("SENT TO", "to", 14),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_NUMBER("OCTETS", "octets", 0),
		TANDEM_NUMBER("LOST", "lost", 0),
		TANDEM_TEXT("LAST REASON", "last_reason", 8),
		TANDEM_NUMBER("RTCP", "rtcp.packets", 0),
	};

	tandem_list_show(list, columns, COUNT(columns), out, width);
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
	const json_t *list;
	size_t i;

	tandem_show_line(doc, "name", "name", out);
	tandem_show_line(doc, "id", "id", out);
	tandem_show_line(doc, "from", "from", out);
	tandem_show_line(doc, "to", "to", out);
	tandem_show_duration(doc, out);
	tandem_show_line(doc, "offload", "offload", out);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		list = json_object_get(doc, parts[i].key);
		fprintf(out, "\n%zu %s%s\n", json_array_size(list), parts[i].one,
			json_array_size(list) == 1 ? "" : "s");
		if (json_array_size(list))
			parts[i].show(list, out, width);
	}
}
