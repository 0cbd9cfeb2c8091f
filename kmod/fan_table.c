// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/slab.h>

#include "kmod/flow_table.h"

int tandem_fan_table_init(struct tandem_table *t)
{
	u32 fans = t->config.fans, legs = t->config.legs;

	t->fans = kvcalloc(fans, sizeof(*t->fans), GFP_KERNEL_ACCOUNT);
	t->ranges = kvcalloc(fans, sizeof(*t->ranges), GFP_KERNEL_ACCOUNT);
	t->legs = kvcalloc(legs, sizeof(*t->legs), GFP_KERNEL_ACCOUNT);
	t->leg_states = kvcalloc(legs, sizeof(*t->leg_states), GFP_KERNEL_ACCOUNT);
	t->leg_routes = kvcalloc(legs, sizeof(*t->leg_routes), GFP_KERNEL_ACCOUNT);
	if (!t->fans || !t->ranges || !t->legs || !t->leg_states || !t->leg_routes)
		return -ENOMEM;
	return 0;
}

void tandem_fan_table_clean(struct tandem_table *t)
{
	u32 i;

	for (i = 0; t->leg_routes && i < t->config.legs; i++)
		dst_cache_destroy(&t->leg_routes[i].cache);
	kvfree(t->leg_routes);
	kvfree(t->leg_states);
	kvfree(t->legs);
	kvfree(t->ranges);
	kvfree(t->fans);
}

static bool range_within(struct leg_range inner, struct leg_range outer)
{
	return inner.count <= outer.count && inner.first >= outer.first &&
	       inner.first - outer.first <= outer.count - inner.count;
}

int tandem_fan_check(const struct tandem_table *t, const struct rule *rule,
		     const struct fan_spec *spec)
{
	const struct leg_range all = { 0, t->config.legs };
	u32 i;

	if (!(rule->flags & RULE_F_FAN))
		return spec ? -EINVAL : 0;
	if (!spec || rule->fan >= t->config.fans || !range_within(spec->range, all))
		return -EINVAL;
	if (spec->fan.branch_count > TANDEM_MAX_BRANCHES)
		return -EINVAL;
	for (i = 0; i < spec->fan.branch_count; i++) {
		const struct branch *b = &spec->fan.branch[i];
		const struct leg_range legs = { b->first, b->count };

		if (b->count > TANDEM_MAX_LEGS)
			return -EINVAL;
		if (b->count && !range_within(legs, spec->range))
			return -EINVAL;
	}
	for (i = 0; i < spec->range.count; i++) {
		const struct egress *eg = &spec->legs[i].leg.egress;

		if (eg->state >= t->config.legs || !tandem_table_has_keys(t, eg->srtp))
			return -EINVAL;
	}
	return 0;
}

int tandem_fan_prepare(struct tandem_table *t, const struct fan_spec *spec)
{
	struct leg_route *routes = &t->leg_routes[spec->range.first];
	u32 i;
	int err;

	for (i = 0; i < spec->range.count; i++) {
		if (routes[i].cache.cache)
			continue;
		err = dst_cache_init(&routes[i].cache, GFP_KERNEL_ACCOUNT);
		if (err)
			return err;
	}
	return 0;
}

struct leg_range tandem_table_legs(const struct tandem_table *t, u32 slot)
{
	const struct rule *r = &t->entries[slot].rule;

	return r->flags & RULE_F_FAN ? t->ranges[r->fan] : (struct leg_range){ 0, 0 };
}

/*
 * Has a leg in the range this state? *from is where to begin, and becomes the place behind,
 * since legs mostly keep their order.
 */
static bool state_used(const struct tandem_table *t, struct leg_range range, u32 state, u32 *from)
{
	u32 i;

	for (i = 0; i < range.count; i++) {
		u32 at = (*from + i) % range.count;

		if (t->legs[range.first + at].egress.state != state)
			continue;
		*from = at + 1;
		return true;
	}
	return false;
}

/* States that no leg of the range before has begin at zero. */
static void states_begin(struct tandem_table *t, struct leg_range before,
			 const struct fan_spec *spec)
{
	u32 from = 0, i;

	for (i = 0; i < spec->range.count; i++) {
		u32 state = spec->legs[i].leg.egress.state;

		if (!state_used(t, before, state, &from))
			memset(&t->leg_states[state], 0, sizeof(t->leg_states[state]));
		t->leg_states[state].id = spec->legs[i].id;
	}
}

/* From here until its gen is even again, nothing that is made by the fan leaves. */
static void fan_begin(struct fan *fan)
{
	WRITE_ONCE(fan->gen, fan->gen | 1);
	smp_wmb();
}

/* A leg is about to be this fan's. The one whose it was is a fan no more, should it still be one. */
static void leg_take(struct tandem_table *t, u32 leg, u32 fan)
{
	struct leg_route *route = &t->leg_routes[leg];
	struct leg_range range = t->ranges[route->fan];

	if (route->fan != fan && leg >= range.first && leg - range.first < range.count)
		fan_begin(&t->fans[route->fan]);
	route->fan = fan;
	WRITE_ONCE(route->stamp, ++t->leg_stamp);
}

/* Is it there already? Then it stays: a packet may be under way by it. */
static bool fan_is(const struct tandem_table *t, u32 index, const struct fan_spec *spec)
{
	const struct leg_range *range = &t->ranges[index];
	u32 i;

	if (memcmp(&t->fans[index], &spec->fan, sizeof(spec->fan)) ||
	    memcmp(range, &spec->range, sizeof(*range)))
		return false;
	for (i = 0; i < range->count; i++) {
		if (memcmp(&t->legs[range->first + i], &spec->legs[i].leg, sizeof(*t->legs)))
			return false;
	}
	return true;
}

void tandem_fan_write(struct tandem_table *t, const struct rule *old, const struct rule *rule,
		      const struct fan_spec *spec)
{
	bool same = old->flags & RULE_F_FAN && old->id == rule->id;
	struct leg_range before = same ? t->ranges[old->fan] : (struct leg_range){ 0, 0 };
	struct fan *fan = &t->fans[rule->fan];
	struct fan next = spec->fan;
	u32 i;

	states_begin(t, before, spec);
	if (fan_is(t, rule->fan, spec))
		return;
	fan_begin(fan);
	for (i = 0; i < spec->range.count; i++) {
		leg_take(t, spec->range.first + i, rule->fan);
		t->legs[spec->range.first + i] = spec->legs[i].leg;
	}
	next.gen |= 1;
	*fan = next;
	t->ranges[rule->fan] = spec->range;
	smp_wmb();
	WRITE_ONCE(fan->gen, spec->fan.gen);
}
