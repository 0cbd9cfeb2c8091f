/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/compile_local.h"

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

const struct tandem_leg_keys *tandem_leg_keys_of(const struct tandem_leg *leg,
						 enum tandem_component comp)
{
	return comp == TANDEM_RTCP && leg->apart ? &leg->secure.rtcp : &leg->secure.rtp;
}

/* What leaves for a party whose keys are not there yet would leave in the clear. */
bool tandem_leg_is_keyed(const struct tandem_leg *leg, enum tandem_component comp)
{
	const struct tandem_leg_keys *keys = tandem_leg_keys_of(leg, comp);

	return leg->secure.kind < TANDEM_PROTECT_SDES || (keys->in.suite && keys->out.suite);
}

void tandem_compile_egress(const struct tandem_source *src, const struct tandem_leg *to,
			   enum tandem_component comp, struct tandem_egress *egress)
{
	const struct tandem_endpoint *remote = tandem_leg_endpoint(to, comp);

	if (!remote->port || tandem_ip_is_any(&remote->ip))
		return;
	egress->flags = EGRESS_F_ACTIVE | (src->s->marked ? EGRESS_F_DSCP : 0);
	egress->dscp = src->s->dscp;
	egress->local = src->cfg->locals[to->local].ip;
	egress->local_port = htons(to->port + comp);
	egress->remote = remote->ip;
	egress->remote_port = htons(remote->port);
}

/* Where media is secured a source has to prove itself by the keys, so they have to be there. */
static bool may_learn(const struct tandem_leg *leg, const struct tandem_leg *to,
		      enum tandem_component comp)
{
	return leg->learn[comp].until_ms &&
	       (leg->secure.kind < TANDEM_PROTECT_SDES ||
		(tandem_leg_is_keyed(leg, comp) && tandem_leg_is_keyed(to, comp)));
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
	const struct tandem_leg_keys *keys = tandem_leg_keys_of(from, comp);

	if (keys->in.suite)
		spec->srtp_in = &keys->in;
	if (keys->in_old.suite)
		spec->srtp_in_old = &keys->in_old;
}

static void compile_keys(const struct tandem_leg *from, const struct tandem_leg *to,
			 enum tandem_component comp, struct tandem_flow_spec *spec)
{
	const struct tandem_leg_keys *keys = tandem_leg_keys_of(to, comp);
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

bool tandem_leg_has_rtcp(const struct tandem_leg *leg)
{
	return leg->mux || leg->secure.kind != TANDEM_PROTECT_DTLS || leg->apart;
}

/* By which component of a leg RTCP is sent. */
enum tandem_component tandem_leg_rtcp_of(const struct tandem_leg *to)
{
	return to->mux ? TANDEM_RTP : TANDEM_RTCP;
}

const struct tandem_leg *tandem_source_way(const struct tandem_source *src, size_t member)
{
	return tandem_leg_transport(&src->s->agreed, src->members[member], !src->from);
}

uint8_t tandem_source_acts(const struct tandem_source *src, size_t member)
{
	return tandem_acts_of(src->s, src->from, src->members[member]) & TANDEM_ACTS_OF_MEDIA;
}

/* Is this media of a subscription fed with packets of this source, and of which member? */
bool tandem_source_feeds(const struct tandem_source *src, const struct tandem_session *sub,
			 size_t k, size_t *member)
{
	const struct tandem_feed *feed = &sub->feeds[k];
	size_t i = 0;

	if (!sub->agreed.v[k].active || feed->party != src->from)
		return false;
	while (i < src->count && src->members[i] != feed->media)
		i++;
	*member = i;
	return i < src->count;
}

static void find_listeners(struct tandem_source *src)
{
	const struct tandem_session *sub;
	size_t k, member;

	src->heard = 0;
	for (sub = src->s->subscribers; sub; sub = sub->next_subscriber) {
		for (k = 0; k < sub->agreed.n; k++)
			src->heard += tandem_source_feeds(src, sub, k, &member);
	}
	/* subscribers may want some of them, and by transports of their own */
	if (src->heard && src->count > 1)
		src->split = true;
}

static void find_members(struct tandem_source *src)
{
	const struct tandem_media_list *list = &src->s->agreed;
	size_t i;

	src->count = 0;
	src->split = false;
	for (i = 0; i < list->n; i++) {
		if (!list->v[i].active || list->v[i].leg[src->from].transport != src->transport)
			continue;
		src->members[src->count++] = i;
		if (tandem_source_way(src, src->count - 1) != tandem_source_way(src, 0) ||
		    tandem_source_acts(src, src->count - 1) != tandem_source_acts(src, 0))
			src->split = true;
	}
	find_listeners(src);
	src->apart = !src->split && list->v[src->transport].leg[src->from].mux &&
		     tandem_source_way(src, 0)->apart;
}

/* ---- flows ---- */

static void compile_one(const struct tandem_source *src, enum tandem_component comp,
			const struct tandem_leg *to, struct tandem_flow_spec *spec)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	bool keyed = tandem_leg_is_keyed(leg, comp);

	if (comp == TANDEM_RTP && keyed && tandem_leg_is_keyed(to, comp)) {
		tandem_compile_egress(src, to, comp, &spec->egress[EGRESS_RTP]);
		tandem_compile_acts(src->s, src->from, src->members, src->count, &spec->pts,
				    &spec->egress[EGRESS_RTP]);
	}
	if ((comp == TANDEM_RTCP || leg->mux) && keyed && tandem_leg_has_rtcp(to) &&
	    tandem_leg_is_keyed(to, TANDEM_RTCP))
		tandem_compile_egress(src, to, tandem_leg_rtcp_of(to), &spec->egress[EGRESS_RTCP]);
	/* also while nothing may pass: what has been counted under them stays with them */
	compile_keys(leg, to, comp, spec);
}

static int compile_many(const struct tandem_source *src, enum tandem_component comp,
			struct tandem_flow_spec *spec)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];

	spec->fan = tandem_compile_fan(src, comp, &spec->pts);
	if (!spec->fan)
		return -ENOMEM;
	compile_keys_in(leg, comp, spec);
	return 0;
}

static void compile_member_pts(const struct tandem_source *src, struct tandem_flow_spec *spec)
{
	bool left_out = false, in_front = false;
	size_t i;

	for (i = 0; i < src->count; i++)
		in_front |= tandem_source_acts(src, i) != 0;
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
static int compile_flow(const struct tandem_source *src, enum tandem_component comp,
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
	spec->flags = compile_flags(m, src->from, comp, src->cfg) | src->s->taps;
	if (!src->split && !src->heard && tandem_source_way(src, 0)->mute)
		spec->flags |= RULE_F_MUTE;
	if (may_learn(leg, tandem_source_way(src, 0), comp))
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
	if (src->heard || (comp == TANDEM_RTP && (src->split || src->apart)))
		err = compile_many(src, comp, spec);
	else
		compile_one(src, comp, tandem_source_way(src, 0), spec);
	/* a handshake has to come to an end before anything is sent */
	return err ? err
		   : comp == TANDEM_RTP || spec->egress[EGRESS_RTCP].flags || spec->fan ||
			       leg->apart;
}

static int compile_source(const struct tandem_source *src, struct tandem_flow_spec *specs)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	int n = compile_flow(src, TANDEM_RTP, specs), more;

	/* what parts ways is a bundle, and that has rtcp-mux */
	if (n < 0 || leg->mux || !tandem_leg_has_rtcp(leg))
		return n;
	more = compile_flow(src, TANDEM_RTCP, &specs[n]);
	return more < 0 ? more : n + more;
}

int tandem_compile(const struct tandem_session *s, const struct tandem_sessions_config *cfg,
		   struct tandem_flow_spec *specs)
{
	struct tandem_source src = { .s = s, .cfg = cfg };
	int n = 0, more, from;
	size_t i;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		for (from = 0; from < 2 && m->active; from++) {
			if (m->leg[from].transport != i || s->absent[from])
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
