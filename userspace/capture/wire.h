/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a copied packet from its bytes; and headers for one that has none. */
#ifndef TANDEM_CAPTURE_WIRE_H
#define TANDEM_CAPTURE_WIRE_H

#include <stdint.h>

#include "core/tap_abi.h"

#define TANDEM_WIRE_HEADER 48 /* IPv6 and UDP */

/*
 * Source, destination and TOS of a frame with UDP over IP in it, and where its payload begins: at most
 * len. 0 or -EBADMSG.
 */
int tandem_wire_addresses(const void *frame, uint32_t len, struct tap_address *from,
			  struct tap_address *to, uint32_t *payload);

/*
 * IP and UDP headers for a payload of len bytes, of which kept are there to be read; returns their length.
 * The checksum of UDP is right if all of the payload is there; with IPv4 there is none else.
 */
uint32_t tandem_wire_header(uint8_t header[TANDEM_WIRE_HEADER], const struct tap_address *from,
			    const struct tap_address *to, const void *payload, uint32_t kept,
			    uint32_t len);

#endif
