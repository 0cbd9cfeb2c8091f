/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of either family in one form, and multicast groups among them. */
#ifndef TANDEM_CORE_ADDR_H
#define TANDEM_CORE_ADDR_H

#include "core/abi.h"
#include "core/byteorder.h"

#define IP_MAPPED_PREFIX 0xffff /* third word of ::ffff:a.b.c.d */

/* In halves, as addresses are compared: processors wait where what is read was written in parts. */
static inline void ip_addr_map4(struct ip_addr *ip, __be32 v4)
{
	__be32 prefix = net32(IP_MAPPED_PREFIX);

	ip->d[0] = 0;
	ip->d[1] = CORE_LITTLE_ENDIAN ? (__u64)v4 << 32 | prefix : (__u64)prefix << 32 | v4;
}

static inline int ip_addr_is_v4(const struct ip_addr *ip)
{
	return ip->d[0] == 0 && ip->w[2] == net32(IP_MAPPED_PREFIX);
}

static inline int ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->d[0] == b->d[0] && a->d[1] == b->d[1];
}

/* A multicast group: RFC 5771, RFC 4291 2.7. */
static inline int ip_addr_is_group(const struct ip_addr *ip)
{
	return ip_addr_is_v4(ip) ? (ip->b[12] & 0xf0) == 0xe0 : ip->b[0] == 0xff;
}

/* The MAC address that a group's packets go to: RFC 1112 6.4, RFC 2464 section 7. */
static inline void group_mac(const struct ip_addr *group, __u8 *mac)
{
	int v4 = ip_addr_is_v4(group);

	mac[0] = v4 ? 0x01 : 0x33;
	mac[1] = v4 ? 0x00 : 0x33;
	mac[2] = v4 ? 0x5e : group->b[12];
	mac[3] = v4 ? group->b[13] & 0x7f : group->b[13];
	mac[4] = group->b[14];
	mac[5] = group->b[15];
}

#endif
