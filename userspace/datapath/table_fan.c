/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table_fan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/table_srtp.h"
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

/* ---- states of legs ---- */

/* One that no leg has, all zero. There are as many as legs, so there is always one. */
static uint32_t state_take(struct tandem_table *t)
{
	do {
		if (++t->leg_last >= t->relay.legs)
			t->leg_last = 0;
	} while (t->leg_uses[t->leg_last]);
	memset(&t->leg_states[t->leg_last], 0, sizeof(*t->leg_states));
	return t->leg_last;
}

static struct leg_state *state_at(const struct tandem_table *t, uint32_t leg)
{
	return &t->leg_states[t->legs[leg].egress.state];
}

/* ---- keys ---- */

/*
 * The keys of a fan's legs, which are given back when no rule leads to it any more, and not
 * only when it is overwritten: what is no longer needed is wiped. Copies under way are then
 * lost where no other flow has the keys. Of count legs from the first on, those before
 * `failed` have theirs.
 */
static void keys_put(struct tandem_table *t, uint32_t first, uint32_t failed)
{
	for (uint32_t i = first; i < failed; i++)
		tandem_table_srtp_put_leg(t, t->legs[i].egress.srtp);
}

static int keys_get(struct tandem_table *t, const struct tandem_fan *spec, uint32_t first)
{
	uint32_t index;
	int err;

	for (uint32_t i = 0; i < spec->leg_count; i++) {
		err = tandem_table_srtp_get_leg(t, spec, spec->legs[i].srtp, &index);
		if (err) {
			keys_put(t, first, first + i);
			return err;
		}
		t->legs[first + i].egress.srtp = index;
	}
	return 0;
}

static void keys_leave(struct tandem_table *t, uint32_t fan)
{
	struct tandem_fan_range range;

	if (!t->fan_keyed[fan])
		return;
	t->fan_keyed[fan] = false;
	range = tandem_fans_range(&t->ranges, fan);
	keys_put(t, range.first, range.first + range.count);
}

/* ---- fans that have been left ---- */

void tandem_table_fan_release(struct tandem_table *t, uint32_t fan)
{
	struct tandem_fan_range range;

	if (fan == TANDEM_NO_FAN)
		return;
	keys_leave(t, fan);
	range = tandem_fans_range(&t->ranges, fan);
	/* Before any of its legs is written as another's. */
	__atomic_store_n(&t->fans[fan].gen, t->fans[fan].gen | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (uint32_t i = range.first; i < range.first + range.count; i++)
		t->leg_uses[t->legs[i].egress.state]--;
	tandem_fans_release(&t->ranges, fan);
}

/* Give back the fan that has rested longest. */
static bool wake(struct tandem_table *t)
{
	if (!t->resting_count)
		return false;
	tandem_table_fan_release(t, t->resting[t->resting_first]);
	if (++t->resting_first == t->relay.fans)
		t->resting_first = 0;
	t->resting_count--;
	return true;
}

void tandem_table_fan_retire(struct tandem_table *t, uint32_t fan)
{
	if (fan != TANDEM_NO_FAN)
		keys_leave(t, fan);
	if (t->retire_h) {
		t->retire_h(fan, t->arg);
	} else if (fan != TANDEM_NO_FAN) {
		t->resting[(t->resting_first + t->resting_count) % t->relay.fans] = fan;
		t->resting_count++;
	}
}

int tandem_table_fans_init(struct tandem_table *t)
{
	t->leg_uses = calloc((size_t)t->relay.legs + 1, sizeof(*t->leg_uses));
	t->resting = calloc((size_t)t->relay.fans + 1, sizeof(*t->resting));
	t->fan_keyed = calloc((size_t)t->relay.fans + 1, sizeof(*t->fan_keyed));
	if (!t->leg_uses || !t->resting || !t->fan_keyed)
		return -ENOMEM; /* what there is goes with tandem_table_clean() */
	return tandem_fans_init(&t->ranges, t->relay.fans, t->relay.legs);
}

void tandem_table_fans_clean(struct tandem_table *t)
{
	tandem_fans_clean(&t->ranges);
	free(t->leg_uses);
	free(t->resting);
	free(t->fan_keyed);
	t->leg_uses = NULL;
	t->resting = NULL;
	t->fan_keyed = NULL;
}

/* ---- writing ---- */

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
		if (state_at(t, range.first + at)->id == id)
			return range.first + at;
	}
	return TANDEM_NO_SLOT;
}

/* The state of an earlier leg, or TANDEM_NO_SLOT, is that of the new one too. */
static void write_leg(struct tandem_table *t, const struct tandem_fan_leg *from, uint32_t earlier,
		      uint32_t index)
{
	uint32_t state = earlier == TANDEM_NO_SLOT ? state_take(t) : t->legs[earlier].egress.state;
	struct leg *leg = &t->legs[index];
	const uint32_t srtp = leg->egress.srtp; /* see keys_get() */

	t->leg_states[state].id = from->id;
	t->leg_uses[state]++;
	tandem_egress_split(&t->relay, &from->leg.egress, &leg->egress);
	leg->egress.flags |= EGRESS_F_ACTIVE;
	leg->egress.state = state;
	leg->egress.srtp = srtp;
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

		if (earlier != TANDEM_NO_SLOT)
			at = earlier - start + 1;
		write_leg(t, &spec->legs[i], earlier, first + i);
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
	if (err)
		return err;
	do
		err = tandem_fans_take(&t->ranges, spec->leg_count, fan, &first);
	while (err == -ENOSPC && wake(t));
	if (err)
		return err;
	err = keys_get(t, spec, first);
	if (err) {
		tandem_fans_release(&t->ranges, *fan);
		*fan = TANDEM_NO_FAN;
		return err;
	}
	t->fan_keyed[*fan] = true;
	write_legs(t, spec, before, first);
	built.gen = t->fans[*fan].gen | 1;
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

void tandem_table_fan_attach(struct tandem_table *t, uint32_t fan, uint32_t slot,
			     const struct rule *rule, const struct pt_list *pts)
{
	struct fan *f;

	if (fan == TANDEM_NO_FAN)
		return;
	f = &t->fans[fan];
	__atomic_store_n(&f->gen, f->gen | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	f->slot = slot;
	f->flags = rule->flags;
	f->id = rule->id;
	f->pts = *pts;
	__atomic_store_n(&f->gen, f->gen + 1, __ATOMIC_RELEASE);
}

/* Are the states of these legs such as can be? */
static bool states_fit(const struct tandem_table *t, uint32_t first, uint32_t count)
{
	if (first > t->relay.legs || count > t->relay.legs - first)
		return false;
	for (uint32_t i = first; i < first + count; i++) {
		if (t->legs[i].egress.state >= t->relay.legs)
			return false;
	}
	return true;
}

/* Keys that legs name from before, or none at all. */
static int keys_adopt(struct tandem_table *t, uint32_t fan, uint32_t first, uint32_t count)
{
	int err;

	for (uint32_t i = first; i < first + count; i++) {
		err = tandem_table_srtp_adopt_leg(t, t->legs[i].egress.srtp);
		if (err) {
			keys_put(t, first, i);
			return err;
		}
	}
	t->fan_keyed[fan] = true;
	return 0;
}

int tandem_table_fan_adopt(struct tandem_table *t, uint32_t slot)
{
	uint32_t fan = tandem_table_fan_of(t, slot), first = UINT32_MAX, count = 0;
	const struct fan *f;
	int err;

	if (fan == TANDEM_NO_FAN)
		return 0;
	if (fan >= t->relay.fans || t->fans[fan].branch_count > TANDEM_MAX_BRANCHES ||
	    t->fans[fan].gen & 1)
		return -EINVAL;
	f = &t->fans[fan];
	for (uint32_t i = 0; i < f->branch_count; i++) {
		if (f->branch[i].count && f->branch[i].first < first)
			first = f->branch[i].first;
		count += f->branch[i].count;
	}
	if (!count)
		first = 0;
	if (!states_fit(t, first, count))
		return -EINVAL;
	err = tandem_fans_adopt(&t->ranges, fan, first, count);
	if (err)
		return err;
	err = keys_adopt(t, fan, first, count);
	if (err) {
		tandem_fans_release(&t->ranges, fan);
		return err;
	}
	for (uint32_t i = first; i < first + count; i++)
		t->leg_uses[t->legs[i].egress.state]++;
	return 0;
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

		fan->legs[i].id = state_at(t, range.first + i)->id;
		if (leg->egress.srtp != SRTP_NO_KEYS)
			fan->legs[i].srtp = t->srtp_keys[leg->egress.srtp].id;
		tandem_egress_join(&t->relay, &leg->egress, &fan->legs[i].leg.egress);
		memcpy(fan->legs[i].leg.ext_id, leg->ext_id, sizeof(leg->ext_id));
	}
	return fan;
}

uint32_t tandem_table_find_leg(const struct tandem_table *t, uint32_t slot, uint32_t id)
{
	uint32_t leg = find_leg(t, tandem_table_fan_of(t, slot), id, 0);

	return leg == TANDEM_NO_SLOT ? leg : t->legs[leg].egress.state;
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
		const struct leg_state *s = state_at(t, i);

		legs[(*n)++] = (struct tandem_leg_stats){
			.id = s->id,
			.last_reason = s->last_reason,
			.packets = s->packets,
			.octets = s->octets,
			.lost = s->lost,
		};
	}
}
