/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SRTP in the pipeline. What arrives protected is admitted while a plan is made, for that can
 * end in a punt, and opened before anything is learned from it. What leaves is sealed when it
 * has been translated. In between stands the plain packet, so every other step is as without.
 *
 * A packet changes its length. plan->len is that of the payload: as it will leave once the
 * plan is made, as it is from relay_commit() on.
 */
#ifndef TANDEM_CORE_PROTECT_H
#define TANDEM_CORE_PROTECT_H

#include "core/classify.h"
#include "core/plan_types.h"
#include "core/rtcp.h"
#include "core/rtp.h"
#include "core/srtp.h"

static inline __u32 protect_flags(const struct plan *plan)
{
	return plan->class == CLASS_RTCP ? SRTP_J_RTCP : 0;
}

static inline int protect_opens(struct env *env, const struct plan *plan)
{
	return ENV_SRTP(env) && plan->srtp & PLAN_OPEN;
}

static inline int protect_seals(struct env *env, const struct plan *plan)
{
	return ENV_SRTP(env) && plan->srtp & PLAN_SEAL;
}

/* Is the payload another one when it leaves, by what happens here? */
static inline int protect_changes(struct env *env, const struct plan *plan)
{
	return protect_seals(env, plan) || (protect_opens(env, plan) && !(plan->srtp & PLAN_KEEP));
}

/* The job of the packet in hand, begun; NULL only if the environment is not set up. */
static inline struct srtp_job *protect_job(struct env *env, const struct plan *plan, __u32 keys,
					   __u32 flags, __u32 len)
{
	struct srtp_job *job = env_srtp_job(env);

	if (!job)
		return 0;
	job->keys = keys;
	job->flags = flags | protect_flags(plan);
	job->len = len;
	job->head = plan->class == CLASS_RTCP ? 0 : plan->rtp.head;
	return job;
}

/*
 * Can packets be sealed here with these keys? Sets plan->tail to what each will be longer by.
 * Returns REASON_NONE, or why to punt.
 */
static inline enum reason protect_sealable(struct env *env, struct plan *plan, __u32 index,
					   __u32 len)
{
	const struct srtp_keys *keys;

	if (!ENV_SRTP(env))
		return REASON_srtp_suite;
	keys = env_srtp_keys(env, index);
	if (!keys)
		return REASON_rule_busy;
	plan->srtp |= PLAN_SEAL;
	plan->tail = (__u8)srtp_trailer(keys, protect_flags(plan));
	return env_srtp_able(env, keys, index, len) ? REASON_NONE : REASON_srtp_suite;
}

/* What is to be done to a packet of len bytes that arrives under the rule's keys. */
static inline enum reason protect_admit(struct env *env, struct plan *plan, const struct rule *rule,
					void *payload, const void *end, __u32 len)
{
	const __u32 keep = plan->flags & RULE_F_SRTP ? SRTP_J_KEEP : 0;
	struct srtp_job *job = protect_job(env, plan, rule->srtp, keep, len);
	enum reason reason;

	if (!job)
		return REASON_rule_busy;
	plan->srtp = keep ? PLAN_OPEN | PLAN_KEEP : PLAN_OPEN;
	reason = env_srtp_admit(env, job, payload, end);
	if (reason == REASON_NONE && !keep)
		plan->len = (__u16)(job->head + job->body);
	return reason;
}

/*
 * The part of a plan that is for SRTP, once its egress is known; plan->len is then what will
 * leave, as far as that is known before the packet is authenticated.
 */
static inline enum reason protect_plan(struct env *env, struct plan *plan, const struct rule *rule,
				       void *payload, const void *end, __u32 len)
{
	const __u32 seal = plan->egress ? plan->egress->srtp : SRTP_NO_KEYS;
	enum reason reason = REASON_NONE;
	__u32 open = rule->srtp;

	if (open == SRTP_NO_KEYS && seal == SRTP_NO_KEYS)
		return REASON_NONE;
	if (!ENV_SRTP(env))
		return REASON_srtp_suite;
	if (open != SRTP_NO_KEYS)
		reason = protect_admit(env, plan, rule, payload, end, len);
	if (reason == REASON_NONE && seal != SRTP_NO_KEYS)
		reason = protect_sealable(env, plan, seal, len);
	plan->len += plan->tail;
	plan->srtp = (__u8)env_forget(env, plan->srtp, PLAN_OPEN | PLAN_KEEP | PLAN_SEAL);
	return reason;
}

/*
 * Authenticate the packet, and make it the plain one of plan->len bytes. Nothing of it has
 * been noted before. Returns REASON_NONE, or why it ends here.
 */
static inline enum reason protect_open(struct env *env, struct plan *plan, void *payload,
				       const void *end)
{
	struct srtp_job *job = env_srtp_job(env);
	enum reason reason;

	if (!job)
		return REASON_rule_changed;
	reason = env_srtp_open(env, job, payload, end);
	if (reason != REASON_NONE || plan->srtp & PLAN_KEEP)
		return reason;
	plan->len = (__u16)job->len;
	if (plan->class == CLASS_RTCP)
		return env_rtcp_check(env, payload, end, plan->len);
	return rtp_parse(payload, end, plan->len, 0, &plan->rtp);
}

/* Protect the plain packet of plan->len bytes; that is then the length of the other. */
static inline enum reason protect_seal(struct env *env, struct plan *plan, const struct egress *eg,
				       void *payload, const void *end)
{
	struct srtp_job *job = protect_job(env, plan, eg->srtp, SRTP_J_SEAL, plan->len);
	enum reason reason;

	if (!job)
		return REASON_rule_changed;
	reason = env_srtp_seal(env, job, payload, end);
	if (reason == REASON_NONE)
		plan->len = (__u16)job->len;
	return reason;
}

#endif
