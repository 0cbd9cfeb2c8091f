/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `tandem bench core`: what a packet costs inside each datapath, step by step, without any wire,
 * beside the least that it could cost. docs/benchmark.md has the method.
 */
#ifndef TANDEM_BENCH_CORE_H
#define TANDEM_BENCH_CORE_H

#include "bench/core_report.h"
#include "bench/options.h"

#define CORE_MAX_ROUNDS 15

struct core_options {
	uint32_t flows[BENCH_MAX_LIST];
	size_t flows_count;
	uint32_t copies; /* 1: no row with copies */
	int rounds;
	uint32_t packets; /* in a round */
};

struct core_datapath {
	const char *name;
	/* What all numbers of flows have in common; NULL: nothing. 0 or a negative errno; says why. */
	int (*open)(const struct core_options *opts, void **arg);
	void (*close)(void *arg);
	/*
	 * Measure with so many flows and copies, and add the rows. 0 or a negative errno; says what
	 * failed. -EOPNOTSUPP: not to be had here, or not with so many; that has been said.
	 */
	int (*measure)(const struct core_options *opts, uint32_t flows, uint32_t copies,
		       struct core_report *report, void *arg);
};

extern const struct core_datapath tandem_core_xdp, tandem_core_dpdk, tandem_core_uring;

/* The most flows that are asked for. */
uint32_t tandem_core_most(const struct core_options *opts);

/* Arguments after "core"; argv[0] is that word. What to exit with. */
int tandem_bench_core_main(int argc, char **argv);

#endif
