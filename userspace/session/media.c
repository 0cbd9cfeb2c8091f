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
		 !tandem_sessions_route(ss, &peer->ip, &from);
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
