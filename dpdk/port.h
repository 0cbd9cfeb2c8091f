/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports that the EAL was given, each with its queues, and where its punted frames go:
 * to a device of the host's kernel, from which the kernel's own frames come back.
 */
#ifndef TANDEM_DPDK_PORT_H
#define TANDEM_DPDK_PORT_H

#include <net/if.h>
#include <rte_mempool.h>
#include <rte_spinlock.h>
#include <stddef.h>
#include <stdint.h>

#include "dpdk/nexthop.h"

#define DPDK_MAX_PORTS	  16
#define DPDK_NO_EXCEPTION 0xffff

struct dpdk_port {
	uint16_t id;	    /* of ethdev */
	uint16_t rx_queues; /* worker n reads queue n, if there is one */
	uint16_t exception; /* ethdev id of the kernel's device; DPDK_NO_EXCEPTION: punts end */
	int ifindex;	    /* what the kernel calls this port; 0: it does not know it */
	char device[IF_NAMESIZE];
	rte_spinlock_t exception_lock; /* its one transmit queue is all workers' */
};

struct dpdk_ports {
	struct dpdk_port port[DPDK_MAX_PORTS];
	uint32_t count;
	uint16_t workers; /* of use: each needs a transmit queue on every port */
	/* Payloads of so many bytes are worth a chain of mbufs; UINT32_MAX: some port sends none. */
	uint32_t chain_min;
	struct rte_mempool *pool;
	struct rte_mempool *clones; /* mbufs without room for data */
};

/*
 * Start every port for up to lcores workers. exceptions is a comma-separated list of
 * PORT=tap:NAME, PORT=virtio:NAME and PORT=none, for ports by their number; a port not
 * listed has none. 0, or a negative errno with why filled in.
 */
int dpdk_ports_open(struct dpdk_ports *ports, const char *exceptions, uint16_t lcores, char *why,
		    size_t why_size);
void dpdk_ports_close(struct dpdk_ports *ports);

/* Tell hops which of the kernel's interfaces stand for which port. */
int dpdk_ports_link(const struct dpdk_ports *ports, struct dpdk_hops *hops);

#endif
