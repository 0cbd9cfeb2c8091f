/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to happen, by when: a heap. Things of the same time come out as they went in. */
#ifndef TANDEM_UTIL_DUE_H
#define TANDEM_UTIL_DUE_H

#include <stddef.h>
#include <stdint.h>

/* Part of a thing, which its owner allocates. ns is set before it is pushed, the serial by that. */
struct tandem_due {
	uint64_t ns;
	uint64_t serial;
};

/* Zeroed it is empty. */
struct tandem_dues {
	struct tandem_due **heap;
	size_t count, room;
	uint64_t serial;
};

/* Free the heap's memory; what is in it is its owner's. */
void tandem_dues_clean(struct tandem_dues *q);

/* 0 or -ENOMEM. */
int tandem_dues_push(struct tandem_dues *q, struct tandem_due *due);

/* The next one, which stays, or NULL. */
struct tandem_due *tandem_dues_first(const struct tandem_dues *q);

/* Take it out; NULL when there is none. */
struct tandem_due *tandem_dues_pop(struct tandem_dues *q);

#endif
