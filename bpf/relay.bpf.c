/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: the core, run on every frame that an interface receives, and on every
 * copy of a frame that leaves for many.
 *
 * Kernel features used, and since when they exist: bpf_fib_lookup 4.18 (with the MTU in
 * its answer 5.12), bounded loops 5.3, devmap hash 5.4, BPF_F_MMAPABLE 5.5, programs in
 * devmaps 5.8, lookups in a devmap from the program 5.9, pinned links 5.9, devmaps of any
 * length in a map of maps 5.10, broadcast to a devmap 5.13. The minimum is 5.15, the
 * oldest kernel with long-term support that has them all.
 */
#include "bpf/relay.bpf.h"

SEC("xdp/devmap")
int tandem_copy(struct xdp_md *ctx)
{
	return copy_on(ctx, ctx->egress_ifindex, 0);
}

SEC("xdp/devmap")
int tandem_copy_srtp(struct xdp_md *ctx)
{
	return copy_on(ctx, ctx->egress_ifindex, SRTP_BY_PROGRAM);
}

SEC("xdp")
int tandem_relay(struct xdp_md *ctx)
{
	return relay_on(ctx, 0);
}

SEC("xdp")
int tandem_relay_srtp(struct xdp_md *ctx)
{
	return relay_on(ctx, SRTP_BY_PROGRAM);
}

char _license[] SEC("license") = "Dual BSD/GPL";
