/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of several media, or for several who hear them: which legs they part to. */
#include <stdlib.h>

#include "userspace/session/compile_local.h"

/* Ids of legs to subscribers, behind all others: by branch, media, and SSRC or what else it is for. */
#define LISTENER_ANY  TANDEM_LEG_SSRCS
#define LISTENER_RTCP (TANDEM_LEG_SSRCS + 1)
#define LISTENER(branch, media, step)                                                              \
	((1U << 24) +                                                                              \
	 (uint32_t)(((branch) % (1U << 14) * TANDEM_MEDIA_MAX + (media)) * 16 + (step)))

static bool has_way(const struct tandem_source *src, const struct tandem_leg *to, bool rtcp)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->transport].leg[src->from];
	enum tandem_component comp = rtcp ? tandem_leg_rtcp_of(to) : TANDEM_RTP;
	const struct tandem_endpoint *remote = tandem_leg_endpoint(to, comp);

	return tandem_leg_is_keyed(leg, TANDEM_RTP) && tandem_leg_is_keyed(to, comp) && !to->mute &&
	       remote->port && !tandem_ip_is_any(&remote->ip) && (!rtcp || tandem_leg_has_rtcp(to));
}

/* id: see struct tandem_fan_leg. */
static void add_leg(const struct tandem_source *src, const struct tandem_leg *to, bool rtcp,
		    uint32_t id, struct tandem_fan *fan, struct tandem_srtp *keys)
{
	struct tandem_fan_leg *leg = &fan->legs[fan->leg_count++];
	enum tandem_component comp = rtcp ? tandem_leg_rtcp_of(to) : TANDEM_RTP;
	const struct tandem_srtp *out = &tandem_leg_keys_of(to, comp)->out;
	uint32_t i = 0;

	leg->id = id;
	tandem_compile_egress(src, to, comp, &leg->leg.egress);
	if (!out->suite)
		return;
	leg->srtp = out->id;
	while (i < fan->key_count && keys[i].id != leg->srtp)
		i++;
	if (i == fan->key_count)
		keys[fan->key_count++] = *out;
}

/*
 * The legs to those that have subscribed to one of the members, behind that to the other party. An
 * id is that of the same leg for as long as the subscription lasts; there are `step` of them.
 */
static void add_listeners(const struct tandem_source *src, size_t member, uint32_t step,
			  const struct pt_list *pts, struct tandem_fan *fan,
			  struct tandem_srtp *keys)
{
	const struct tandem_session *sub;
	struct branch *branch = &fan->branches[fan->branch_count - 1];
	size_t k, of;

	for (sub = src->s->subscribers; sub; sub = sub->next_subscriber) {
		for (k = 0; k < sub->agreed.n; k++) {
			const struct tandem_leg *to = tandem_leg_transport(&sub->agreed, k,
									   TANDEM_PARTY_B);

			if (!tandem_source_feeds(src, sub, k, &of) || of != member ||
			    !has_way(src, to, false))
				continue;
			add_leg(src, to, false, LISTENER(sub->branch, k, step), fan, keys);
			tandem_compile_acts(src->s, src->from, &src->members[member], 1, pts,
					    &fan->legs[fan->leg_count - 1].leg.egress);
			branch->count++;
		}
	}
}

/* RTCP of the sender goes to each of their transports once. */
static void add_listeners_rtcp(const struct tandem_source *src, struct tandem_fan *fan,
			       struct tandem_srtp *keys)
{
	const struct tandem_session *sub;
	struct branch *branch = &fan->branches[fan->branch_count - 1];
	size_t k, before, member;

	for (sub = src->s->subscribers; sub; sub = sub->next_subscriber) {
		for (k = 0; k < sub->agreed.n; k++) {
			const struct tandem_leg *to = tandem_leg_transport(&sub->agreed, k,
									   TANDEM_PARTY_B);

			for (before = 0;
			     before < k &&
			     (!tandem_source_feeds(src, sub, before, &member) ||
			      tandem_leg_transport(&sub->agreed, before, TANDEM_PARTY_B) != to);)
				before++;
			if (before < k || !tandem_source_feeds(src, sub, k, &member) ||
			    !has_way(src, to, true))
				continue;
			add_leg(src, to, true, LISTENER(sub->branch, k, LISTENER_RTCP), fan, keys);
			branch->count++;
		}
	}
}

/* A branch for each SSRC that is known, with at most one leg; those that are not are punted. */
static void add_ssrcs(const struct tandem_source *src, size_t member, const struct pt_list *pts,
		      struct tandem_fan *fan, struct tandem_srtp *keys)
{
	const struct tandem_leg *leg = &src->s->agreed.v[src->members[member]].leg[src->from];
	const struct tandem_leg *to = tandem_source_way(src, member);
	size_t i;

	for (i = 0; i < leg->ssrc_count && fan->branch_count < TANDEM_MAX_BRANCHES - 1; i++) {
		struct branch *branch = &fan->branches[fan->branch_count++];

		branch->ssrc = leg->ssrcs[i];
		branch->first = fan->leg_count;
		branch->count = has_way(src, to, false);
		if (branch->count) {
			add_leg(src, to, false,
				(uint32_t)(src->members[member] * TANDEM_LEG_SSRCS + i), fan, keys);
			tandem_compile_acts(src->s, src->from, &src->members[member], 1, pts,
					    &fan->legs[branch->first].leg.egress);
		}
		add_listeners(src, member, (uint32_t)i, pts, fan, keys);
	}
}

/* For all SSRCs, where nothing has to be told apart but RTCP. */
static void add_any(const struct tandem_source *src, const struct pt_list *pts,
		    struct tandem_fan *fan, struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count++];

	branch->flags = BRANCH_F_ANY;
	branch->first = fan->leg_count;
	branch->count = has_way(src, tandem_source_way(src, 0), false);
	if (branch->count) {
		add_leg(src, tandem_source_way(src, 0), false,
			TANDEM_MEDIA_MAX * (TANDEM_LEG_SSRCS + 1), fan, keys);
		tandem_compile_acts(src->s, src->from, src->members, src->count, pts,
				    &fan->legs[branch->first].leg.egress);
	}
	add_listeners(src, 0, LISTENER_ANY, pts, fan, keys);
}

/*
 * RTCP goes to all transports of the other party, not where the RTP of its sender goes: behind
 * the first SSRC of a datagram, which is all that SRTCP shows, may be reports and feedback about
 * any media (RFC 8108 5; docs/secure-media.md). Of what is not theirs receivers take no notice.
 */
static void add_rtcp(const struct tandem_source *src, struct tandem_fan *fan,
		     struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count++];
	size_t i, k;

	branch->flags = BRANCH_F_RTCP;
	branch->first = fan->leg_count;
	for (i = 0; i < src->count; i++) {
		const struct tandem_leg *to = tandem_source_way(src, i);

		for (k = 0; k < i && tandem_source_way(src, k) != to;)
			k++;
		if (k < i || !has_way(src, to, true))
			continue;
		add_leg(src, to, true, (uint32_t)(TANDEM_MEDIA_MAX * TANDEM_LEG_SSRCS + i), fan,
			keys);
		branch->count++;
	}
	add_listeners_rtcp(src, fan, keys);
}

/* One piece of memory: the fan, and the keys of its legs behind them. */
struct tandem_fan *tandem_compile_fan(const struct tandem_source *src, enum tandem_component comp,
				      const struct pt_list *pts)
{
	size_t legs = (src->count + src->heard) * (TANDEM_LEG_SSRCS + 1), i;
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]) +
						   legs * sizeof(struct tandem_srtp));
	struct tandem_srtp *keys;

	if (!fan)
		return NULL;
	keys = (struct tandem_srtp *)&fan->legs[legs];
	fan->keys = keys;
	for (i = 0; i < src->count && src->split && comp == TANDEM_RTP; i++)
		add_ssrcs(src, i, pts, fan, keys);
	if (!src->split && comp == TANDEM_RTP)
		add_any(src, pts, fan, keys);
	if (comp == TANDEM_RTCP || src->s->agreed.v[src->transport].leg[src->from].mux)
		add_rtcp(src, fan, keys);
	return fan;
}
