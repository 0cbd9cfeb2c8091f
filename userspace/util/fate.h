/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bad network: what it does to packets, decided by a seeded generator. Each packet takes the
 * same number of draws, so the n-th packet meets the same fate in every run.
 */
#ifndef TANDEM_UTIL_FATE_H
#define TANDEM_UTIL_FATE_H

#include <stdint.h>

/* Zeroed it is a good one. */
struct tandem_impairment {
	double loss, duplicate, reorder; /* per cent */
	uint64_t delay_ns, jitter_ns;	 /* fixed, and uniform up to */
	uint64_t reorder_by_ns;		 /* that a reordered packet is late by */
};

/* Of packets of one direction, or one stream. */
struct tandem_fate {
	uint64_t random; /* never 0; see tandem_fate_seed() */
	uint64_t last_due_ns;
	uint64_t lost, duplicated, reordered;
};

/* Begin anew. Another which is another sequence of the same seed. */
void tandem_fate_seed(struct tandem_fate *fate, uint64_t seed, unsigned int which);

/*
 * What becomes of a packet of now_ns: it arrives so many times, 0, 1 or 2, at *due_ns. Jitter
 * alone keeps the order, as a queue does; only reordering breaks it.
 */
unsigned int tandem_fate_draw(struct tandem_fate *fate, const struct tandem_impairment *network,
			      uint64_t now_ns, uint64_t *due_ns);

#endif
