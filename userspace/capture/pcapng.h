/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing blocks of pcapng (draft-ietf-opsawg-pcapng), in the byte order of this machine. Each
 * function puts one block into buf, if that has size bytes of room for it, and returns the bytes
 * that it has; 0: there is no room, and nothing is written.
 */
#ifndef TANDEM_CAPTURE_PCAPNG_H
#define TANDEM_CAPTURE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define TANDEM_PCAPNG_ETHERNET 1 /* LINKTYPE_ETHERNET */

#define TANDEM_PCAPNG_SECTION 0x0a0d0d0aU
#define TANDEM_PCAPNG_IDB     1U
#define TANDEM_PCAPNG_ISB     5U
#define TANDEM_PCAPNG_EPB     6U

/* A section, by this application: in front of all others. */
size_t tandem_pcapng_section(void *buf, size_t size, const char *application);

/* An interface; the first is number 0. Times are nanoseconds. */
size_t tandem_pcapng_interface(void *buf, size_t size, uint16_t link, const char *name);

enum tandem_pcapng_direction {
	TANDEM_PCAPNG_UNKNOWN,
	TANDEM_PCAPNG_INBOUND,
	TANDEM_PCAPNG_OUTBOUND,
};

struct tandem_pcapng_packet {
	uint32_t interface;
	uint64_t ns; /* of the Unix epoch */
	struct {
		const void *data;
		uint32_t len;
	} part[2];	   /* of what was captured, one behind the other */
	uint32_t original; /* bytes that the packet had */
	enum tandem_pcapng_direction direction;
	const char *comment; /* UTF-8; NULL: none */
};
size_t tandem_pcapng_packet(void *buf, size_t size, const struct tandem_pcapng_packet *p);

/* At the end: packets that an interface had (isb_ifrecv), and how many of them are not here (isb_ifdrop). */
size_t tandem_pcapng_statistics(void *buf, size_t size, uint32_t interface, uint64_t ns,
				uint64_t received, uint64_t dropped);

#endif
