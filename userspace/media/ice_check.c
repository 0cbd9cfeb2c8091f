/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of a full agent in their time (RFC 8445 6.1.4, 7.2.4, 8.1.1, 14). */
#include <string.h>

#include "userspace/media/ice_agent.h"

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* 14.3, with one check list */
static uint32_t rto_now(const struct tandem_ice *ice)
{
	const struct ice_list *list = ice->list;
	uint32_t busy = 0;

	for (size_t i = 0; i < list->pairs_count; i++)
		busy += list->pairs[i].state == PAIR_WAITING ||
			list->pairs[i].state == PAIR_IN_PROGRESS;
	busy *= TANDEM_ICE_TA_MS;
	return busy > ICE_RTO_MS ? busy : ICE_RTO_MS;
}

/* RFC 8489 6.2.1: twice as long each time; after the last a fixed while. */
static uint64_t retransmit_due(const struct ice_pair *pair, uint64_t now)
{
	if (pair->sends == ICE_RC)
		return now + (uint64_t)pair->rto * ICE_RM;
	return now + ((uint64_t)pair->rto << (pair->sends - 1));
}

static void check_start(struct tandem_ice *ice, struct ice_pair *pair, uint64_t now)
{
	pair->triggered = 0;
	pair->rto = rto_now(ice);
	pair->state = PAIR_IN_PROGRESS;
	pair->sends = 1;
	pair->due = retransmit_due(pair, now);
	pair->checks++;
	if (!tandem_ice_tx_new(ice, pair->tx, ice->controlling && pair->nominate)) {
		pair->state = PAIR_FAILED;
		return;
	}
	ice->n.checks_sent++;
	tandem_ice_send_check(ice, &ice->now, pair->local, tandem_ice_pair_remote(ice, pair),
			      &pair->tx[0]);
}

static void check_repeat(struct tandem_ice *ice, struct ice_pair *pair, uint64_t now)
{
	pair->sends++;
	pair->due = retransmit_due(pair, now);
	ice->n.retransmits++;
	tandem_ice_send_check(ice, &ice->now, pair->local, tandem_ice_pair_remote(ice, pair),
			      &pair->tx[0]);
}

/* The one whose retransmission is due for longest; those that had them all have failed. */
static struct ice_pair *retransmit_next(struct tandem_ice *ice, uint64_t now)
{
	struct ice_list *list = ice->list;
	struct ice_pair *next = NULL;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		if (p->state != PAIR_IN_PROGRESS || p->due > now)
			continue;
		if (p->sends == ICE_RC) {
			p->state = PAIR_FAILED;
			p->nominate = false;
			p->valid_ms = 0;
			memset(p->tx, 0, sizeof(p->tx));
		} else if (!tandem_ice_pair_wanted(ice, p)) {
			/* 8.1.2: not again, but an answer still counts. */
			p->due = ICE_NEVER;
		} else if (!next || p->due < next->due) {
			next = p;
		}
	}
	return next;
}

/* One message at most each Ta, so that nobody can be flooded through us. */
static void checks_tick(struct tandem_ice *ice, uint64_t now)
{
	struct ice_pair *again = retransmit_next(ice, now);
	struct ice_pair *fresh;

	if (now < ice->next_ta)
		return;
	fresh = tandem_ice_pair_triggered(ice);
	if (!fresh)
		fresh = tandem_ice_pair_next(ice);
	if (fresh)
		check_start(ice, fresh, now);
	else if (again)
		check_repeat(ice, again, now);
	if (fresh || again)
		ice->next_ta = now + TANDEM_ICE_TA_MS;
}

/* Could this one still turn out valid? */
static bool is_open(const struct ice_pair *pair)
{
	return pair->triggered || pair->state == PAIR_FROZEN || pair->state == PAIR_WAITING ||
	       pair->state == PAIR_IN_PROGRESS;
}

/* The pair to nominate for a component, or NULL while a better one may come. */
static struct ice_pair *nominee(struct tandem_ice *ice, unsigned int component)
{
	struct ice_list *list = ice->list;
	struct ice_pair *best = NULL;
	uint64_t open = 0;

	for (size_t i = 0; i < list->pairs_count; i++) {
		struct ice_pair *p = &list->pairs[i];

		if (tandem_ice_pair_component(ice, p) != component)
			continue;
		if (p->nominate)
			return NULL; /* under way */
		if (p->valid_ms && (!best || p->priority > best->priority))
			best = p;
		else if (!p->valid_ms && is_open(p) && p->priority > open)
			open = p->priority;
	}
	return best && (best->priority > open || list->hurry[component - 1]) ? best : NULL;
}

void tandem_ice_nominate(struct tandem_ice *ice, uint64_t now)
{
	struct ice_list *list = ice->list;

	if (!ice->controlling)
		return;
	for (unsigned int c = 1; c <= ice->components; c++) {
		struct ice_pair *pair;

		if (list->nominate_at[c - 1] && now >= list->nominate_at[c - 1])
			list->hurry[c - 1] = true;
		if (ice->now.selected[c - 1].active || ice->state == TANDEM_ICE_LOST)
			continue;
		pair = nominee(ice, c);
		if (!pair || pair->checks >= ICE_CHECKS_MAX)
			continue;
		pair->nominate = true;
		tandem_ice_pair_trigger(ice, pair);
	}
}

void tandem_ice_tick(struct tandem_ice *ice, uint64_t now)
{
	tandem_ice_consent_tick(ice, now);
	if (ice->list) {
		checks_tick(ice, now);
		tandem_ice_nominate(ice, now);
	}
	if (now < ice->fail_at)
		return;
	ice->fail_at = ICE_NEVER;
	if (ice->state != TANDEM_ICE_CHECKING)
		return;
	ice->state = TANDEM_ICE_FAILED;
	if (ice->ops->failed)
		ice->ops->failed(ice->arg);
}

static uint64_t checks_deadline(const struct tandem_ice *ice)
{
	const struct ice_list *list = ice->list;
	uint64_t due = ICE_NEVER;

	if (tandem_ice_pair_triggered(ice) || tandem_ice_pair_next(ice))
		return ice->next_ta;
	for (size_t i = 0; i < list->pairs_count; i++) {
		const struct ice_pair *p = &list->pairs[i];

		if (p->state == PAIR_IN_PROGRESS)
			due = min64(due, p->due > ice->next_ta ? p->due : ice->next_ta);
	}
	for (unsigned int c = 0; c < ice->components && ice->controlling; c++) {
		if (list->nominate_at[c] && !list->hurry[c] && !ice->now.selected[c].active)
			due = min64(due, list->nominate_at[c]);
	}
	return due;
}

uint64_t tandem_ice_deadline(const struct tandem_ice *ice)
{
	uint64_t due = min64(ice->fail_at, tandem_ice_consent_deadline(ice));

	return ice->list ? min64(due, checks_deadline(ice)) : due;
}
