/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way to the egress addresses, as the host's kernel sees it: its routes and its
 * neighbours, asked by netlink from the control thread and kept in a table that the
 * packet workers read without a lock.
 *
 * An address is asked for when a rule with it is set, again when a worker misses it, when
 * the kernel says that something changed, and once a second while it is in use. What the
 * kernel does not know yet is a reason to punt: the punted packet makes it find out. A
 * multicast group is reached by the interface that has the address of the sender.
 */
#ifndef TANDEM_DPDK_NEXTHOP_H
#define TANDEM_DPDK_NEXTHOP_H

#include <stdint.h>

#include "core/abi.h"

struct dpdk_hops;

/* 0, or a negative errno: no memory, or no netlink. */
int dpdk_hops_alloc(struct dpdk_hops **hopsp);
void dpdk_hops_free(struct dpdk_hops *hops);

/*
 * The kernel's interface ifindex stands for port: what is routed there leaves by that
 * port, with this VLAN tag (0: none). VLAN devices above it are found by themselves.
 * -ENOSPC beyond 64 interfaces.
 */
int dpdk_hops_link(struct dpdk_hops *hops, int ifindex, uint32_t port, uint16_t vlan_tci);

/*
 * For workers: env_nexthop(); what is not known is asked for soon. nh->ifindex is the number
 * of the port plus one: 0 is no interface.
 */
uint32_t dpdk_hops_get(struct dpdk_hops *hops, const struct ip_addr *remote,
		       const struct ip_addr *local, uint32_t l3_len, struct nexthop *nh,
		       uint64_t now_ns);

/*
 * For the control thread: ask the kernel now for the way to remote from local, unless
 * what it said a moment ago still holds. A neighbour that it does not know it is told to find.
 */
void dpdk_hops_resolve(struct dpdk_hops *hops, const struct ip_addr *remote,
		       const struct ip_addr *local, uint64_t now_ns);

/* Readable when the kernel's tables have changed; dpdk_hops_tick() then reads it. */
int dpdk_hops_fd(const struct dpdk_hops *hops);

/* To be called some 100 times a second: answer the workers, refresh what is old. */
void dpdk_hops_tick(struct dpdk_hops *hops, uint64_t now_ns);

#endif
