/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions to the kernel's routing and neighbour tables, and what it tells of them by itself. */
#ifndef TANDEM_DATAPATH_ROUTE_H
#define TANDEM_DATAPATH_ROUTE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"

struct tandem_route {
	int oif;
	uint32_t mtu;	     /* of the route itself; 0: that of the interface */
	struct ip_addr next; /* whom to send to on the link: the gateway, or the address itself */
	bool encapsulated;   /* what leaves is not what was sent: of no use */
};

struct tandem_neighbour {
	int ifindex;
	struct ip_addr ip;
	bool usable; /* it has a link-layer address, which has not been found wrong */
	uint8_t mac[6];
};

/* A socket for the questions below; or, with groups (RTMGRP_*), one that listens and never waits. */
int tandem_route_open(uint32_t groups);

/* Route of what this host sends from local to remote. -ENETUNREACH: none of use. */
int tandem_route_find(int fd, const struct ip_addr *remote, const struct ip_addr *local,
		      struct tandem_route *route);

/* Link-layer address of a neighbour; -ENOENT while the kernel has none that is valid. */
int tandem_neighbour_find(int fd, int oif, const struct ip_addr *ip, uint8_t mac[6]);

/* Have the kernel look for a neighbour; whether it is found is to be asked later. */
void tandem_neighbour_seek(int fd, int oif, const struct ip_addr *ip);

/* Have it tell of all neighbours, on a socket that listens. 0 or a negative errno. */
int tandem_neighbours_ask(int fd);

/* What a message that came there says; false when it is not about a neighbour of either family. */
bool tandem_neighbour_read(const struct nlmsghdr *nlh, struct tandem_neighbour *n);

#endif
