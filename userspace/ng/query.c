/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients may know of calls, in the shape that the protocol has for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/ng/calls.h"

#define LIST_LIMIT 32

/* "192.0.2.1:5004" as family, address and port. NULL for null. */
static json_t *endpoint(const json_t *text)
{
	char address[TANDEM_ENDPOINT_STRLEN];
	struct tandem_endpoint ep;

	if (!json_is_string(text) || tandem_endpoint_parse(&ep, json_string_value(text)))
		return NULL;
	return json_pack("{s:s, s:s, s:i}", "family",
			 tandem_ip_family(&ep.ip) == AF_INET ? "IPv4" : "IPv6", "address",
			 tandem_ip_format(&ep.ip, address, sizeof(address)), "port", ep.port);
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && !strcmp(value, text);
}

static json_t *counts(json_int_t packets, json_int_t octets, json_int_t errors)
{
	return json_pack("{s:I, s:I, s:I}", "packets", packets, "bytes", octets, "errors", errors);
}

/* One flow of a party: what it sends to one port of the relay. */
static json_t *stream(const json_t *flow, json_int_t *last)
{
	json_t *js = json_object(), *local = endpoint(json_object_get(flow, "local"));

	json_object_set(js, "local port", json_object_get(local, "port"));
	json_object_set(js, "local address", json_object_get(local, "address"));
	json_decref(local);
	json_object_set_new_nocheck(js, "endpoint", endpoint(json_object_get(flow, "remote")));
	json_object_set_new(
		js, "stats",
		counts(number(flow, "packets"), number(flow, "octets"), number(flow, "dropped")));
	json_object_set(js, "datapath", json_object_get(flow, "offload"));
	json_object_set_new(js, "flags",
			    json_pack("[s]", is_text(flow, "kind", "rtcp") ? "RTCP" : "RTP"));
	*last += number(flow, "packets");
	return js;
}

static json_t *streams_of(const json_t *flows, json_int_t media, const char *party)
{
	json_t *list = json_array(), *flow;
	json_int_t packets = 0;
	size_t i;

	json_array_foreach (flows, i, flow) {
		if (number(flow, "media") == media && is_text(flow, "from", party))
			json_array_append_new(list, stream(flow, &packets));
	}
	return list;
}

static json_t *media_of(const json_t *session, const char *party)
{
	json_t *list = json_array(), *media, *js;
	size_t i;

	json_array_foreach (json_object_get(session, "media"), i, media) {
		js = json_pack("{s:I, s:O, s:o}", "index", (json_int_t)i + 1, "type",
			       json_object_get(media, "type"), "streams",
			       streams_of(json_object_get(session, "flows"), (json_int_t)i, party));
		json_array_append_new(list, js);
	}
	return list;
}

static int add_tag(json_t *tags, const json_t *session, const char *party, const char *other)
{
	const json_t *names = json_object_get(session, "tags");
	const json_t *tag = json_object_get(names, party);
	json_t *js;

	if (!json_is_string(tag))
		return 0;
	js = json_pack("{s:O, s:O, s:o}", "tag", tag, "created",
		       json_object_get(session, "started"), "medias", media_of(session, party));
	if (json_is_string(json_object_get(names, other)))
		json_object_set(js, "in dialogue with", json_object_get(names, other));
	return json_object_set_new_nocheck(tags, json_string_value(tag), js);
}

static json_t *totals(const json_t *flows)
{
	json_int_t sums[2][3] = { 0 };
	json_t *flow;
	size_t i;

	json_array_foreach (flows, i, flow) {
		json_int_t *sum = sums[is_text(flow, "kind", "rtcp")];

		sum[0] += number(flow, "packets");
		sum[1] += number(flow, "octets");
		sum[2] += number(flow, "dropped");
	}
	return json_pack("{s:o, s:o}", "RTP", counts(sums[0][0], sums[0][1], sums[0][2]), "RTCP",
			 counts(sums[1][0], sums[1][1], sums[1][2]));
}

/* By SSRC, with the quality where it is known; times in ms, as whole numbers. */
static json_t *ssrcs(const json_t *streams)
{
	json_t *js = json_object(), *st;
	const json_t *mos;
	size_t i;

	json_array_foreach (streams, i, st) {
		const char *ssrc = json_string_value(json_object_get(st, "ssrc"));
		char key[16];
		json_t *one;

		snprintf(key, sizeof(key), "%lu", ssrc ? strtoul(ssrc, NULL, 16) : 0UL);
		one = json_pack("{s:O, s:O, s:I}", "packets", json_object_get(st, "packets"),
				"lost", json_object_get(st, "lost"), "jitter",
				(json_int_t)json_number_value(json_object_get(st, "jitter_ms")));
		mos = json_object_get(st, "mos");
		if (json_is_number(mos)) /* tenths, as the protocol has no fractions */
			json_object_set_new(
				one, "average MOS",
				json_pack("{s:I}", "MOS",
					  (json_int_t)(json_number_value(mos) * 10 + 0.5)));
		json_object_set_new(js, key, one);
	}
	return js;
}

int tandem_ng_describe(struct tandem_ng_calls *calls, const char *name, json_t *reply)
{
	json_t *session = tandem_session_json(calls->sessions, name), *tags;
	int err;

	if (!session)
		return -ENOENT;
	tags = json_object();
	err = add_tag(tags, session, "a", "b") | add_tag(tags, session, "b", "a") |
	      json_object_set_new(reply, "tags", tags) |
	      json_object_set(reply, "created", json_object_get(session, "started")) |
	      json_object_set_new(reply, "totals", totals(json_object_get(session, "flows"))) |
	      json_object_set_new(reply, "SSRC", ssrcs(json_object_get(session, "streams")));
	json_decref(session);
	return err ? -ENOMEM : 0;
}

int tandem_ng_query(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		    const char **why)
{
	enum tandem_party_id party;
	const char *name = p->from_tag ? tandem_ng_session(calls, p, &party)
				       : tandem_session_find(calls->sessions, p->call_id);
	int err = name ? tandem_ng_describe(calls, name, reply) : -ENOENT;

	if (err)
		*why = err == -ENOENT ? "Unknown call-id" : "Out of memory";
	return err;
}

int tandem_ng_list(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		   const char **why)
{
	json_t *list = json_array(), *all = tandem_sessions_json(calls->sessions), *s;
	size_t i;

	(void)p;
	json_array_foreach (json_object_get(all, "sessions"), i, s) {
		if (json_array_size(list) < LIST_LIMIT)
			json_array_append(list, json_object_get(s, "call_id"));
	}
	json_decref(all);
	if (!all || json_object_set_new(reply, "calls", list)) {
		*why = "Out of memory";
		return -ENOMEM;
	}
	return 0;
}

static json_int_t forwarded(const json_t *counters)
{
	return number(counters, "forwarded_rtp") + number(counters, "forwarded_rtcp");
}

int tandem_ng_statistics(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why)
{
	json_t *stats = tandem_sessions_stats_json(calls->sessions), *js;
	json_int_t fast = forwarded(json_object_get(stats, "fast"));
	json_int_t slow = forwarded(json_object_get(stats, "slow"));

	(void)p;
	js = json_pack("{s:{s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I}}", "currentstatistics",
		       "sessionsown", (json_int_t)tandem_sessions_count(calls->sessions),
		       "sessionstotal", (json_int_t)tandem_sessions_count(calls->sessions),
		       "totalstatistics", "uptime", (json_int_t)time(NULL) - calls->started_s,
		       "managedsessions", calls->offered, "rejectedsessions", calls->refused,
		       "relayedpackets", fast + slow, "relayedpackets_kernel", fast);
	json_decref(stats);
	if (!js || json_object_set_new(reply, "statistics", js)) {
		*why = "Out of memory";
		return -ENOMEM;
	}
	return 0;
}
