/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/fans.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int tandem_fans_init(struct tandem_fans *f, uint32_t fans, uint32_t legs)
{
	memset(f, 0, sizeof(*f));
	f->capacity = fans;
	/* Releasing must not fail for want of memory. Gaps are one more than fans at most; cutting
	 * and joining need another for a moment.
	 */
	f->gap_room = (size_t)fans + 2;
	f->used = calloc((size_t)fans + 1, sizeof(*f->used));
	f->next_free = calloc((size_t)fans + 1, sizeof(*f->next_free));
	f->gaps = calloc(f->gap_room, sizeof(*f->gaps));
	if (!f->used || !f->next_free || !f->gaps) {
		tandem_fans_clean(f);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < fans; i++)
		f->next_free[i] = i + 1 < fans ? i + 1 : TANDEM_NO_FAN;
	f->free_head = fans ? 0 : TANDEM_NO_FAN;
	if (legs)
		f->gaps[f->gap_count++] = (struct tandem_fan_range){ 0, legs };
	return 0;
}

void tandem_fans_clean(struct tandem_fans *f)
{
	free(f->used);
	free(f->next_free);
	free(f->gaps);
	memset(f, 0, sizeof(*f));
	f->free_head = TANDEM_NO_FAN;
}

static bool taken(const struct tandem_fans *f, uint32_t fan)
{
	return fan < f->capacity && f->next_free[fan] == fan;
}

/* ---- gaps ---- */

static void gap_remove(struct tandem_fans *f, size_t at)
{
	memmove(&f->gaps[at], &f->gaps[at + 1], (f->gap_count - at - 1) * sizeof(*f->gaps));
	f->gap_count--;
}

static void gap_insert(struct tandem_fans *f, size_t at, struct tandem_fan_range gap)
{
	memmove(&f->gaps[at + 1], &f->gaps[at], (f->gap_count - at) * sizeof(*f->gaps));
	f->gaps[at] = gap;
	f->gap_count++;
}

/* Take count legs out of the gap, at first, which lies within it with all of them. */
static void gap_cut(struct tandem_fans *f, size_t at, uint32_t first, uint32_t count)
{
	struct tandem_fan_range *gap = &f->gaps[at];
	uint32_t behind = gap->first + gap->count - (first + count);

	gap->count = first - gap->first;
	if (behind)
		gap_insert(f, at + 1, (struct tandem_fan_range){ first + count, behind });
	if (!f->gaps[at].count)
		gap_remove(f, at);
}

/* Number of gaps that begin before leg. */
static size_t gaps_before(const struct tandem_fans *f, uint32_t leg)
{
	size_t low = 0, high = f->gap_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (f->gaps[middle].first < leg)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void gap_give_back(struct tandem_fans *f, struct tandem_fan_range range)
{
	size_t at = gaps_before(f, range.first);

	if (!range.count)
		return;
	gap_insert(f, at, range);
	if (at + 1 < f->gap_count &&
	    f->gaps[at].first + f->gaps[at].count == f->gaps[at + 1].first) {
		f->gaps[at].count += f->gaps[at + 1].count;
		gap_remove(f, at + 1);
	}
	if (at && f->gaps[at - 1].first + f->gaps[at - 1].count == f->gaps[at].first) {
		f->gaps[at - 1].count += f->gaps[at].count;
		gap_remove(f, at);
	}
}

/* ---- fans ---- */

int tandem_fans_take(struct tandem_fans *f, uint32_t legs, uint32_t *fan, uint32_t *first)
{
	uint32_t found = f->free_head;
	size_t at = 0;

	while (legs && at < f->gap_count && f->gaps[at].count < legs)
		at++;
	if (found == TANDEM_NO_FAN || (legs && at == f->gap_count))
		return -ENOSPC;
	*first = legs ? f->gaps[at].first : 0;
	if (legs)
		gap_cut(f, at, *first, legs);
	f->free_head = f->next_free[found];
	f->next_free[found] = found;
	f->used[found] = (struct tandem_fan_range){ *first, legs };
	*fan = found;
	return 0;
}

int tandem_fans_adopt(struct tandem_fans *f, uint32_t fan, uint32_t first, uint32_t legs)
{
	size_t at = gaps_before(f, first + 1);
	uint32_t *link = &f->free_head;

	if (fan >= f->capacity || first + legs < first)
		return -EINVAL;
	if (taken(f, fan))
		return -EEXIST;
	if (legs) {
		const struct tandem_fan_range *gap = at ? &f->gaps[at - 1] : NULL;

		if (!gap || first + legs > gap->first + gap->count)
			return -EEXIST;
		gap_cut(f, at - 1, first, legs);
	}
	while (*link != fan)
		link = &f->next_free[*link];
	*link = f->next_free[fan];
	f->next_free[fan] = fan;
	f->used[fan] = (struct tandem_fan_range){ first, legs };
	return 0;
}

struct tandem_fan_range tandem_fans_range(const struct tandem_fans *f, uint32_t fan)
{
	return f->used[fan];
}

void tandem_fans_release(struct tandem_fans *f, uint32_t fan)
{
	if (!taken(f, fan))
		return;
	gap_give_back(f, f->used[fan]);
	f->next_free[fan] = f->free_head;
	f->free_head = fan;
}
