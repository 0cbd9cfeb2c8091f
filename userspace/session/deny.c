/* SPDX-License-Identifier: GPL-2.0-only */
/* Where no media may be sent to. */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

static bool in_list(const struct tandem_prefix *list, size_t n, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (tandem_prefix_contains(&list[i], ip))
			return true;
	}
	return false;
}

static bool in_denied_network(const struct tandem_sessions *ss, const struct ip_addr *ip)
{
	return in_list(ss->cfg.deny, ss->cfg.deny_count, ip) &&
	       !in_list(ss->cfg.allow, ss->cfg.allow_count, ip);
}

/* Where gateways and stacks turn an IPv6 address into the IPv4 address within it. */
static bool embedded_ipv4(const struct ip_addr *ip, struct ip_addr *v4)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b }; /* RFC 6052 2.1 */
	static const uint8_t compatible[12];			     /* RFC 4291 2.5.5.1 */
	const uint8_t *at = NULL;

	if (!memcmp(ip->b, nat64, sizeof(nat64)) || !memcmp(ip->b, compatible, sizeof(compatible)))
		at = &ip->b[12];
	else if (ip->b[0] == 0x20 && ip->b[1] == 0x02) /* 6to4, RFC 3056 2 */
		at = &ip->b[2];
	if (!at)
		return false;
	*v4 = (struct ip_addr){ .b = { [10] = 0xff, [11] = 0xff } };
	memcpy(&v4->b[12], at, 4);
	return true;
}

static bool is_signalling(const struct tandem_sessions_config *cfg, const struct ip_addr *ip,
			  uint16_t port)
{
	size_t i;

	for (i = 0; i < cfg->own_count; i++) {
		if (cfg->own[i].port == port && tandem_ip_equal(&cfg->own[i].ip, ip))
			return true;
	}
	return false;
}

/* Media that came back to the relay would go round for ever, or disturb its signalling. */
static bool is_own_port(const struct tandem_sessions *ss, const struct ip_addr *ip, uint16_t port)
{
	const struct tandem_sessions_config *cfg = &ss->cfg;
	bool media = port >= cfg->port_min && port <= cfg->port_max;
	size_t i;

	for (i = 0; i < cfg->locals_count; i++) {
		const struct ip_addr *local = &cfg->locals[i].ip;

		if ((tandem_ip_equal(local, ip) || tandem_ip_equal(&cfg->advertise[i], ip)) &&
		    (media || is_signalling(cfg, local, port)))
			return true;
	}
	return is_signalling(cfg, ip, port);
}

bool tandem_sessions_denied(const struct tandem_sessions *ss, const struct tandem_endpoint *to)
{
	struct ip_addr v4;

	return in_denied_network(ss, &to->ip) || is_own_port(ss, &to->ip, to->port) ||
	       (embedded_ipv4(&to->ip, &v4) &&
		(in_denied_network(ss, &v4) || is_own_port(ss, &v4, to->port)));
}

/*
 * To an address of its own a host sends from that address; to the broadcast address of a network
 * that it is in, a socket that has not asked for it may not send at all.
 */
static bool is_self(const struct tandem_sessions *ss, const struct ip_addr *ip)
{
	struct ip_addr from;
	size_t i;
	int err;

	if (in_list(ss->cfg.allow, ss->cfg.allow_count, ip))
		return false;
	for (i = 0; i < ss->cfg.locals_count; i++) {
		if (tandem_ip_equal(&ss->cfg.locals[i].ip, ip) ||
		    tandem_ip_equal(&ss->cfg.advertise[i], ip))
			return true;
	}
	err = tandem_sessions_route(ss, ip, &from);
	return err == -EACCES || (!err && tandem_ip_equal(&from, ip));
}

bool tandem_sessions_refused(const struct tandem_sessions *ss, const struct tandem_endpoint *to)
{
	struct ip_addr v4;

	if (tandem_sessions_denied(ss, to))
		return true;
	return ss->cfg.deny_self &&
	       (is_self(ss, &to->ip) || (embedded_ipv4(&to->ip, &v4) && is_self(ss, &v4)));
}
