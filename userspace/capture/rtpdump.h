/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of rtptools' rtpdump and rtpplay, in its binary form: one line of text,
 *
 *   #!rtpplay1.0 ADDRESS/PORT
 *
 * where the session was received; then, all in network byte order, a file header (start in
 * seconds and microseconds, IPv4 address and port of the source, 2 octets unused), and for each
 * packet its length with these 8 octets, the length of the RTP packet (0: RTCP), and
 * milliseconds since the start.
 */
#ifndef TANDEM_CAPTURE_RTPDUMP_H
#define TANDEM_CAPTURE_RTPDUMP_H

#include <stdio.h>

#include "userspace/capture/link.h"

/* What a file begins with. */
#define TANDEM_RTPDUMP_MAGIC "#!rtpplay1.0 "

struct tandem_rtpdump {
	struct tandem_endpoint src, dst; /* src: zero where the file names none */
	uint64_t start_ns;		 /* of the Unix epoch */
};

/* Read text line and header. 0, or -EBADMSG: it is no such file, or ends too early. */
int tandem_rtpdump_read_header(struct tandem_rtpdump *h, FILE *f);

/*
 * Read a packet into buf, which holds 65536 octets. Returns 1 with *d, whose payload is in buf,
 * and its time; 0 at the end; -EBADMSG: it ends within a packet, or its lengths contradict
 * each other.
 */
int tandem_rtpdump_read(const struct tandem_rtpdump *h, FILE *f, uint8_t *buf, struct tandem_udp *d,
			uint64_t *time_ns);

/* Write text line and header. 0 or -EIO. */
int tandem_rtpdump_write_header(const struct tandem_rtpdump *h, FILE *f);

/* Write a packet of RTP, or of RTCP. 0 or -EIO; -EMSGSIZE: longer than the format has numbers for. */
int tandem_rtpdump_write(const struct tandem_rtpdump *h, FILE *f, const struct tandem_udp *d,
			 bool rtcp, uint64_t time_ns);

#endif
