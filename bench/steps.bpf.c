/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shipped program, and beside it, on the same maps, programs that stop after a step of
 * its pipeline. A step that was reached ends in XDP_DROP, anything else in XDP_ABORTED.
 */
#include "bpf/relay.bpf.c"

#include "bench/steps.h"

static inline int stop_after(struct xdp_md *ctx, const enum bench_step last)
{
	struct env env = { .ctx = ctx };
	__u32 zero = 0, ifindex = 0;
	struct plan plan;
	struct frame *f;

	f = bpf_map_lookup_elem(&frame_in_hand, &zero);
	if (!f)
		return XDP_ABORTED;
	return steps_frame(&env, f, &plan, &ifindex, last) == REASON_NONE ? XDP_DROP : XDP_ABORTED;
}

#define STEP(name, last)                                                                           \
	SEC("xdp") int name(struct xdp_md *ctx)                                                    \
	{                                                                                          \
		return stop_after(ctx, last);                                                      \
	}

STEP(step_parse, STEP_PARSE)
STEP(step_look_up, STEP_LOOKUP)
STEP(step_plan, STEP_PLAN)
STEP(step_nexthop, STEP_NEXTHOP)
STEP(step_account, STEP_ACCOUNT)
STEP(step_translate, STEP_TRANSLATE)
STEP(step_rewrite, STEP_REWRITE)
STEP(step_count, STEP_COUNT)
