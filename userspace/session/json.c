/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions as the local API shows them; docs/api.md gives the shapes. */
#include <stdio.h>
#include <string.h>

#include "userspace/session/counts.h"
#include "userspace/session/snapshot.h"

static const char *kind_name(const struct tandem_flow_view *v)
{
	if (v->comp == TANDEM_RTCP)
		return "rtcp";
	return v->leg->mux ? "mux" : "rtp";
}

static json_t *show_flow(const struct tandem_flow_view *v)
{
	const struct tandem_flow_spec *spec = v->spec;
	const struct tandem_egress *egress =
		&spec->egress[v->comp == TANDEM_RTCP ? EGRESS_RTCP : EGRESS_RTP];
	const char *datapath = v->known && v->stats.datapath ? v->stats.datapath : "none";
	const char *reason = v->known ? v->stats.reason : "not installed";
	char id[20];
	json_t *js;

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)spec->id);
	js = json_pack(
		"{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:b}", "id", id, "from",
		v->from ? "b" : "a", "kind", kind_name(v), "media", (json_int_t)v->media_index,
		"local", tandem_json_addr(&spec->key.local, spec->key.local_port), "remote",
		tandem_json_addr(&spec->key.remote, spec->key.remote_port), "egress_local",
		tandem_json_addr(&egress->local, egress->local_port), "egress_remote",
		tandem_json_addr(&egress->remote, egress->remote_port), "offload", datapath,
		"reason", reason ? reason : "", "learning", (spec->flags & RULE_F_LEARN) != 0,
		"muted", (spec->flags & RULE_F_MUTE) != 0);
	if (js && tandem_json_flow_counts(js, &v->stats)) {
		json_decref(js);
		return NULL;
	}
	return js;
}

static json_t *show_flows(const struct tandem_snapshot *snap)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < snap->n; i++) {
		if (json_array_append_new(list, show_flow(&snap->flows[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *show_codecs(const struct tandem_leg *leg)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		const struct tandem_codec *c = &leg->codecs[i];

		json_array_append_new(list,
				      json_pack("{s:i, s:o, s:I}", "pt", c->pt, "codec",
						*c->name ? tandem_json_text(c->name) : json_null(),
						"clock_hz", (json_int_t)c->clock_hz));
	}
	return list;
}

static json_t *show_leg(const struct tandem_sessions *ss, const struct tandem_leg *leg,
			uint8_t acts)
{
	struct tandem_endpoint relay = { 0 };

	if (leg->local != TANDEM_LOCAL_NONE) {
		relay.ip = ss->cfg.locals[leg->local].ip;
		relay.port = leg->port;
	}
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:o, s:o}",
		"relay", tandem_json_endpoint(&relay), "rtp",
		tandem_json_endpoint(&leg->remote[TANDEM_RTP]), "rtcp",
		tandem_json_endpoint(&leg->remote[TANDEM_RTCP]), "learned_rtp",
		tandem_json_endpoint(&leg->learn[TANDEM_RTP].locked), "learned_rtcp",
		tandem_json_endpoint(&leg->learn[TANDEM_RTCP].locked), "sends", leg->sends, "hold",
		leg->hold, "rtcp_mux", leg->mux, "blocked", (acts & TANDEM_ACT_BLOCK) != 0,
		"silenced", (acts & TANDEM_ACT_SILENCE) != 0, "dtmf_blocked",
		(acts & TANDEM_ACT_BLOCK_DTMF) != 0, "forwarded", (acts & TANDEM_ACT_FORWARD) != 0,
		"transport", (json_int_t)leg->transport, "security",
		tandem_secure_json(ss, &leg->secure), "codecs", show_codecs(leg));
}

static json_t *show_media(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	json_t *list = json_array(), *js;
	size_t i;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		js = json_pack(
			"{s:I, s:o, s:b, s:b, s:b, s:b, s:o, s:o}", "index", (json_int_t)i, "type",
			tandem_json_text(m->type), "relayed", m->anchored, "active", m->active,
			"rtcp_mux", m->leg[TANDEM_PARTY_A].mux && m->leg[TANDEM_PARTY_B].mux,
			"srtp", m->srtp, "a",
			show_leg(ss, &m->leg[TANDEM_PARTY_A], tandem_acts_of(s, TANDEM_PARTY_A, i)),
			"b",
			show_leg(ss, &m->leg[TANDEM_PARTY_B],
				 tandem_acts_of(s, TANDEM_PARTY_B, i)));
		if (json_array_append_new(list, js)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *show_tags(const struct tandem_session *s)
{
	const char *a = s->tag[TANDEM_PARTY_A], *b = s->tag[TANDEM_PARTY_B];

	return json_pack("{s:o, s:o}", "a", a ? tandem_json_text(a) : json_null(), "b",
			 b ? tandem_json_text(b) : json_null());
}

static json_t *show_summary(const struct tandem_sessions *ss, const struct tandem_snapshot *snap)
{
	const struct tandem_session *s = snap->session;
	int64_t age_ms = ss->env.epoch_ms(ss->env.arg) - s->started_ms;
	char verdict[TANDEM_VERDICT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:s, s:I, s:I, s:s, s:s, s:s}", "id",
			 s->id, "owner", tandem_owner_name(s->owner), "call_id", s->call_id,
			 "branch", s->branch, "tags", show_tags(s), "from",
			 tandem_json_text(s->from_uri), "to", tandem_json_text(s->to_uri), "state",
			 tandem_session_state_name(tandem_session_state(s)), "started",
			 (json_int_t)(s->started_ms / 1000), "duration_s",
			 (json_int_t)(age_ms > 0 ? age_ms / 1000 : 0), "verdict",
			 tandem_snapshot_verdict(snap, verdict, sizeof(verdict)), "datapath",
			 ss->env.name(ss->plane), "offload", tandem_snapshot_offload(snap));
}

json_t *tandem_sessions_json(struct tandem_sessions *ss)
{
	json_t *list = json_array();
	struct tandem_snapshot snap;
	struct tandem_session *s;
	int err = list ? 0 : -1;

	for (s = ss->first; s && !err; s = s->next) {
		err = tandem_snapshot_init(&snap, ss, s);
		if (!err)
			err = json_array_append_new(list, show_summary(ss, &snap));
		tandem_snapshot_clean(&snap);
	}
	if (err) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "sessions", list);
}

json_t *tandem_session_json(struct tandem_sessions *ss, const char *id_or_call_id)
{
	const struct tandem_session *s = tandem_sessions_by_text(ss, id_or_call_id);
	struct tandem_snapshot snap;
	json_t *js;

	if (!s || tandem_snapshot_init(&snap, ss, s))
		return NULL;
	js = show_summary(ss, &snap);
	if (js && (json_object_set_new(js, "media", show_media(ss, s)) |
		   json_object_set_new(js, "flows", show_flows(&snap)) |
		   json_object_set_new(js, "streams", tandem_snapshot_streams(&snap)))) {
		json_decref(js);
		js = NULL;
	}
	tandem_snapshot_clean(&snap);
	return js;
}

static json_t *show_counters(const struct reason_counters *counters)
{
	json_t *js = json_object();
	size_t i;

	for (i = 0; i < REASON_COUNT; i++) {
		if (counters->packets[i])
			json_object_set_new(js, tandem_reason_name(i),
					    json_integer(counters->packets[i]));
	}
	return js;
}

json_t *tandem_sessions_stats_json(struct tandem_sessions *ss)
{
	struct reason_counters fast = { 0 }, slow = { 0 };

	if (ss->env.counters(ss->plane, &fast, &slow)) {
		fast = (struct reason_counters){ 0 };
		slow = (struct reason_counters){ 0 };
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "datapath", ss->env.name(ss->plane),
			 "description", ss->env.describe(ss->plane), "sessions",
			 (json_int_t)ss->count, "fast", show_counters(&fast), "slow",
			 show_counters(&slow), "dtls", tandem_wires_json(&ss->wires));
}
