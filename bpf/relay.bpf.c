/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: the core, run on every frame that an interface receives.
 *
 * Kernel features used, and since when they exist: bpf_fib_lookup 4.18 (with the MTU in
 * its answer 5.12), bounded loops 5.3, devmap hash 5.4, BPF_F_MMAPABLE 5.5, lookups in a
 * devmap from the program 5.9, pinned links 5.9. The minimum is 5.15, the oldest kernel
 * with long-term support that has them all.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/forward.h"

/* Offsets of a UDP payload: Ethernet, two tags, IPv6 and UDP headers are 70 bytes. */
#define OFF_MASK 0x7f

__attribute__((noinline)) __u32 tandem_rtcp_check(struct xdp_md *ctx, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	return rtcp_check(&env, (char *)env_data(&env) + (off & OFF_MASK), env_data_end(&env), len);
}

__attribute__((noinline)) __u32 tandem_rtcp_walk(struct xdp_md *ctx, struct rtcp_job *job,
						 __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_bad_rtcp;
	return rtcp_walk(&env, job, (char *)env_data(&env) + (off & OFF_MASK), env_data_end(&env),
			 len);
}

__attribute__((noinline)) __u32 tandem_rtcp_step(struct xdp_md *ctx, struct rtcp_job *job,
						 struct rtcp_place *at, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	if (!job || !at)
		return 0;
	return rtcp_step(&env, job, at, (char *)env_data(&env) + (off & OFF_MASK),
			 env_data_end(&env), len);
}

SEC("xdp")
int tandem_relay(struct xdp_md *ctx)
{
	struct env env = { .ctx = ctx };
	__u32 ifindex = 0;

	switch (reason_verdict(relay_frame(&env, &ifindex))) {
	case VERDICT_FORWARD:
		return (int)bpf_redirect_map(&tx_ports, ifindex, 0);
	case VERDICT_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

char _license[] SEC("license") = "Dual BSD/GPL";
