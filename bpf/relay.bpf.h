/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a program does with a frame that arrives, and with a copy that leaves, for the one source
 * file of programs that includes it. srtp is a constant of the program: 0, or enum srtp_by.
 */
#ifndef TANDEM_BPF_RELAY_H
#define TANDEM_BPF_RELAY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/copy.h"
#include "bpf/srtp_calls.bpf.h"

/* Offsets of a UDP payload: Ethernet, two tags, IPv6 and UDP headers are 70 bytes. */
#define OFF_MASK 0x7f

/* What a program remembers of the frame in hand; the stack has no room for it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame);
} frame_in_hand SEC(".maps");

/* Who does the SRTP that a program without it hands on? Set by the loader, in all programs. */
const volatile __u8 by_module = 0;

static inline char *at_offset(struct env *env, __u64 off)
{
	return (char *)env_data(env) + (off & OFF_MASK);
}

/* Bytes of a packet that captures want at most. Set by the loader. */
__u32 tap_bytes = 0;

__attribute__((noinline)) __u32 tandem_tap(struct xdp_md *ctx, __u64 flow_id, __u64 what,
					   __u64 where, __u64 more)
{
	struct env env = { .ctx = ctx };
	const __u8 kind = (__u8)what;
	const __u64 leg = kind == TAP_OUT ? more : 0;
	struct tap_record record = {
		.ns = kind != TAP_OUT && more ? more : env_now(&env),
		.flow_id = flow_id,
		.kind = kind,
		.reason = (__u8)(what >> 8),
		.payload_off = (__u16)(where >> 32),
		.payload_len = (__u16)where,
	};
	const struct leg_state *state = leg ? env_leg_state(&env, (__u32)leg - 1) : 0;
	const struct entry *entry = flow_id ? 0 : env_entry(&env, what >> 32);
	__u64 size = env_size(&env), *lost;
	__u32 zero = 0;

	if (state)
		record.leg = state->id;
	if (kind == TAP_CLEAR)
		record.leg = (__u32)(what >> 32);
	if (entry)
		record.flow_id = entry->rule.id;
	if (size > tap_bytes)
		size = tap_bytes;
	record.size = (__u16)size;
	if (!bpf_perf_event_output(ctx, &taps, BPF_F_CURRENT_CPU | size << 32, &record,
				   sizeof(record)))
		return 0;
	lost = bpf_map_lookup_elem(&taps_lost, &zero);
	if (lost)
		++*lost;
	return 0;
}

__attribute__((noinline)) __u32 tandem_nexthop_find(struct xdp_md *ctx, const struct egress *eg,
						    struct nexthop *cache, __u32 l3_len,
						    struct hop *hop)
{
	struct env env = { .ctx = ctx };

	return eg && hop ? nexthop_find(&env, eg, cache, l3_len, hop) : REASON_no_route;
}

__attribute__((noinline)) __u32 tandem_flow_renew(struct flow *flow, __u32 slot, __u64 flow_id,
						  __u32 gen)
{
	struct env env = {};

	if (flow)
		flow_renew(&env, flow, slot, flow_id, gen);
	return 0;
}

__attribute__((noinline)) __u32 tandem_stream_account(struct stream *s, struct stream_more *more,
						      const struct rtp_info *rtp, __u32 clock_hz,
						      __u64 now)
{
	const struct stream_at at = { .s = s, .more = more };

	if (s && more && rtp)
		stream_account(at, rtp, clock_hz, now);
	return 0;
}

__attribute__((noinline)) __u32 tandem_fan_find(const struct fan *fan, __u32 rtcp, __u32 ssrc)
{
	__u32 branch;

	return fan && fan_find(fan, rtcp != 0, ssrc, &branch) ? branch : TANDEM_MAX_BRANCHES;
}

__attribute__((noinline)) __u64 tandem_rtp_translate(struct xdp_md *ctx, const struct egress *eg,
						     const struct rtp_info *rtp, __u64 off,
						     __u64 place)
{
	struct env env = { .ctx = ctx };
	__u64 delta = 0;

	if (eg && rtp)
		rtp_translate(&env, at_offset(&env, off), env_data_end(&env), eg, (__u32)place, rtp,
			      place >> 32, &delta);
	return delta;
}

/* Of the frame in hand. */
__attribute__((noinline)) __u32 tandem_rewrite_frame(struct xdp_md *ctx, const struct egress *eg,
						     const struct hop *hop, __u64 layout,
						     __u64 delta)
{
	struct env env = { .ctx = ctx, .srtp = SRTP_BY_PROGRAM };
	const struct layout out = {
		.l3_off = (__u32)(layout >> 48) & L3_OFF_MASK,
		.udp_off = (__u32)(layout >> 32) & UDP_OFF_MASK,
		.v6 = (__u8)(layout >> 24) & 1,
		.tos = (__u8)(layout >> 16),
	};
	const struct frame *f;
	__u32 zero = 0;

	f = bpf_map_lookup_elem(&frame_in_hand, &zero);
	if (!f || !eg || !hop)
		return REASON_bad_header;
	return rewrite_frame(&env, f, eg, hop, &out, (__u16)layout, delta);
}

__attribute__((noinline)) __u32 tandem_rtcp_check(struct xdp_md *ctx, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	return rtcp_check(&env, at_offset(&env, off), env_data_end(&env), len);
}

__attribute__((noinline)) __u32 tandem_rtcp_walk(struct xdp_md *ctx, struct rtcp_job *job,
						 __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_bad_rtcp;
	return rtcp_walk(&env, job, at_offset(&env, off), env_data_end(&env), len);
}

__attribute__((noinline)) __u32 tandem_rtcp_step(struct xdp_md *ctx, struct rtcp_job *job,
						 struct rtcp_place *at, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };

	if (!job || !at)
		return 0;
	return rtcp_step(&env, job, at, at_offset(&env, off), env_data_end(&env), len);
}

__attribute__((noinline)) __u64 tandem_ext_translate(struct xdp_md *ctx, __u64 start, __u32 off,
						     __u32 len, __u32 leg)
{
	struct env env = { .ctx = ctx };

	return ext_translate(&env, at_offset(&env, start), env_data_end(&env), off, len, leg);
}

__attribute__((noinline)) __u32 tandem_ext_byte(struct xdp_md *ctx, struct ext_place *at, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!at)
		return 0;
	return ext_byte(&env, at, at_offset(&env, off), env_data_end(&env));
}

__attribute__((noinline)) __u64 tandem_g711(struct xdp_md *ctx, __u64 start, __u32 off,
					    __u32 octets, __u32 to)
{
	struct env env = { .ctx = ctx };

	return g711_translate(at_offset(&env, start), env_data_end(&env), off, octets, to);
}

__attribute__((noinline)) __u64 tandem_silence(struct xdp_md *ctx, __u64 start, __u32 off,
					       __u32 octets, __u32 act)
{
	struct env env = { .ctx = ctx };

	return silence_fill(at_offset(&env, start), env_data_end(&env), off, octets, act);
}

__attribute__((noinline)) __u32 tandem_fan_resolve(struct xdp_md *ctx, const struct fan_job *job)
{
	struct env env = { .ctx = ctx };

	return job ? fan_resolve(&env, job) : REASON_no_route;
}

__attribute__((noinline)) __u32 tandem_fan_leg(struct xdp_md *ctx, __u32 index, __u32 gen,
					       struct fan_way *way)
{
	struct env env = { .ctx = ctx, .srtp = by_module ? SRTP_BY_MODULE : SRTP_BY_PROGRAM };

	return way ? fan_resolve_leg(&env, index, gen, way) : REASON_no_route;
}

/*
 * What stands in the place of the Ethernet header of a frame on its way to be copied;
 * tandem_copy() reads it from each copy. No other frame that is sent has this type, since
 * all others have the Ethernet header that the core wrote. When a relay takes over from
 * another, the one's program may read what the other's wrote: a change here changes
 * TANDEM_ABI_VERSION.
 */
struct copy_stamp {
	__u32 what;  /* fan, branch, and in the lowest bit whether it is RTCP */
	__u32 gen;   /* of the fan */
	__u32 frame; /* number, to tell the copies of one from those of the next */
	__be16 type;
} __attribute__((packed, aligned(2)));

#define STAMP_IP4	0x88b5 /* IEEE 802: for local experiments */
#define STAMP_IP6	0x88b6
#define STAMP_FAN	8 /* fans are fewer than 2^24 */
#define STAMP_BRANCH(x) ((x) >> 1 & 0x7f)
#define STAMP_RTCP	1

_Static_assert(sizeof(struct copy_stamp) == sizeof(struct eth_hdr), "in place of the header");

static inline int stamp_frame(struct env *env, const struct frame *f, const struct plan *plan)
{
	struct copy_stamp *stamp;
	__u32 zero = 0, *number;

	/* Without its tags. */
	if (f->l3_off != sizeof(struct eth_hdr) &&
	    env_resize(env, (int)sizeof(struct eth_hdr) - (int)f->l3_off))
		return 0;
	number = bpf_map_lookup_elem(&frame_numbers, &zero);
	stamp = env_data(env);
	if (!number || (void *)(stamp + 1) > env_data_end(env))
		return 0;
	stamp->what = plan->fan << STAMP_FAN | (__u32)plan->branch << 1 |
		      (plan->class == CLASS_RTCP ? STAMP_RTCP : 0);
	stamp->gen = plan->fan_gen;
	stamp->frame = ++*number;
	stamp->type = f->v6 ? net16(STAMP_IP6) : net16(STAMP_IP4);
	return 1;
}

/* Send the frame to as many entries of a devmap as there are legs. */
static inline int send_copies(struct env *env, const struct frame *f, const struct plan *plan)
{
	const struct fan_state *fan = bpf_map_lookup_elem(&fan_states, &plan->fan);
	struct copies_key key = { .copies = plan->legs };
	void *ports = 0;

	if (fan) {
		key.ifindex = fan->branch[plan->branch & (TANDEM_MAX_BRANCHES - 1)].ifindex;
		ports = bpf_map_lookup_elem(&copy_ports, &key);
	}
	if (!ports || !stamp_frame(env, f, plan)) {
		env_count(env, REASON_copies_lost);
		return XDP_DROP;
	}
	return (int)bpf_redirect_map(ports, 0, BPF_F_BROADCAST);
}

/*
 * The device on which a copy is counted as lost whose leg has no way, where copies are sent to
 * every device. Set by the loader.
 */
__u32 lost_on = 0;

/* Do the copies for this plan go to every device? */
static inline int to_every_device(const struct plan *plan)
{
	const struct fan_state *fan = bpf_map_lookup_elem(&fan_states, &plan->fan);

	return fan && !fan->branch[plan->branch & (TANDEM_MAX_BRANCHES - 1)].ifindex;
}

/* Is this device the one to send, or count, the copy of a leg? */
static inline int copy_is_for(const struct plan *plan, const struct leg_state *state, __u32 device)
{
	if (state->nexthop.ifindex)
		return state->nexthop.ifindex == device;
	return device == lost_on || !to_every_device(plan);
}

/*
 * Which copy of its frame is this, of those that go to the device? By one more each time it is
 * asked.
 */
static inline __u32 copy_number(__u32 ifindex, __u32 frame)
{
	struct copy_count *count = bpf_map_lookup_elem(&copy_counts, &ifindex);

	if (!count)
		return TANDEM_MAX_LEGS;
	if (count->frame != frame) {
		count->frame = frame;
		count->copies = 0;
	}
	return count->copies++;
}

/* Another program is to ask for the number of the same copy; should there be none, it was asked. */
static inline void copy_elsewhere(struct xdp_md *ctx, __u32 ifindex)
{
	struct copy_count *count = bpf_map_lookup_elem(&copy_counts, &ifindex);

	if (!count)
		return;
	count->copies--;
	bpf_tail_call(ctx, &copy_srtp, 0);
	count->copies++;
}

/*
 * One copy, on the device that it is about to leave by. Frames of a device come here in
 * the order in which they were sent, on the CPU that sent them, so that counting tells
 * which copy it is. Where a frame goes to several devices, each of them is sent a copy
 * for every leg, and those for other devices end here.
 */
static inline int copy_on(struct xdp_md *ctx, __u32 device, int srtp)
{
	struct env env = { .ctx = ctx, .srtp = srtp };
	struct copy_stamp *stamp = env_data(&env);
	const struct leg_state *state;
	const struct leg *leg;
	__u32 zero = 0, n, ifindex;
	struct plan plan;
	struct frame *f;
	__be16 type;

	/* Frames of one-to-one flows pass here too, and are done. */
	if ((void *)(stamp + 1) > env_data_end(&env) ||
	    (stamp->type != net16(STAMP_IP4) && stamp->type != net16(STAMP_IP6)))
		return XDP_PASS;
	f = bpf_map_lookup_elem(&frame_in_hand, &zero);
	if (!f)
		return XDP_DROP;
	type = stamp->type == net16(STAMP_IP6) ? net16(ETHERTYPE_IP6) : net16(ETHERTYPE_IP4);
	plan.fan = stamp->what >> STAMP_FAN;
	plan.branch = STAMP_BRANCH(stamp->what);
	plan.class = stamp->what & STAMP_RTCP ? CLASS_RTCP : CLASS_RTP;
	plan.fan_gen = stamp->gen;
	n = copy_number(device, stamp->frame);
	f->l3_off = sizeof(struct eth_hdr);
	if (parse_ip(&env, type, f) != REASON_NONE)
		return XDP_DROP;
	if (!plan_recall(&env, &plan,
			 (char *)env_data(&env) + (f->udp_off & UDP_OFF_MASK) +
				 sizeof(struct udp_hdr),
			 env_data_end(&env), f->payload_len) ||
	    n >= plan.legs) {
		env_count(&env, REASON_copies_lost);
		return XDP_DROP;
	}
	leg = env_leg(&env, plan.leg + n);
	state = leg ? env_leg_state(&env, leg->egress.state) : 0;
	if (state && !copy_is_for(&plan, state, device))
		return XDP_DROP;
	if (!srtp && leg && leg->egress.srtp != SRTP_NO_KEYS)
		copy_elsewhere(ctx, device);
	if (relay_copy(&env, f, &plan, n, &ifindex) != REASON_NONE)
		return XDP_DROP;
	return ifindex == device ? XDP_PASS : XDP_DROP;
}

/*
 * A frame that arrives. A program without SRTP gives one that it cannot do to the program with
 * it, before it is counted; that one begins with it anew.
 */
static inline int relay_on(struct xdp_md *ctx, int srtp)
{
	struct env env = { .ctx = ctx, .srtp = srtp };
	__u32 zero = 0, ifindex = 0;
	enum reason reason;
	struct plan plan;
	struct frame *f;

	f = bpf_map_lookup_elem(&frame_in_hand, &zero);
	if (!f)
		return XDP_PASS;
	reason = relay_frame_uncounted(&env, f, &plan, &ifindex);
	if (!srtp && reason == REASON_srtp_suite)
		bpf_tail_call(ctx, &relay_srtp, 0);
	switch (reason_verdict(relay_count(&env, &plan, reason, f->came_len))) {
	case VERDICT_FORWARD:
		if (plan_many(&plan))
			return send_copies(&env, f, &plan);
		return (int)bpf_redirect_map(&tx_ports, ifindex, 0);
	case VERDICT_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

#endif
