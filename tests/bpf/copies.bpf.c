/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path, and twins of tandem_copy() and tandem_copy_srtp() that can be run by themselves:
 * BPF_PROG_TEST_RUN takes no program of a devmap, and knows no device that a frame leaves by.
 */
#include "bpf/relay.bpf.c"

__u32 test_device; /* ifindex of the device that a copy is on */

SEC("xdp")
int copy_twin(struct xdp_md *ctx)
{
	return copy_on(ctx, test_device, 0);
}

SEC("xdp")
int copy_twin_srtp(struct xdp_md *ctx)
{
	return copy_on(ctx, test_device, 1);
}
