/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How something went over time, in at most 512 steps of equal length: 100 ms at first, doubled
 * whenever there would be more.
 */
#ifndef TANDEM_CAPTURE_SERIES_H
#define TANDEM_CAPTURE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#define TANDEM_SERIES_MAX 512

struct tandem_step {
	uint64_t octets; /* of UDP payload */
	uint32_t packets;
	uint32_t lost;
	uint32_t jitter_ns; /* the highest estimate */
};

/* Zeroed it is empty. */
struct tandem_series {
	uint64_t step_ns;
	size_t count;
	struct tandem_step *steps;
};

void tandem_series_clean(struct tandem_series *s);

/* Add to the step that since_ns, the time since the beginning, lies in. 0 or -ENOMEM. */
int tandem_series_add(struct tandem_series *s, uint64_t since_ns, const struct tandem_step *add);

#endif
