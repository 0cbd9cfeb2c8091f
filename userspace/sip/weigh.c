/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/weigh.h"

#include <stdlib.h>

/* splitmix64: good for any seed, zero included. */
static uint64_t draw(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

	return z ^ (z >> 31);
}

static int by_priority(const void *va, const void *vb)
{
	const struct tandem_weighed *a = va, *b = vb;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	/* RFC 2782: those of weight 0 first, so that they have a small chance, too */
	if (!a->weight != !b->weight)
		return a->weight ? 1 : -1;

	return a->index < b->index ? -1 : a->index > b->index;
}

/* Which of the count items, all of one priority, is next. */
static size_t pick(const struct tandem_weighed *items, size_t count, uint64_t *seed)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < count; i++)
		sum += items[i].weight;
	at = draw(seed) % (sum + 1);
	for (i = 0, sum = 0; i < count; i++) {
		sum += items[i].weight;
		if (sum >= at)
			return i;
	}

	return 0;
}

void tandem_weigh(struct tandem_weighed *items, size_t count, uint64_t *seed)
{
	size_t from, to, i;

	qsort(items, count, sizeof(*items), by_priority);
	for (from = 0; from < count; from++) {
		struct tandem_weighed next;

		for (to = from; to < count && items[to].priority == items[from].priority; to++)
			;
		i = from + pick(items + from, to - from, seed);
		next = items[i];
		/* the others keep their order */
		for (; i > from; i--)
			items[i] = items[i - 1];
		items[from] = next;
	}
}
