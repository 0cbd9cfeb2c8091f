/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The copies of a packet with many egresses, one by one, once relay_frame() or
 * relay_datagram() has accounted for it. How a copy of the packet comes about is the
 * environment's affair; here it is translated and rewritten for its leg, and counted.
 */
#ifndef TANDEM_CORE_COPY_H
#define TANDEM_CORE_COPY_H

#include "core/forward.h"

/*
 * The plan of a packet anew, where the one that was made has not been kept: fan, fan_gen,
 * branch and class are all that is known of it. The rule may have another fan by now.
 * Returns 0 when this one is no more, or the payload is not what it was.
 */
static inline int plan_recall(struct env *env, struct plan *plan, void *payload, const void *end,
			      __u32 len)
{
	const struct fan *fan = env_fan(env, plan->fan);
	const struct rule_more *more;
	const struct entry *entry;

	if (!fan || fan_open(fan) != plan->fan_gen)
		return 0;
	plan->rule = 0;
	plan->flow = 0;
	plan->flags = fan->flags;
	plan->slot = fan->slot;
	plan->flow_id = fan->id;
	plan->legs_ip6 = fan_legs(fan, plan->branch, &plan->leg, &plan->legs);
	if (plan->class == CLASS_RTCP) {
		entry = env_entry(env, plan->slot);
		more = env_rule_more(env, plan->slot);
		if (!entry || !more || entry->rule.id != fan->id)
			return 0;
		return plan_rtcp_rule(env, more) != 0;
	}
	if (rtp_parse(payload, end, len, plan->flags & RULE_F_SRTP, &plan->rtp) != REASON_NONE)
		return 0;
	plan_find_pt(plan, &fan->pts);
	return 1;
}

/* Translate a copy for its leg. Returns REASON_NONE, or why it cannot be. */
static inline enum reason copy_translate(struct env *env, struct plan *plan,
					 const struct egress *eg, __u32 leg, void *payload,
					 const void *end, __u32 len, __u64 *delta)
{
	struct rtcp_job *job;
	enum reason reason;

	*delta = 0;
	if (plan->class == CLASS_RTCP) {
		job = env_rtcp_job(env);
		if (!job || plan->flags & RULE_F_SRTP)
			return REASON_NONE;
		plan_rtcp_egress(job, eg);
		job->mode = RTCP_TRANSLATE;
		job->delta = 0;
		reason = env_rtcp_walk(env, job, payload, end, len);
		*delta = job->delta;
		return reason;
	}
	if (egress_act(eg, plan->pt_index) == ACT_BLOCK)
		return REASON_blocked;
	if (!rtp_translatable(eg, &plan->rtp, plan->pt_index))
		return REASON_payload_size;
	env_rtp_translate(env, payload, end, eg, leg, &plan->rtp, plan->pt_index, delta);
	return REASON_NONE;
}

/* Count a copy that is ready to be sent (REASON_NONE), or lost. Returns reason. */
static inline enum reason copy_count(struct env *env, struct leg_state *state, enum reason reason,
				     __u32 len)
{
	if (reason == REASON_NONE) {
		env_count(env, REASON_copies_sent);
		state->packets++;
		state->octets += len;
		return reason;
	}
	env_count(env, REASON_copies_lost);
	if (state) {
		state->lost++;
		state->last_reason = reason;
	}
	return reason;
}

/* Translate a copy for its leg, and protect it. plan->len is its length, before and after. */
static inline enum reason copy_payload(struct env *env, struct plan *plan, const struct egress *eg,
				       __u32 leg, void *payload, const void *end, __u64 *delta)
{
	enum reason reason;
	__u16 before = 0;

	if (protect_seals(env, plan))
		before = csum_fold16(env_sum(env, payload, end, plan->len));
	reason = copy_translate(env, plan, eg, leg, payload, end, plan->len, delta);
	if (reason != REASON_NONE || !protect_seals(env, plan))
		return reason;
	reason = protect_seal(env, plan, eg, payload, end);
	*delta = (__u16)~before + env_sum(env, payload, end, plan->len);
	return reason;
}

/* The keys that a copy leaves under, and the room that it needs. */
static inline enum reason copy_keys(struct env *env, struct plan *plan, const struct egress *eg,
				    __u32 len)
{
	plan->len = (__u16)len;
	plan->tail = 0;
	plan->srtp = 0;
	if (plan->class == CLASS_DTLS || eg->srtp == SRTP_NO_KEYS)
		return REASON_NONE;
	return protect_sealable(env, plan, eg->srtp, len);
}

/* Steps of relay_copy() once there is a way out. */
static inline enum reason copy_frame(struct env *env, const struct frame *f, struct plan *plan,
				     const struct egress *eg, __u32 leg, const struct hop *hop)
{
	struct layout out;
	enum reason reason;
	__u64 delta;

	reason = copy_keys(env, plan, eg, f->payload_len);
	if (reason != REASON_NONE)
		return reason;
	reason = rewrite_resize(env, f, eg, hop, plan->tail, &out);
	if (reason != REASON_NONE)
		return reason;
	reason = copy_payload(env, plan, eg, leg,
			      (char *)env_data(env) + (out.udp_off & UDP_OFF_MASK) +
				      sizeof(struct udp_hdr),
			      env_data_end(env), &delta);
	if (reason != REASON_NONE)
		return reason;
	reason = env_rewrite_frame(env, f, eg, hop, &out, plan->len, delta);
	if (protect_seals(env, plan))
		rewrite_trim(env, out.udp_off, plan->len);
	if (reason == REASON_NONE && !plan_legs_settled(env, plan))
		return REASON_rule_changed;
	if (reason == REASON_NONE)
		tap_out(env, plan, eg,
			(char *)env_data(env) + (out.udp_off & UDP_OFF_MASK) +
				sizeof(struct udp_hdr));
	return reason;
}

/*
 * The way to a leg. One that was found for a plan of another generation is asked for anew:
 * frames may be under way by both.
 */
static inline enum reason copy_way(struct env *env, const struct plan *plan, __u32 leg,
				   const struct leg_state *state, struct hop *hop)
{
	struct fan_way way = { .ifindex = TANDEM_NO_SLOT };
	const __u32 gen = plan_way_gen(plan);

	if (state->nexthop.gen != gen)
		env_fan_leg(env, leg, gen, &way);
	hop_take(hop, &state->nexthop);
	return hop->ifindex ? REASON_NONE : (enum reason)state->last_reason;
}

/*
 * Make the frame in env, one of plan->legs copies of the frame that came, that of leg
 * number n. Returns REASON_NONE: send it to *ifindex; else it is lost. It is counted.
 */
static inline enum reason relay_copy(struct env *env, const struct frame *f, struct plan *plan,
				     __u32 n, __u32 *ifindex)
{
	const struct leg *leg = env_leg(env, plan->leg + n);
	struct leg_state *state = leg ? env_leg_state(env, leg->egress.state) : 0;
	enum reason reason = REASON_rule_changed;
	struct hop hop;

	if (state) {
		reason = copy_way(env, plan, plan->leg + n, state, &hop);
		*ifindex = hop.ifindex;
	}
	if (reason == REASON_NONE)
		reason = copy_frame(env, f, plan, &leg->egress, plan->leg + n, &hop);
	return copy_count(env, state, reason, plan->len);
}

/*
 * Same for a copy of a datagram's payload, with room for SRTP_TRAILER_MAX bytes behind it.
 * Returns REASON_NONE: send plan->len bytes as *egress says; else it is lost.
 */
static inline enum reason relay_copy_datagram(struct env *env, struct plan *plan, __u32 n,
					      void *payload, __u32 len,
					      const struct egress **egress)
{
	const struct leg *leg = env_leg(env, plan->leg + n);
	struct leg_state *state = leg ? env_leg_state(env, leg->egress.state) : 0;
	enum reason reason = REASON_rule_changed;
	__u64 delta;

	if (state) {
		*egress = &leg->egress;
		reason = copy_keys(env, plan, &leg->egress, len);
		if (reason == REASON_NONE)
			reason = copy_payload(env, plan, &leg->egress, plan->leg + n, payload,
					      (const char *)payload + len + plan->tail, &delta);
		if (reason == REASON_NONE)
			tap_out(env, plan, &leg->egress, payload);
	}
	return copy_count(env, state, reason, plan->len);
}

/* A copy that was counted as sent could not be, after all. */
static inline void relay_copy_failed(struct env *env, __u32 leg)
{
	const struct leg *l = env_leg(env, leg);

	env_count(env, REASON_copies_lost);
	if (l)
		leg_send_failed(env, l->egress.state);
}

#endif
