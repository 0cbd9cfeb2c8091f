/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* length of ::ffff:0:0/96 */

static void ip_from_v4(struct ip_addr *ip, const void *v4)
{
	memset(ip, 0, sizeof(*ip));
	memset(ip->b + 10, 0xff, 2);
	memcpy(ip->b + 12, v4, 4);
}

bool tandem_ip_is_v4(const struct ip_addr *ip)
{
	return ip->w[0] == 0 && ip->w[1] == 0 && ip->w[2] == htonl(0xffff);
}

bool tandem_ip_is_any(const struct ip_addr *ip)
{
	if (tandem_ip_is_v4(ip))
		return ip->w[3] == 0;
	return ip->d[0] == 0 && ip->d[1] == 0;
}

bool tandem_ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->d[0] == b->d[0] && a->d[1] == b->d[1];
}

bool tandem_endpoint_equal(const struct tandem_endpoint *a, const struct tandem_endpoint *b)
{
	return a->port == b->port && tandem_ip_equal(&a->ip, &b->ip);
}

bool tandem_ip_is_group(const struct ip_addr *ip)
{
	return tandem_ip_is_v4(ip) ? (ip->b[12] & 0xf0) == 0xe0 : ip->b[0] == 0xff;
}

struct ip_addr tandem_ip_network(const struct ip_addr *ip)
{
	struct ip_addr net = *ip;

	if (!tandem_ip_is_v4(ip))
		net.d[1] = 0;

	return net;
}

static uint64_t mix(uint64_t v)
{
	v ^= v >> 33;
	v *= 0xff51afd7ed558ccdull;
	v ^= v >> 33;
	v *= 0xc4ceb9fe1a85ec53ull;

	return v ^ v >> 33;
}

uint64_t tandem_ip_hash(const struct ip_addr *ip, const uint64_t key[2])
{
	return mix(mix(ip->d[0] ^ key[0]) + (ip->d[1] ^ key[1]));
}

int tandem_ip_family(const struct ip_addr *ip)
{
	return tandem_ip_is_v4(ip) ? AF_INET : AF_INET6;
}

int tandem_ip_parse(struct ip_addr *ip, const char *text)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		ip_from_v4(ip, &v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		memcpy(ip->b, &v6, sizeof(ip->b));
		return 0;
	}
	return -EINVAL;
}

const char *tandem_ip_format(const struct ip_addr *ip, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (tandem_ip_is_v4(ip))
		inet_ntop(AF_INET, ip->b + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, ip->b, text, sizeof(text));
	snprintf(buf, size, "%s", text);
	return buf;
}

const char *tandem_endpoint_format(const struct tandem_endpoint *ep, char *buf, size_t size)
{
	const char *fmt = tandem_ip_is_v4(&ep->ip) ? "%s:%u" : "[%s]:%u";
	char text[INET6_ADDRSTRLEN];

	tandem_ip_format(&ep->ip, text, sizeof(text));
	snprintf(buf, size, fmt, text, (unsigned int)ep->port);
	return buf;
}

static int port_parse(const char *text, uint16_t *port)
{
	unsigned long value;

	if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (!value || value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

int tandem_endpoint_parse(struct tandem_endpoint *ep, const char *text)
{
	bool bracket = *text == '[';
	const char *start = text + bracket;
	const char *end = bracket ? strchr(start, ']') : strrchr(start, ':');
	char address[INET6_ADDRSTRLEN];

	if (!end || (size_t)(end - start) >= sizeof(address) || (bracket && end[1] != ':'))
		return -EINVAL;
	memcpy(address, start, (size_t)(end - start));
	address[end - start] = '\0';
	/* Without brackets it is not clear where an IPv6 address ends, nor with them an IPv4 one. */
	if (bracket != (strchr(address, ':') != NULL) || tandem_ip_parse(&ep->ip, address))
		return -EINVAL;
	return port_parse(end + 1 + bracket, &ep->port);
}

int tandem_endpoint_from_sockaddr(struct tandem_endpoint *ep, const struct sockaddr *sa)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	/* Copied out, for the caller's buffer may be aligned to nothing but sa_family. */
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		ip_from_v4(&ep->ip, &sin.sin_addr);
		ep->port = ntohs(sin.sin_port);
		return 0;
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		memcpy(ep->ip.b, &sin6.sin6_addr, sizeof(ep->ip.b));
		ep->port = ntohs(sin6.sin6_port);
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

socklen_t tandem_endpoint_to_sockaddr(const struct tandem_endpoint *ep, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (tandem_ip_is_v4(&ep->ip)) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(ep->port);
		memcpy(&sin->sin_addr, ep->ip.b + 12, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(ep->port);
	memcpy(&sin6->sin6_addr, ep->ip.b, sizeof(sin6->sin6_addr));
	return sizeof(*sin6);
}

static int prefix_length(const char *text, unsigned int max, unsigned int *length)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	value = strtoul(text, &end, 10);
	if (*end || end - text > 3 || value > max)
		return -EINVAL;
	*length = (unsigned int)value;
	return 0;
}

int tandem_prefix_parse(struct tandem_prefix *p, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int base, length;
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (tandem_ip_parse(&p->ip, address))
		return -EINVAL;

	/* A v4 block is told by its notation: ::ffff:0:0/96 counts from the start. */
	base = strchr(address, ':') ? 0 : MAPPED_BITS;
	length = 128 - base;
	if (slash && prefix_length(slash + 1, 128 - base, &length))
		return -EINVAL;
	p->prefix = base + length;
	return 0;
}

bool tandem_prefix_contains(const struct tandem_prefix *p, const struct ip_addr *ip)
{
	unsigned int whole = p->prefix / 8, rest = p->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	/* ::/0 and its like mean IPv6: a mapped IPv4 address is not in it by chance. */
	if (p->prefix < MAPPED_BITS && tandem_ip_is_v4(ip))
		return false;
	if (memcmp(p->ip.b, ip->b, whole))
		return false;
	return rest == 0 || ((p->ip.b[whole] ^ ip->b[whole]) & mask) == 0;
}

void tandem_prefix_trim(struct tandem_prefix *p)
{
	for (unsigned int bit = p->prefix; bit < 128; bit++)
		p->ip.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

const char *tandem_prefix_format(const struct tandem_prefix *p, char *buf, size_t size)
{
	bool v4 = tandem_ip_is_v4(&p->ip) && p->prefix >= MAPPED_BITS;
	char text[TANDEM_ENDPOINT_STRLEN];

	tandem_ip_format(&p->ip, text, sizeof(text));
	if (p->prefix == 128)
		snprintf(buf, size, "%s", text);
	else
		snprintf(buf, size, "%s/%u", text, p->prefix - (v4 ? MAPPED_BITS : 0));
	return buf;
}
