/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/compile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Which payload types: for acts those of events stand in front, so that none is left out. */
enum pts_kind {
	PTS_EVENTS = 1,
	PTS_OTHERS = 2,
};

/*
 * Further payload types. If there are more than fit, digits must not be among those that are
 * left out. Returns whether some were.
 */
static bool compile_pts(const struct tandem_leg *leg, int kinds, struct pt_list *pts)
{
	bool left_out = false;
	size_t i, n = 0;

	while (n < TANDEM_MAX_PTS && pts->clock_hz[n])
		n++;
	for (i = 0; i < leg->codec_count; i++) {
		const struct tandem_codec *c = &leg->codecs[i];

		if (!c->clock_hz ||
		    !(kinds & (tandem_compile_is_event(c) ? PTS_EVENTS : PTS_OTHERS)))
			continue;
		if (n == TANDEM_MAX_PTS) {
			left_out = true;
			if (!tandem_compile_is_event(c))
				continue;
			n--;
		}
		pts->pt[n] = c->pt;
		pts->clock_hz[n++] = c->clock_hz;
	}
	return left_out;
}

static const struct tandem_leg_keys *keys_of(const struct tandem_leg *leg,
					     enum tandem_component comp)
{
	return comp == TANDEM_RTCP && leg->apart ? &leg->secure.rtcp : &leg->secure.rtp;
}

/* What leaves for a party whose keys are not there yet would leave in the clear. */
static bool is_keyed(const struct tandem_leg *leg, enum tandem_component comp)
{
	const struct tandem_leg_keys *keys = keys_of(leg, comp);

	return leg->secure.kind < TANDEM_PROTECT_SDES || (keys->in.suite && keys->out.suite);
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
static bool may_learn(const struct tandem_leg *leg, const struct tandem_leg *to,
		      enum tandem_component comp)
{
	return leg->learn[comp].until_ms && (leg->secure.kind < TANDEM_PROTECT_SDES ||
					     (is_keyed(leg, comp) && is_keyed(to, comp)));
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
	if (m->leg[from].secure.wire)
		flags |= RULE_F_DTLS;
	if (m->leg[from].secure.wire && tandem_wire_has_ice(m->leg[from].secure.wire))
		flags |= RULE_F_ICE;
	return flags;
}

static void compile_keys_in(const struct tandem_leg *from, enum tandem_component comp,
			    struct tandem_flow_spec *spec)
{
	const struct tandem_leg_keys *keys = keys_of(from, comp);

	if (keys->in.suite)
		spec->srtp_in = &keys->in;
	if (keys->in_old.suite)
		spec->srtp_in_old = &keys->in_old;
}

static void compile_keys(const struct tandem_leg *from, const struct tandem_leg *to,
			 enum tandem_component comp, struct tandem_flow_spec *spec)
{
	const struct tandem_leg_keys *keys = keys_of(to, comp);
	size_t i;

	compile_keys_in(from, comp, spec);
	if (keys->out.suite)
		spec->srtp_out = &keys->out;
	/* where packets are proven by keys, SSRCs are, too */
	if (!spec->srtp_out || spec->srtp_in)
		return;
	for (i = 0; i < TANDEM_EXPECTED && i < from->ssrc_count; i++)
		spec->expected[i] = from->ssrcs[i];
}

static bool has_rtcp(const struct tandem_leg *leg)
{
	return leg->mux || leg->secure.kind != TANDEM_PROTECT_DTLS || leg->apart;
}

/* By which component of a leg RTCP is sent. */
static enum tandem_component rtcp_of(const struct tandem_leg *to)
{
	return to->mux ? TANDEM_RTP : TANDEM_RTCP;
}

/* A transport of one party: its packets, and the media that they may be of. */
struct source {
	const struct tandem_session *s;
	const struct tandem_sessions_config *cfg;
	enum tandem_party_id from;
	size_t transport;
	size_t members[TANDEM_MEDIA_MAX];
	size_t count;
	bool split; /* they leave by several transports of the other party, or not alike */
	bool apart; /* or by one, but RTCP, that comes with RTP, under keys of its own */
};

static const struct tandem_leg *way_of(const struct source *src, size_t member)
{
	return tandem_leg_transport(&src->s->agreed, src->members[member], !src->from);
}

static uint8_t acts_of(const struct source *src, size_t member)
{
	return tandem_acts_of(src->s, src->from, src->members[member]);
}

static void find_members(struct source *src)
{
	const struct tandem_media_list *list = &src->s->agreed;
	size_t i;

	src->count = 0;
	src->split = false;
	for (i = 0; i < list->n; i++) {
		if (!list->v[i].active || list->v[i].leg[src->from].transport != src->transport)
			continue;
		src->members[src->count++] = i;
		if (way_of(src, src->count - 1) != way_of(src, 0) ||
		    acts_of(src, src->count - 1) != acts_of(src, 0))
			src->split = true;
	}
	src->apart = !src->split && list->v[src->transport].leg[src->from].mux &&
		     way_of(src, 0)->apart;
}

/* ---- packets of several media, which part ways ---- */

static bool has_way(const struct source *src, const struct tandem_leg *to, bool rtcp)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	enum tandem_component comp = rtcp ? rtcp_of(to) : TANDEM_RTP;
	const struct tandem_endpoint *remote = tandem_leg_endpoint(to, comp);

	return is_keyed(leg, TANDEM_RTP) && is_keyed(to, comp) && !to->mute && remote->port &&
	       !tandem_ip_is_any(&remote->ip) && (!rtcp || has_rtcp(to));
}

/* id: see struct tandem_fan_leg. */
static void add_leg(const struct source *src, const struct tandem_leg *to, bool rtcp, uint32_t id,
		    struct tandem_fan *fan, struct tandem_srtp *keys)
{
	struct tandem_fan_leg *leg = &fan->legs[fan->leg_count++];
	enum tandem_component comp = rtcp ? rtcp_of(to) : TANDEM_RTP;
	const struct tandem_srtp *out = &keys_of(to, comp)->out;
	uint32_t i = 0;

	leg->id = id;
	compile_egress(to, src->cfg, comp, &leg->leg.egress);
	if (!out->suite)
		return;
	leg->srtp = out->id;
	while (i < fan->key_count && keys[i].id != leg->srtp)
		i++;
	if (i == fan->key_count)
		keys[fan->key_count++] = *out;
}

/* A branch for each SSRC that is known, with at most one leg; those that are not are punted. */
static void add_ssrcs(const struct source *src, size_t member, const struct pt_list *pts,
		      struct tandem_fan *fan, struct tandem_srtp *keys)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->members[member]].leg[src->from];
	const struct tandem_leg *to = way_of(src, member);
	size_t i;

	for (i = 0; i < leg->ssrc_count && fan->branch_count < TANDEM_MAX_BRANCHES - 1; i++) {
		struct branch *branch = &fan->branches[fan->branch_count++];

		branch->ssrc = leg->ssrcs[i];
		branch->first = fan->leg_count;
		branch->count = has_way(src, to, false);
		if (!branch->count)
			continue;
		add_leg(src, to, false, (uint32_t)(src->members[member] * TANDEM_LEG_SSRCS + i),
			fan, keys);
		tandem_compile_acts(src->s, src->from, &src->members[member], 1, pts,
				    &fan->legs[branch->first].leg.egress);
	}
}

/* For all SSRCs, where nothing has to be told apart but RTCP. */
static void add_any(const struct source *src, const struct pt_list *pts, struct tandem_fan *fan,
		    struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count++];

	branch->flags = BRANCH_F_ANY;
	branch->first = fan->leg_count;
	branch->count = has_way(src, way_of(src, 0), false);
	if (!branch->count)
		return;
	add_leg(src, way_of(src, 0), false, TANDEM_MEDIA_MAX * (TANDEM_LEG_SSRCS + 1), fan, keys);
	tandem_compile_acts(src->s, src->from, src->members, src->count, pts,
			    &fan->legs[branch->first].leg.egress);
}

/*
 * RTCP goes to all transports of the other party, not where the RTP of its sender goes: behind
 * the first SSRC of a datagram, which is all that SRTCP shows, may be reports and feedback about
 * any media (RFC 8108 5; docs/secure-media.md). Of what is not theirs receivers take no notice.
 */
static void add_rtcp(const struct source *src, struct tandem_fan *fan, struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count++];
	size_t i, k;

	branch->flags = BRANCH_F_RTCP;
	branch->first = fan->leg_count;
	for (i = 0; i < src->count; i++) {
		const struct tandem_leg *to = way_of(src, i);

		for (k = 0; k < i && way_of(src, k) != to;)
			k++;
		if (k < i || !has_way(src, to, true))
			continue;
		add_leg(src, to, true, (uint32_t)(TANDEM_MEDIA_MAX * TANDEM_LEG_SSRCS + i), fan,
			keys);
		branch->count++;
	}
}

/* One piece of memory: the fan, and the keys of its legs behind them. */
static struct tandem_fan *compile_fan(const struct source *src, const struct pt_list *pts)
{
	size_t legs = src->count * (TANDEM_LEG_SSRCS + 1), i;
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]) +
						   legs * sizeof(struct tandem_srtp));
	struct tandem_srtp *keys;

	if (!fan)
		return NULL;
	keys = (struct tandem_srtp *)&fan->legs[legs];
	fan->keys = keys;
	for (i = 0; i < src->count && src->split; i++)
		add_ssrcs(src, i, pts, fan, keys);
	if (!src->split)
		add_any(src, pts, fan, keys);
	add_rtcp(src, fan, keys);
	return fan;
}

/* ---- flows ---- */

static void compile_one(const struct source *src, enum tandem_component comp,
			const struct tandem_leg *to, struct tandem_flow_spec *spec)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	bool keyed = is_keyed(leg, comp);

	if (comp == TANDEM_RTP && keyed && is_keyed(to, comp)) {
		compile_egress(to, src->cfg, comp, &spec->egress[EGRESS_RTP]);
		tandem_compile_acts(src->s, src->from, src->members, src->count, &spec->pts,
				    &spec->egress[EGRESS_RTP]);
	}
	if ((comp == TANDEM_RTCP || leg->mux) && keyed && has_rtcp(to) && is_keyed(to, TANDEM_RTCP))
		compile_egress(to, src->cfg, rtcp_of(to), &spec->egress[EGRESS_RTCP]);
	/* also while nothing may pass: what has been counted under them stays with them */
	compile_keys(leg, to, comp, spec);
}

static int compile_many(const struct source *src, struct tandem_flow_spec *spec)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];

	spec->fan = compile_fan(src, &spec->pts);
	if (!spec->fan)
		return -ENOMEM;
	compile_keys_in(leg, TANDEM_RTP, spec);
	return 0;
}

static void compile_member_pts(const struct source *src, struct tandem_flow_spec *spec)
{
	bool left_out = false, in_front = false;
	size_t i;

	for (i = 0; i < src->count; i++)
		in_front |= acts_of(src, i) != 0;
	for (i = 0; i < src->count && in_front; i++)
		left_out |= compile_pts(&src->s->agreed.v[src->members[i]].leg[src->from],
					PTS_EVENTS, &spec->pts);
	for (i = 0; i < src->count; i++)
		left_out |= compile_pts(&src->s->agreed.v[src->members[i]].leg[src->from],
					in_front ? PTS_OTHERS : PTS_EVENTS | PTS_OTHERS,
					&spec->pts);
	/* of several media some would be dropped that were agreed */
	if (left_out && src->count > 1)
		spec->flags &= ~(uint32_t)RULE_F_STRICT_PT;
}

/* Returns how many, 0 or 1; or -ENOMEM. */
static int compile_flow(const struct source *src, enum tandem_component comp,
			struct tandem_flow_spec *spec)
{
	const struct tandem_session *s = src->s;
	const struct tandem_media *m = &s->agreed.v[src->transport];
	const struct tandem_leg *leg = &m->leg[src->from];
	const struct tandem_endpoint *remote = tandem_leg_endpoint(leg, comp);
	const size_t reverse = s->agreed.v[src->members[0]].leg[!src->from].transport;
	int err = 0;

	memset(spec, 0, sizeof(*spec));
	spec->id = tandem_flow_id(s, src->transport, src->from, comp);
	spec->media_id = tandem_flow_id(s, src->transport, src->from, TANDEM_RTP);
	spec->reverse_id = tandem_flow_id(s, reverse, !src->from, TANDEM_RTP);
	spec->flags = compile_flags(m, src->from, comp, src->cfg);
	if (!src->split && way_of(src, 0)->mute)
		spec->flags |= RULE_F_MUTE;
	if (may_learn(leg, way_of(src, 0), comp))
		spec->flags |= RULE_F_LEARN;
	if (remote->port && !tandem_ip_is_any(&remote->ip)) {
		spec->key.remote = remote->ip;
		spec->key.remote_port = htons(remote->port);
	} else if (comp == TANDEM_RTCP && !(spec->flags & RULE_F_ICE)) {
		return 0; /* this party does no RTCP */
	}
	spec->key.local = src->cfg->locals[leg->local].ip;
	spec->key.local_port = htons(leg->port + comp);
	if (comp == TANDEM_RTP)
		compile_member_pts(src, spec);
	if (comp == TANDEM_RTP && (src->split || src->apart))
		err = compile_many(src, spec);
	else
		compile_one(src, comp, way_of(src, 0), spec);
	/* a handshake has to come to an end before anything is sent */
	return err ? err : comp == TANDEM_RTP || spec->egress[EGRESS_RTCP].flags || leg->apart;
}

static int compile_source(const struct source *src, struct tandem_flow_spec *specs)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	int n = compile_flow(src, TANDEM_RTP, specs), more;

	/* what parts ways is a bundle, and that has rtcp-mux */
	if (n < 0 || leg->mux || !has_rtcp(leg))
		return n;
	more = compile_flow(src, TANDEM_RTCP, &specs[n]);
	return more < 0 ? more : n + more;
}

int tandem_compile(const struct tandem_session *s, const struct tandem_sessions_config *cfg,
		   struct tandem_flow_spec *specs)
{
	struct source src = { .s = s, .cfg = cfg };
	int n = 0, more, from;
	size_t i;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		for (from = 0; from < 2 && m->active; from++) {
			if (m->leg[from].transport != i)
				continue;
			src.from = from;
			src.transport = i;
			find_members(&src);
			more = compile_source(&src, &specs[n]);
			if (more < 0) {
				/* the spec that has failed has no fan */
				tandem_compile_clean(specs, (size_t)n);
				return more;
			}
			n += more;
		}
	}
	return n;
}

void tandem_compile_clean(struct tandem_flow_spec *specs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		tandem_compile_free_fan(specs[i].fan);
		specs[i].fan = NULL;
	}
}

void tandem_compile_free_fan(const struct tandem_fan *fan)
{
	if (fan)
		explicit_bzero((void *)fan->keys, fan->key_count * sizeof(*fan->keys));
	free((void *)fan);
}
