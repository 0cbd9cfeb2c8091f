/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the UDP datagrams of a capture file: pcap and pcapng through libpcap, and rtptools'
 * rtpdump. Files are untrusted: what cannot be read is counted, or ends the reading with an error
 * that names the packet.
 */
#ifndef TANDEM_CAPTURE_READ_H
#define TANDEM_CAPTURE_READ_H

#include <stdio.h>

#include "userspace/capture/link.h"

struct tandem_capture;

struct tandem_captured {
	struct tandem_udp d; /* payload: on a 4-byte boundary, and valid until the next is read */
	uint64_t time_ns;    /* of the Unix epoch */
	uint64_t number;     /* of the packet in the file, from 1 */
};

/* What a file had besides. */
struct tandem_capture_counts {
	uint64_t packets;     /* in all */
	uint64_t first_ns;    /* time of the first one */
	uint64_t datagrams;   /* handed out */
	uint64_t fragments;   /* of IP */
	uint64_t reassembled; /* datagrams that they came to */
	uint64_t bad;	      /* with broken headers */
	uint64_t cut;	      /* of the datagrams: captured in part only (a snapshot length) */
};

/*
 * Open a file. 0, or a negative errno and in why, as text with the file's name, what is wrong:
 * -EBADMSG: it is no capture, or of a link layer that is not known.
 */
int tandem_capture_open(struct tandem_capture **cp, const char *path, char *why, size_t why_size);

/* The same of a stream, which is closed in any case; name is for messages. */
int tandem_capture_open_stream(struct tandem_capture **cp, FILE *f, const char *name, char *why,
			       size_t why_size);
void tandem_capture_close(struct tandem_capture *c);

/*
 * The next datagram. 1; 0 at the end; -EBADMSG: the file is damaged from here on, see
 * tandem_capture_error().
 */
int tandem_capture_next(struct tandem_capture *c, struct tandem_captured *p);

/* "FILE: packet N: ..." of the last error. */
const char *tandem_capture_error(const struct tandem_capture *c);

const struct tandem_capture_counts *tandem_capture_counts(const struct tandem_capture *c);

#endif
