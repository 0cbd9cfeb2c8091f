/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows with many egresses: which legs an SSRC has, and whether there is a way to all of
 * them. RFC 3550 section 7 calls what such a flow does a translator towards each.
 */
#ifndef TANDEM_CORE_FAN_H
#define TANDEM_CORE_FAN_H

#include "core/env_api.h"
#include "core/parse.h"

/* How long packets are punted for a neighbour that does not answer, and then how often one is. */
#define FAN_PATIENCE_NS 1000000000ULL

/* First look at a fan: its generation, odd while it is being written. */
static inline __u32 fan_open(const struct fan *fan)
{
	__u32 gen = *(const volatile __u32 *)&fan->gen;

	env_read_barrier();
	return gen;
}

/* Was what was read since fan_open() the fan, and the legs, of that one generation? */
static inline int fan_settled(const struct fan *fan, __u32 gen)
{
	env_read_barrier();
	return !(gen & 1) && *(const volatile __u32 *)&fan->gen == gen;
}

/*
 * The branch that takes packets of ssrc, or RTCP; else the one for any SSRC. Returns 0
 * when there is none.
 */
static inline int fan_find(const struct fan *fan, int rtcp, __u32 ssrc, __u32 *branch)
{
	__u32 i, flags, any = TANDEM_MAX_BRANCHES;

	for (i = 0; i < TANDEM_MAX_BRANCHES && i < fan->branch_count; i++) {
		flags = fan->branch[i].flags;
		if (flags & BRANCH_F_RTCP
			    ? rtcp
			    : !rtcp && !(flags & BRANCH_F_ANY) && fan->branch[i].ssrc == ssrc)
			break;
		if (flags & BRANCH_F_ANY && !rtcp)
			any = i;
	}
	if (i >= TANDEM_MAX_BRANCHES || i >= fan->branch_count)
		i = any;
	*branch = i;
	return i < TANDEM_MAX_BRANCHES;
}

/* The legs of a branch. Returns whether some of them send IPv6. */
static inline __u8 fan_legs(const struct fan *fan, __u32 branch, __u32 *first, __u32 *count)
{
	const struct branch *b = &fan->branch[branch & (TANDEM_MAX_BRANCHES - 1)];

	*first = b->first;
	*count = b->count <= TANDEM_MAX_LEGS ? b->count : TANDEM_MAX_LEGS;
	return (b->flags & BRANCH_F_IP6) != 0;
}

/* What fan_resolve() is told; a struct, since functions of BPF take five parameters. */
struct fan_job {
	__u64 now;
	__u32 first;
	__u32 legs;
	__u32 gen; /* plan_way_gen() */
	__u32 fan;
	__u32 branch;
	__u32 ip6; /* the packets come as IPv6 */
};

/* What is common to the ways of several legs. */
struct fan_way {
	__u32 l3_len;  /* of the headers that packets come with, before they are translated */
	__u32 ifindex; /* 0: there are several; TANDEM_NO_SLOT: none so far */
	__u32 payload_max;
};

/* Can a leg's copies be protected here, should they have to be? */
static inline int fan_leg_able(struct env *env, const struct egress *eg)
{
	const struct srtp_keys *keys;

	if (eg->srtp == SRTP_NO_KEYS)
		return 1;
	if (!ENV_SRTP(env))
		return 0;
	keys = env_srtp_keys(env, eg->srtp);
	return keys && env_srtp_able(env, keys, eg->srtp, 0);
}

/*
 * The way to one leg, into its state. Called through env_fan_leg(). Returns REASON_NONE,
 * or why there is none.
 */
static inline __u32 fan_resolve_leg(struct env *env, __u32 index, __u32 gen, struct fan_way *way)
{
	const struct leg *leg = env_leg(env, index);
	struct leg_state *state = leg ? env_leg_state(env, leg->egress.state) : 0;
	__u32 header = sizeof(struct udp_hdr), reason;
	struct nexthop found;

	if (!state)
		return REASON_no_route;
	header += ip_addr_is_v4(&leg->egress.remote) ? sizeof(struct ip4_hdr)
						     : sizeof(struct ip6_hdr);
	__builtin_memset(&found, 0, sizeof(found));
	reason = REASON_srtp_suite;
	if (fan_leg_able(env, &leg->egress))
		reason = env_nexthop(env, &leg->egress, header, &found);
	if (reason != REASON_NONE) {
		__builtin_memset(&found, 0, sizeof(found));
		state->last_reason = reason;
	}
	found.gen = gen;
	state->nexthop = found;
	if (reason != REASON_NONE)
		return reason;
	/* A device is also asked whether the packet fits as it came, where it is copied. */
	if (header < way->l3_len)
		header = way->l3_len;
	if (leg->egress.srtp != SRTP_NO_KEYS)
		header += SRTP_TRAILER_MAX;
	if (found.mtu > header && found.mtu - header < way->payload_max)
		way->payload_max = found.mtu - header;
	if (way->ifindex == TANDEM_NO_SLOT)
		way->ifindex = found.ifindex;
	else if (way->ifindex != found.ifindex)
		way->ifindex = 0;
	return REASON_NONE;
}

/*
 * Ask for the ways of all legs of a branch, and note in its state what was found. Called
 * through env_fan_resolve(). While some leg has no way, packets are to be punted for the
 * reason returned: that is what makes the host look for its neighbour. But one that does
 * not answer must not keep the others from the fast path; after FAN_PATIENCE_NS its leg is
 * left out, and asked for again every so often. A leg without a way for any other reason is
 * never left out: the host may well have one, to itself or by another device.
 */
static inline __u32 fan_resolve(struct env *env, const struct fan_job *job)
{
	struct fan_way way = {
		.l3_len = sizeof(struct udp_hdr) +
			  (job->ip6 ? sizeof(struct ip6_hdr) : sizeof(struct ip4_hdr)),
		.ifindex = TANDEM_NO_SLOT,
		.payload_max = PAYLOAD_MAX,
	};
	struct fan_state *fan = env_fan_state(env, job->fan);
	const struct relay_config *config = env_config(env);
	__u32 i, reason, failed = REASON_NONE, found = 0;
	struct branch_state *state;

	if (!fan || !config)
		return REASON_no_route;
	for (i = 0; i < TANDEM_MAX_LEGS && i < job->legs; i++) {
		reason = env_fan_leg(env, job->first + i, job->gen, &way);
		if (reason == REASON_NONE)
			found = 1;
		else if (failed == REASON_NONE || reason != REASON_no_neighbour)
			failed = reason;
	}
	if (found && !env_can_copy(env, way.ifindex, job->legs)) {
		failed = REASON_no_egress_port;
		found = 0;
	}

	state = &fan->branch[job->branch & (TANDEM_MAX_BRANCHES - 1)];
	if (state->gen != job->gen || failed == REASON_NONE)
		state->waiting_ns = 0;
	if (failed != REASON_NONE && !state->waiting_ns)
		state->waiting_ns = job->now;
	state->gen = job->gen;
	state->ifindex = way.ifindex;
	state->payload_max = way.payload_max;
	state->expires_ns = job->now + config->nexthop_age_ns;
	state->failed = failed;
	if (found && failed == REASON_no_neighbour &&
	    job->now - state->waiting_ns >= FAN_PATIENCE_NS) {
		state->expires_ns = job->now + FAN_PATIENCE_NS;
		state->failed = REASON_NONE;
	}
	return failed;
}

/* Can a frame with this payload go out by the legs of a branch? REASON_NONE, or why to punt it. */
static inline enum reason fan_ready(struct env *env, const struct fan_job *job, __u32 payload_len)
{
	struct fan_state *fan = env_fan_state(env, job->fan);
	const struct branch_state *state;
	enum reason reason;

	if (!fan)
		return REASON_no_route;
	state = &fan->branch[job->branch & (TANDEM_MAX_BRANCHES - 1)];
	if (state->gen != job->gen || job->now >= state->expires_ns)
		reason = env_fan_resolve(env, job);
	else
		reason = state->failed;
	if (reason != REASON_NONE)
		return reason;
	return payload_len > state->payload_max ? REASON_too_big : REASON_NONE;
}

#endif
