/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/rtpdump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define LINE_MAX_ 128

struct file_header {
	uint32_t sec, usec;
	uint8_t source[4];
	uint16_t port, unused;
};

struct packet_header {
	uint16_t length, plen;
	uint32_t offset_ms;
};

/* The text line, of which ADDRESS/PORT is read. */
static int read_line(struct tandem_endpoint *ep, FILE *f)
{
	char line[LINE_MAX_], *slash, *rest;
	unsigned long port;

	if (!fgets(line, sizeof(line), f) ||
	    strncmp(line, TANDEM_RTPDUMP_MAGIC, strlen(TANDEM_RTPDUMP_MAGIC)) != 0)
		return -EBADMSG;
	slash = strchr(line + strlen(TANDEM_RTPDUMP_MAGIC), '/');
	if (!slash)
		return -EBADMSG;
	*slash = '\0';
	port = strtoul(slash + 1, &rest, 10);
	if (rest == slash + 1 || *rest != '\n' || port > UINT16_MAX)
		return -EBADMSG;
	ep->port = (uint16_t)port;
	return tandem_ip_parse(&ep->ip, line + strlen(TANDEM_RTPDUMP_MAGIC)) ? -EBADMSG : 0;
}

int tandem_rtpdump_read_header(struct tandem_rtpdump *h, FILE *f)
{
	struct file_header fh;
	int err;

	memset(h, 0, sizeof(*h));
	err = read_line(&h->dst, f);
	if (err)
		return err;
	if (fread(&fh, sizeof(fh), 1, f) != 1)
		return -EBADMSG;
	h->start_ns = ntohl(fh.sec) * NS_PER_S + ntohl(fh.usec) * NS_PER_US;
	h->src.ip.b[10] = h->src.ip.b[11] = 0xff;
	memcpy(h->src.ip.b + 12, fh.source, 4);
	h->src.port = ntohs(fh.port);
	return 0;
}

int tandem_rtpdump_read(const struct tandem_rtpdump *h, FILE *f, uint8_t *buf, struct tandem_udp *d,
			uint64_t *time_ns)
{
	struct packet_header ph;
	size_t n = fread(&ph, 1, sizeof(ph), f), len, plen;

	if (n != sizeof(ph))
		return n || ferror(f) ? -EBADMSG : 0;
	len = ntohs(ph.length);
	plen = ntohs(ph.plen);
	if (len < sizeof(ph))
		return -EBADMSG;
	len -= sizeof(ph);
	/* rtpdump can leave payload out; but it cannot add any. */
	if ((plen && plen < len) || fread(buf, 1, len, f) != len)
		return -EBADMSG;
	*d = (struct tandem_udp){ h->src, h->dst, buf, len, plen ? plen : len };
	*time_ns = h->start_ns + ntohl(ph.offset_ms) * NS_PER_MS;
	return 1;
}

int tandem_rtpdump_write_header(const struct tandem_rtpdump *h, FILE *f)
{
	struct file_header fh = {
		.sec = htonl((uint32_t)(h->start_ns / NS_PER_S)),
		.usec = htonl((uint32_t)(h->start_ns % NS_PER_S / NS_PER_US)),
		.port = htons(h->src.port),
	};
	char ip[TANDEM_ENDPOINT_STRLEN];

	/* There is no room for an IPv6 source: none is named then. */
	if (tandem_ip_is_v4(&h->src.ip))
		memcpy(fh.source, h->src.ip.b + 12, 4);
	fprintf(f, TANDEM_RTPDUMP_MAGIC "%s/%u\n", tandem_ip_format(&h->dst.ip, ip, sizeof(ip)),
		h->dst.port);
	return fwrite(&fh, sizeof(fh), 1, f) == 1 ? 0 : -EIO;
}

int tandem_rtpdump_write(const struct tandem_rtpdump *h, FILE *f, const struct tandem_udp *d,
			 bool rtcp, uint64_t time_ns)
{
	uint64_t since = time_ns > h->start_ns ? time_ns - h->start_ns : 0;
	struct packet_header ph = {
		.length = htons((uint16_t)(d->len + sizeof(ph))),
		.plen = htons(rtcp ? 0 : (uint16_t)d->full_len),
		.offset_ms = htonl((uint32_t)((since + NS_PER_MS / 2) / NS_PER_MS)),
	};

	if (d->len + sizeof(ph) > UINT16_MAX || d->full_len > UINT16_MAX)
		return -EMSGSIZE;
	if (fwrite(&ph, sizeof(ph), 1, f) != 1 || fwrite(d->payload, 1, d->len, f) != d->len)
		return -EIO;
	return 0;
}
