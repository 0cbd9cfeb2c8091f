/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A histogram of nanoseconds with buckets that grow with the value: 32 to each power
 * of two, so that a value read back is at most 1/32 too high. Compiled into the sink's
 * BPF program too.
 */
#ifndef TANDEM_BENCH_HIST_H
#define TANDEM_BENCH_HIST_H

#include <linux/types.h>

#define HIST_SUB_BITS 5
#define HIST_SUB      (1U << HIST_SUB_BITS)
#define HIST_MAX_BITS 36 /* values above 2^36 ns, 68 s, count as that */
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB)

struct hist {
	__u64 max;
	__u64 bucket[HIST_BUCKETS];
};

/* Position of the highest bit set; v is not 0. */
static inline __u32 hist_log2(__u64 v)
{
	__u32 n = 0;

	for (__u32 step = 32; step; step >>= 1) {
		if (v >> step) {
			v >>= step;
			n += step;
		}
	}
	return n;
}

static inline __u32 hist_index(__u64 v)
{
	__u32 shift, index;

	if (v < HIST_SUB)
		return (__u32)v;
	shift = hist_log2(v) - HIST_SUB_BITS;
	index = (shift + 1) * HIST_SUB + (__u32)((v >> shift) & (HIST_SUB - 1));
	return index < HIST_BUCKETS ? index : HIST_BUCKETS - 1;
}

/* The highest value that falls into a bucket. */
static inline __u64 hist_value(__u32 index)
{
	__u32 shift = index / HIST_SUB;

	if (!shift)
		return index;
	shift--;
	return ((__u64)(HIST_SUB + index % HIST_SUB + 1) << shift) - 1;
}

static inline void hist_add(struct hist *h, __u64 v)
{
	__u32 i = hist_index(v);

	if (i < HIST_BUCKETS) /* the verifier wants to see it */
		h->bucket[i]++;
	if (v > h->max)
		h->max = v;
}

#endif
