/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/route.h"

struct tandem_place *tandem_target_add(struct tandem_target *t, unsigned int rank)
{
	struct tandem_place *places;
	size_t at = t->places_count;

	if (t->places_count == TANDEM_PLACES_MAX)
		return NULL;
	places = realloc(t->places, (t->places_count + 1) * sizeof(*places));
	if (!places)
		return NULL;
	t->places = places;
	while (at && places[at - 1].rank > rank) {
		places[at] = places[at - 1];
		at--;
	}
	memset(&places[at], 0, sizeof(places[at]));
	places[at].rank = rank;
	t->places_count++;

	return &places[at];
}

static void hop_clean(struct tandem_hop *hop)
{
	hop->uri = mem_deref(hop->uri);
	hop->domain = mem_deref(hop->domain);
	hop->ruri = mem_deref(hop->ruri);
	hop->routes = mem_deref(hop->routes);
}

/* One that could not be made is none: nobody could be called there. */
static int hop_count(struct tandem_place *place, struct tandem_hop *hop, int err)
{
	if (err)
		hop_clean(hop);
	else
		place->hops_count++;

	return err;
}

int tandem_place_hop(struct tandem_place *place, const struct pl *uri, const struct sa *local)
{
	struct tandem_hop *hop = &place->hops[place->hops_count];

	if (place->hops_count >= TANDEM_HOPS_MAX)
		return 0;
	memset(hop, 0, sizeof(*hop));
	if (local)
		hop->local = *local;

	return hop_count(place, hop, -pl_strdup(&hop->uri, uri));
}

int tandem_place_address(struct tandem_place *place, enum sip_transp tp, const struct sa *addr,
			 const struct sa *local, const struct pl *domain)
{
	struct tandem_hop *hop = &place->hops[place->hops_count];
	int err = 0;

	if (place->hops_count >= TANDEM_HOPS_MAX)
		return 0;
	memset(hop, 0, sizeof(*hop));
	if (local && sa_af(local) == sa_af(addr))
		hop->local = *local;
	if (domain)
		err = -pl_strdup(&hop->domain, domain);
	if (!err)
		err = tandem_sip_hop(&hop->uri, tp, addr);

	return hop_count(place, hop, err);
}

int tandem_place_flow(struct tandem_place *place, enum sip_transp tp, const struct sa *addr,
		      const struct sa *local)
{
	size_t index = place->hops_count;
	int err = tandem_place_address(place, tp, addr, local, NULL);

	if (place->hops_count > index)
		place->hops[index].flow = true;

	return err;
}

void tandem_place_add_flow(struct tandem_place *place, struct tandem_place *other)
{
	size_t i;

	for (i = 0; i < other->hops_count && place->hops_count < TANDEM_HOPS_MAX; i++) {
		struct tandem_hop *hop = &other->hops[i];

		if (!hop->ruri)
			hop->ruri = mem_ref(other->ruri);
		if (!hop->routes)
			hop->routes = mem_ref(other->routes);
		place->hops[place->hops_count++] = *hop;
		memset(hop, 0, sizeof(*hop));
	}
	tandem_place_clean(other);
}

bool tandem_place_has_flow(const struct tandem_place *place, size_t hop)
{
	return hop + 1 < place->hops_count && place->hops[hop + 1].ruri;
}

void tandem_place_liken(struct tandem_place *place, size_t from, const struct tandem_hop *like)
{
	for (; from < place->hops_count; from++) {
		struct tandem_hop *hop = &place->hops[from];

		hop->flow = like->flow;
		hop->remote = like->remote;
		hop->ruri = mem_ref(like->ruri);
		hop->routes = mem_ref(like->routes);
	}
}

void tandem_place_clean(struct tandem_place *place)
{
	size_t i;

	for (i = 0; i < place->hops_count; i++)
		hop_clean(&place->hops[i]);
	place->hops_count = 0;
}

void tandem_place_free(struct tandem_place *place)
{
	tandem_place_clean(place);
	mem_deref(place->ruri);
	mem_deref(place->routes);
	mem_deref(place->gateway);
	mem_deref(place->credentials);
}

void tandem_target_drop(struct tandem_target *t, size_t index)
{
	tandem_place_free(&t->places[index]);
	t->places_count--;
	memmove(&t->places[index], &t->places[index + 1],
		(t->places_count - index) * sizeof(*t->places));
}

void tandem_target_clean(struct tandem_target *t)
{
	size_t i;

	for (i = 0; i < t->places_count; i++)
		tandem_place_free(&t->places[i]);
	t->places_count = 0;
	free(t->places);
	t->places = NULL;
	t->number = mem_deref(t->number);
}
