/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers made of numbers. */
#ifndef TANDEM_BENCH_STATS_H
#define TANDEM_BENCH_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "bench/hist.h"

struct figure {
	double min, median, max;
};

/* Of n values, which are sorted in place; all zero when there are none. */
struct figure tandem_figure(double *values, size_t n);

/*
 * The value below or at which the share q (0 to 1) of all values of h lies; never above
 * h->max. 0 for an empty histogram.
 */
uint64_t tandem_hist_quantile(const struct hist *h, double q);

/* Add the counts of one histogram to another. */
void tandem_hist_merge(struct hist *to, const struct hist *from);

/* A step that visits all of n flows in scattered order: coprime to n, near 0.618 n. */
uint32_t tandem_stride(uint32_t n);

#endif
