/* SPDX-License-Identifier: GPL-2.0-only */
/* The run-to-completion loop: one per lcore, from receive burst to transmit burst. */
#ifndef TANDEM_DPDK_WORKER_H
#define TANDEM_DPDK_WORKER_H

#include <rte_common.h>
#include <rte_rcu_qsbr.h>
#include <stdint.h>

#include "dpdk/flow_table.h"
#include "dpdk/nexthop.h"
#include "dpdk/port.h"

/* What all workers share. */
struct dpdk_relay {
	struct dpdk_ports ports;
	struct dpdk_hops *hops;
	struct dpdk_table *table; /* NULL: not configured, all is punted. Read with acquire. */
	struct rte_rcu_qsbr *rcu;
	uint32_t idle_us; /* sleep so long when there is nothing to do; 0: poll on */
	int quit;
};

struct dpdk_worker {
	struct dpdk_relay *relay;
	uint16_t index; /* its queue on every port */
	uint64_t packets;
	uint64_t cycles; /* spent on bursts that were not empty */
} __rte_cache_aligned;

/* An lcore_function_t; arg is a struct dpdk_worker. Returns 0 once relay->quit is set. */
int dpdk_worker_run(void *arg);

#endif
