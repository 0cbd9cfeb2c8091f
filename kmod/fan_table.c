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
		if (!tandem_table_has_keys(t, spec->legs[i].leg.egress.srtp))
			return -EINVAL;
	}
	return 0;
}

int tandem_fan_prepare(struct tandem_table *t, const struct fan_spec *spec,
		       struct leg_state **states)
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
	*states = kvcalloc(spec->range.count, sizeof(**states), GFP_KERNEL);
	return *states ? 0 : -ENOMEM;
}

struct leg_range tandem_table_legs(const struct tandem_table *t, u32 slot)
{
	const struct rule *r = &t->entries[slot].rule;

	return r->flags & RULE_F_FAN ? t->ranges[r->fan] : (struct leg_range){ 0, 0 };
}

/*
 * What is known of the leg with this id in a range; from is where to begin, and becomes
 * the place behind, since legs mostly keep their order.
 */
static const struct leg_state *state_find(const struct tandem_table *t, struct leg_range range,
					  u32 id, u32 *from)
{
	const struct leg_state *states = &t->leg_states[range.first];
	u32 i;

	for (i = 0; i < range.count; i++) {
		u32 at = (*from + i) % range.count;

		if (states[at].id != id)
			continue;
		*from = at + 1;
		return &states[at];
	}
	return NULL;
}

void tandem_fan_write(struct tandem_table *t, const struct rule *old, const struct rule *rule,
		      const struct fan_spec *spec, struct leg_state *states)
{
	bool same = old->flags & RULE_F_FAN && old->id == rule->id;
	struct leg_range before = same ? t->ranges[old->fan] : (struct leg_range){ 0, 0 };
	u32 first = spec->range.first, from = 0, i;
	const struct leg_state *earlier;

	/* The new range may overlap the one before. */
	for (i = 0; i < spec->range.count; i++) {
		earlier = state_find(t, before, spec->legs[i].id, &from);
		if (earlier)
			states[i] = *earlier;
		states[i].id = spec->legs[i].id;
	}
	for (i = 0; i < spec->range.count; i++) {
		t->leg_states[first + i] = states[i];
		t->legs[first + i] = spec->legs[i].leg;
		WRITE_ONCE(t->leg_routes[first + i].stamp, ++t->leg_stamp);
	}
	t->fans[rule->fan] = spec->fan;
	t->ranges[rule->fan] = spec->range;
}
