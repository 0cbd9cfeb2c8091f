/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions whose copy is out of date, each once, in the order in which they became so. Only
 * numbers are kept: what is written is what the session is then.
 */
#ifndef TANDEM_CLUSTER_CHANGES_H
#define TANDEM_CLUSTER_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tandem_change_entry;

/* Embedded, zeroed before. */
struct tandem_changes {
	struct tandem_change_entry **buckets; /* allocated with the first entry */
	struct tandem_change_entry *first, **end;
	size_t count;
};

/* Note it, or what has become of it meanwhile. -ENOMEM. */
int tandem_changes_add(struct tandem_changes *changes, uint64_t number, bool gone);
/* Take the first one; false: there is none. */
bool tandem_changes_take(struct tandem_changes *changes, uint64_t *number, bool *gone);
/* Forget all of them, and give the memory back. */
void tandem_changes_clean(struct tandem_changes *changes);

#endif
