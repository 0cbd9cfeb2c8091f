/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers for a copied packet that has none. */
#ifndef TANDEM_LIVE_WIRE_H
#define TANDEM_LIVE_WIRE_H

#include <stdint.h>

#include "core/tap_abi.h"

#define TANDEM_WIRE_HEADER 62 /* Ethernet, IPv6 and UDP */

/*
 * Headers of Ethernet (without addresses), IP and UDP for a payload of len bytes, of which kept are there to be read; returns their length.
 * The checksum of UDP is right if all of the payload is there; with IPv4 there is none else.
 */
uint32_t tandem_wire_header(uint8_t header[TANDEM_WIRE_HEADER], const struct tap_address *from,
			    const struct tap_address *to, const void *payload, uint32_t kept,
			    uint32_t len);

#endif
