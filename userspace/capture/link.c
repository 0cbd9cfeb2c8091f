/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/link.h"

#include <netinet/in.h>
#include <string.h>

#include <pcap/dlt.h>

#define ETHERTYPE_IP4	0x0800
#define ETHERTYPE_IP6	0x86dd
#define ETHERTYPE_VLAN	0x8100
#define ETHERTYPE_SVLAN 0x88a8
#define IP4_MORE	0x2000
#define IP4_OFFSET	0x1fff
#define TAGS_MAX	4
#define HEADERS_MAX	8 /* of IPv6 extensions */

/* Raw IP has this number in files, and DLT_RAW in memory, on all systems but OpenBSD. */
#define LINKTYPE_RAW 101

struct cursor {
	const uint8_t *p;
	size_t len;
};

/* What a frame turns out to have. */
struct found {
	struct tandem_udp *d;
	struct tandem_fragment *part;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool skip(struct cursor *c, size_t n)
{
	if (c->len < n)
		return false;
	c->p += n;
	c->len -= n;
	return true;
}

static void put_v4(struct ip_addr *ip, const uint8_t *p)
{
	memset(ip, 0, sizeof(*ip));
	ip->b[10] = ip->b[11] = 0xff;
	memcpy(ip->b + 12, p, 4);
}

static enum tandem_link read_udp(struct cursor c, struct tandem_udp *d)
{
	size_t len;

	if (c.len < 8)
		return TANDEM_LINK_BAD;
	len = get16(c.p + 4);
	if (len < 8)
		return TANDEM_LINK_BAD;
	d->src.port = get16(c.p);
	d->dst.port = get16(c.p + 2);
	d->payload = c.p + 8;
	d->full_len = len - 8;
	/* Frames may be padded behind the datagram, and captures may be cut short within it. */
	d->len = c.len < len ? c.len - 8 : len - 8;
	return TANDEM_LINK_UDP;
}

/* The rest of an IP packet of which c has len octets, or fewer. */
static enum tandem_link read_part(struct cursor c, size_t len, uint32_t id, uint32_t offset,
				  bool more, struct found *to)
{
	if (c.len < len)
		return TANDEM_LINK_BAD;
	*to->part = (struct tandem_fragment){ to->d->src.ip, to->d->dst.ip, id, offset,
					      len,	     more,	    c.p };
	return TANDEM_LINK_FRAGMENT;
}

static enum tandem_link read_ip4(struct cursor c, struct found *to)
{
	size_t head, total;
	uint16_t id, frag;

	if (c.len < 20)
		return TANDEM_LINK_BAD;
	head = (size_t)(c.p[0] & 0x0f) * 4;
	if (c.p[0] >> 4 != 4 || head < 20 || head > c.len)
		return TANDEM_LINK_BAD;
	if (c.p[9] != IPPROTO_UDP)
		return TANDEM_LINK_OTHER;
	put_v4(&to->d->src.ip, c.p + 12);
	put_v4(&to->d->dst.ip, c.p + 16);
	total = get16(c.p + 2);
	id = get16(c.p + 4);
	frag = get16(c.p + 6);
	skip(&c, head);
	if (!(frag & (IP4_MORE | IP4_OFFSET)))
		return read_udp(c, to->d);
	return total < head ? TANDEM_LINK_BAD
			    : read_part(c, total - head, id, (frag & IP4_OFFSET) * 8U,
					frag & IP4_MORE, to);
}

/* A Fragment header, at which c stands; payload is what the IP header counts from there on. */
static enum tandem_link read_fragment6(struct cursor c, size_t payload, struct found *to)
{
	uint32_t id;
	uint16_t frag;

	if (c.len < 8 || payload < 8)
		return TANDEM_LINK_BAD;
	if (c.p[0] != IPPROTO_UDP)
		return TANDEM_LINK_OTHER;
	frag = get16(c.p + 2);
	id = (uint32_t)get16(c.p + 4) << 16 | get16(c.p + 6);
	skip(&c, 8);
	/* An atomic one (RFC 6946) is a whole datagram. */
	if (!(frag & ~6))
		return read_udp(c, to->d);
	return read_part(c, payload - 8, id, frag & 0xfff8, frag & 1, to);
}

static enum tandem_link read_ip6(struct cursor c, struct found *to)
{
	size_t payload, skipped = 0, head;
	uint8_t next;

	if (c.len < 40 || c.p[0] >> 4 != 6)
		return TANDEM_LINK_BAD;
	payload = get16(c.p + 4);
	next = c.p[6];
	memcpy(to->d->src.ip.b, c.p + 8, 16);
	memcpy(to->d->dst.ip.b, c.p + 24, 16);
	skip(&c, 40);
	for (int i = 0; i < HEADERS_MAX; i++) {
		if (next == IPPROTO_UDP)
			return read_udp(c, to->d);
		if (next == IPPROTO_FRAGMENT)
			return skipped > payload ? TANDEM_LINK_BAD
						 : read_fragment6(c, payload - skipped, to);
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return TANDEM_LINK_OTHER;
		if (c.len < 8)
			return TANDEM_LINK_BAD;
		next = c.p[0];
		head = ((size_t)c.p[1] + 1) * 8;
		skipped += head;
		if (!skip(&c, head))
			return TANDEM_LINK_BAD;
	}
	return TANDEM_LINK_BAD;
}

/* IP of either version, by its first octet. */
static enum tandem_link read_ip(struct cursor c, struct found *to)
{
	if (!c.len)
		return TANDEM_LINK_BAD;
	return c.p[0] >> 4 == 6 ? read_ip6(c, to) : read_ip4(c, to);
}

/* What is behind an EtherType, which the cursor stands at the end of. */
static enum tandem_link read_ether(struct cursor c, uint16_t ethertype, struct found *to)
{
	for (int i = 0; ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_SVLAN; i++) {
		if (c.len < 4 || i == TAGS_MAX)
			return TANDEM_LINK_BAD;
		ethertype = get16(c.p + 2);
		skip(&c, 4);
	}
	if (ethertype == ETHERTYPE_IP4)
		return read_ip4(c, to);
	if (ethertype == ETHERTYPE_IP6)
		return read_ip6(c, to);
	return TANDEM_LINK_OTHER;
}

/* A link-layer header of head octets, with the EtherType at offset at. */
static enum tandem_link read_link(struct cursor c, size_t head, size_t at, struct found *to)
{
	uint16_t ethertype;

	if (c.len < head)
		return TANDEM_LINK_BAD;
	ethertype = get16(c.p + at);
	skip(&c, head);
	return read_ether(c, ethertype, to);
}

bool tandem_link_known(int type)
{
	switch (type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case LINKTYPE_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	default:
		return false;
	}
}

enum tandem_link tandem_link_part(int type, const uint8_t *frame, size_t len, struct tandem_udp *d,
				  struct tandem_fragment *part)
{
	struct cursor c = { frame, len };
	struct found to = { d, part };

	switch (type) {
	case DLT_EN10MB:
		return read_link(c, 14, 12, &to);
	case DLT_LINUX_SLL:
		return read_link(c, 16, 14, &to);
	case DLT_LINUX_SLL2:
		return read_link(c, 20, 0, &to);
	case DLT_NULL:
	case DLT_LOOP:
		/* The family's number differs between systems; the version of IP does not. */
		return skip(&c, 4) ? read_ip(c, &to) : TANDEM_LINK_BAD;
	default:
		return tandem_link_known(type) ? read_ip(c, &to) : TANDEM_LINK_OTHER;
	}
}

enum tandem_link tandem_link_udp(int type, const uint8_t *frame, size_t len, struct tandem_udp *d)
{
	struct tandem_fragment part;

	return tandem_link_part(type, frame, len, d, &part);
}

enum tandem_link tandem_link_whole(const struct tandem_fragment *part, const uint8_t *data,
				   size_t len, struct tandem_udp *d)
{
	d->src.ip = part->src;
	d->dst.ip = part->dst;
	return read_udp((struct cursor){ data, len }, d);
}
