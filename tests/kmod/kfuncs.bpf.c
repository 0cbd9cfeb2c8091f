/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls the module's functions for BPF programs, as tests/kmod/kfuncs.c says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/srtp_abi.h"
#include "kmod/kfuncs.h"

struct tandem_srtp_packet packet;
int result;

SEC("xdp")
int admit(struct xdp_md *ctx)
{
	struct tandem_srtp_packet p = packet;

	result = tandem_srtp_admit(ctx, &p);
	packet = p;
	return XDP_PASS;
}

/* What is longer than the packet now is cut off. */
SEC("xdp")
int unprotect(struct xdp_md *ctx)
{
	struct tandem_srtp_packet p = packet;

	result = tandem_srtp_unprotect(ctx, &p);
	if (!result && p.len < packet.len)
		bpf_xdp_adjust_tail(ctx, (int)(p.len - packet.len));
	packet = p;
	return XDP_PASS;
}

/* The trailer as long as it may be, and then as long as it is. */
SEC("xdp")
int protect(struct xdp_md *ctx)
{
	struct tandem_srtp_packet p = packet;

	if (bpf_xdp_adjust_tail(ctx, SRTP_TRAILER_MAX))
		return XDP_ABORTED;
	result = tandem_srtp_protect(ctx, &p);
	bpf_xdp_adjust_tail(ctx, (int)(p.len - packet.len) - SRTP_TRAILER_MAX);
	packet = p;
	return XDP_PASS;
}

SEC("xdp")
int protect_as_it_is(struct xdp_md *ctx)
{
	struct tandem_srtp_packet p = packet;

	result = tandem_srtp_protect(ctx, &p);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
