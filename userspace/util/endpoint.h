/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and ports: the ABI's form to and from text and sockaddr. */
#ifndef TANDEM_UTIL_ENDPOINT_H
#define TANDEM_UTIL_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/abi.h"

/* "[" + IPv6 text + "]:65535" + NUL */
#define TANDEM_ENDPOINT_STRLEN 56

/* A transport address; port in host byte order. */
struct tandem_endpoint {
	struct ip_addr ip;
	uint16_t port;
};

/* True for ::ffff:0:0/96, the form in which IPv4 addresses are kept. */
bool tandem_ip_is_v4(const struct ip_addr *ip);

/* True for :: and for ::ffff:0.0.0.0. */
bool tandem_ip_is_any(const struct ip_addr *ip);

/* True for a multicast group: 224.0.0.0/4 (RFC 5771), ff00::/8 (RFC 4291 2.7). */
bool tandem_ip_is_group(const struct ip_addr *ip);

bool tandem_ip_equal(const struct ip_addr *a, const struct ip_addr *b);
bool tandem_endpoint_equal(const struct tandem_endpoint *a, const struct tandem_endpoint *b);

/* The network that one host counts for: itself with IPv4, its /64 with IPv6. */
struct ip_addr tandem_ip_network(const struct ip_addr *ip);

/* A hash that nobody without the key, which is random, can aim at. */
uint64_t tandem_ip_hash(const struct ip_addr *ip, const uint64_t key[2]);

/* AF_INET or AF_INET6. */
int tandem_ip_family(const struct ip_addr *ip);

/* Parse "192.0.2.1" or "2001:db8::1". 0 or -EINVAL. */
int tandem_ip_parse(struct ip_addr *ip, const char *text);

/* Write the text of ip without port or brackets; always terminated. Returns buf. */
const char *tandem_ip_format(const struct ip_addr *ip, char *buf, size_t size);

/* Write "192.0.2.1:5004" or "[2001:db8::1]:5004". Returns buf. */
const char *tandem_endpoint_format(const struct tandem_endpoint *ep, char *buf, size_t size);

/* The reverse. -EINVAL, also for port 0. */
int tandem_endpoint_parse(struct tandem_endpoint *ep, const char *text);

/* -EAFNOSUPPORT when sa is neither IPv4 nor IPv6. */
int tandem_endpoint_from_sockaddr(struct tandem_endpoint *ep, const struct sockaddr *sa);

/* Fill ss; returns the length of the address written. */
socklen_t tandem_endpoint_to_sockaddr(const struct tandem_endpoint *ep,
				      struct sockaddr_storage *ss);

/* An address block in CIDR form. prefix counts from the start of the mapped form (IPv4: +96). */
struct tandem_prefix {
	struct ip_addr ip;
	unsigned int prefix;
};

/* Parse "10.0.0.0/8" or "fd00::/8"; a bare address is a block of one. 0 or -EINVAL. */
int tandem_prefix_parse(struct tandem_prefix *p, const char *text);
bool tandem_prefix_contains(const struct tandem_prefix *p, const struct ip_addr *ip);

/* Clear the bits behind the prefix, so that equal blocks are equal. */
void tandem_prefix_trim(struct tandem_prefix *p);

/* The reverse of parse; a block of one as a bare address. Returns buf. */
#define TANDEM_PREFIX_STRLEN (TANDEM_ENDPOINT_STRLEN + 4)
const char *tandem_prefix_format(const struct tandem_prefix *p, char *buf, size_t size);

#endif
