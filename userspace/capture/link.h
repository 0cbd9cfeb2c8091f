/* SPDX-License-Identifier: GPL-2.0-only */
/* From a captured frame to the UDP datagram in it. */
#ifndef TANDEM_CAPTURE_LINK_H
#define TANDEM_CAPTURE_LINK_H

#include "userspace/util/endpoint.h"

/* A datagram as captured; payload points into the frame. */
struct tandem_udp {
	struct tandem_endpoint src, dst;
	const uint8_t *payload;
	size_t len;	 /* octets of payload that were captured */
	size_t full_len; /* that there were on the network; never less */
};

/* Part of a UDP datagram; data points into the frame. */
struct tandem_fragment {
	struct ip_addr src, dst;
	uint32_t id;
	uint32_t offset; /* octets from the UDP header on */
	size_t len;
	bool more; /* it is not the last one */
	const uint8_t *data;
};

enum tandem_link {
	TANDEM_LINK_UDP,
	TANDEM_LINK_OTHER,    /* no UDP over IP */
	TANDEM_LINK_FRAGMENT, /* part of one */
	TANDEM_LINK_BAD,      /* headers that end too early or contradict each other */
};

/* True for a link type (LINKTYPE_, as libpcap numbers them) that tandem_link_udp() can read. */
bool tandem_link_known(int type);

/*
 * Read a frame of len octets: Ethernet with up to four VLAN tags (IEEE 802.1Q, 802.1ad), Linux
 * cooked v1 and v2, raw IP, BSD loopback. IPv6 extension headers are passed over (RFC 8200 4).
 */
enum tandem_link tandem_link_udp(int type, const uint8_t *frame, size_t len, struct tandem_udp *d);

/* The same, with *part filled where the frame has a fragment. */
enum tandem_link tandem_link_part(int type, const uint8_t *frame, size_t len, struct tandem_udp *d,
				  struct tandem_fragment *part);

/* The same for what fragments came to; part is one of them, data begins with the UDP header. */
enum tandem_link tandem_link_whole(const struct tandem_fragment *part, const uint8_t *data,
				   size_t len, struct tandem_udp *d);

#endif
