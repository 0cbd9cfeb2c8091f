/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/show.h"

#include <string.h>

#include "userspace/cli/fields.h"
#include "userspace/cli/table.h"

const char *tandem_show_duration(json_int_t seconds, char *buf, size_t size)
{
	long long s = seconds > 0 ? seconds : 0;

	if (s >= 3600)
		snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
	return buf;
}

static const char *duration_field(const json_t *object, const char *key, char *buf)
{
	return tandem_show_duration(json_integer_value(json_object_get(object, key)), buf,
				    TANDEM_FIELD_SIZE);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void tandem_show_sessions(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "ID", false, 0 },	  { "FROM", false, 12 },   { "TO", false, 12 },
		{ "STATE", false, 0 },	  { "DURATION", true, 0 }, { "OFFLOAD", false, 8 },
		{ "VERDICT", false, 10 },
	};
	const json_t *list = json_object_get(doc, "sessions"), *s;
	struct tandem_table *t;
	size_t i;

	if (!json_array_size(list)) {
		fputs("no sessions\n", out);
		return;
	}
	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, s) {
		char duration[TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(s, "id"),
			tandem_field_text(s, "from"),
			tandem_field_text(s, "to"),
			tandem_field_text(s, "state"),
			duration_field(s, "duration_s", duration),
			tandem_field_text(s, "offload"),
			tandem_field_text(s, "verdict"),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

void tandem_show_registrations(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "ADDRESS OF RECORD", false, 16 },
		{ "CONTACT", false, 16 },
		{ "SOURCE", false, 0 },
		{ "TRANSPORT", false, 0 },
		{ "EXPIRES", true, 0 },
		{ "USER AGENT", false, 8 },
	};
	const json_t *list = json_object_get(doc, "registrations"), *r;
	struct tandem_table *t;
	size_t i;

	if (!json_array_size(list)) {
		fputs("no registrations\n", out);
		return;
	}
	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, r) {
		char expires[TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(r, "aor"),
			tandem_field_text(r, "contact"),
			tandem_field_text(r, "source"),
			tandem_field_text(r, "transport"),
			duration_field(r, "expires_s", expires),
			tandem_field_text(r, "user_agent"),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

static void show_reason(struct tandem_table *t, const char *name, const json_t *doc)
{
	char fast[TANDEM_FIELD_SIZE], slow[TANDEM_FIELD_SIZE];
	const char *const cells[] = {
		name,
		tandem_field_number(json_object_get(doc, "fast"), name, 0, fast),
		tandem_field_number(json_object_get(doc, "slow"), name, 0, slow),
	};

	tandem_table_add(t, cells);
}

static void show_reasons(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "PACKETS", false, 0 },
		{ "FAST PATH", true, 0 },
		{ "IO_URING", true, 0 },
	};
	json_t *fast = json_object_get(doc, "fast"), *slow = json_object_get(doc, "slow"), *value;
	struct tandem_table *t;
	const char *name;

	if (!json_object_size(fast) && !json_object_size(slow)) {
		fputs("no packets yet\n", out);
		return;
	}
	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_object_foreach (fast, name, value)
		show_reason(t, name, doc);
	json_object_foreach (slow, name, value) {
		if (!json_object_get(fast, name))
			show_reason(t, name, doc);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

void tandem_show_stats(const json_t *doc, FILE *out, unsigned int width)
{
	char buf[256];
	const char *key;
	json_t *value;

	/* One line for each plain value, whatever a relay of another version has to tell. */
	json_object_foreach ((json_t *)doc, key, value) {
		if (json_is_string(value))
			fprintf(out, "%-14s %s\n", key,
				tandem_text_clean(json_string_value(value), buf, sizeof(buf)));
		else if (json_is_integer(value))
			fprintf(out, "%-14s %lld\n", key, (long long)json_integer_value(value));
	}
	fputc('\n', out);
	show_reasons(doc, out, width);
}

static void show_flows(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "FROM", false, 0 },	      { "KIND", false, 0 },	{ "SOURCE", false, 14 },
		{ "RECEIVED AT", false, 14 }, { "SENT TO", false, 14 }, { "PACKETS", true, 0 },
		{ "DROPPED", true, 0 },	      { "UNKNOWN", true, 0 },	{ "PATH", false, 0 },
	};
	struct tandem_table *t;
	const json_t *f;
	size_t i;

	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, f) {
		char packets[TANDEM_FIELD_SIZE], dropped[TANDEM_FIELD_SIZE];
		char unknown[TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(f, "from"),
			tandem_field_text(f, "kind"),
			tandem_field_text(f, "remote"),
			tandem_field_text(f, "local"),
			tandem_field_text(f, "egress_remote"),
			tandem_field_number(f, "packets", 0, packets),
			tandem_field_number(f, "dropped", 0, dropped),
			tandem_field_number(f, "unknown_source", 0, unknown),
			tandem_field_text(f, "offload"),
		};

		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

/* The question of every day: why is this one not in the fast path? */
static void show_slow_reasons(const json_t *list, FILE *out)
{
	const json_t *f;
	size_t i;

	json_array_foreach (list, i, f) {
		const char *reason = tandem_field_text(f, "reason");
		char buf[200];

		if (strcmp(reason, "-") != 0)
			fprintf(out, "not in the fast path: %s %s: %s\n",
				tandem_field_text(f, "from"), tandem_field_text(f, "kind"),
				tandem_text_clean(reason, buf, sizeof(buf)));
	}
}

static void show_learned_leg(const json_t *media, const char *party, FILE *out)
{
	const json_t *leg = json_object_get(media, party);
	const char *learned = json_string_value(json_object_get(leg, "learned_rtp"));

	if (learned)
		fprintf(out, "learned: %s is at %s, and said %s\n", party, learned,
			tandem_field_text(leg, "rtp"));
}

/* Who was found to be behind a NAT. */
static void show_learned(const json_t *list, FILE *out)
{
	const json_t *media;
	size_t i;

	json_array_foreach (list, i, media) {
		show_learned_leg(media, "a", out);
		show_learned_leg(media, "b", out);
	}
}

/* 0 says that no receiver report has told it yet. */
static const char *round_trip(const json_t *stream, char buf[TANDEM_FIELD_SIZE])
{
	if (json_number_value(json_object_get(stream, "rtt_ms")) > 0)
		return tandem_field_number(stream, "rtt_ms", 1, buf);
	return "-";
}

void tandem_show_streams(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_column columns[] = {
		{ "FROM", false, 0 },	  { "SSRC", false, 0 },	 { "CODEC", false, 8 },
		{ "PACKETS", true, 0 },	  { "LOST", true, 0 },	 { "LOSS %", true, 0 },
		{ "JITTER MS", true, 0 }, { "RTT MS", true, 0 }, { "REORDERED", true, 0 },
		{ "DUP", true, 0 },	  { "GAPS", true, 0 },	 { "MOS", true, 0 },
	};
	struct tandem_table *t;
	const json_t *s;
	size_t i;

	if (tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_array_foreach (list, i, s) {
		char n[9][TANDEM_FIELD_SIZE];
		const char *const cells[] = {
			tandem_field_text(s, "from"),
			tandem_field_text(s, "ssrc"),
			tandem_field_text(s, "codec"),
			tandem_field_number(s, "packets", 0, n[0]),
			tandem_field_number(s, "lost", 0, n[1]),
			tandem_field_number(s, "loss_percent", 2, n[2]),
			tandem_field_number(s, "jitter_ms", 1, n[3]),
			round_trip(s, n[4]),
			tandem_field_number(s, "reordered", 0, n[5]),
			tandem_field_number(s, "duplicates", 0, n[6]),
			tandem_field_number(s, "gaps", 0, n[7]),
			tandem_field_number(s, "mos", 1, n[8]),
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

void tandem_show_session(const json_t *doc, FILE *out, unsigned int width)
{
	const json_t *flows = json_object_get(doc, "flows");
	const json_t *streams = json_object_get(doc, "streams");
	char duration[TANDEM_FIELD_SIZE];

	show_line(doc, "verdict", "verdict", out);
	show_line(doc, "state", "state", out);
	fprintf(out, "%-9s %s\n", "duration", duration_field(doc, "duration_s", duration));
	show_line(doc, "from (a)", "from", out);
	show_line(doc, "to (b)", "to", out);
	show_line(doc, "id", "id", out);
	show_line(doc, "call-id", "call_id", out);
	show_line(doc, "offload", "offload", out);

	fprintf(out, "\n%zu flow%s\n", json_array_size(flows), plural(json_array_size(flows)));
	if (json_array_size(flows))
		show_flows(flows, out, width);
	show_slow_reasons(flows, out);
	show_learned(json_object_get(doc, "media"), out);
	fprintf(out, "\n%zu stream%s\n", json_array_size(streams),
		plural(json_array_size(streams)));
	if (json_array_size(streams))
		tandem_show_streams(streams, out, width);
}
