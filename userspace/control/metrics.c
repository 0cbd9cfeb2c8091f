/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_STATES " open handshakes registered outgoing "

/*
 * A number of the document, or with a label the numbers of an object, each under its name. Of
 * these those in names alone, or with but all others.
 */
struct metric {
	const char *name;
	const char *help;
	bool counter;
	const char *path[2];
	const char *label;
	const char *names; /* with a space on either side */
	bool but;
	const char *fixed; /* one more label with its value */
};

#define GAUGE(metric, text, ...)                                                                   \
	{                                                                                          \
		.name = metric, .help = text, .path = { __VA_ARGS__ }                              \
	}
#define COUNTERS(metric, text, key, ...)                                                           \
	{                                                                                          \
		.name = metric, .help = text, .counter = true, .label = key, __VA_ARGS__           \
	}

static const struct metric metrics[] = {
	GAUGE("sessions", "Sessions that there are.", "sessions"),
	GAUGE("draining", "1: no new calls are taken.", "draining"),
	GAUGE("registrations", "Contacts that are registered.", "registrations"),
	GAUGE("transactions", "SIP transactions under way.", "transactions"),
	COUNTERS("packets_total", "Packets, by what became of them.", "reason", .path = { "fast" },
		 .fixed = "path=\"fast\","),
	COUNTERS("packets_total", NULL, "reason", .path = { "slow" }, .fixed = "path=\"slow\","),
	GAUGE("dtls_half_open", "Handshakes of DTLS under way.", "dtls", "half_open"),
	COUNTERS("dtls_total", "DTLS, by what has happened.", "event", .path = { "dtls" },
		 .names = " half_open ", .but = true),
	COUNTERS("sip_auth_total", "SIP requests, by how they were identified.", "result",
		 .path = { "auth" }),
	COUNTERS("sip_dropped_total", "SIP dropped, by what it was blocked for.", "by",
		 .path = { "dropped" }),
	{ .name = "sip_connections",
	  .help = "TCP and TLS connections.",
	  .path = { "connections" },
	  .label = "state",
	  .names = CONNECTION_STATES },
	COUNTERS("sip_connections_total", "TCP and TLS connections, by what has happened.", "event",
		 .path = { "connections" }, .names = CONNECTION_STATES, .but = true),
	COUNTERS("sip_datagrams_total", "Datagrams at SIP ports, by what has happened.", "event",
		 .path = { "datagrams" }),
	GAUGE("web_connections", "WebSocket connections of browsers.", "web", "connections"),
	COUNTERS("web_total", "WebSocket, by what has happened.", "event", .path = { "web" },
		 .names = " connections ", .but = true),
	COUNTERS("ng_commands_total", "Commands of the NG protocol.", "command",
		 .path = { "ng", "commands" }),
	GAUGE("ng_connections", "Connections of the NG protocol.", "ng", "connections"),
	COUNTERS("ng_total", "NG protocol, by what has happened.", "event", .path = { "ng" },
		 .names = " connections ", .but = true),
	GAUGE("record_running", "Recordings under way.", "record", "running"),
	COUNTERS("record_total", "Recordings made and failed, and packets lost to them.", "event",
		 .path = { "record" }, .names = " made failed lost "),
	COUNTERS("capture_total", "Packets for captures and recordings, and those that were lost.",
		 "event", .path = { "capture" }, .names = " packets lost "),
	GAUGE("cdr_calls", "Calls that a record is kept for.", "cdr", "calls"),
	COUNTERS("cdr_total", "Call records written, and those that were lost.", "event",
		 .path = { "cdr" }, .names = " records dropped "),
};

/* Of a label (Prometheus's text format). */
static void put_value(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", f);
		else
			fprintf(f, "%s%c", strchr("\\\"", *text) ? "\\" : "", *text);
	}
}

static bool is_wanted(const struct metric *m, const char *key)
{
	char spaced[64];

	if (!m->names)
		return true;
	snprintf(spaced, sizeof(spaced), " %s ", key);
	return !strstr(m->names, spaced) == m->but;
}

static const json_t *find(const struct metric *m, const json_t *stats)
{
	const json_t *js = json_object_get(stats, m->path[0]);

	return m->path[1] ? json_object_get(js, m->path[1]) : js;
}

static void put_number(FILE *f, const json_t *js)
{
	fprintf(f, " %" JSON_INTEGER_FORMAT "\n",
		json_is_boolean(js) ? (json_int_t)json_is_true(js) : json_integer_value(js));
}

static void put_members(FILE *f, const struct metric *m, const json_t *js)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)js, key, value) {
		if (!json_is_integer(value) || !is_wanted(m, key))
			continue;
		fprintf(f, "tandem_%s{%s%s=\"", m->name, m->fixed ? m->fixed : "", m->label);
		put_value(f, key);
		fputs("\"}", f);
		put_number(f, value);
	}
}

static void put_metric(FILE *f, const struct metric *m, const json_t *stats)
{
	const json_t *js = find(m, stats);

	if (m->label ? !json_is_object(js) : !json_is_integer(js) && !json_is_boolean(js))
		return;
	if (m->help)
		fprintf(f, "# HELP tandem_%s %s\n# TYPE tandem_%s %s\n", m->name, m->help, m->name,
			m->counter ? "counter" : "gauge");
	if (m->label) {
		put_members(f, m, js);
	} else {
		fprintf(f, "tandem_%s", m->name);
		put_number(f, js);
	}
}

static void put_info(FILE *f, const json_t *stats)
{
	const char *datapath = json_string_value(json_object_get(stats, "datapath"));

	fputs("# HELP tandem_info What runs.\n# TYPE tandem_info gauge\n"
	      "tandem_info{version=\"" TANDEM_VERSION "\",datapath=\"",
	      f);
	put_value(f, datapath ? datapath : "");
	fputs("\"} 1\n", f);
}

char *tandem_metrics_text(const json_t *stats)
{
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (!f)
		return NULL;
	put_info(f, stats);
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		put_metric(f, &metrics[i], stats);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
