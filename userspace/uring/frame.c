/* SPDX-License-Identifier: GPL-2.0-only */
/* The headers of what does not leave by a UDP socket: they are written in front of the payload. */
#include <arpa/inet.h>
#include <string.h>

#include "core/checksum.h"
#include "core/headers.h"
#include "userspace/uring/worker.h"

_Static_assert(sizeof(struct eth_hdr) + sizeof(struct ip6_hdr) + sizeof(struct udp_hdr) <=
		       URING_HEADROOM,
	       "room for the headers of what is sent");
_Static_assert(URING_HEADROOM <= URING_HEADER_SIZE, "also where it was received");

/* In words of any size, as they lie in memory: see core/checksum.h. */
static uint64_t sum(const void *data, uint32_t len)
{
	const unsigned char *p = data;
	uint64_t total = 0, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		total += (uint32_t)word + (word >> 32);
	}
	word = 0;
	memcpy(&word, p, len);
	return total + (uint32_t)word + (word >> 32);
}

/* Put so many bytes in front of what is sent. */
static void *push(struct uring_send *s, size_t size)
{
	s->iov.iov_base = (char *)s->iov.iov_base - size;
	s->iov.iov_len += size;
	return s->iov.iov_base;
}

/*
 * RFC 768, RFC 8200 8.1. That IPv4 addresses are in their mapped form does not matter: it
 * adds ffff, which is nothing in this sum.
 */
void tandem_uring_udp_header(struct uring_send *s, const struct tandem_endpoint *from,
			     const struct tandem_endpoint *to)
{
	struct udp_hdr *udp = push(s, sizeof(*udp));
	uint32_t size = (uint32_t)s->iov.iov_len;
	uint64_t total;

	*udp = (struct udp_hdr){ htons(from->port), htons(to->port), htons((uint16_t)size), 0 };
	total = sum(&from->ip, sizeof(from->ip)) + sum(&to->ip, sizeof(to->ip)) +
		htons(IPPROTO_UDP) + udp->len + sum(udp, size);
	udp->check = csum_apply_udp(0xffff, total);
}

/* RFC 791; it may be fragmented on its way, so it has an identification (RFC 6864). */
static void ip4_header(struct tandem_datapath *dp, struct uring_send *s,
		       const struct tandem_endpoint *from, const struct tandem_endpoint *to)
{
	uint16_t size = (uint16_t)(s->iov.iov_len + sizeof(struct ip4_hdr));
	struct ip4_hdr *ip = push(s, sizeof(*ip));

	*ip = (struct ip4_hdr){
		.version_ihl = 0x45,
		.tos = s->tos,
		.total_len = htons(size),
		.id = htons(dp->ways.ip_id++),
		.ttl = s->ttl ? s->ttl : FRESH_TTL,
		.protocol = PROTO_UDP,
		.src = from->ip.w[3],
		.dst = to->ip.w[3],
	};
	ip->check = csum_apply(0xffff, sum(ip, sizeof(*ip)));
}

/* RFC 8200 */
static void ip6_header(struct uring_send *s, const struct tandem_endpoint *from,
		       const struct tandem_endpoint *to)
{
	uint16_t size = (uint16_t)s->iov.iov_len;
	struct ip6_hdr *ip = push(s, sizeof(*ip));

	ip->version_class_label = htonl(6U << 28 | (uint32_t)s->tos << 20);
	ip->payload_len = htons(size);
	ip->next_header = PROTO_UDP;
	ip->hop_limit = s->ttl ? s->ttl : FRESH_TTL;
	memcpy(ip->src, &from->ip, sizeof(ip->src));
	memcpy(ip->dst, &to->ip, sizeof(ip->dst));
}

int tandem_uring_frame(struct tandem_datapath *dp, struct uring_send *s,
		       const struct tandem_endpoint *from, const struct tandem_endpoint *to)
{
	const struct uring_way *way = tandem_uring_way(dp, &from->ip, &to->ip);
	bool v4 = tandem_ip_is_v4(&from->ip);
	size_t headers = sizeof(struct udp_hdr) +
			 (v4 ? sizeof(struct ip4_hdr) : sizeof(struct ip6_hdr));
	const struct uring_device *device;
	struct eth_hdr *eth;

	if (!way || s->iov.iov_len + headers > way->mtu)
		return -1;
	device = &dp->ways.devices[way->device];
	tandem_uring_udp_header(s, from, to);
	if (v4)
		ip4_header(dp, s, from, to);
	else
		ip6_header(s, from, to);
	eth = push(s, sizeof(*eth));
	memcpy(eth->dmac, way->dmac, sizeof(eth->dmac));
	memcpy(eth->smac, device->mac, sizeof(eth->smac));
	eth->type = htons(v4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
	s->frame = true;
	return device->fd;
}
