/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table_fan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/util/endpoint.h"

uint32_t tandem_table_fan_of(const struct tandem_table *t, uint32_t slot)
{
	const struct rule *r = &t->entries[slot].rule;

	return r->flags & RULE_F_FAN ? r->fan : TANDEM_NO_FAN;
}

/* Do the branches share out all of the legs, each to one? */
static int check(const struct tandem_fan *spec)
{
	uint64_t sum = 0;

	if (spec->branch_count > TANDEM_MAX_BRANCHES)
		return -EINVAL;
	for (uint32_t i = 0; i < spec->branch_count; i++) {
		const struct branch *b = &spec->branches[i];

		if (b->count > TANDEM_MAX_LEGS || (uint64_t)b->first + b->count > spec->leg_count)
			return -EINVAL;
		for (uint32_t k = 0; k < i; k++) {
			const struct branch *other = &spec->branches[k];

			if (b->first < other->first + other->count &&
			    other->first < b->first + b->count)
				return -EINVAL;
		}
		sum += b->count;
	}
	return sum == spec->leg_count ? 0 : -EINVAL;
}

/* The search begins at place `at` among the fan's legs, and wraps around. */
static uint32_t find_leg(const struct tandem_table *t, uint32_t fan, uint32_t id, uint32_t at)
{
	struct tandem_fan_range range;

	if (fan == TANDEM_NO_FAN)
		return TANDEM_NO_SLOT;
	range = tandem_fans_range(&t->ranges, fan);
	for (uint32_t n = 0; n < range.count; n++, at++) {
		if (at >= range.count)
			at = 0;
		if (t->leg_states[range.first + at].id == id)
			return range.first + at;
	}
	return TANDEM_NO_SLOT;
}

/* State of an earlier leg, or NULL, goes on in the new one. */
static void write_leg(struct tandem_table *t, const struct tandem_fan_leg *from,
		      const struct leg_state *earlier, uint32_t index)
{
	struct leg *leg = &t->legs[index];
	struct leg_state state = { 0 };

	if (earlier)
		state = *earlier;
	memset(&state.nexthop, 0, sizeof(state.nexthop));
	state.id = from->id;
	t->leg_states[index] = state;
	tandem_egress_split(&t->relay, &from->leg.egress, &leg->egress);
	leg->egress.flags |= EGRESS_F_ACTIVE;
	memcpy(leg->ext_id, from->leg.ext_id, sizeof(leg->ext_id));
}

/*
 * A datapath may stand still meanwhile. Most legs stand behind the same one as before, so
 * that is where each is looked for first.
 */
static void write_legs(struct tandem_table *t, const struct tandem_fan *spec, uint32_t before,
		       uint32_t first)
{
	uint32_t start = before == TANDEM_NO_FAN ? 0 : tandem_fans_range(&t->ranges, before).first;
	uint32_t at = 0;

	for (uint32_t i = 0; i < spec->leg_count; i++) {
		uint32_t earlier = find_leg(t, before, spec->legs[i].id, at);
		bool found = earlier != TANDEM_NO_SLOT;

		if (found)
			at = earlier - start + 1;
		write_leg(t, &spec->legs[i], found ? &t->leg_states[earlier] : NULL, first + i);
	}
}

int tandem_table_fan_write(struct tandem_table *t, const struct tandem_fan *spec, uint32_t before,
			   uint32_t *fan)
{
	struct fan built = { 0 };
	uint32_t first;
	int err;

	*fan = TANDEM_NO_FAN;
	if (!spec)
		return 0;
	err = check(spec);
	if (!err)
		err = tandem_fans_take(&t->ranges, spec->leg_count, fan, &first);
	if (err)
		return err;
	write_legs(t, spec, before, first);
	built.branch_count = spec->branch_count;
	for (uint32_t i = 0; i < spec->branch_count; i++) {
		struct branch *b = &built.branch[i];

		*b = spec->branches[i];
		b->flags &= ~BRANCH_F_IP6;
		for (uint32_t k = b->first; k < b->first + b->count; k++) {
			if (!tandem_ip_is_v4(&spec->legs[k].leg.egress.remote))
				b->flags |= BRANCH_F_IP6;
		}
		b->first += first;
	}
	t->fans[*fan] = built;
	return 0;
}

int tandem_table_fan_adopt(struct tandem_table *t, uint32_t slot)
{
	uint32_t fan = tandem_table_fan_of(t, slot), first = UINT32_MAX, count = 0;
	const struct fan *f;

	if (fan == TANDEM_NO_FAN)
		return 0;
	if (fan >= t->relay.fans || t->fans[fan].branch_count > TANDEM_MAX_BRANCHES)
		return -EINVAL;
	f = &t->fans[fan];
	for (uint32_t i = 0; i < f->branch_count; i++) {
		if (f->branch[i].count && f->branch[i].first < first)
			first = f->branch[i].first;
		count += f->branch[i].count;
	}
	return tandem_fans_adopt(&t->ranges, fan, count ? first : 0, count);
}

struct tandem_fan *tandem_table_fan(const struct tandem_table *t, uint32_t slot)
{
	uint32_t index = tandem_table_fan_of(t, slot);
	struct tandem_fan_range range;
	struct tandem_fan *fan;

	if (index == TANDEM_NO_FAN)
		return NULL;
	range = tandem_fans_range(&t->ranges, index);
	fan = calloc(1, sizeof(*fan) + range.count * sizeof(fan->legs[0]));
	if (!fan)
		return NULL;
	fan->branch_count = t->fans[index].branch_count;
	fan->leg_count = range.count;
	memcpy(fan->branches, t->fans[index].branch, sizeof(fan->branches));
	for (uint32_t i = 0; i < fan->branch_count; i++)
		fan->branches[i].first -= fan->branches[i].count ? range.first : 0;
	for (uint32_t i = 0; i < range.count; i++) {
		const struct leg *leg = &t->legs[range.first + i];

		fan->legs[i].id = t->leg_states[range.first + i].id;
		tandem_egress_join(&t->relay, &leg->egress, &fan->legs[i].leg.egress);
		memcpy(fan->legs[i].leg.ext_id, leg->ext_id, sizeof(leg->ext_id));
	}
	return fan;
}

uint32_t tandem_table_find_leg(const struct tandem_table *t, uint32_t slot, uint32_t id)
{
	return find_leg(t, tandem_table_fan_of(t, slot), id, 0);
}

void tandem_table_read_legs(const struct tandem_table *t, uint32_t slot,
			    struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	uint32_t index = tandem_table_fan_of(t, slot);
	struct tandem_fan_range range = { 0 };

	if (index != TANDEM_NO_FAN)
		range = tandem_fans_range(&t->ranges, index);
	*n = 0;
	for (uint32_t i = range.first; i < range.first + range.count && *n < max; i++) {
		const struct leg_state *s = &t->leg_states[i];

		legs[(*n)++] = (struct tandem_leg_stats){
			.id = s->id,
			.last_reason = s->last_reason,
			.packets = s->packets,
			.octets = s->octets,
			.lost = s->lost,
		};
	}
}
