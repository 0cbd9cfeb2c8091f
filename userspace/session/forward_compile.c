/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What flows a forward wants. One with a single egress that a one-to-one rule can express
 * gets that, which is what the packet path does fastest; any other gets a fan.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/forward.h"

uint64_t tandem_forward_flow_id(const struct tandem_forward *f, enum tandem_component comp)
{
	return f->number << 16 | comp;
}

/* above: to the ports above, for RTCP on a port of its own (RFC 3550 section 11) */
static void compile_egress(const struct tandem_forward_leg *leg, bool above,
			   struct tandem_egress *egress)
{
	*egress = leg->leg.egress;
	egress->flags |= EGRESS_F_ACTIVE;
	egress->local = leg->from.ip;
	egress->local_port = htons(leg->from.port + above);
	egress->remote = leg->to.ip;
	egress->remote_port = htons(leg->to.port + above);
}

static const struct tandem_forward_rule *find_rule(const struct tandem_forward_spec *spec,
						   uint16_t flag)
{
	uint32_t i;

	for (i = 0; i < spec->rule_count; i++) {
		if (spec->rules[i].flags & flag)
			return &spec->rules[i];
	}
	return NULL;
}

/* ---- the legs of RTCP: those given for it, or those of "out" that take it along ---- */

struct rtcp_legs {
	const struct tandem_forward_leg *legs[TANDEM_MAX_LEGS];
	uint32_t count;
	bool twins; /* of legs that RTP has too */
};

static void find_rtcp_legs(const struct tandem_forward_spec *spec, struct rtcp_legs *found)
{
	const struct tandem_forward_rule *rule = find_rule(spec, BRANCH_F_RTCP);
	uint32_t i;

	found->count = 0;
	found->twins = !rule;
	if (!rule)
		rule = find_rule(spec, BRANCH_F_ANY);
	for (i = 0; rule && i < rule->count; i++) {
		const struct tandem_forward_leg *leg = &spec->legs[rule->first + i];

		if (!found->twins || leg->rtcp)
			found->legs[found->count++] = leg;
	}
}

static void compile_rtcp_leg(const struct tandem_forward_spec *spec, const struct rtcp_legs *rtcp,
			     uint32_t i, struct tandem_egress *egress)
{
	compile_egress(rtcp->legs[i], rtcp->twins && !spec->mux, egress);
	egress->flags &= ~EGRESS_F_EXT; /* RTCP has none */
}

/* ---- fans ---- */

/* The keys of a leg; each set stands once in the list, which has room for all. */
static void add_key(const struct tandem_forward_leg *from, struct tandem_fan_leg *leg,
		    struct tandem_fan *fan, struct tandem_srtp *keys)
{
	uint32_t i = 0;

	if (!from->srtp.suite)
		return;
	leg->srtp = from->srtp.id;
	while (i < fan->key_count && keys[i].id != from->srtp.id)
		i++;
	if (i == fan->key_count)
		keys[fan->key_count++] = from->srtp;
}

static void add_rtcp_branch(const struct tandem_forward_spec *spec, const struct rtcp_legs *rtcp,
			    struct tandem_fan *fan, struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count];
	uint32_t i;

	if (!rtcp->count)
		return;
	fan->branch_count++;
	branch->flags = BRANCH_F_RTCP;
	branch->first = fan->leg_count;
	branch->count = (uint16_t)rtcp->count;
	for (i = 0; i < rtcp->count; i++) {
		struct tandem_fan_leg *leg = &fan->legs[fan->leg_count++];

		leg->id = rtcp->legs[i]->id | (rtcp->twins ? TANDEM_FORWARD_RTCP_TWIN : 0);
		compile_rtcp_leg(spec, rtcp, i, &leg->leg.egress);
		add_key(rtcp->legs[i], leg, fan, keys);
	}
}

static void add_branch(const struct tandem_forward_spec *spec,
		       const struct tandem_forward_rule *rule, struct tandem_fan *fan,
		       struct tandem_srtp *keys)
{
	struct branch *branch = &fan->branches[fan->branch_count++];
	uint32_t i;

	branch->flags = rule->flags;
	branch->ssrc = rule->ssrc;
	branch->first = fan->leg_count;
	branch->count = (uint16_t)rule->count;
	for (i = 0; i < rule->count; i++) {
		const struct tandem_forward_leg *from = &spec->legs[rule->first + i];
		struct tandem_fan_leg *leg = &fan->legs[fan->leg_count++];

		leg->id = from->id;
		leg->leg = from->leg;
		compile_egress(from, false, &leg->leg.egress);
		add_key(from, leg, fan, keys);
	}
}

/* With RTP of all rules, RTCP, or both; of the next flow. */
static int compile_fan(const struct tandem_forward_spec *spec, bool rtp,
		       const struct rtcp_legs *rtcp, struct tandem_forward_flows *flows)
{
	uint32_t i, legs = (rtp ? spec->leg_count : 0) + (rtcp ? rtcp->count : 0);
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]));
	struct tandem_srtp *keys = calloc(legs + 1, sizeof(*keys));

	flows->fans[flows->n] = fan;
	flows->keys[flows->n] = keys;
	if (!fan || !keys)
		return -ENOMEM;
	for (i = 0; rtp && i < spec->rule_count; i++) {
		if (!(spec->rules[i].flags & BRANCH_F_RTCP))
			add_branch(spec, &spec->rules[i], fan, keys);
	}
	if (rtcp)
		add_rtcp_branch(spec, rtcp, fan, keys);
	fan->keys = keys;
	flows->specs[flows->n].fan = fan;
	return 0;
}

/* ---- flows ---- */

/* Of a leg, or NULL. */
static const struct tandem_srtp *key_of(const struct tandem_forward_leg *leg)
{
	return leg->srtp.suite ? &leg->srtp : NULL;
}

/* A one-to-one rule has one set of keys for RTP and RTCP. */
static bool same_key(const struct tandem_forward_leg *a, const struct tandem_forward_leg *b)
{
	return a->srtp.suite == b->srtp.suite && a->srtp.id == b->srtp.id;
}

static bool is_plain(const struct tandem_forward_spec *spec, const struct rtcp_legs *rtcp)
{
	const struct tandem_forward_rule *any = find_rule(spec, BRANCH_F_ANY);
	uint32_t i;

	if (!any || any->count > 1 || (spec->mux && rtcp->count > 1))
		return false;
	if (any->count && spec->mux && rtcp->count &&
	    !same_key(&spec->legs[any->first], rtcp->legs[0]))
		return false;
	for (i = 0; i < spec->rule_count; i++) {
		if (!(spec->rules[i].flags & (BRANCH_F_ANY | BRANCH_F_RTCP)))
			return false;
	}
	return !any->count || !(spec->legs[any->first].leg.egress.flags & EGRESS_F_EXT);
}

void tandem_forward_key(const struct tandem_forward *f, enum tandem_component comp,
			struct flow_key *key)
{
	const struct tandem_forward_spec *spec = &f->spec;
	const struct tandem_endpoint *from = comp == TANDEM_RTCP ? &spec->rtcp_from : &spec->from;
	const struct tandem_endpoint *to = comp == TANDEM_RTCP ? &spec->rtcp_to : &spec->to;

	memset(key, 0, sizeof(*key));
	key->remote = from->ip;
	key->remote_port = htons(from->port);
	key->local = to->ip;
	key->local_port = htons(to->port);
}

static int compile_rtp(const struct tandem_forward *f, const struct rtcp_legs *rtcp,
		       struct tandem_forward_flows *flows)
{
	struct tandem_flow_spec *flow = &flows->specs[flows->n];
	const struct tandem_forward_spec *spec = &f->spec;
	const struct tandem_forward_rule *any = find_rule(spec, BRANCH_F_ANY);

	flow->id = flow->media_id = tandem_forward_flow_id(f, TANDEM_RTP);
	flow->flags = spec->flags;
	flow->pts = spec->pts;
	tandem_forward_key(f, TANDEM_RTP, &flow->key);
	if (spec->srtp_in.suite)
		flow->srtp_in = &spec->srtp_in;
	if (!is_plain(spec, rtcp)) {
		int err = compile_fan(spec, true, spec->mux ? rtcp : NULL, flows);

		flows->n++;
		return err;
	}
	if (any->count) {
		compile_egress(&spec->legs[any->first], false, &flow->egress[EGRESS_RTP]);
		flow->srtp_out = key_of(&spec->legs[any->first]);
	}
	if (spec->mux && rtcp->count) {
		compile_rtcp_leg(spec, rtcp, 0, &flow->egress[EGRESS_RTCP]);
		flow->srtp_out = key_of(rtcp->legs[0]);
	}
	flows->n++;
	return 0;
}

static int compile_rtcp(const struct tandem_forward *f, const struct rtcp_legs *rtcp,
			struct tandem_forward_flows *flows)
{
	struct tandem_flow_spec *flow = &flows->specs[flows->n];
	const struct tandem_forward_spec *spec = &f->spec;
	int err = 0;

	flow->id = tandem_forward_flow_id(f, TANDEM_RTCP);
	flow->media_id = tandem_forward_flow_id(f, TANDEM_RTP);
	flow->flags = RULE_F_RTCP | (spec->flags & RULE_F_SRTP);
	tandem_forward_key(f, TANDEM_RTCP, &flow->key);
	if (spec->srtp_in.suite)
		flow->srtp_in = &spec->srtp_in;
	if (rtcp->count == 1) {
		compile_rtcp_leg(spec, rtcp, 0, &flow->egress[EGRESS_RTCP]);
		flow->srtp_out = key_of(rtcp->legs[0]);
	} else if (rtcp->count) {
		err = compile_fan(spec, false, rtcp, flows);
	}
	flows->n++;
	return err;
}

int tandem_forward_compile(const struct tandem_forward *f, struct tandem_forward_flows *flows)
{
	const struct tandem_forward_spec *spec = &f->spec;
	struct rtcp_legs rtcp;
	unsigned int ifindex = 0;
	size_t i;
	int err;

	memset(flows, 0, sizeof(*flows));
	if (*spec->interface) {
		ifindex = if_nametoindex(spec->interface);
		if (!ifindex)
			return -ENODEV;
	}
	find_rtcp_legs(spec, &rtcp);
	err = compile_rtp(f, &rtcp, flows);
	if (!err && spec->rtcp)
		err = compile_rtcp(f, &rtcp, flows);
	for (i = 0; i < flows->n; i++) {
		flows->specs[i].group_ifindex = ifindex;
		flows->specs[i].flags |= f->taps;
	}
	if (err)
		tandem_forward_flows_clean(flows);
	return err;
}

void tandem_forward_flows_clean(struct tandem_forward_flows *flows)
{
	size_t i;

	for (i = 0; i < TANDEM_FORWARD_FLOWS; i++) {
		if (flows->keys[i])
			explicit_bzero(flows->keys[i],
				       flows->fans[i]
					       ? flows->fans[i]->key_count * sizeof(*flows->keys[i])
					       : 0);
		free(flows->keys[i]);
		free(flows->fans[i]);
	}
	memset(flows, 0, sizeof(*flows));
}
