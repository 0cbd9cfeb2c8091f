/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/tap.h"

#include <errno.h>
#include <stdio.h>

#include "userspace/session/compile.h"
#include "userspace/session/forward.h"

void tandem_sessions_on_tap(struct tandem_sessions *ss, tandem_tap_wants_h *wants,
			    tandem_tap_gone_h *gone, void *arg)
{
	ss->tap.wants_h = wants;
	ss->tap.gone_h = gone;
	ss->tap.arg = arg;
}

static uint32_t ask(const struct tandem_sessions *ss, const struct tandem_tap_call *call)
{
	return ss->tap.wants_h ? ss->tap.wants_h(call, ss->tap.arg) & RULE_F_TAPS : 0;
}

uint32_t tandem_session_taps(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	const struct tandem_tap_call call = {
		.number = s->number,
		.call_id = s->call_id,
		.id = s->id,
		.name = s->name,
		.from_uri = s->from_uri,
		.to_uri = s->to_uri,
		.tag = { s->tag[0], s->tag[1] },
		.subscription = s->feeds != NULL,
		.session = s,
	};

	return ask(ss, &call);
}

uint32_t tandem_forward_taps(const struct tandem_sessions *ss, const struct tandem_forward *f)
{
	const struct tandem_tap_call call = {
		.number = f->number,
		.forward = true,
		.call_id = f->spec.name,
		.id = f->id,
		.name = f->spec.name,
		.target = f,
	};

	return ask(ss, &call);
}

void tandem_tap_gone(const struct tandem_sessions *ss, uint64_t number)
{
	if (ss->tap.gone_h)
		ss->tap.gone_h(number, ss->tap.arg);
}

uint64_t tandem_tap_number(const struct tandem_sessions *ss, const char *call)
{
	const struct tandem_session *s = tandem_sessions_by_call(ss, call);

	return s ? s->number : 0;
}

int tandem_tap_ask(struct tandem_sessions *ss, const char *call)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (!s)
		return -ENOENT;
	return tandem_session_taps(ss, s) == s->taps ? 0 : tandem_flows_sync(ss, s);
}

void tandem_sessions_retap(struct tandem_sessions *ss)
{
	struct tandem_session *s;

	for (s = ss->first; s; s = s->next) {
		if (s->installed_count && tandem_session_taps(ss, s) != s->taps)
			tandem_flows_sync(ss, s);
	}
	tandem_forwards_retap(ss);
}

static bool is_leg_at(const struct tandem_leg *leg, const struct ip_addr *ip)
{
	return tandem_ip_equal(&tandem_leg_endpoint(leg, TANDEM_RTP)->ip, ip) ||
	       tandem_ip_equal(&leg->signalling, ip);
}

static bool has_flow_at(const struct tandem_forward *f, const struct ip_addr *ip)
{
	uint32_t i;

	if (tandem_ip_equal(&f->spec.from.ip, ip))
		return true;
	for (i = 0; i < f->spec.leg_count; i++) {
		if (tandem_ip_equal(&f->spec.legs[i].to.ip, ip))
			return true;
	}
	return false;
}

bool tandem_tap_has_ip(const struct tandem_tap_call *call, const struct ip_addr *ip)
{
	const struct tandem_session *s = call->session;
	size_t i;

	if (!s)
		return has_flow_at(call->target, ip);
	for (i = 0; i < s->agreed.n; i++) {
		if (is_leg_at(&s->agreed.v[i].leg[0], ip) || is_leg_at(&s->agreed.v[i].leg[1], ip))
			return true;
	}
	return false;
}

bool tandem_tap_is_secret(const struct tandem_tap_call *call)
{
	size_t i;

	for (i = 0; call->session && i < call->session->agreed.n; i++) {
		if (call->session->agreed.v[i].active && call->session->agreed.v[i].srtp)
			return true;
	}
	return false;
}

size_t tandem_tap_codecs(const struct tandem_tap_call *call, enum tandem_party_id from,
			 size_t media, struct tandem_tap_codec *codecs, size_t max)
{
	const struct tandem_leg *leg;
	size_t i;

	if (!call->session || media >= call->session->agreed.n)
		return 0;
	leg = &call->session->agreed.v[media].leg[from];
	for (i = 0; i < leg->codec_count && i < max; i++) {
		codecs[i].pt = leg->codecs[i].pt;
		codecs[i].clock_hz = leg->codecs[i].clock_hz;
		snprintf(codecs[i].name, sizeof(codecs[i].name), "%s", leg->codecs[i].name);
	}
	return i;
}

size_t tandem_tap_media(const struct tandem_tap_call *call)
{
	return call->session ? call->session->agreed.n : 1;
}

const char *tandem_tap_media_type(const struct tandem_tap_call *call, size_t media)
{
	return call->session && media < call->session->agreed.n
		       ? call->session->agreed.v[media].type
		       : "";
}

bool tandem_tap_forwarded(const struct tandem_tap_call *call, enum tandem_party_id from,
			  size_t media)
{
	return call->session && tandem_acts_of(call->session, from, media) & TANDEM_ACT_FORWARD;
}

struct tandem_tap_flow tandem_tap_flow_of(uint64_t flow_id)
{
	const struct tandem_tap_flow flow = {
		.number = tandem_flow_id_session(flow_id),
		.from = tandem_flow_id_from(flow_id),
		.media = tandem_flow_id_media(flow_id),
		.rtcp = tandem_flow_id_component(flow_id) == TANDEM_RTCP,
	};

	return flow;
}
