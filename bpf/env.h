/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The core's environment inside XDP: maps for tables, helpers for the clock, the routing
 * and neighbour tables, and the room in front of the frame.
 */
#ifndef TANDEM_BPF_ENV_H
#define TANDEM_BPF_ENV_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/maps.bpf.h"
#include "core/byteorder.h"

#define ENV_CALL __attribute__((noinline))

#define AF_INET		 2
#define AF_INET6	 10
#define LOOPBACK_IFINDEX 1

struct env {
	struct xdp_md *ctx;
};

/*
 * Set by tests before loading. Read-only and known at load time, so the verifier drops
 * what hangs on it from the production program.
 */
const volatile __u8 test_clock = 0;
__u64 test_now_ns = 0;

static inline __u64 env_now(struct env *env)
{
	return test_clock ? test_now_ns : bpf_ktime_get_ns();
}

static inline const struct relay_config *env_config(struct env *env)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static inline const struct rule *env_rule(struct env *env, __u32 slot)
{
	return bpf_map_lookup_elem(&rules, &slot);
}

static inline struct flow *env_flow(struct env *env, __u32 slot)
{
	return bpf_map_lookup_elem(&flows, &slot);
}

static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	const __u32 *found = bpf_map_lookup_elem(&shared, key);

	if (!found)
		return 0;
	*slot = *found;
	return 1;
}

/* Template for new entries; the stack has no room for one. */
static const struct stream empty_stream;

static inline struct stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
{
	struct stream_key key = { .slot = slot, .ssrc = ssrc };

	if (create)
		bpf_map_update_elem(&streams, &key, &empty_stream, BPF_NOEXIST);
	return bpf_map_lookup_elem(&streams, &key);
}

static inline void env_count(struct env *env, __u32 reason)
{
	struct reason_counters *c;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&counters, &zero);
	if (c && reason < REASON_COUNT)
		c->packets[reason]++;
}

/* Egress device of a route: a VLAN device becomes a tag and the device below. */
static inline __u32 env_egress_device(__u32 ifindex, struct nexthop *nh)
{
	const struct vlan_device *vlan = bpf_map_lookup_elem(&vlans, &ifindex);

	nh->ifindex = ifindex;
	if (vlan) {
		nh->ifindex = vlan->ifindex;
		nh->vlan_tci = vlan->tci;
	}
	return bpf_map_lookup_elem(&tx_ports, &nh->ifindex) ? REASON_NONE : REASON_no_egress_port;
}

static inline __u32 env_fib_reason(long result)
{
	switch (result) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return REASON_NONE;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return REASON_no_neighbour;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return REASON_too_big;
	default:
		return REASON_no_route;
	}
}

/*
 * Asked as if the packet came in by the loopback device, which is how the kernel routes
 * what the host itself sends; that is what a relay's packets are. The helper insists on
 * forwarding being enabled on that device: net.ipv4.conf.lo.forwarding and
 * net.ipv6.conf.lo.forwarding, which does not make a router of the host.
 */
static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh)
{
	struct bpf_fib_lookup fib = {};
	__u32 reason;
	int i;

	fib.ifindex = LOOPBACK_IFINDEX;
	fib.l4_protocol = 17;
	fib.sport = eg->local_port;
	fib.dport = eg->remote_port;
	fib.tot_len = l3_len;
	if (eg->remote.d[0] == 0 && eg->remote.w[2] == net32(0xffff)) {
		fib.family = AF_INET;
		fib.ipv4_src = eg->local.w[3];
		fib.ipv4_dst = eg->remote.w[3];
	} else {
		fib.family = AF_INET6;
		for (i = 0; i < 4; i++) {
			fib.ipv6_src[i] = eg->local.w[i];
			fib.ipv6_dst[i] = eg->remote.w[i];
		}
	}

	reason = env_fib_reason(bpf_fib_lookup(env->ctx, &fib, sizeof(fib), 0));
	if (reason != REASON_NONE)
		return reason;
	nh->mtu = fib.mtu_result;
	__builtin_memcpy(nh->dmac, fib.dmac, sizeof(nh->dmac));
	__builtin_memcpy(nh->smac, fib.smac, sizeof(nh->smac));
	return env_egress_device(fib.ifindex, nh);
}

static inline void *env_data(struct env *env)
{
	return (void *)(long)env->ctx->data;
}

static inline void *env_data_end(struct env *env)
{
	return (void *)(long)env->ctx->data_end;
}

static inline int env_resize(struct env *env, int delta)
{
	return (int)bpf_xdp_adjust_head(env->ctx, -delta);
}

/*
 * Frames are below 64 KiB, so what is added is 0; the verifier does not know it, and
 * is left with the mask alone. The asm keeps the compiler from knowing it either.
 */
static inline __u32 env_forget(struct env *env, __u32 value, __u32 mask)
{
	__u64 zero = ((__u64)env->ctx->data_end - (__u64)env->ctx->data) >> 16;

	value += (__u32)zero;
	asm volatile("%0 &= %1" : "+r"(value) : "r"(mask));
	return value;
}

struct rtcp_job;
struct rtcp_place;

/*
 * The loops over RTCP, and what is done to each element, are global functions: the
 * verifier looks at them once, with everything unknown, instead of once for each way that
 * leads to them. Those take no pointer into the packet; offsets are relative to the start
 * of the frame.
 */
__u32 tandem_rtcp_check(struct xdp_md *ctx, __u64 off, __u32 len);
__u32 tandem_rtcp_walk(struct xdp_md *ctx, struct rtcp_job *job, __u64 off, __u32 len);
__u32 tandem_rtcp_step(struct xdp_md *ctx, struct rtcp_job *job, struct rtcp_place *at, __u64 off,
		       __u32 len);

static inline __u64 env_offset(struct env *env, const void *p)
{
	return (__u64)p - (__u64)env->ctx->data;
}

static inline __u32 env_rtcp_check(struct env *env, void *payload, const void *end, __u32 len)
{
	return tandem_rtcp_check(env->ctx, env_offset(env, payload), len);
}

static inline __u32 env_rtcp_walk(struct env *env, struct rtcp_job *job, void *payload,
				  const void *end, __u32 len)
{
	return tandem_rtcp_walk(env->ctx, job, env_offset(env, payload), len);
}

static inline __u32 env_rtcp_step(struct env *env, struct rtcp_job *job, struct rtcp_place *at,
				  void *payload, const void *end, __u32 len)
{
	return tandem_rtcp_step(env->ctx, job, at, env_offset(env, payload), len);
}

/*
 * Keeps the compiler from reordering. x86 does not reorder loads; on other machines a
 * packet that meets a change of its rule may see a part of the new one.
 */
static inline void env_read_barrier(void)
{
	asm volatile("" : : : "memory");
}

#endif
