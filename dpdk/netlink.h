/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions to the kernel's routing and neighbour tables. */
#ifndef TANDEM_DPDK_NETLINK_H
#define TANDEM_DPDK_NETLINK_H

#include <stdint.h>

#include "core/abi.h"

struct dpdk_route {
	int oif;
	uint32_t mtu;	     /* of the route itself; 0: that of the interface */
	struct ip_addr next; /* whom to send to on the link: the gateway, or the address itself */
};

/* A socket for the two questions below; or, with groups (RTMGRP_*), one that listens. */
int dpdk_netlink_open(uint32_t groups);

/* Route of what this host sends from local to remote. -ENETUNREACH: none of use. */
int dpdk_netlink_route(int fd, const struct ip_addr *remote, const struct ip_addr *local,
		       struct dpdk_route *route);

/* Link-layer address of a neighbour; -ENOENT while the kernel has none that is valid. */
int dpdk_netlink_neighbour(int fd, int oif, const struct ip_addr *ip, uint8_t mac[6]);

/* Have the kernel look for a neighbour; whether it is found is to be asked later. */
void dpdk_netlink_seek(int fd, int oif, const struct ip_addr *ip);

#endif
