/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pipeline of core/forward.h, for an RTP packet of a one-to-one flow, up to one of its
 * steps: for measuring what each adds. Compiled into any environment after its env.h, with
 * `last` a constant, so that nothing is left of the steps behind.
 */
#ifndef TANDEM_BENCH_STEPS_H
#define TANDEM_BENCH_STEPS_H

#include "core/forward.h"

enum bench_step {
	STEP_NONE,
	STEP_PARSE,
	STEP_LOOKUP, /* and classify */
	STEP_PLAN,   /* validate, SSRC demux, payload type, copy of the egress */
	STEP_NEXTHOP,
	STEP_ACCOUNT,
	STEP_TRANSLATE,
	STEP_REWRITE,
	STEP_COUNT,
	STEP_ALL, /* as shipped: verdict and emission too */
	STEPS,
};

/* Names, in that order. */
#define BENCH_STEP_NAMES                                                                           \
	{                                                                                          \
		"", "parse", "classify, look up", "plan", "next hop", "account", "translate",      \
			"rewrite", "count", "emit"                                                 \
	}

/* What a step has found is used, as far as the compiler knows. */
static inline void step_used(const void *what)
{
	asm volatile("" : : "r"(what) : "memory");
}

static inline enum reason step_lookup(struct env *env, const struct flow_key *key, void *payload,
				      const void *end, __u32 len, struct plan *plan)
{
	enum reason reason;

	plan->class = classify(payload, end, len);
	reason = plan_lookup(env, key, plan);
	step_used(plan);
	return reason;
}

/* Behind the plan. */
static inline enum reason steps_planned(struct env *env, const struct frame *f, struct plan *plan,
					__u32 *ifindex, const enum bench_step last)
{
	enum reason reason;
	struct layout out;
	struct hop hop;
	__u64 delta = 0;
	char *payload;

	plan->now = env_now(env);
	reason = rewrite_possible(env, f, !ip_addr_is_v4(&plan->egress->remote));
	if (reason == REASON_NONE)
		reason = nexthop_get(env, plan->egress, plan->cache, plan_way_gen(plan),
				     egress_l3_len(plan->len, plan->egress), plan->now, &hop);
	step_used(&hop);
	if (last == STEP_NEXTHOP || reason != REASON_NONE)
		return reason;
	account_rtp(env, plan);
	if (last == STEP_ACCOUNT)
		return REASON_NONE;
	reason = rewrite_resize(env, f, plan->egress, &hop, plan->tail, &out);
	if (reason != REASON_NONE)
		return reason;
	payload = (char *)env_data(env) + (out.udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr);
	rtp_translate(env, payload, env_data_end(env), plan->egress, plan->leg, &plan->rtp,
		      plan->pt_index, &delta);
	step_used(&delta);
	if (last == STEP_TRANSLATE)
		return REASON_NONE;
	*ifindex = hop.ifindex;
	reason = rewrite_frame(env, f, plan->egress, &hop, &out, f->payload_len, delta);
	if (last == STEP_REWRITE || reason != REASON_NONE)
		return reason;
	relay_count(env, plan, REASON_forwarded_rtp, f->payload_len);
	return REASON_NONE;
}

/* A frame up to a step. REASON_NONE: that step was reached, and done. */
static inline enum reason steps_frame(struct env *env, struct frame *f, struct plan *plan,
				      __u32 *ifindex, const enum bench_step last)
{
	enum reason reason;
	void *payload;

	plan->flow = 0;
	plan->legs = 0;
	f->payload_len = 0;
	reason = parse_frame(env, f);
	step_used(f);
	if (last == STEP_PARSE || reason != REASON_NONE)
		return reason;
	payload = (char *)env_data(env) + (f->udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr);
	if (last == STEP_LOOKUP)
		return step_lookup(env, &f->key, payload, env_data_end(env), f->payload_len, plan);
	reason = relay_decide(env, &f->key, payload, env_data_end(env), f->payload_len, plan);
	step_used(plan);
	if (last == STEP_PLAN || reason != REASON_NONE)
		return reason;
	return plan_many(plan) ? REASON_NONE : steps_planned(env, f, plan, ifindex, last);
}

/* The same for a datagram, which has neither parsing nor a next hop, nor is rewritten. */
static inline enum reason steps_datagram(struct env *env, const struct flow_key *key, void *payload,
					 __u32 len, struct plan *plan, const enum bench_step last)
{
	const char *end = (const char *)payload + len;
	enum reason reason;
	__u64 delta = 0;

	plan->now = env_now(env);
	if (last == STEP_LOOKUP)
		return step_lookup(env, key, payload, end, len, plan);
	reason = relay_decide(env, key, payload, end, len, plan);
	step_used(plan);
	if (last == STEP_PLAN || reason != REASON_NONE || plan_many(plan))
		return reason;
	account_rtp(env, plan);
	if (last == STEP_ACCOUNT)
		return REASON_NONE;
	rtp_translate(env, payload, end, plan->egress, plan->leg, &plan->rtp, plan->pt_index,
		      &delta);
	step_used(&delta);
	if (last == STEP_TRANSLATE)
		return REASON_NONE;
	relay_count(env, plan, REASON_forwarded_rtp, len);
	return REASON_NONE;
}

#endif
