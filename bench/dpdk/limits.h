/* SPDX-License-Identifier: GPL-2.0-only */
/* What the worker is compared with, and what its steps cost. */
#ifndef TANDEM_BENCH_DPDK_LIMITS_H
#define TANDEM_BENCH_DPDK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpdk/worker.h"

/* Of many short windows: the best are what other load did not disturb. */
struct dpdk_figure {
	double best, median, worst;
};

/* Sorts ns. */
struct dpdk_figure dpdk_figure(double *ns, size_t n);

/* A row for `tandem bench core`, of each of so many copies. */
void dpdk_row(const char *what, struct dpdk_figure f, double copies);

struct rte_mbuf;

struct dpdk_limits {
	struct dpdk_relay *relay; /* with its flows, and frames in the ring of its first port */
	uint32_t flows, port_base;
	bool rows;   /* print all as rows; else only the loop that swaps, for people */
	bool failed; /* out */
};

/* Nanoseconds since rte_rdtsc() gave begin. */
double dpdk_elapsed_ns(uint64_t begin);

/*
 * Print rows of the steps, taken with this frame, which comes back as it was; the flows do not.
 */
bool dpdk_steps(const struct dpdk_limits *limits, struct rte_mbuf *mbuf);

/* An lcore_function_t; arg is a struct dpdk_limits. Leaves the ring as it was. */
int dpdk_limits_run(void *arg);

#endif
