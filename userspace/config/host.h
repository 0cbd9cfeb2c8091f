/* SPDX-License-Identifier: GPL-2.0-only */
/* What the configuration is resolved against: the host's addresses and ports. */
#ifndef TANDEM_CONFIG_HOST_H
#define TANDEM_CONFIG_HOST_H

#include <net/if.h>

#include "userspace/util/endpoint.h"

/* An address of an interface that is up. */
struct tandem_host_address {
	char ifname[IFNAMSIZ];
	struct ip_addr ip;
};

struct tandem_port_range {
	uint16_t first;
	uint16_t last;
};

struct tandem_host {
	struct tandem_host_address *addresses;
	size_t addresses_count;
	struct tandem_port_range ephemeral;    /* net.ipv4.ip_local_port_range; 0,0: unknown */
	struct tandem_port_range reserved[16]; /* net.ipv4.ip_local_reserved_ports */
	size_t reserved_count;
};

/* Read them from the network namespace of the caller. 0 or a negative errno. */
int tandem_host_init(struct tandem_host *host);
void tandem_host_clean(struct tandem_host *host);

/* Parse "8080,16384-32767"; returns how many ranges were stored, at most max. */
size_t tandem_port_ranges_parse(const char *text, struct tandem_port_range *ranges, size_t max);

/*
 * Do ports that the kernel hands out to any process lie within range? Those that
 * are reserved as a whole with the overlap do not count. overlap says which.
 */
bool tandem_host_ephemeral_overlap(const struct tandem_host *host,
				   const struct tandem_port_range *range,
				   struct tandem_port_range *overlap);

/* Loopback and link-local addresses reach nobody else, a multicast address is nobody's. */
bool tandem_host_address_global(const struct ip_addr *ip);

#endif
