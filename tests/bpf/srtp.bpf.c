/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The steps of SRTP by themselves, as the verifier and the processor see them in XDP. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/env_api.h"
#include "bpf/srtp_calls.bpf.h"
#include "tests/bpf/srtp_steps.h"

/* Set before a run; what the run comes to. */
struct srtp_step step = {};

static inline int run(struct xdp_md *ctx, __u32 open)
{
	struct env env = { .ctx = ctx };
	char *packet = (char *)env_data(&env) + SRTP_STEP_OFF;
	struct srtp_job *job = env_srtp_job(&env);
	__u32 reason;

	if (!job)
		return XDP_ABORTED;
	job->keys = step.keys;
	job->flags = step.flags;
	job->len = step.len;
	job->head = step.head;
	if (open) {
		reason = srtp_admit(&env, job, packet, env_data_end(&env));
		if (reason == REASON_NONE)
			reason = srtp_open(&env, job, packet, env_data_end(&env));
	} else {
		reason = srtp_seal(&env, job, packet, env_data_end(&env));
	}
	step.reason = reason;
	step.out_len = job->len;
	return XDP_PASS;
}

SEC("xdp")
int srtp_step_open(struct xdp_md *ctx)
{
	return run(ctx, 1);
}

SEC("xdp")
int srtp_step_seal(struct xdp_md *ctx)
{
	return run(ctx, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
