/* SPDX-License-Identifier: GPL-2.0-only */
/* What rtnetlink and generic netlink say of the interfaces of this namespace. */
#ifndef TANDEM_DATAPATH_NETLINK_H
#define TANDEM_DATAPATH_NETLINK_H

#include <net/if.h>
#include <stdint.h>

#include "core/abi.h"

struct tandem_link {
	int ifindex;
	char name[IF_NAMESIZE];
	int lower;     /* ifindex of the device below; 0: none */
	uint16_t vlan; /* 802.1Q id when it is a VLAN device, else 0 */
	uint32_t mtu;  /* L3 bytes */
	uint8_t mac[6];
};

/* Called for each interface. */
typedef void(tandem_link_h)(const struct tandem_link *link, void *arg);

/* Walk all interfaces. 0 or a negative errno. */
int tandem_netlink_links(tandem_link_h *h, void *arg);

/* Called for each address, and the interface that has it. */
typedef void(tandem_address_h)(const struct ip_addr *ip, int ifindex, void *arg);

/* Walk the addresses of all interfaces, of both families. 0 or a negative errno. */
int tandem_netlink_addresses(tandem_address_h *h, void *arg);

/* Bits of the netdev family's XDP features (Linux 6.3). */
enum tandem_xdp_feature {
	TANDEM_XDP_BASIC = 1 << 0,    /* native mode */
	TANDEM_XDP_REDIRECT = 1 << 1, /* may redirect what it received */
	TANDEM_XDP_XMIT = 1 << 2,     /* may be redirected to */
};

/* Features of an interface; -EOPNOTSUPP where the kernel does not tell. */
int tandem_netlink_xdp_features(int ifindex, uint64_t *features);

#endif
