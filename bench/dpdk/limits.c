/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/dpdk/limits.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST	32
#define WINDOWS 100
#define ROUNDS	10000 /* frames of a window */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct dpdk_figure dpdk_figure(double *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_value);
	return (struct dpdk_figure){ ns[n / 50], ns[n / 2], ns[n - 1] };
}

void dpdk_row(const char *what, struct dpdk_figure f, double copies)
{
	printf("%s\t%.2f\t%.2f\t%.2f\n", what, f.best / copies, f.median / copies,
	       f.worst / copies);
}

double dpdk_elapsed_ns(uint64_t begin)
{
	return 1e9 * (double)(rte_rdtsc() - begin) / (double)rte_get_tsc_hz();
}

/* ---- a loop that swaps MAC addresses ---- */

static uint16_t swap_burst(uint16_t port)
{
	struct rte_mbuf *burst[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, burst, BURST);

	for (uint16_t i = 0; i < n; i++) {
		struct rte_ether_hdr *eth = rte_pktmbuf_mtod(burst[i], struct rte_ether_hdr *);
		struct rte_ether_addr source = eth->src_addr;

		eth->src_addr = eth->dst_addr;
		eth->dst_addr = source;
	}
	return rte_eth_tx_burst(port, 0, burst, n);
}

static struct dpdk_figure swap(uint16_t port)
{
	double ns[WINDOWS];

	for (int w = 0; w < WINDOWS; w++) {
		uint64_t begin = rte_rdtsc(), frames = 0;

		for (int i = 0; i < ROUNDS / BURST; i++)
			frames += swap_burst(port);
		ns[w] = frames ? dpdk_elapsed_ns(begin) / (double)frames : 0;
	}
	return dpdk_figure(ns, WINDOWS);
}

int dpdk_limits_run(void *arg)
{
	struct dpdk_limits *limits = arg;
	uint16_t port = limits->relay->ports.port[0].id;
	struct dpdk_figure swapped = swap(port);
	struct rte_mbuf *mbuf;

	if (!limits->rows) {
		printf("swapping MAC addresses: %.1f ns a frame (median %.1f)\n", swapped.best,
		       swapped.median);
		return 0;
	}
	dpdk_row("macswap", swapped, 1);
	/* A frame of the ring's, which gets it back. */
	if (rte_eth_rx_burst(port, 0, &mbuf, 1) != 1 || !dpdk_steps(limits, mbuf) ||
	    rte_eth_tx_burst(port, 0, &mbuf, 1) != 1)
		limits->failed = true;
	return 0;
}
