/* SPDX-License-Identifier: GPL-2.0-only */
/* What is left to say of a session that is over, before its flows and their counts go. */
#include "userspace/session/report.h"

#include <stdio.h>
#include <string.h>

#include "userspace/session/snapshot.h"

static json_t *codec_names(const struct tandem_leg *leg)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		if (*leg->codecs[i].name)
			json_array_append_new(list, tandem_json_text(leg->codecs[i].name));
	}
	return list;
}

static json_t *leg_report(const struct tandem_media *m, const struct tandem_leg *leg)
{
	const struct tandem_srtp *srtp = leg->secure.rtp.in.suite ? &leg->secure.rtp.in
								  : &leg->secure.rtp.out;
	const char *security = tandem_protection_name(leg->secure.kind);

	/* keys that pass from end to end */
	if (leg->secure.kind == TANDEM_PROTECT_PASS)
		security = m->srtp ? "end-to-end" : "none";
	return json_pack("{s:s, s:o, s:o}", "security", security, "suite",
			 srtp->suite ? json_string(tandem_sdes_suite_name(srtp->suite))
				     : json_null(),
			 "codecs", codec_names(leg));
}

static json_t *media_report(const struct tandem_session *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		json_array_append_new(list,
				      json_pack("{s:o, s:b, s:b, s:o, s:o}", "type",
						tandem_json_text(m->type), "active", m->active,
						"relayed", m->anchored, "caller",
						leg_report(m, &m->leg[TANDEM_PARTY_A]), "callee",
						leg_report(m, &m->leg[TANDEM_PARTY_B])));
	}
	return list;
}

static json_int_t sum_of(const json_t *streams, const char *from, const char *key)
{
	json_int_t sum = 0;
	const json_t *st;
	size_t i;

	json_array_foreach (streams, i, st) {
		if (!strcmp(json_string_value(json_object_get(st, "from")), from))
			sum += json_integer_value(json_object_get(st, key));
	}
	return sum;
}

/* The stream with the most packets speaks for its side. */
static const json_t *main_stream(const json_t *streams, const char *from)
{
	const json_t *st, *best = NULL;
	json_int_t packets, most = -1;
	size_t i;

	json_array_foreach (streams, i, st) {
		packets = json_integer_value(json_object_get(st, "packets"));
		if (strcmp(json_string_value(json_object_get(st, "from")), from) || packets <= most)
			continue;
		best = st;
		most = packets;
	}
	return best;
}

static json_t *side_report(const json_t *streams, const char *from)
{
	static const char *const keys[] = { "codec",	     "loss_percent",  "jitter_ms",
					    "jitter_max_ms", "rtt_ms",	      "rtt_max_ms",
					    "mos",	     "reported_lost", "reordered",
					    "duplicates" };
	const json_t *st = main_stream(streams, from);
	json_t *js = json_pack("{s:I, s:I, s:I}", "packets", sum_of(streams, from, "packets"),
			       "octets", sum_of(streams, from, "octets"), "lost",
			       sum_of(streams, from, "lost"));
	size_t i;

	for (i = 0; st && i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set(js, keys[i], json_object_get(st, keys[i]));
	return js;
}

/* How much of what was forwarded the fast path has forwarded; null: nothing was. */
static json_t *offload_share(const struct tandem_snapshot *snap)
{
	uint64_t fast = 0, slow = 0;
	size_t i;

	for (i = 0; i < snap->n; i++) {
		fast += snap->flows[i].stats.fast_packets;
		slow += snap->flows[i].stats.slow_packets;
	}
	if (!(fast + slow))
		return json_null();
	return json_real((double)(uint64_t)(10000.0 * fast / (fast + slow)) / 100);
}

json_t *tandem_session_report(struct tandem_sessions *ss, const struct tandem_session *s)
{
	char verdict[TANDEM_VERDICT_SIZE];
	struct tandem_snapshot snap;
	json_t *streams, *js = NULL;

	if (tandem_snapshot_init(&snap, ss, s))
		return NULL;
	streams = tandem_snapshot_streams(&snap);
	if (streams)
		js = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "verdict",
			       tandem_snapshot_verdict(&snap, verdict, sizeof(verdict)), "datapath",
			       ss->env.name(ss->plane), "offload", tandem_snapshot_offload(&snap),
			       "offload_percent", offload_share(&snap), "media", media_report(s),
			       "from_caller", side_report(streams, "a"), "from_callee",
			       side_report(streams, "b"));
	json_decref(streams);
	tandem_snapshot_clean(&snap);
	return js;
}
