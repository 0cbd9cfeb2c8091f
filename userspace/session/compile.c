/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/compile.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

uint64_t tandem_flow_id(const struct tandem_session *s, size_t media, enum tandem_party_id from,
			enum tandem_component comp)
{
	uint8_t generation = s->agreed.v[media].leg[from].generation;

	return s->number << 16 | (uint64_t)generation << 8 | (uint64_t)media << 2 |
	       (uint64_t)from << 1 | comp;
}

uint64_t tandem_flow_id_session(uint64_t id)
{
	return id >> 16;
}

size_t tandem_flow_id_media(uint64_t id)
{
	return (id >> 2) & 0x3f;
}

enum tandem_party_id tandem_flow_id_from(uint64_t id)
{
	return (id >> 1) & 1;
}

enum tandem_component tandem_flow_id_component(uint64_t id)
{
	return id & 1;
}

static bool is_event(const struct tandem_codec *c)
{
	return !strcasecmp(c->name, "telephone-event");
}

/* If there are more than fit, digits must not be among those that are left out. */
static void compile_pts(const struct tandem_leg *leg, struct pt_list *pts)
{
	size_t i, n = 0;

	for (i = 0; i < leg->codec_count; i++) {
		const struct tandem_codec *c = &leg->codecs[i];

		if (!c->clock_hz)
			continue;
		if (n == TANDEM_MAX_PTS) {
			if (!is_event(c))
				continue;
			n--;
		}
		pts->pt[n] = c->pt;
		pts->clock_hz[n++] = c->clock_hz;
	}
}

/* What leaves for a party whose keys are not there yet would leave in the clear. */
static bool is_keyed(const struct tandem_leg *leg)
{
	return leg->secure.kind < TANDEM_PROTECT_SDES ||
	       (leg->secure.in.suite && leg->secure.out.suite);
}

static void compile_egress(const struct tandem_leg *to, const struct tandem_sessions_config *cfg,
			   enum tandem_component comp, struct tandem_egress *egress)
{
	const struct tandem_endpoint *remote = tandem_leg_endpoint(to, comp);

	if (!remote->port || tandem_ip_is_any(&remote->ip))
		return;
	egress->flags = EGRESS_F_ACTIVE;
	egress->local = cfg->locals[to->local].ip;
	egress->local_port = htons(to->port + comp);
	egress->remote = remote->ip;
	egress->remote_port = htons(remote->port);
}

/* Where media is secured a source has to prove itself by the keys, so they have to be there. */
static bool may_learn(const struct tandem_media *m, enum tandem_party_id from,
		      enum tandem_component comp)
{
	const struct tandem_leg *leg = &m->leg[from];

	return leg->learn[comp].until_ms && (leg->secure.kind < TANDEM_PROTECT_SDES ||
					     (is_keyed(leg) && is_keyed(&m->leg[!from])));
}

static uint32_t compile_flags(const struct tandem_media *m, enum tandem_party_id from,
			      enum tandem_component comp, const struct tandem_sessions_config *cfg)
{
	uint32_t flags = 0;

	if (comp == TANDEM_RTCP)
		flags |= RULE_F_RTCP;
	else if (cfg->strict_payload_types)
		flags |= RULE_F_STRICT_PT;
	if (m->srtp)
		flags |= RULE_F_SRTP;
	if (m->leg[!from].mute)
		flags |= RULE_F_MUTE;
	if (may_learn(m, from, comp))
		flags |= RULE_F_LEARN;
	if (m->leg[from].secure.wire)
		flags |= RULE_F_DTLS;
	if (m->leg[from].secure.wire && tandem_wire_has_ice(m->leg[from].secure.wire))
		flags |= RULE_F_ICE;
	return flags;
}

static void compile_keys(const struct tandem_leg *from, const struct tandem_leg *to,
			 struct tandem_flow_spec *spec)
{
	if (from->secure.in.suite)
		spec->srtp_in = &from->secure.in;
	if (from->secure.in_old.suite)
		spec->srtp_in_old = &from->secure.in_old;
	if (to->secure.out.suite)
		spec->srtp_out = &to->secure.out;
}

/* RTCP on a port of its own would need a handshake of its own (RFC 5764 4.2): there is none. */
static bool has_rtcp(const struct tandem_leg *leg)
{
	return leg->mux || leg->secure.kind != TANDEM_PROTECT_DTLS;
}

static bool compile_flow(const struct tandem_session *s, size_t media, enum tandem_party_id from,
			 enum tandem_component comp, const struct tandem_sessions_config *cfg,
			 struct tandem_flow_spec *spec)
{
	const struct tandem_media *m = &s->agreed.v[media];
	const struct tandem_leg *leg = &m->leg[from], *to = &m->leg[!from];
	const struct tandem_endpoint *remote = tandem_leg_endpoint(leg, comp);
	bool open = is_keyed(leg) && is_keyed(to);

	memset(spec, 0, sizeof(*spec));
	spec->id = tandem_flow_id(s, media, from, comp);
	spec->media_id = tandem_flow_id(s, media, from, TANDEM_RTP);
	spec->reverse_id = tandem_flow_id(s, media, !from, TANDEM_RTP);
	spec->flags = compile_flags(m, from, comp, cfg);
	if (remote->port && !tandem_ip_is_any(&remote->ip)) {
		spec->key.remote = remote->ip;
		spec->key.remote_port = htons(remote->port);
	} else if (comp == TANDEM_RTCP) {
		return false; /* this party does no RTCP */
	}
	spec->key.local = cfg->locals[leg->local].ip;
	spec->key.local_port = htons(leg->port + comp);
	if (comp == TANDEM_RTP && open)
		compile_egress(to, cfg, comp, &spec->egress[EGRESS_RTP]);
	if ((comp == TANDEM_RTCP || leg->mux) && open && has_rtcp(to))
		compile_egress(to, cfg, to->mux ? TANDEM_RTP : TANDEM_RTCP,
			       &spec->egress[EGRESS_RTCP]);
	if (open)
		compile_keys(leg, to, spec);
	if (comp == TANDEM_RTP)
		compile_pts(leg, &spec->pts);
	return comp == TANDEM_RTP || spec->egress[EGRESS_RTCP].flags;
}

size_t tandem_compile(const struct tandem_session *s, const struct tandem_sessions_config *cfg,
		      struct tandem_flow_spec *specs)
{
	size_t i, n = 0;
	int from;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		for (from = 0; from < 2 && m->active; from++) {
			n += compile_flow(s, i, from, TANDEM_RTP, cfg, &specs[n]);
			if (!m->leg[from].mux && has_rtcp(&m->leg[from]))
				n += compile_flow(s, i, from, TANDEM_RTCP, cfg, &specs[n]);
		}
	}
	return n;
}
