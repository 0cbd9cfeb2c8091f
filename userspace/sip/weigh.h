/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing among several by priority and weight, as RFC 2782 has it for SRV records. */
#ifndef TANDEM_SIP_WEIGH_H
#define TANDEM_SIP_WEIGH_H

#include <stddef.h>
#include <stdint.h>

struct tandem_weighed {
	uint16_t priority; /* the lower is tried first */
	uint16_t weight;   /* share among those of the same priority */
	size_t index;	   /* the caller's own */
};

/*
 * Put items into the order in which they are to be tried. Drawn from *seed, which is
 * advanced; the same seed gives the same order.
 */
void tandem_weigh(struct tandem_weighed *items, size_t count, uint64_t *seed);

#endif
