/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The core's environment inside XDP: maps for tables, helpers for the clock, the routing
 * and neighbour tables, and the room in front of the frame.
 */
#ifndef TANDEM_BPF_ENV_H
#define TANDEM_BPF_ENV_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A BPF function takes five parameters at most: what the core has inline must be inlined. */
#define inline inline __attribute__((always_inline))
#define ENV_CALL inline

#include "bpf/maps.bpf.h"
#include "core/addr.h"

#define AF_INET		 2
#define AF_INET6	 10
#define LOOPBACK_IFINDEX 1

/* Who does the SRTP of a program, where it is compiled into it. */
enum srtp_by {
	SRTP_BY_PROGRAM = 1,
	SRTP_BY_MODULE, /* by calls to the kernel module, relay_module.bpf.c */
};

/* srtp is a constant that each program sets: SRTP is compiled into some of them alone. */
struct env {
	struct xdp_md *ctx;
	int srtp;
};

#define ENV_SRTP(env) ((env)->srtp)

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

static inline struct entry *env_entry(struct env *env, __u32 slot)
{
	return bpf_map_lookup_elem(&entries, &slot);
}

static inline const struct rule_more *env_rule_more(struct env *env, __u32 slot)
{
	return bpf_map_lookup_elem(&rules_more, &slot);
}

static inline struct flow_more *env_flow_more(struct env *env, __u32 slot)
{
	return bpf_map_lookup_elem(&flows_more, &slot);
}

/* There is no instruction to prefetch: loads that nothing waits for. */
static inline void env_touch(const struct entry *entry)
{
	const volatile __u32 *word = (const volatile __u32 *)entry;

	(void)word[0];
	(void)word[64 / 4];
	(void)word[128 / 4];
	(void)word[192 / 4];
}

static inline const struct fan *env_fan(struct env *env, __u32 index)
{
	return bpf_map_lookup_elem(&fans, &index);
}

static inline struct fan_state *env_fan_state(struct env *env, __u32 index)
{
	return bpf_map_lookup_elem(&fan_states, &index);
}

static inline const struct leg *env_leg(struct env *env, __u32 index)
{
	return bpf_map_lookup_elem(&legs, &index);
}

static inline struct leg_state *env_leg_state(struct env *env, __u32 index)
{
	return bpf_map_lookup_elem(&leg_states, &index);
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
static const struct extra_stream empty_stream;

static inline struct extra_stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
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

/*
 * What the loader knows of the host's routes and neighbours (xdp_watch.c): next hops with an
 * earlier expires_ns than the first are void, for something has changed since they were found;
 * and nothing else has, up to the second, so the others hold for longer.
 */
__u64 ways_void_ns = 0;
__u64 ways_watched_ns = 0;

/* No longer than so, watched or not: not all that changes a way is told of. */
#define WAY_WATCHED_NS 5000000000ULL

static inline int env_way_holds(struct env *env, __u64 expires_ns, __u64 now)
{
	if (expires_ns <= ways_void_ns)
		return 0;
	return now < expires_ns || (now < ways_watched_ns && now < expires_ns + WAY_WATCHED_NS);
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

/* Routes do not say where to send to a group; the address that it is sent from does. */
static inline __u32 env_group_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				      struct nexthop *nh)
{
	const struct local_device *device;
	__u32 local = eg->local;

	device = bpf_map_lookup_elem(&local_devices, &local);
	if (!device || !device->ifindex)
		return REASON_no_route;
	if (device->mtu && l3_len > device->mtu)
		return REASON_too_big;
	nh->ifindex = device->ifindex;
	nh->mtu = device->mtu;
	nh->vlan_tci = device->vlan_tci;
	__builtin_memcpy(nh->smac, device->mac, sizeof(nh->smac));
	group_mac(&eg->remote, nh->dmac);
	return bpf_map_lookup_elem(&tx_ports, &nh->ifindex) ? REASON_NONE : REASON_no_egress_port;
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
	const struct relay_config *relay = env_config(env);
	struct bpf_fib_lookup fib = {};
	const struct ip_addr *local;
	__u32 reason;
	int i;

	if (!relay)
		return REASON_no_route;
	local = &relay->locals[eg->local & (TANDEM_MAX_LOCALS - 1)];
	if (ip_addr_is_group(&eg->remote))
		return env_group_nexthop(env, eg, l3_len, nh);
	fib.ifindex = LOOPBACK_IFINDEX;
	fib.l4_protocol = 17;
	fib.sport = eg->local_port;
	fib.dport = eg->remote_port;
	fib.tot_len = l3_len;
	if (ip_addr_is_v4(&eg->remote)) {
		fib.family = AF_INET;
		fib.ipv4_src = local->w[3];
		fib.ipv4_dst = eg->remote.w[3];
	} else {
		fib.family = AF_INET6;
		for (i = 0; i < 4; i++) {
			fib.ipv6_src[i] = local->w[i];
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

static inline struct egress *env_keep(struct env *env)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&kept, &zero);
}

static inline struct rtcp_job *env_rtcp_job(struct env *env)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rtcp_jobs, &zero);
}

static inline int env_can_copy(struct env *env, __u32 ifindex, __u32 n)
{
	struct copies_key key = { .ifindex = ifindex, .copies = n };

	return bpf_map_lookup_elem(&copy_ports, &key) != 0;
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

/* In assembly: the compiler would make arithmetic of it that pointers are not allowed. */
static inline __u32 env_size(struct env *env)
{
	__u64 size = env->ctx->data_end;

	asm volatile("%0 -= %1" : "+r"(size) : "r"((__u64)env->ctx->data));
	return (__u32)size;
}

__u32 tandem_grow(struct xdp_md *ctx, __u32 by);

/* Where there is no room behind a frame there may be in front of it. Growth is for SRTP alone. */
static inline int env_trim(struct env *env, int delta)
{
	if (bpf_xdp_adjust_tail(env->ctx, delta) == 0)
		return 0;
	return !ENV_SRTP(env) || delta <= 0 || tandem_grow(env->ctx, (__u32)delta);
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

__u32 tandem_tap(struct xdp_md *ctx, __u64 flow_id, __u64 what, __u64 where, __u64 more);

/*
 * What tandem_tap() takes for what: kind, reason and slot. For where: offset and length. And for
 * more: the time, or of TAP_OUT the leg, of which 0 is none.
 */
#define TAP_WHAT(kind, reason, slot) ((__u64)(slot) << 32 | (__u32)(reason) << 8 | (kind))
#define TAP_WHERE(off, len)	     ((__u64)(off) << 32 | (len))

#define env_tap(env, plan, kind, eg, payload, len)                                                 \
	tap_frame(env, (kind) == TAP_REFUSED ? 0 : (plan)->flow_id,                                \
		  TAP_WHAT(kind, (kind) == TAP_REFUSED ? (plan)->reason : 0, (plan)->slot),        \
		  payload, len,                                                                    \
		  (kind) != TAP_OUT    ? (plan)->now                                               \
		  : (plan)->legs && eg ? ((const struct egress *)eg)->state + 1ULL                 \
				       : 0)

static inline void tap_frame(struct env *env, __u64 flow_id, __u64 what, const void *payload,
			     __u32 len, __u64 more)
{
	__u64 off = payload ? (__u64)payload - (__u64)env->ctx->data : 0;

	tandem_tap(env->ctx, flow_id, what, TAP_WHERE(off, len), more);
}

struct hop;
struct rtp_info;
struct rtcp_job;
struct rtcp_place;
struct ext_place;
struct fan_job;
struct fan_way;

/*
 * The loops of the core, and what is done to each element, are global functions: the
 * verifier looks at them once, with everything unknown, instead of once for each way that
 * leads to them. Those take no pointer into the packet; offsets are relative to the start
 * of the frame.
 */
__u32 tandem_nexthop_find(struct xdp_md *ctx, const struct egress *eg, struct nexthop *cache,
			  __u32 l3_len, struct hop *hop);
__u32 tandem_flow_renew(struct flow *flow, __u32 slot, __u64 flow_id, __u32 gen);
__u32 tandem_stream_account(struct stream *s, struct stream_more *more, const struct rtp_info *rtp,
			    __u32 clock_hz, __u64 now);
__u32 tandem_fan_find(const struct fan *fan, __u32 rtcp, __u32 ssrc);
__u64 tandem_rtp_translate(struct xdp_md *ctx, const struct egress *eg, const struct rtp_info *rtp,
			   __u64 off, __u64 place);
__u32 tandem_rtcp_check(struct xdp_md *ctx, __u64 off, __u32 len);
__u32 tandem_rtcp_walk(struct xdp_md *ctx, struct rtcp_job *job, __u64 off, __u32 len);
__u32 tandem_rtcp_step(struct xdp_md *ctx, struct rtcp_job *job, struct rtcp_place *at, __u64 off,
		       __u32 len);
__u64 tandem_ext_translate(struct xdp_md *ctx, __u64 start, __u32 off, __u32 len, __u32 leg);
__u32 tandem_ext_byte(struct xdp_md *ctx, struct ext_place *at, __u64 off);
__u64 tandem_g711(struct xdp_md *ctx, __u64 start, __u32 off, __u32 octets, __u32 to);
__u64 tandem_silence(struct xdp_md *ctx, __u64 start, __u32 off, __u32 octets, __u32 act);
__u32 tandem_fan_resolve(struct xdp_md *ctx, const struct fan_job *job);
__u32 tandem_fan_leg(struct xdp_md *ctx, __u32 index, __u32 gen, struct fan_way *way);

/* What tandem_rewrite_frame() takes for the layout: two offsets, IP's version and TOS, and the length. */
#define REWRITE_LAYOUT(out, len)                                                                   \
	((__u64)(out)->l3_off << 48 | (__u64)(out)->udp_off << 32 | (__u64)(out)->v6 << 24 |       \
	 (__u64)(out)->tos << 16 | (__u16)(len))
__u32 tandem_rewrite_frame(struct xdp_md *ctx, const struct egress *eg, const struct hop *hop,
			   __u64 layout, __u64 delta);

static inline __u64 env_offset(struct env *env, const void *p)
{
	return (__u64)p - (__u64)env->ctx->data;
}

#define env_nexthop_find(env, eg, cache, l3_len, hop)                                              \
	tandem_nexthop_find((env)->ctx, eg, cache, l3_len, hop)
#define env_flow_renew(env, flow, slot, flow_id, gen) tandem_flow_renew(flow, slot, flow_id, gen)
/* These calls cost little beside SRTP, but too much without it. */
#define env_fan_find(env, fan, rtcp, ssrc, branch)                                                 \
	(ENV_SRTP(env) ? (*(branch) = tandem_fan_find(fan, rtcp, ssrc)) < TANDEM_MAX_BRANCHES      \
		       : fan_find(fan, rtcp, ssrc, branch))
#define env_rtp_translate(env, payload, end, eg, leg, rtp, pt_index, delta)                        \
	(ENV_SRTP(env) ? (void)(*(delta) += tandem_rtp_translate((env)->ctx, eg, rtp,              \
								 env_offset(env, payload),         \
								 (__u64)(pt_index) << 32 | (leg))) \
		       : rtp_translate(env, payload, end, eg, leg, rtp, pt_index, delta))
#define env_rewrite_frame(env, f, eg, hop, out, len, delta)                                        \
	(ENV_SRTP(env) ? (enum reason)tandem_rewrite_frame((env)->ctx, eg, hop,                    \
							   REWRITE_LAYOUT(out, len), delta)        \
		       : rewrite_frame(env, f, eg, hop, out, len, delta))
#define env_stream_account(env, at, rtp, clock_hz, now)                                            \
	(ENV_SRTP(env) ? (void)tandem_stream_account((at).s, (at).more, rtp, clock_hz, now)        \
		       : stream_account(at, rtp, clock_hz, now))
#define env_rtcp_check(env, payload, end, len)                                                     \
	tandem_rtcp_check((env)->ctx, env_offset(env, payload), len)
#define env_rtcp_walk(env, job, payload, end, len)                                                 \
	tandem_rtcp_walk((env)->ctx, job, env_offset(env, payload), len)
#define env_rtcp_step(env, job, at, payload, end, len)                                             \
	tandem_rtcp_step((env)->ctx, job, at, env_offset(env, payload), len)
#define env_ext_translate(env, payload, end, off, len, leg)                                        \
	tandem_ext_translate((env)->ctx, env_offset(env, payload), off, len, leg)
#define env_ext_byte(env, at, payload, end)                                                        \
	tandem_ext_byte((env)->ctx, at, env_offset(env, payload))
#define env_g711(env, payload, end, off, octets, to)                                               \
	tandem_g711((env)->ctx, env_offset(env, payload), off, octets, to)
#define env_silence(env, payload, end, off, octets, act)                                           \
	tandem_silence((env)->ctx, env_offset(env, payload), off, octets, act)
#define env_fan_resolve(env, job)	  tandem_fan_resolve((env)->ctx, job)
#define env_fan_leg(env, index, gen, way) tandem_fan_leg((env)->ctx, index, gen, way)

/*
 * Keeps the compiler from reordering. x86 does not reorder loads; on other machines a
 * packet that meets a change of its rule may see a part of the new one.
 */
static inline void env_read_barrier(void)
{
	asm volatile("" : : : "memory");
}

#include "bpf/srtp.bpf.h"

#endif
