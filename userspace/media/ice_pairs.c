/* SPDX-License-Identifier: GPL-2.0-only */
/* The check list of a full agent (RFC 8445 6.1.2), in no order: it is short, and is searched. */
#include <string.h>

#include "userspace/media/ice_agent.h"

static const struct ice_remote *remote_of(const struct tandem_ice *ice, const struct ice_pair *pair)
{
	return &ice->list->remotes[pair->remote];
}

unsigned int tandem_ice_pair_component(const struct tandem_ice *ice, const struct ice_pair *pair)
{
	return ice->locals[pair->local].component;
}

const struct tandem_endpoint *tandem_ice_pair_remote(const struct tandem_ice *ice,
						     const struct ice_pair *pair)
{
	return &remote_of(ice, pair)->addr;
}

/* 6.1.2.3 */
uint64_t tandem_ice_pair_priority(const struct tandem_ice *ice, unsigned int local,
				  uint32_t remote_priority)
{
	const struct ice_local *l = &ice->locals[local];
	uint64_t own = tandem_candidate_priority(TANDEM_CANDIDATE_HOST, l->preference,
						 l->component);
	uint64_t g = ice->controlling ? own : remote_priority;
	uint64_t d = ice->controlling ? remote_priority : own;

	return ((g < d ? g : d) << 32) + 2 * (g > d ? g : d) + (g > d);
}

static bool same_foundation(const struct tandem_ice *ice, const struct ice_pair *a,
			    const struct ice_pair *b)
{
	return ice->locals[a->local].foundation == ice->locals[b->local].foundation &&
	       remote_of(ice, a)->foundation == remote_of(ice, b)->foundation;
}

static bool is_link_local(const struct ip_addr *ip)
{
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

/* 6.1.2.2 */
static bool may_pair(const struct ice_local *l, const struct ice_remote *r)
{
	return l->component == r->component &&
	       tandem_ip_family(&l->addr.ip) == tandem_ip_family(&r->addr.ip) &&
	       is_link_local(&l->addr.ip) == is_link_local(&r->addr.ip);
}

/* The one to give up for a better one: failed ones first, none that is valid or on its way. */
static struct ice_pair *worst(struct ice_list *list)
{
	struct ice_pair *found = NULL;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		if (p->valid_ms || p->state == PAIR_IN_PROGRESS)
			continue;
		if (!found || (p->state == PAIR_FAILED) > (found->state == PAIR_FAILED) ||
		    ((p->state == PAIR_FAILED) == (found->state == PAIR_FAILED) &&
		     p->priority < found->priority))
			found = p;
	}
	return found;
}

static struct ice_pair *pair_room(struct tandem_ice *ice, uint64_t priority)
{
	struct ice_list *list = ice->list;
	struct ice_pair *p;

	if (list->pairs_count < TANDEM_ICE_PAIRS)
		return &list->pairs[list->pairs_count++];
	ice->n.remote_full++;
	p = worst(list);
	return p && (p->state == PAIR_FAILED || p->priority < priority) ? p : NULL;
}

void tandem_ice_pairs_add(struct tandem_ice *ice, size_t remote)
{
	const struct ice_remote *r = &ice->list->remotes[remote];

	for (size_t i = 0; i < ice->locals_count; i++) {
		struct ice_pair *p;
		uint64_t priority;

		if (ice->locals[i].component > ice->components || !may_pair(&ice->locals[i], r))
			continue;
		priority = tandem_ice_pair_priority(ice, (unsigned int)i, r->priority);
		p = pair_room(ice, priority);
		if (!p)
			continue;
		*p = (struct ice_pair){
			.priority = priority,
			.local = (uint8_t)i,
			.remote = (uint8_t)remote,
			.state = PAIR_FROZEN,
		};
		/* RFC 8838 12: no need to wait for a check of that foundation that is done. */
		for (size_t k = 0; k < ice->list->pairs_count; k++) {
			const struct ice_pair *q = &ice->list->pairs[k];

			if (q != p && q->state == PAIR_SUCCEEDED && same_foundation(ice, p, q))
				p->state = PAIR_WAITING;
		}
	}
}

int tandem_ice_remote_find(const struct tandem_ice *ice, unsigned int component,
			   const struct tandem_endpoint *addr)
{
	const struct ice_list *list = ice->list;

	for (size_t i = 0; i < list->remotes_count; i++) {
		if (list->remotes[i].component == component &&
		    tandem_endpoint_equal(&list->remotes[i].addr, addr))
			return (int)i;
	}
	return -1;
}

struct ice_pair *tandem_ice_pair_find(struct tandem_ice *ice, unsigned int local,
				      unsigned int remote)
{
	struct ice_list *list = ice->list;

	for (size_t i = 0; i < list->pairs_count; i++) {
		if (list->pairs[i].local == local && list->pairs[i].remote == remote)
			return &list->pairs[i];
	}
	return NULL;
}

/* 8.1.2: once a pair is selected, only what the other side asks for is checked. */
bool tandem_ice_pair_wanted(const struct tandem_ice *ice, const struct ice_pair *pair)
{
	unsigned int c = tandem_ice_pair_component(ice, pair);

	if (pair->checks >= ICE_CHECKS_MAX)
		return false;
	return pair->nominate ||
	       (ice->state == TANDEM_ICE_CHECKING && !ice->now.selected[c - 1].active);
}

static struct ice_pair *best_waiting(const struct tandem_ice *ice)
{
	struct ice_list *list = ice->list;
	struct ice_pair *best = NULL;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		if (p->state == PAIR_WAITING && tandem_ice_pair_wanted(ice, p) &&
		    (!best || p->priority > best->priority))
			best = p;
	}
	return best;
}

/* Is a check of this foundation waiting or under way? */
static bool foundation_busy(const struct tandem_ice *ice, const struct ice_pair *pair)
{
	for (size_t i = 0; i < ice->list->pairs_count; i++) {
		const struct ice_pair *q = &ice->list->pairs[i];

		if ((q->state == PAIR_WAITING || q->state == PAIR_IN_PROGRESS) &&
		    same_foundation(ice, pair, q))
			return true;
	}
	return false;
}

/* 6.1.2.6: one of each foundation at a time, lower components first. */
static struct ice_pair *best_frozen(const struct tandem_ice *ice)
{
	struct ice_list *list = ice->list;
	struct ice_pair *best = NULL;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];
		unsigned int c = tandem_ice_pair_component(ice, p);

		if (p->state != PAIR_FROZEN || !tandem_ice_pair_wanted(ice, p))
			continue;
		if (best && c > tandem_ice_pair_component(ice, best))
			continue;
		if (best && c == tandem_ice_pair_component(ice, best) &&
		    p->priority <= best->priority)
			continue;
		if (!foundation_busy(ice, p))
			best = p;
	}
	return best;
}

struct ice_pair *tandem_ice_pair_next(const struct tandem_ice *ice)
{
	struct ice_pair *pair = best_waiting(ice);

	return pair ? pair : best_frozen(ice);
}

struct ice_pair *tandem_ice_pair_triggered(const struct tandem_ice *ice)
{
	struct ice_list *list = ice->list;
	struct ice_pair *first = NULL;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		if (p->triggered && (!first || p->triggered < first->triggered))
			first = p;
	}
	return first;
}

void tandem_ice_pair_trigger(struct tandem_ice *ice, struct ice_pair *pair)
{
	if (!pair->triggered && pair->checks < ICE_CHECKS_MAX)
		pair->triggered = ++ice->list->triggered_last;
}

void tandem_ice_pairs_thaw(struct tandem_ice *ice, const struct ice_pair *pair)
{
	struct ice_list *list = ice->list;

	for (size_t i = 0; i < list->pairs_count; i++) {
		if (list->pairs[i].state == PAIR_FROZEN &&
		    same_foundation(ice, pair, &list->pairs[i]))
			list->pairs[i].state = PAIR_WAITING;
	}
}

void tandem_ice_pairs_reorder(struct tandem_ice *ice)
{
	struct ice_list *list = ice->list;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		p->priority = tandem_ice_pair_priority(ice, p->local, remote_of(ice, p)->priority);
		p->nominate = false;
	}
}

void tandem_ice_pairs_trim(struct tandem_ice *ice, unsigned int components)
{
	struct ice_list *list = ice->list;
	size_t kept = 0;

	if (!list)
		return;
	for (size_t i = 0; i < list->pairs_count; i++) {
		if (tandem_ice_pair_component(ice, &list->pairs[i]) <= components)
			list->pairs[kept++] = list->pairs[i];
	}
	list->pairs_count = kept;
}
