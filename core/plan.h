/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The steps that decide what becomes of a packet, up to the point where anything is
 * changed: classify > look up > validate > SSRC demux > SRTP, as far as that goes without
 * being changed. What they come to is a plan.
 */
#ifndef TANDEM_CORE_PLAN_H
#define TANDEM_CORE_PLAN_H

#include "core/classify.h"
#include "core/env_api.h"
#include "core/fan.h"
#include "core/lookup.h"
#include "core/parse.h"
#include "core/plan_types.h"
#include "core/protect.h"
#include "core/rtcp.h"
#include "core/rtp.h"
#include "core/stream.h"
#include "core/translate.h"

/* Was what was read under the plan the rule of one generation? */
static inline int plan_settled(const struct plan *plan)
{
	return rule_settled(plan->rule, plan->gen);
}

/* Was what was read of the plan's legs theirs? The rule may have left them meanwhile. */
static inline int plan_legs_settled(struct env *env, const struct plan *plan)
{
	const struct fan *fan = env_fan(env, plan->fan);

	return fan && fan_settled(fan, plan->fan_gen);
}

/*
 * What a next hop is kept under. The state of a leg passes from fan to fan, whose generations
 * are alike; the index makes the difference.
 */
static inline __u32 plan_way_gen(const struct plan *plan)
{
	return plan->legs ? plan->fan_gen + plan->fan * 0x9e3779b1U : plan->gen;
}

/* Has the environment to make copies, by way of copy.h? */
static inline int plan_many(const struct plan *plan)
{
	return !plan->egress;
}

/* The part of an RTCP job that the egress decides. */
static inline void plan_rtcp_egress(struct rtcp_job *job, const struct egress *eg)
{
	job->flags = eg->flags;
	job->own = eg->ssrc;
	job->ts_offset = eg->ts_offset;
}

/* The part that the rule decides. NULL only if the environment is not set up. */
static inline struct rtcp_job *plan_rtcp_rule(struct env *env, const struct rule_more *more)
{
	struct rtcp_job *job = env_rtcp_job(env);

	if (!job)
		return 0;
	__builtin_memset(job, 0, sizeof(*job));
	job->media = more->media;
	job->reverse = more->reverse;
	job->peer = more->peer;
	job->peer_seq_offset = more->peer_seq_offset;
	return job;
}

/*
 * Where the fan sends an SSRC of the plan's flow, or RTCP. Returns 0 when none of its
 * branches takes the packet.
 */
static inline int plan_fan(struct env *env, struct plan *plan, const struct rule *rule, __u32 ssrc)
{
	const struct fan *fan = env_fan(env, rule->fan);
	const struct leg *leg;
	struct leg_state *state;
	__u32 branch;

	if (!fan)
		return 0;
	plan->fan_gen = fan_open(fan);
	if (!env_fan_find(env, fan, plan->class == CLASS_RTCP, ssrc, &branch))
		return 0;
	plan->fan = rule->fan;
	plan->branch = (__u8)branch;
	plan->legs_ip6 = fan_legs(fan, branch, &plan->leg, &plan->legs);
	if (plan->legs == 0) {
		plan->flags |= RULE_F_MUTE;
		return 1;
	}
	if (plan->legs != 1) {
		plan->egress = 0;
		return 1;
	}
	leg = env_leg(env, plan->leg);
	state = leg ? env_leg_state(env, leg->egress.state) : 0;
	if (!state)
		return 0;
	plan->egress = &leg->egress;
	plan->cache = &state->nexthop;
	return 1;
}

static inline enum reason plan_rtcp(struct env *env, struct plan *plan, const struct rule *rule)
{
	const struct rule_more *more = env_rule_more(env, plan->slot);
	struct rtcp_job *job;

	if (!more)
		return REASON_rtcp_refused;
	job = plan_rtcp_rule(env, more);
	if (!job)
		return REASON_rule_busy;
	plan->egress = &more->rtcp;
	if (plan->flags & RULE_F_FAN && plan_fan(env, plan, rule, 0)) {
		if (plan_many(plan))
			return REASON_NONE;
		if (plan->legs == 0)
			return REASON_rtcp_refused;
	} else if (rule->egress.flags & EGRESS_F_ACTIVE &&
		   !ip_addr_equal(&rule->egress.remote, &plan->egress->remote)) {
		plan->cache = 0; /* the flow keeps the way of its RTP */
	}
	if (!(plan->egress->flags & EGRESS_F_ACTIVE))
		return REASON_rtcp_refused;
	plan_rtcp_egress(job, plan->egress);
	return REASON_NONE;
}

/* Place and clock of the payload type, from the rule's list. */
static inline void plan_find_pt(struct plan *plan, const struct pt_list *pts)
{
	__u32 i;

	plan->pt_index = TANDEM_MAX_PTS;
	plan->clock_hz = 0;
	for (i = 0; pts && i < TANDEM_MAX_PTS && pts->clock_hz[i]; i++) {
		if (pts->pt[i] != plan->rtp.pt)
			continue;
		plan->pt_index = (__u8)i;
		plan->clock_hz = pts->clock_hz[i];
		break;
	}
}

/* The same. The stream remembers those of its last packet, which saves reading the list. */
static inline void plan_payload_type(struct env *env, struct plan *plan)
{
	const struct stream *s = plan->flow ? &plan->flow->stream : 0;
	const struct rule_more *more;

	if (s && s->pt_index <= TANDEM_MAX_PTS && s->ssrc == plan->rtp.ssrc &&
	    s->pt == plan->rtp.pt) {
		plan->pt_index = s->pt_index;
		plan->clock_hz = s->pt_index < TANDEM_MAX_PTS ? s->clock_hz : 0;
		return;
	}
	more = env_rule_more(env, plan->slot);
	plan_find_pt(plan, more ? &more->pts : 0);
}

static inline enum reason plan_rtp(struct env *env, struct plan *plan, const struct rule *rule)
{
	plan_payload_type(env, plan);
	plan->egress = &rule->egress;
	if (plan->flags & RULE_F_FAN && !plan_fan(env, plan, rule, plan->rtp.ssrc))
		return REASON_unknown_ssrc;
	if (!plan->clock_hz && plan->flags & RULE_F_STRICT_PT)
		return REASON_payload_type;
	if (!plan_many(plan) && !rtp_translatable(plan->egress, &plan->rtp, plan->pt_index))
		return REASON_payload_size;
	return REASON_NONE;
}

/* A handshake between the two ends (RFC 5764): it goes where the flow's media goes. */
static inline enum reason plan_dtls(struct env *env, struct plan *plan, const struct rule *rule)
{
	const struct rule_more *more;

	plan->egress = &rule->egress;
	if (plan->flags & RULE_F_RTCP) {
		more = env_rule_more(env, plan->slot);
		if (!more)
			return REASON_dtls;
		plan->egress = &more->rtcp;
	}
	return plan->egress->flags & EGRESS_F_ACTIVE ? REASON_NONE : REASON_dtls;
}

/* An unexpected source on a media port: note who. */
static inline enum reason unknown_source(struct env *env, struct plan *plan,
					 const struct flow_key *key)
{
	struct flow_more *more = plan->flow ? env_flow_more(env, plan->slot) : 0;

	if (more) {
		__builtin_memcpy(more->unknown_addr, &key->remote, sizeof(more->unknown_addr));
		more->unknown_port = key->remote_port;
	}
	return plan->flags & RULE_F_LEARN ? REASON_learning : REASON_unknown_source;
}

/* RTP, RTCP or DTLS of a known source: check its headers and find what the rule says of it. */
static inline enum reason plan_media(struct env *env, struct plan *plan, const struct rule *rule,
				     void *payload, const void *end, __u32 len)
{
	enum reason reason;
	int sealed;

	plan->cache = plan->flow ? &plan->flow->nexthop : 0;
	if (plan->class == CLASS_DTLS)
		return plan_dtls(env, plan, rule);
	sealed = rule->srtp != SRTP_NO_KEYS || plan->flags & RULE_F_SRTP;
	if (plan->class == CLASS_RTCP) {
		reason = sealed ? srtcp_check(payload, end, len)
				: env_rtcp_check(env, payload, end, len);
		if (reason == REASON_NONE)
			reason = plan_rtcp(env, plan, rule);
	} else if (plan->flags & RULE_F_RTCP) {
		return REASON_unclassified;
	} else {
		reason = rtp_parse(payload, end, len, sealed, &plan->rtp);
		if (reason == REASON_NONE)
			reason = plan_rtp(env, plan, rule);
	}
	return reason == REASON_NONE ? protect_plan(env, plan, rule, payload, end, len) : reason;
}

/*
 * Does a packet of this class end here? STUN does, from any source: ICE decides on it. So
 * does DTLS, but for a handshake that passes end to end, like the SRTP it is for.
 */
static inline enum reason plan_class(const struct plan *plan)
{
	switch (plan->class) {
	case CLASS_STUN:
		return REASON_stun;
	case CLASS_DTLS:
		return plan->rule && (plan->flags & (RULE_F_SRTP | RULE_F_DTLS)) == RULE_F_SRTP
			       ? REASON_NONE
			       : REASON_dtls;
	case CLASS_OTHER:
		return plan->rule ? REASON_unclassified : REASON_NONE;
	default:
		return REASON_NONE;
	}
}

/* The rule of a packet to a multicast group; there is no port of ours to count it for. */
static inline enum reason plan_lookup_group(struct env *env, const struct flow_key *key,
					    struct plan *plan)
{
	struct entry *entry;

	if (!group_slot(env, key, &plan->slot))
		return REASON_not_local;
	entry = env_entry(env, plan->slot);
	if (!entry)
		return REASON_not_local;
	env_touch(entry);
	plan->gen = rule_open(&entry->rule);
	plan->flags = entry->rule.flags;
	if (!rule_matches(env, &entry->rule, plan->slot, key))
		return plan->gen & 1 ? REASON_rule_busy : REASON_not_local;
	plan->flow = &entry->flow;
	plan->rule = &entry->rule;
	return REASON_NONE;
}

/* The rule of a packet, with plan made the one for its flow. */
static inline enum reason plan_lookup(struct env *env, const struct flow_key *key,
				      struct plan *plan)
{
	struct entry *port, *entry;
	enum reason reason;

	plan->flow = 0;
	plan->rule = 0;
	reason = port_slot(env, key, &plan->slot);
	if (reason == REASON_not_local && ip_addr_is_group(&key->local))
		return plan_lookup_group(env, key, plan);
	if (reason != REASON_NONE)
		return reason;
	port = env_entry(env, plan->slot);
	if (!port)
		return REASON_not_media_port;
	env_touch(port);

	plan->gen = rule_open(&port->rule);
	plan->flags = port->rule.flags;
	if (plan->flags & RULE_F_ACTIVE)
		plan->flow = &port->flow;
	if (plan->gen & 1)
		return REASON_rule_busy;
	if (!(plan->flags & (RULE_F_ACTIVE | RULE_F_SHARED)))
		return REASON_idle_port;

	entry = rule_find(env, port, key, &plan->slot, &plan->gen);
	if (!entry)
		return rule_settled(&port->rule, plan->gen) ? REASON_NONE : REASON_rule_busy;
	plan->rule = &entry->rule;
	plan->flow = &entry->flow;
	plan->flags = entry->rule.flags;
	return REASON_NONE;
}

/* Take a copy of the egress. Returns 0 if that cannot be, which is never. */
static inline int plan_keep(struct env *env, struct plan *plan)
{
	struct egress *kept;

	if (plan_many(plan))
		return 1;
	kept = env_keep(env);
	if (!kept)
		return 0;
	*kept = *plan->egress;
	plan->egress = kept;
	return 1;
}

/*
 * The steps of this header: nothing is changed but for the note about an unknown source.
 * REASON_NONE: the plan holds. Any other reason ends the packet; plan->flow is what it
 * counts for.
 */
static inline enum reason relay_decide(struct env *env, const struct flow_key *key, void *payload,
				       const void *end, __u32 len, struct plan *plan)
{
	enum reason reason;

	plan->egress = 0;
	plan->cache = 0;
	plan->leg = TANDEM_NO_SLOT;
	plan->legs = 0;
	plan->fan = 0;
	plan->fan_gen = 0;
	plan->branch = 0;
	plan->legs_ip6 = 0;
	plan->srtp = 0;
	plan->len = (__u16)len;
	plan->tail = 0;
	plan->class = classify(payload, end, len);
	reason = plan_lookup(env, key, plan);
	if (reason == REASON_NONE)
		reason = plan_class(plan);
	if (reason != REASON_NONE)
		return reason;
	if (!plan->rule)
		return unknown_source(env, plan, key);

	plan->flow_id = plan->rule->id;
	if (plan->flow && plan->flow->nexthop.gen != plan->gen)
		env_flow_renew(env, plan->flow, plan->slot, plan->flow_id, plan->gen);
	reason = plan_media(env, plan, plan->rule, payload, end, len);
	if (reason == REASON_NONE && !plan_keep(env, plan))
		return REASON_rule_busy;
	return plan_settled(plan) ? reason : REASON_rule_busy;
}

/* Is a command why it does not pass? */
static inline int plan_blocked(const struct plan *plan)
{
	return plan->egress && egress_act(plan->egress, plan->pt_index) == ACT_BLOCK;
}

/* Does the rule let this packet through only as far as the statistics? */
static inline int plan_muted(const struct plan *plan)
{
	if (plan->class != CLASS_RTP)
		return 0;
	if (plan->flags & RULE_F_MUTE)
		return 1;
	if (!plan->egress ||
	    (plan->egress->flags & (EGRESS_F_ACTIVE | EGRESS_F_ACTS)) == EGRESS_F_ACTIVE)
		return 0;
	return !(plan->egress->flags & EGRESS_F_ACTIVE) || plan_blocked(plan);
}

#endif
