/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way to the egress address. Asking the host's routing and neighbour tables for
 * every packet would cost more than all the rest, so the answer is kept in the flow
 * for config.nexthop_age_ns, or for as long as the environment says that nothing has
 * changed. A changed route or neighbour takes effect within that age, a changed rule at once.
 */
#ifndef TANDEM_CORE_NEXTHOP_H
#define TANDEM_CORE_NEXTHOP_H

#include "core/env_api.h"

/* What of a next hop is used for one packet. */
struct hop {
	__u32 ifindex;
	__u16 vlan_tci;
	__u8 dmac[6];
	__u8 smac[6];
};

static inline void hop_take(struct hop *hop, const struct nexthop *nh)
{
	hop->ifindex = nh->ifindex;
	hop->vlan_tci = nh->vlan_tci;
	__builtin_memcpy(hop->dmac, nh->dmac, sizeof(hop->dmac));
	__builtin_memcpy(hop->smac, nh->smac, sizeof(hop->smac));
}

/*
 * Ask the environment. What it says is kept in cache, unless that is NULL. Failures are
 * not: the punted packet is what makes the host resolve the neighbour. Called through
 * env_nexthop_find().
 */
static ENV_CALL __u32 nexthop_find(struct env *env, const struct egress *eg, struct nexthop *cache,
				   __u32 l3_len, struct hop *hop)
{
	struct nexthop found;
	__u32 reason;

	__builtin_memset(&found, 0, sizeof(found));
	reason = env_nexthop(env, eg, l3_len, &found);
	if (reason != REASON_NONE)
		return reason;
	hop_take(hop, &found);
	if (cache)
		*cache = found;
	return REASON_NONE;
}

/*
 * Next hop for a packet of l3_len bytes to eg, through the cache unless it is NULL. gen
 * is that of the rule. Returns REASON_NONE and fills hop, or the reason to punt.
 */
static inline enum reason nexthop_get(struct env *env, const struct egress *eg,
				      struct nexthop *cache, __u32 gen, __u32 l3_len, __u64 now,
				      struct hop *hop)
{
	const struct relay_config *config;
	enum reason reason;

	if (cache && cache->gen == gen && env_way_holds(env, cache->expires_ns, now)) {
		if (cache->mtu && l3_len > cache->mtu)
			return REASON_too_big;
		hop_take(hop, cache);
		return REASON_NONE;
	}

	__builtin_memset(hop, 0, sizeof(*hop));
	reason = env_nexthop_find(env, eg, cache, l3_len, hop);
	config = env_config(env);
	if (reason == REASON_NONE && cache && config) {
		cache->gen = gen;
		cache->expires_ns = now + config->nexthop_age_ns;
	}
	return reason;
}

#endif
