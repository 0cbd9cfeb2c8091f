/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Headers as they lie on the wire. Fields are big-endian. may_alias: the same
 * bytes are an IPv4 header on the way in and part of an IPv6 header on the way out.
 */
#ifndef TANDEM_CORE_HEADERS_H
#define TANDEM_CORE_HEADERS_H

#include <linux/types.h>

#define CORE_WIRE __attribute__((may_alias))

typedef __be32 CORE_WIRE wire32;
typedef __be16 CORE_WIRE wire16;

#define ETHERTYPE_IP4  0x0800
#define ETHERTYPE_IP6  0x86dd
#define ETHERTYPE_VLAN 0x8100 /* IEEE 802.1Q */
#define ETHERTYPE_QINQ 0x88a8 /* IEEE 802.1ad */

#define PROTO_UDP 17
#define FRESH_TTL 64 /* where the rule says nothing else */

struct CORE_WIRE eth_hdr {
	__u8 dmac[6];
	__u8 smac[6];
	__be16 type;
};

struct CORE_WIRE vlan_hdr {
	__be16 tci;
	__be16 type;
};

/* RFC 791, without options */
struct CORE_WIRE ip4_hdr {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_len;
	__be16 id;
	__be16 frag;
	__u8 ttl;
	__u8 protocol;
	__be16 check;
	__be32 src;
	__be32 dst;
};

#define IP4_DF		 0x4000
#define IP4_MF_OR_OFFSET 0x3fff

/* RFC 8200 */
struct CORE_WIRE ip6_hdr {
	__be32 version_class_label;
	__be16 payload_len;
	__u8 next_header;
	__u8 hop_limit;
	__be32 src[4];
	__be32 dst[4];
};

/* RFC 768 */
struct CORE_WIRE udp_hdr {
	__be16 src;
	__be16 dst;
	__be16 len;
	__be16 check;
};

/* RFC 3550 5.1 */
struct CORE_WIRE rtp_hdr {
	__u8 vpxcc;
	__u8 mpt;
	__be16 seq;
	__be32 ts;
	__be32 ssrc;
};

_Static_assert(sizeof(struct eth_hdr) == 14, "Ethernet header");
_Static_assert(sizeof(struct ip4_hdr) == 20, "IPv4 header");
_Static_assert(sizeof(struct ip6_hdr) == 40, "IPv6 header");
_Static_assert(sizeof(struct rtp_hdr) == 12, "RTP header");

#endif
