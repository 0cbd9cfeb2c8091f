/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards as the local API shows them; docs/api.md gives the shapes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "userspace/session/counts.h"
#include "userspace/session/forward.h"

/* A forward with its counters, read once. */
struct view {
	const struct tandem_forward *f;
	struct tandem_flow_stats stats[TANDEM_FORWARD_FLOWS];
	bool known[TANDEM_FORWARD_FLOWS]; /* the plane has it; else stats is zero */
	struct tandem_leg_stats *legs[TANDEM_FORWARD_FLOWS];
	size_t leg_count[TANDEM_FORWARD_FLOWS];
};

static void view_clean(struct view *v)
{
	size_t i;

	for (i = 0; i < TANDEM_FORWARD_FLOWS; i++)
		free(v->legs[i]);
	free(v);
}

static struct view *view_alloc(struct tandem_sessions *ss, const struct tandem_forward *f,
			       bool with_legs)
{
	struct view *v = calloc(1, sizeof(*v));
	size_t i, max;

	if (!v)
		return NULL;
	v->f = f;
	for (i = 0; i < f->flows.n; i++) {
		const struct tandem_flow_spec *spec = &f->flows.specs[i];

		v->known[i] = !ss->env.read(ss->plane, spec->id, &v->stats[i]);
		if (!v->known[i])
			v->stats[i] = (struct tandem_flow_stats){ 0 };
		if (!spec->fan || !with_legs)
			continue;
		max = spec->fan->leg_count;
		v->legs[i] = calloc(max + 1, sizeof(*v->legs[i]));
		if (!v->legs[i]) {
			view_clean(v);
			return NULL;
		}
		if (ss->env.read_legs(ss->plane, spec->id, v->legs[i], max, &v->leg_count[i]))
			v->leg_count[i] = 0;
	}
	return v;
}

/* Name of the fast path when it has all of it, else why not. */
static const char *offload(const struct view *v)
{
	const char *datapath = "not installed";
	size_t i;

	for (i = 0; i < v->f->flows.n; i++) {
		const struct tandem_flow_stats *stats = &v->stats[i];

		if (!v->known[i])
			return "not installed";
		if (!stats->offloaded)
			return stats->reason && *stats->reason ? stats->reason : stats->datapath;
		datapath = stats->datapath;
	}
	return datapath;
}

/* A group without a port, or without any source, has more to say than an endpoint can. */
static json_t *show_source(const struct tandem_endpoint *from)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	if (tandem_ip_is_any(&from->ip))
		return json_null();
	if (!from->port)
		return json_string(tandem_ip_format(&from->ip, text, sizeof(text)));
	return tandem_json_endpoint(from);
}

static json_t *show_rtcp(const struct tandem_forward_spec *spec)
{
	if (!spec->rtcp)
		return json_null();
	return json_pack("{s:o, s:o}", "from", show_source(&spec->rtcp_from), "to",
			 tandem_json_endpoint(&spec->rtcp_to));
}

static json_t *show_summary(struct tandem_sessions *ss, const struct view *v)
{
	const struct tandem_forward *f = v->f;
	int64_t age_ms = ss->env.epoch_ms(ss->env.arg) - f->started_ms;
	uint64_t copies = v->stats[0].flow.packets;

	return json_pack(
		"{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:s}", "name", f->spec.name, "id",
		f->id, "from", show_source(&f->spec.from), "to", tandem_json_endpoint(&f->spec.to),
		"leg_count", (json_int_t)f->spec.leg_count, "started",
		(json_int_t)(f->started_ms / 1000), "duration_s",
		(json_int_t)(age_ms > 0 ? age_ms / 1000 : 0), "packets", (json_int_t)copies,
		"dropped", (json_int_t)v->stats[0].flow.dropped, "offload", offload(v));
}

json_t *tandem_forwards_json(struct tandem_sessions *ss)
{
	json_t *list = json_array();
	const struct tandem_forward *f;
	struct view *v;
	int err = list ? 0 : -1;

	for (f = ss->forwards; f && !err; f = f->next) {
		v = view_alloc(ss, f, false);
		err = v ? json_array_append_new(list, show_summary(ss, v)) : -1;
		if (v)
			view_clean(v);
	}
	if (err) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "forwards", list);
}

/* ---- one forward ---- */

static const struct tandem_leg_stats *find_leg(const struct view *v, size_t flow, uint32_t id)
{
	size_t i;

	for (i = 0; flow < TANDEM_FORWARD_FLOWS && i < v->leg_count[flow]; i++) {
		if (v->legs[flow][i].id == id)
			return &v->legs[flow][i];
	}
	return NULL;
}

/* Of a one-to-one flow the counts are those of the only leg, too. */
static struct tandem_leg_stats flow_as_leg(const struct view *v, bool rtcp)
{
	const struct tandem_flow_state *rtp = &v->stats[0].flow, *own = &v->stats[1].flow;

	if (rtcp && v->f->spec.rtcp)
		return (struct tandem_leg_stats){ .packets = own->packets, .octets = own->octets };
	if (rtcp)
		return (struct tandem_leg_stats){ .packets = rtp->rtcp_packets };
	return (struct tandem_leg_stats){ .packets = rtp->packets - rtp->rtcp_packets,
					  .octets = rtp->octets };
}

static struct tandem_leg_stats leg_stats(const struct view *v, uint32_t id, bool rtcp)
{
	size_t flow = rtcp && v->f->spec.rtcp ? 1 : 0;
	const struct tandem_leg_stats *found = find_leg(v, flow, id);

	if (found)
		return *found;
	if (flow < v->f->flows.n && v->f->flows.specs[flow].fan)
		return (struct tandem_leg_stats){ 0 };
	return flow_as_leg(v, rtcp);
}

static int add_leg_counts(json_t *js, const struct tandem_leg_stats *stats)
{
	const char *reason = stats->lost ? tandem_reason_name(stats->last_reason) : NULL;

	return json_object_set_new(js, "packets", json_integer((json_int_t)stats->packets)) |
	       json_object_set_new(js, "octets", json_integer((json_int_t)stats->octets)) |
	       json_object_set_new(js, "lost", json_integer((json_int_t)stats->lost)) |
	       json_object_set_new(js, "last_reason", reason ? json_string(reason) : json_null());
}

static json_t *show_ssrc(uint32_t ssrc)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", ssrc);
	return json_string(text);
}

/* "for": what comes this way. */
static json_t *show_for(const struct tandem_forward_rule *rule)
{
	if (rule->flags & BRANCH_F_RTCP)
		return json_string("rtcp");
	return rule->flags & BRANCH_F_ANY ? json_string("any") : show_ssrc(rule->ssrc);
}

static json_t *show_leg(const struct view *v, const struct tandem_forward_rule *rule,
			const struct tandem_forward_leg *leg)
{
	struct tandem_leg_stats stats = leg_stats(v, leg->id, (rule->flags & BRANCH_F_RTCP) != 0);
	bool twin = leg->rtcp;
	json_t *js, *rtcp;
	uint32_t i;

	for (i = 0; i < v->f->spec.rule_count; i++)
		twin &= !(v->f->spec.rules[i].flags & BRANCH_F_RTCP);
	js = json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)leg->id, "for",
		       show_for(rule), "from", tandem_json_endpoint(&leg->from), "to",
		       tandem_json_endpoint(&leg->to), "srtp", tandem_forward_suite(&leg->srtp));
	if (!js || add_leg_counts(js, &stats))
		goto fail;
	if (!twin)
		return js;
	stats = leg_stats(v, leg->id | TANDEM_FORWARD_RTCP_TWIN, true);
	rtcp = json_object();
	if (!rtcp || add_leg_counts(rtcp, &stats) | json_object_set(js, "rtcp", rtcp)) {
		json_decref(rtcp);
		goto fail;
	}
	json_decref(rtcp);
	return js;
fail:
	json_decref(js);
	return NULL;
}

static json_t *show_legs(const struct view *v)
{
	const struct tandem_forward_spec *spec = &v->f->spec;
	json_t *list = json_array();
	uint32_t i, k;

	for (i = 0; i < spec->rule_count; i++) {
		const struct tandem_forward_rule *rule = &spec->rules[i];

		for (k = 0; k < rule->count; k++) {
			if (json_array_append_new(
				    list, show_leg(v, rule, &spec->legs[rule->first + k]))) {
				json_decref(list);
				return NULL;
			}
		}
	}
	return list;
}

static json_t *show_flow(const struct view *v, size_t i)
{
	const struct tandem_flow_spec *spec = &v->f->flows.specs[i];
	const struct tandem_endpoint *from = i ? &v->f->spec.rtcp_from : &v->f->spec.from;
	const char *reason = v->known[i] ? v->stats[i].reason : "not installed";
	const char *datapath = v->known[i] && v->stats[i].datapath ? v->stats[i].datapath : "none";
	char id[20];
	json_t *js;

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)spec->id);
	js = json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:b}", "id", id, "kind",
		       i ? "rtcp" : (v->f->spec.mux ? "mux" : "rtp"), "local",
		       tandem_json_addr(&spec->key.local, spec->key.local_port), "remote",
		       show_source(from), "offload", datapath, "reason", reason ? reason : "",
		       "muted", (spec->flags & RULE_F_MUTE) != 0);
	if (js && tandem_json_flow_counts(js, &v->stats[i])) {
		json_decref(js);
		return NULL;
	}
	return js;
}

static json_t *show_flows(const struct view *v)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < v->f->flows.n; i++) {
		if (json_array_append_new(list, show_flow(v, i))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static const char *codec_name(const struct tandem_forward_spec *spec, uint8_t pt)
{
	size_t i;

	for (i = 0; i < TANDEM_MAX_PTS && spec->pts.clock_hz[i]; i++) {
		if (spec->pts.pt[i] == pt && *spec->codecs[i])
			return spec->codecs[i];
	}
	return NULL;
}

static json_t *show_stream(const struct view *v, const struct tandem_stream *st)
{
	const char *codec = codec_name(&v->f->spec, st->pt);
	json_t *js = json_pack("{s:o, s:i, s:o, s:I}", "ssrc", show_ssrc(st->ssrc), "pt", st->pt,
			       "codec", codec ? tandem_json_text(codec) : json_null(), "clock_hz",
			       (json_int_t)st->clock_hz);

	if (js && tandem_json_stream_counts(js, st) |
			  json_object_set_new(js, "bye", json_boolean(st->bye))) {
		json_decref(js);
		return NULL;
	}
	return js;
}

static json_t *show_streams(const struct view *v)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < v->stats[0].stream_count; i++) {
		if (json_array_append_new(list, show_stream(v, &v->stats[0].streams[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *tandem_forward_json(struct tandem_sessions *ss, const char *name)
{
	const struct tandem_forward *f = tandem_forward_find(ss, name);
	struct view *v = f ? view_alloc(ss, f, true) : NULL;
	json_t *js;

	if (!v)
		return NULL;
	js = show_summary(ss, v);
	if (js && (json_object_set_new(js, "rtcp_mux", json_boolean(f->spec.mux)) |
		   json_object_set_new(js, "rtcp", show_rtcp(&f->spec)) |
		   json_object_set_new(js, "flows", show_flows(v)) |
		   json_object_set_new(js, "legs", show_legs(v)) |
		   json_object_set_new(js, "streams", show_streams(v)) |
		   json_object_set_new(js, "srtp", tandem_forward_suite(&f->spec.srtp_in)) |
		   json_object_set_new(js, "forward", tandem_forward_shown_doc(f)))) {
		json_decref(js);
		js = NULL;
	}
	view_clean(v);
	return js;
}
