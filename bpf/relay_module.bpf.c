/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs with SRTP once more, for hosts with the kernel module: it opens and seals, by the
 * kernel's ciphers. They stand in the place of those of relay.bpf.c, with the same maps and
 * variables. An object of its own, because a kernel that cannot call a module must take the other.
 *
 * Linux 6.0 at least; kmod/kfuncs.h.
 */
#include "bpf/relay.bpf.h"
#include "kmod/kfuncs.h"

/* The module's number of the table with the keys and streams. Set by the loader. */
const volatile __u32 module_table = 0;

static inline struct tandem_srtp_packet module_packet(const struct srtp_job *job, __u64 off)
{
	return (struct tandem_srtp_packet){
		.table = module_table,
		.keys = job->keys,
		.flags = job->flags & (SRTP_J_RTCP | SRTP_J_KEEP),
		.off = (__u32)off & SRTP_OFF_MASK,
		.len = job->len,
	};
}

/* Nothing has been changed yet, so whatever the module cannot do is punted. */
SRTP_CALL __u32 tandem_module_admit(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct tandem_srtp_packet packet;
	int reason;

	if (!job)
		return REASON_rule_busy;
	packet = module_packet(job, off);
	reason = tandem_srtp_admit(ctx, &packet);
	if (reason)
		return reason < 0 ? REASON_rule_busy : (__u32)reason;
	job->body = packet.len - job->head;
	return REASON_NONE;
}

/* Too late for a punt: what the module can no longer do is dropped. */
static inline __u32 module_result(int reason)
{
	if (!reason)
		return REASON_NONE;
	return reason < 0 || reason == REASON_srtp_suite || reason == REASON_rule_busy
		       ? REASON_rule_changed
		       : (__u32)reason;
}

SRTP_CALL __u32 tandem_module_open(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct tandem_srtp_packet packet;
	__u32 reason;

	if (!job)
		return REASON_rule_changed;
	packet = module_packet(job, off);
	reason = module_result(tandem_srtp_unprotect(ctx, &packet));
	job->len = packet.len;
	return reason;
}

SRTP_CALL __u32 tandem_module_seal(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct tandem_srtp_packet packet;
	__u32 reason;

	if (!job)
		return REASON_rule_changed;
	packet = module_packet(job, off);
	reason = module_result(tandem_srtp_protect(ctx, &packet));
	job->len = packet.len;
	return reason;
}

SEC("xdp/devmap")
int tandem_copy_module(struct xdp_md *ctx)
{
	return copy_on(ctx, ctx->egress_ifindex, SRTP_BY_MODULE);
}

SEC("xdp")
int tandem_relay_module(struct xdp_md *ctx)
{
	return relay_on(ctx, SRTP_BY_MODULE);
}

char _license[] SEC("license") = "Dual BSD/GPL";
