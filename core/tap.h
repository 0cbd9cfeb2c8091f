/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in the pipeline copies are taken for captures: one test of the rule's flags each, which
 * the plan has at hand. How a copy gets to its reader is the environment's affair (env_tap());
 * nothing waits for it, and it counts what it could not hand over.
 */
#ifndef TANDEM_CORE_TAP_H
#define TANDEM_CORE_TAP_H

#include "core/env_api.h"
#include "core/plan_types.h"
#include "core/tap_abi.h"

/* A packet whose plan holds, before the first change. */
static inline void tap_in(struct env *env, const struct plan *plan, const void *payload, __u32 len)
{
	if (!(plan->flags & RULE_F_TAP_IN))
		return;
	env_tap(env, plan, TAP_IN, (const struct egress *)0, payload, len);
}

/* plan->len bytes that are authentic and in the clear. */
static inline void tap_clear(struct env *env, const struct plan *plan, const void *payload)
{
	if (plan->flags & RULE_F_TAP_CLEAR)
		env_tap(env, plan, TAP_CLEAR, (const struct egress *)0, payload, plan->len);
}

/* plan->len bytes as they leave by eg. */
static inline void tap_out(struct env *env, const struct plan *plan, const struct egress *eg,
			   const void *payload)
{
	if (plan->flags & RULE_F_TAP_OUT)
		env_tap(env, plan, TAP_OUT, eg, payload, plan->len);
}

/* A packet that goes no further; with or without a TAP_IN before. */
static inline void tap_end(struct env *env, struct plan *plan, __u32 reason)
{
	if (!(plan->flags & RULE_F_TAP_IN))
		return;
	plan->reason = (__u8)reason;
	env_tap(env, plan, TAP_REFUSED, (const struct egress *)0, (const void *)0, 0);
}

#endif
