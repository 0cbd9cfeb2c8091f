/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/stats.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figure tandem_figure(double *values, size_t n)
{
	struct figure f = { 0 };

	if (!n)
		return f;
	qsort(values, n, sizeof(*values), by_value);
	f.min = values[0];
	f.median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
	f.max = values[n - 1];
	return f;
}

uint64_t tandem_hist_quantile(const struct hist *h, double q)
{
	uint64_t total = 0, seen = 0;
	double want;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		total += h->bucket[i];
	if (!total)
		return 0;
	want = q * (double)total;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen && (double)seen >= want)
			return hist_value(i) < h->max ? hist_value(i) : h->max;
	}
	return h->max;
}

void tandem_hist_merge(struct hist *to, const struct hist *from)
{
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	if (from->max > to->max)
		to->max = from->max;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

uint32_t tandem_stride(uint32_t n)
{
	uint32_t stride = (uint32_t)((uint64_t)n * 618 / 1000);

	if (n < 2)
		return 0;
	if (!stride)
		stride = 1;
	while (gcd(stride, n) != 1)
		stride++;
	return stride;
}
