/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/due.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void tandem_dues_clean(struct tandem_dues *q)
{
	free(q->heap);
	*q = (struct tandem_dues){ 0 };
}

static bool before(const struct tandem_due *a, const struct tandem_due *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->serial < b->serial;
}

static int grow(struct tandem_dues *q)
{
	size_t room = q->room ? q->room * 2 : 64;
	struct tandem_due **heap;

	if (q->count < q->room)
		return 0;
	heap = realloc(q->heap, room * sizeof(struct tandem_due *));
	if (!heap)
		return -ENOMEM;
	q->heap = heap;
	q->room = room;
	return 0;
}

int tandem_dues_push(struct tandem_dues *q, struct tandem_due *due)
{
	size_t i;

	if (grow(q))
		return -ENOMEM;
	due->serial = q->serial++;
	i = q->count++;
	while (i && before(due, q->heap[(i - 1) / 2])) {
		q->heap[i] = q->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	q->heap[i] = due;
	return 0;
}

struct tandem_due *tandem_dues_first(const struct tandem_dues *q)
{
	return q->count ? q->heap[0] : NULL;
}

struct tandem_due *tandem_dues_pop(struct tandem_dues *q)
{
	struct tandem_due *top = tandem_dues_first(q), *last;
	size_t i = 0, child;

	if (!top)
		return NULL;
	last = q->heap[--q->count];
	while ((child = 2 * i + 1) < q->count) {
		if (child + 1 < q->count && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], last))
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	q->heap[i] = last;
	return top;
}
