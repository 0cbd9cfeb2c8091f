/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients may know of calls, in the shape that the protocol has for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/ng/calls.h"
#include "userspace/session/traffic.h"

#define LIST_LIMIT 32

/* Keys here are ASCII, and so are addresses: jansson need not look. */
static int put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new_nocheck(object, key, value);
}

static int put_text(json_t *object, const char *key, const char *text)
{
	return put(object, key, json_string_nocheck(text));
}

static int put_number(json_t *object, const char *key, json_int_t value)
{
	return put(object, key, json_integer(value));
}

static json_t *show_endpoint(const struct tandem_endpoint *ep)
{
	char address[TANDEM_ENDPOINT_STRLEN];
	json_t *js = json_object();

	put_text(js, "family", tandem_ip_family(&ep->ip) == AF_INET ? "IPv4" : "IPv6");
	put_text(js, "address", tandem_ip_format(&ep->ip, address, sizeof(address)));
	put_number(js, "port", ep->port);
	return js;
}

struct counts {
	uint64_t packets, octets, errors;
};

static json_t *show_counts(const struct counts *c)
{
	json_t *js = json_object();

	put_number(js, "packets", (json_int_t)c->packets);
	put_number(js, "bytes", (json_int_t)c->octets);
	put_number(js, "errors", (json_int_t)c->errors);
	return js;
}

/* One flow of a party: what it sends to one port of the relay. */
static json_t *show_flow(const struct tandem_traffic_flow *flow)
{
	const struct counts c = { flow->packets, flow->octets, flow->dropped };
	json_t *js = json_object(), *flags = json_array();
	char address[TANDEM_ENDPOINT_STRLEN];

	put_number(js, "local port", flow->local.port);
	put_text(js, "local address", tandem_ip_format(&flow->local.ip, address, sizeof(address)));
	if (flow->remote.port)
		put(js, "endpoint", show_endpoint(&flow->remote));
	put(js, "stats", show_counts(&c));
	put_text(js, "datapath", flow->datapath);
	json_array_append_new(flags, json_string_nocheck(flow->rtcp ? "RTCP" : "RTP"));
	put(js, "flags", flags);
	return js;
}

static json_t *show_flows(const struct tandem_traffic *t, size_t media, int party)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->flow_count; i++) {
		const struct tandem_traffic_flow *flow = &t->flows[i];

		if (flow->media == media && (int)flow->from == party)
			json_array_append_new(list, show_flow(flow));
	}
	return list;
}

static json_t *show_media(const struct tandem_traffic *t, int party)
{
	json_t *list = json_array(), *js;
	size_t i;

	for (i = 0; i < t->media_count; i++) {
		js = json_object();
		put_number(js, "index", (json_int_t)i + 1);
		put(js, "type", json_string(t->media_type[i]));
		put(js, "streams", show_flows(t, i, party));
		json_array_append_new(list, js);
	}
	return list;
}

/* Tags are bytes (RFC 3261 25.1), and here they have to be text. */
static json_t *show_tag(const char *tag)
{
	json_t *js = json_string(tag);

	return js ? js : json_string("?");
}

static int add_tag(json_t *tags, const struct tandem_traffic *t, int party)
{
	const char *other = t->tag[!party];
	json_t *js, *tag;
	int err;

	if (!t->tag[party])
		return 0;
	js = json_object();
	tag = show_tag(t->tag[party]);
	err = put(tags, json_string_value(tag), js) | put(js, "tag", tag) |
	      put_number(js, "created", t->started_s) | put(js, "medias", show_media(t, party));
	return other ? err | put(js, "in dialogue with", show_tag(other)) : err;
}

/* Of RTP, and of RTCP alone. */
static void add_totals(struct counts sums[2], const struct tandem_traffic *t)
{
	size_t i;

	for (i = 0; i < t->flow_count; i++) {
		struct counts *sum = &sums[t->flows[i].rtcp];

		sum->packets += t->flows[i].packets;
		sum->octets += t->flows[i].octets;
		sum->errors += t->flows[i].dropped;
	}
}

static json_t *show_totals(const struct counts sums[2])
{
	json_t *js = json_object();

	put(js, "RTP", show_counts(&sums[0]));
	put(js, "RTCP", show_counts(&sums[1]));
	return js;
}

/* By SSRC, with the quality where it is known; times in ms, as whole numbers. */
static void add_ssrcs(json_t *js, const struct tandem_traffic *t)
{
	json_t *one, *mos;
	char key[16];
	size_t i;

	for (i = 0; i < t->stream_count; i++) {
		const struct tandem_traffic_stream *st = &t->streams[i];

		one = json_object();
		put_number(one, "packets", (json_int_t)st->packets);
		put_number(one, "lost", (json_int_t)st->lost);
		put_number(one, "jitter", (json_int_t)st->jitter_ms);
		if (st->mos > 0) { /* tenths, as the protocol has no fractions */
			mos = json_object();
			put_number(mos, "MOS", (json_int_t)(st->mos * 10 + 0.5));
			put(one, "average MOS", mos);
		}
		snprintf(key, sizeof(key), "%lu", (unsigned long)st->ssrc);
		put(js, key, one);
	}
}

/* What is told of one session, or of several together. */
struct description {
	json_t *tags, *ssrcs;
	struct counts sums[2];
	json_int_t created; /* the earliest; 0: none yet */
};

static int add_session(struct tandem_ng_calls *calls, const char *name, struct description *d)
{
	struct tandem_traffic t;
	int err = tandem_session_traffic(calls->sessions, name, &t);

	if (err)
		return err;
	if (add_tag(d->tags, &t, TANDEM_PARTY_A) | add_tag(d->tags, &t, TANDEM_PARTY_B))
		err = -ENOMEM;
	add_totals(d->sums, &t);
	add_ssrcs(d->ssrcs, &t);
	if (!d->created || t.started_s < d->created)
		d->created = t.started_s;
	tandem_traffic_clean(&t);
	return err;
}

/* What is in it goes into the reply, unless it could not be told. Returns that error, or its own. */
static int put_description(const struct description *d, int err, json_t *reply)
{
	if (err) {
		json_decref(d->tags);
		json_decref(d->ssrcs);
		return err;
	}
	return put(reply, "tags", d->tags) | put(reply, "SSRC", d->ssrcs) |
			       put(reply, "totals", show_totals(d->sums)) |
			       put_number(reply, "created", d->created)
		       ? -ENOMEM
		       : 0;
}

int tandem_ng_describe(struct tandem_ng_calls *calls, const char *name, json_t *reply)
{
	struct description d = { .tags = json_object(), .ssrcs = json_object() };
	int err = add_session(calls, name, &d);

	return put_description(&d, err, reply);
}

/* Branches and subscriptions are of the call, too. */
static int describe_call(struct tandem_ng_calls *calls, const char *call_id, json_t *reply)
{
	struct tandem_sessions *ss = calls->sessions;
	struct description d = { .tags = json_object(), .ssrcs = json_object() };
	const char *name = tandem_session_first(ss, TANDEM_OWNER_NG, call_id);
	int err = name ? 0 : -ENOENT;

	for (; name && !err; name = tandem_session_next(ss, TANDEM_OWNER_NG, call_id, name))
		err = add_session(calls, name, &d);
	return put_description(&d, err, reply);
}

int tandem_ng_query(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		    const char **why)
{
	enum tandem_party_id party;
	const char *name = p->from_tag ? tandem_ng_session(calls, p, &party) : NULL;
	int err = -ENOENT;

	if (name)
		err = tandem_ng_describe(calls, name, reply);
	else if (!p->from_tag)
		err = describe_call(calls, p->call_id, reply);
	if (err)
		*why = err == -ENOENT ? "Unknown call-id" : "Out of memory";
	return err;
}

static bool is_own(const json_t *session)
{
	return !strcmp(json_string_value(json_object_get(session, "owner")),
		       tandem_owner_name(TANDEM_OWNER_NG));
}

static bool is_listed(const json_t *list, const json_t *call_id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		if (json_equal(one, call_id))
			return true;
	}
	return false;
}

int tandem_ng_list(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		   const char **why)
{
	json_t *list = json_array(), *all = tandem_sessions_json(calls->sessions), *s;
	size_t i;

	(void)p;
	json_array_foreach (json_object_get(all, "sessions"), i, s) {
		const json_t *call_id = json_object_get(s, "call_id");

		/* a call may have several: branches, subscriptions */
		if (json_array_size(list) < LIST_LIMIT && is_own(s) && !is_listed(list, call_id))
			json_array_append(list, json_object_get(s, "call_id"));
	}
	json_decref(all);
	if (!all || json_object_set_new(reply, "calls", list)) {
		*why = "Out of memory";
		return -ENOMEM;
	}
	return 0;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
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
