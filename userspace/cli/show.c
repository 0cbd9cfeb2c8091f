/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/show.h"

#include <string.h>

#include "userspace/cli/fields.h"
#include "userspace/cli/list.h"
#include "userspace/cli/table.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

void tandem_show_sessions(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("ID", "id", 0),
		TANDEM_TEXT("FROM", "from", 12),
		TANDEM_TEXT("TO", "to", 12),
		TANDEM_TEXT("STATE", "state", 0),
		TANDEM_DURATION("DURATION", "duration_s"),
		TANDEM_TEXT("OFFLOAD", "offload", 8),
		TANDEM_TEXT("VERDICT", "verdict", 10),
	};

	tandem_list_show_all(doc, "sessions", columns, COUNT(columns), out, width);
}

void tandem_show_registrations(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("ADDRESS OF RECORD", "aor", 16),
		TANDEM_TEXT("CONTACT", "contact", 16),
		TANDEM_TEXT("SOURCE", "source", 0),
		TANDEM_TEXT("TRANSPORT", "transport", 0),
		TANDEM_DURATION("EXPIRES", "expires_s"),
		TANDEM_TEXT("NODE", "node", 0),
		TANDEM_TEXT("USER AGENT", "user_agent", 8),
	};

	tandem_list_show_all(doc, "registrations", columns, COUNT(columns), out, width);
}

void tandem_show_gateways(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("NAME", "name", 0),
		TANDEM_TEXT("URI", "uri", 16),
		TANDEM_TEXT("STATE", "state", 0),
		TANDEM_DURATION("SINCE", "changed_ago_s"),
		TANDEM_NUMBER("PRIORITY", "priority", 0),
		TANDEM_NUMBER("WEIGHT", "weight", 0),
		TANDEM_NUMBER("CALLS", "calls", 0),
		TANDEM_NUMBER("FAILED", "failures", 0),
		TANDEM_NUMBER("UNANSWERED", "unanswered", 0),
		TANDEM_KNOWN("RTT MS", "rtt_ms", 1),
	};

	tandem_list_show_all(doc, "gateways", columns, COUNT(columns), out, width);
}

void tandem_show_users(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("NAME", "name", 0),
		TANDEM_TEXT("REALM", "realm", 8),
		TANDEM_TEXT("DIGESTS", "digests", 0),
		TANDEM_KNOWN("CONTACTS", "max_contacts", 0),
	};

	tandem_list_show_all(doc, "users", columns, COUNT(columns), out, width);
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

/* An object of counts, and of words about them. */
static void show_counts(const json_t *counts, const char *title, FILE *out, unsigned int width)
{
	const struct tandem_column columns[] = {
		{ title, false, 0 },
		{ "COUNT", true, 0 },
	};
	json_t *value;
	char number[TANDEM_FIELD_SIZE];
	struct tandem_table *t;
	const char *name;

	if (!json_object_size(counts) ||
	    tandem_table_alloc(&t, columns, sizeof(columns) / sizeof(columns[0])))
		return;
	json_object_foreach ((json_t *)counts, name, value) {
		const char *const cells[] = { name, tandem_field_number(counts, name, 0, number) };

		if (json_is_number(value))
			tandem_table_add(t, cells);
	}
	fputc('\n', out);
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

static void show_auth(const json_t *auth, FILE *out)
{
	char mode[32], realm[80];

	if (auth)
		fprintf(out, "%-14s %s, realm %s\n", "sip auth",
			tandem_text_clean(tandem_field_text(auth, "mode"), mode, sizeof(mode)),
			tandem_text_clean(tandem_field_text(auth, "realm"), realm, sizeof(realm)));
}

/* What an operator has done, or has to know of. */
static void show_operation(const json_t *doc, FILE *out)
{
	const char *alarm =
		json_string_value(json_object_get(json_object_get(doc, "cdr"), "alarm"));
	char buf[256];

	if (json_is_true(json_object_get(doc, "draining")))
		fprintf(out, "%-14s new calls are refused\n", "draining");
	if (alarm)
		fprintf(out, "%-14s call records wait: %s\n", "ALARM",
			tandem_text_clean(alarm, buf, sizeof(buf)));
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
	show_auth(json_object_get(doc, "auth"), out);
	show_operation(doc, out);
	fputc('\n', out);
	show_reasons(doc, out, width);
	show_counts(json_object_get(doc, "dtls"), "DTLS HANDSHAKES", out, width);
	show_counts(json_object_get(doc, "auth"), "SIP REQUESTS", out, width);
	show_counts(json_object_get(doc, "dropped"), "DROPPED BY", out, width);
	show_counts(json_object_get(doc, "connections"), "SIP CONNECTIONS", out, width);
	show_counts(json_object_get(doc, "datagrams"), "SIP DATAGRAMS", out, width);
}

static void show_flows(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("FROM", "from", 0),
		TANDEM_TEXT("KIND", "kind", 0),
		TANDEM_TEXT("SOURCE", "remote", 14),
		TANDEM_TEXT("RECEIVED AT", "local", 14),
		TANDEM_TEXT("SENT TO", "egress_remote", 14),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_NUMBER("DROPPED", "dropped", 0),
		TANDEM_NUMBER("UNKNOWN", "unknown_source", 0),
		TANDEM_TEXT("PATH", "offload", 0),
	};

	tandem_list_show(list, columns, COUNT(columns), out, width);
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

void tandem_show_streams(const json_t *list, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("FROM", "from", 0),
		TANDEM_TEXT("SSRC", "ssrc", 0),
		TANDEM_TEXT("CODEC", "codec", 8),
		TANDEM_NUMBER("PACKETS", "packets", 0),
		TANDEM_NUMBER("LOST", "lost", 0),
		TANDEM_NUMBER("LOSS %", "loss_percent", 2),
		TANDEM_NUMBER("JITTER MS", "jitter_ms", 1),
		TANDEM_KNOWN("RTT MS", "rtt_ms", 1),
		TANDEM_NUMBER("REORDERED", "reordered", 0),
		TANDEM_NUMBER("DUP", "duplicates", 0),
		TANDEM_NUMBER("GAPS", "gaps", 0),
		TANDEM_NUMBER("MOS", "mos", 1),
	};

	tandem_list_show(list, columns, COUNT(columns), out, width);
}

void tandem_show_line(const json_t *doc, const char *label, const char *key, FILE *out)
{
	char buf[256];

	fprintf(out, "%-9s %s\n", label,
		tandem_text_clean(tandem_field_text(doc, key), buf, sizeof(buf)));
}

void tandem_show_duration(const json_t *doc, FILE *out)
{
	json_int_t seconds = json_integer_value(json_object_get(doc, "duration_s"));
	char buf[TANDEM_FIELD_SIZE];

	fprintf(out, "%-9s %s\n", "duration", tandem_list_duration(seconds, buf, sizeof(buf)));
}

void tandem_show_session(const json_t *doc, FILE *out, unsigned int width)
{
	const json_t *flows = json_object_get(doc, "flows");
	const json_t *streams = json_object_get(doc, "streams");

	tandem_show_line(doc, "verdict", "verdict", out);
	tandem_show_line(doc, "state", "state", out);
	tandem_show_duration(doc, out);
	tandem_show_line(doc, "from (a)", "from", out);
	tandem_show_line(doc, "to (b)", "to", out);
	tandem_show_line(doc, "id", "id", out);
	tandem_show_line(doc, "call-id", "call_id", out);
	tandem_show_line(doc, "offload", "offload", out);

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
