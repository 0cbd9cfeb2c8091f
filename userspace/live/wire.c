/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/wire.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>

#include "core/checksum.h"

#define TTL 64

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Of the pseudo header (RFC 768, RFC 8200 8.1), addresses being what they are in it. */
static uint16_t udp_check(const void *addresses, uint32_t addresses_len, const struct udphdr *udp,
			  const void *payload, uint32_t len)
{
	uint64_t sum = csum_bytes(addresses, addresses_len) + csum_bytes(udp, sizeof(*udp)) +
		       csum_bytes(payload, len) + htons(IPPROTO_UDP) + udp->len;

	return csum_apply_udp((uint16_t)0xffff, sum);
}

static uint32_t write_ip4(uint8_t *header, const struct tap_address *from,
			  const struct tap_address *to, uint16_t len)
{
	struct ip ip = { .ip_v = 4, .ip_hl = sizeof(ip) / 4, .ip_tos = from->tos };

	ip.ip_len = htons((uint16_t)(sizeof(ip) + len));
	ip.ip_off = htons(IP_DF);
	ip.ip_ttl = TTL;
	ip.ip_p = IPPROTO_UDP;
	memcpy(&ip.ip_src, from->ip + 12, 4);
	memcpy(&ip.ip_dst, to->ip + 12, 4);
	ip.ip_sum = (uint16_t)~csum_fold16(csum_bytes(&ip, sizeof(ip)));
	memcpy(header, &ip, sizeof(ip));
	return sizeof(ip);
}

static uint32_t write_ip6(uint8_t *header, const struct tap_address *from,
			  const struct tap_address *to, uint16_t len)
{
	struct ip6_hdr ip = { 0 };

	ip.ip6_flow = htonl(6U << 28 | (uint32_t)from->tos << 20);
	ip.ip6_plen = htons(len);
	ip.ip6_nxt = IPPROTO_UDP;
	ip.ip6_hlim = TTL;
	memcpy(&ip.ip6_src, from->ip, sizeof(from->ip));
	memcpy(&ip.ip6_dst, to->ip, sizeof(to->ip));
	memcpy(header, &ip, sizeof(ip));
	return sizeof(ip);
}

uint32_t tandem_wire_header(uint8_t header[TANDEM_WIRE_HEADER], const struct tap_address *from,
			    const struct tap_address *to, const void *payload, uint32_t kept,
			    uint32_t len)
{
	const bool v4 = !memcmp(from->ip, mapped, sizeof(mapped));
	struct ether_header ether = { .ether_type = htons(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6) };
	struct udphdr udp = { .source = from->port, .dest = to->port };
	uint16_t udp_len = (uint16_t)(sizeof(udp) + len);
	uint8_t *ip = header + sizeof(ether);
	uint32_t ip_len = v4 ? write_ip4(ip, from, to, udp_len) : write_ip6(ip, from, to, udp_len);

	memcpy(header, &ether, sizeof(ether));
	udp.len = htons(udp_len);
	if (kept == len)
		udp.check = v4 ? udp_check(ip + 12, 8, &udp, payload, len)
			       : udp_check(ip + 8, 32, &udp, payload, len);
	memcpy(ip + ip_len, &udp, sizeof(udp));
	return (uint32_t)(sizeof(ether) + ip_len + sizeof(udp));
}
