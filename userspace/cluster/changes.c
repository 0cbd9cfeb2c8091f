/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/changes.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 4096

struct tandem_change_entry {
	struct tandem_change_entry *next, *next_in_bucket;
	uint64_t number;
	bool gone;
};

static struct tandem_change_entry **bucket(const struct tandem_changes *changes, uint64_t number)
{
	return &changes->buckets[number % BUCKETS];
}

int tandem_changes_add(struct tandem_changes *changes, uint64_t number, bool gone)
{
	struct tandem_change_entry *entry, **b;

	if (!changes->buckets)
		changes->buckets = calloc(BUCKETS, sizeof(struct tandem_change_entry *));
	if (!changes->buckets)
		return -ENOMEM;
	b = bucket(changes, number);
	for (entry = *b; entry && entry->number != number;)
		entry = entry->next_in_bucket;
	if (entry) {
		entry->gone = gone;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = (struct tandem_change_entry){ NULL, *b, number, gone };
	*b = entry;
	if (!changes->first)
		changes->end = &changes->first;
	*changes->end = entry;
	changes->end = &entry->next;
	changes->count++;
	return 0;
}

bool tandem_changes_take(struct tandem_changes *changes, uint64_t *number, bool *gone)
{
	struct tandem_change_entry *entry = changes->first, **p;

	if (!entry)
		return false;
	for (p = bucket(changes, entry->number); *p != entry;)
		p = &(*p)->next_in_bucket;
	*p = entry->next_in_bucket;
	changes->first = entry->next;
	changes->count--;
	*number = entry->number;
	*gone = entry->gone;
	free(entry);
	return true;
}

void tandem_changes_clean(struct tandem_changes *changes)
{
	struct tandem_change_entry *entry;

	while ((entry = changes->first)) {
		changes->first = entry->next;
		free(entry);
	}
	free(changes->buckets);
	*changes = (struct tandem_changes){ 0 };
}
