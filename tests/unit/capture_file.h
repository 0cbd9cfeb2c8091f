/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture files made in memory: Ethernet frames with UDP over IPv4, written by libpcap. */
#ifndef TANDEM_TESTS_CAPTURE_FILE_H
#define TANDEM_TESTS_CAPTURE_FILE_H

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture_file {
	char *data;
	size_t len;
	FILE *f;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
};

static inline void capture_begin(struct capture_file *c, int link)
{
	memset(c, 0, sizeof(*c));
	c->f = open_memstream(&c->data, &c->len);
	c->pcap = pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
	c->dumper = pcap_dump_fopen(c->pcap, c->f);
	assert_non_null(c->dumper);
}

static inline void capture_frame(struct capture_file *c, uint64_t ns, const void *frame, size_t len)
{
	struct pcap_pkthdr head = { .ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) },
				    .caplen = (unsigned int)len,
				    .len = (unsigned int)len };

	pcap_dump((u_char *)c->dumper, &head, frame);
}

/* From 192.0.2.1:from to 192.0.2.2:to. */
static inline void capture_udp(struct capture_file *c, uint64_t ns, unsigned int from,
			       unsigned int to, const void *payload, size_t len)
{
	uint8_t frame[2048] = { [12] = 0x08, [14] = 0x45, [22] = 64, [23] = 17, [26] = 192, 0,
				2,	     1,		  192,	     0,		2,	    2 };
	const uint16_t total = htons((uint16_t)(len + 28)), udp = htons((uint16_t)(len + 8));
	const uint16_t ports[2] = { htons((uint16_t)from), htons((uint16_t)to) };

	memcpy(frame + 16, &total, 2);
	memcpy(frame + 34, ports, 4);
	memcpy(frame + 38, &udp, 2);
	memcpy(frame + 42, payload, len);
	capture_frame(c, ns, frame, len + 42);
}

/* An RTP packet with 160 octets of payload, each of which is seq's low one. */
static inline void capture_rtp(struct capture_file *c, uint64_t ns, unsigned int pt, uint32_t ssrc,
			       unsigned int seq, uint32_t ts)
{
	uint8_t rtp[172] = { 0x80, (uint8_t)pt, (uint8_t)(seq >> 8), (uint8_t)seq };
	const uint32_t words[2] = { htonl(ts), htonl(ssrc) };

	memcpy(rtp + 4, words, 8);
	memset(rtp + 12, (int)(seq & 0xff), 160);
	capture_udp(c, ns, 4000, 6000, rtp, sizeof(rtp));
}

/* The file's octets are in c->data until capture_end(). */
static inline void capture_finish(struct capture_file *c)
{
	pcap_dump_close(c->dumper); /* closes f */
	pcap_close(c->pcap);
}

static inline void capture_end(struct capture_file *c)
{
	free(c->data);
}

#endif
