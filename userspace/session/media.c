/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"

int tandem_media_list_copy(struct tandem_media_list *dst, const struct tandem_media_list *src,
			   size_t n)
{
	struct tandem_media *v;
	size_t i;

	v = calloc(n ? n : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (i < src->n) {
			v[i] = src->v[i];
			tandem_wire_get(v[i].leg[TANDEM_PARTY_A].secure.wire);
			tandem_wire_get(v[i].leg[TANDEM_PARTY_B].secure.wire);
			continue;
		}
		v[i].leg[TANDEM_PARTY_A].local = TANDEM_LOCAL_NONE;
		v[i].leg[TANDEM_PARTY_B].local = TANDEM_LOCAL_NONE;
		v[i].leg[TANDEM_PARTY_A].transport = i;
		v[i].leg[TANDEM_PARTY_B].transport = i;
	}
	*dst = (struct tandem_media_list){ v, n };
	return 0;
}

void tandem_media_list_clean(struct tandem_media_list *list)
{
	size_t i;

	for (i = 0; i < list->n * 2; i++)
		tandem_secure_leg_clean(&list->v[i / 2].leg[i % 2].secure);
	free(list->v);
	*list = (struct tandem_media_list){ 0 };
}

/* An m= line stays where it is, so a pair can only be in the same place of another list. */
static bool has_pair(const struct tandem_media_list *list, size_t i, size_t party,
		     const struct tandem_leg *leg)
{
	return list && i < list->n && list->v[i].leg[party].local == leg->local &&
	       list->v[i].leg[party].port == leg->port;
}

void tandem_media_list_take_learned(struct tandem_media_list *list,
				    const struct tandem_media_list *from)
{
	struct tandem_leg *leg;
	size_t i, p;

	for (i = 0; i < list->n; i++) {
		for (p = 0; p < 2; p++) {
			leg = &list->v[i].leg[p];
			if (leg->local != TANDEM_LOCAL_NONE && has_pair(from, i, p, leg))
				memcpy(leg->learn, from->v[i].leg[p].learn, sizeof(leg->learn));
		}
	}
}

void tandem_media_list_release(struct tandem_sessions *ss, const struct tandem_media_list *list,
			       const struct tandem_media_list *keep,
			       const struct tandem_media_list *keep2)
{
	const struct tandem_leg *leg;
	size_t i, p;

	for (i = 0; i < list->n; i++) {
		for (p = 0; p < 2; p++) {
			leg = &list->v[i].leg[p];
			if (leg->local == TANDEM_LOCAL_NONE || has_pair(keep, i, p, leg) ||
			    has_pair(keep2, i, p, leg))
				continue;
			tandem_ports_release(ss->ports, leg->local, leg->port);
		}
	}
}

void tandem_media_list_settle(struct tandem_sessions *ss, struct tandem_media_list *list)
{
	struct tandem_leg *leg;
	size_t i, p;

	for (i = 0; i < list->n; i++) {
		for (p = 0; p < 2 && !list->v[i].active; p++) {
			leg = &list->v[i].leg[p];
			if (leg->local == TANDEM_LOCAL_NONE)
				continue;
			tandem_ports_release(ss->ports, leg->local, leg->port);
			leg->local = TANDEM_LOCAL_NONE;
		}
	}
}

const struct tandem_endpoint *tandem_leg_endpoint(const struct tandem_leg *leg,
						  enum tandem_component comp)
{
	return leg->learn[comp].locked.port ? &leg->learn[comp].locked : &leg->remote[comp];
}

/*
 * The local address that the kernel would use towards the peer is the one that the
 * peer's packets will find their way back to; but only if it is ours to use.
 */
int tandem_local_pick(const struct tandem_sessions *ss, const struct tandem_endpoint *peer,
		      int family)
{
	struct ip_addr from;
	int first = -EAFNOSUPPORT;
	bool routed;
	size_t i;

	routed = !tandem_ip_is_any(&peer->ip) && tandem_ip_family(&peer->ip) == family &&
		 !ss->env.route(peer, &from, ss->env.arg);
	for (i = 0; i < ss->cfg.locals_count; i++) {
		const struct ip_addr *ip = &ss->cfg.locals[i].ip;

		if (ss->away[i])
			continue;
		if (routed && tandem_ip_equal(ip, &from))
			return i;
		if (first < 0 && tandem_ip_family(ip) == family)
			first = i;
	}
	return first;
}

static int find_local(const struct tandem_sessions *ss, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < ss->cfg.locals_count; i++) {
		if (!ss->away[i] && tandem_ip_equal(&ss->cfg.locals[i].ip, ip))
			return (int)i;
	}
	return -ENOENT;
}

static int find_wanted(const struct tandem_sessions *ss, const struct tandem_locals *wanted,
		       int family)
{
	int local = -ENOENT;
	size_t i;

	for (i = 0; wanted && i < wanted->count && local < 0; i++) {
		if (tandem_ip_family(&wanted->ip[i]) == family)
			local = find_local(ss, &wanted->ip[i]);
	}
	return local;
}

int tandem_leg_take(struct tandem_sessions *ss, struct tandem_leg *leg,
		    const struct tandem_locals *wanted, const struct tandem_endpoint *peer,
		    int family)
{
	int err, local = find_wanted(ss, wanted, family);
	uint16_t port;

	if (local < 0)
		local = tandem_local_pick(ss, peer, family);
	if (local < 0)
		return local;
	err = tandem_ports_take(ss->ports, local, &port);
	if (err)
		return err;
	leg->local = local;
	leg->port = port;
	leg->generation++;
	/* a NAT may map another way towards another port */
	memset(leg->learn, 0, sizeof(leg->learn));
	return 0;
}

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
	const struct tandem_endpoint to = { .ip = *ip };
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
	err = ss->env.route(&to, &from, ss->env.arg);
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
