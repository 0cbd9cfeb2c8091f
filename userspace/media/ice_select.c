/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pair is in use (RFC 8445 8), and whether the other side still wants it (RFC 7675). */
#include <string.h>

#include "userspace/media/ice_agent.h"

/*
 * Is a nominated pair to be used in place of another? With aggressive nomination (RFC 5245),
 * which nominates every pair, the best one counts. With regular nomination the last one
 * counts, also when it is worse: a phone has left its WLAN. One that nominates every pair goes on
 * with the best of them alone, so that time tells the two apart.
 */
static bool select_wins(const struct ice_selection *sel, uint64_t priority, uint64_t now)
{
	return !sel->active || priority >= sel->priority ||
	       now - sel->nominated_ms >= ICE_SETTLE_MS;
}

static uint64_t consent_next(uint64_t now)
{
	uint32_t spread = 2 * TANDEM_ICE_CONSENT_MS / 5, random = 0;

	(void)tandem_ice_random(&random, sizeof(random));
	return now + TANDEM_ICE_CONSENT_MS - spread / 2 + random % (spread + 1);
}

struct ice_selection *tandem_ice_selection_set(struct tandem_ice *ice, unsigned int local,
					       const struct tandem_endpoint *remote,
					       uint64_t priority, uint64_t now)
{
	struct ice_selection *sel = &ice->now.selected[ice->locals[local].component - 1];

	*sel = (struct ice_selection){
		.active = true,
		.local = (uint8_t)local,
		.remote = *remote,
		.priority = priority,
		.since = now,
		.nominated_ms = now,
		.consent_ms = now,
		.next_consent_ms = ice->lite ? ICE_NEVER : consent_next(now),
	};
	return sel;
}

void tandem_ice_complete(struct tandem_ice *ice)
{
	for (unsigned int c = 0; c < ice->components; c++) {
		if (!ice->now.selected[c].active)
			return;
	}
	ice->state = TANDEM_ICE_CONNECTED;
	ice->fail_at = ICE_NEVER;
	tandem_ice_generation_clean(&ice->old);
}

void tandem_ice_select(struct tandem_ice *ice, unsigned int local,
		       const struct tandem_endpoint *remote, uint64_t priority, uint64_t now)
{
	unsigned int component = ice->locals[local].component;
	struct ice_selection *sel = &ice->now.selected[component - 1];

	if (sel->active && sel->local == local && tandem_endpoint_equal(&sel->remote, remote)) {
		sel->nominated_ms = now;
		return;
	}
	/* RFC 7675 5.1: what has lost consent needs new credentials. */
	if ((!ice->lite && ice->state == TANDEM_ICE_LOST) || !select_wins(sel, priority, now))
		return;
	tandem_ice_selection_set(ice, local, remote, priority, now);
	memset(&ice->old.selected[component - 1], 0, sizeof(ice->old.selected[0]));
	tandem_ice_complete(ice);
	ice->ops->selected(component, &ice->locals[local].addr, remote, ice->arg);
}

/*
 * For a lite agent, that sends no checks of its own, requests are what shows that it is still
 * wanted. Agents without RFC 7675 may send none after the first seconds, and go by their media;
 * silence of one that did send is the loss of consent.
 */
void tandem_ice_selection_touch(struct ice_generation *gen, const struct tandem_ice *ice,
				unsigned int local, const struct tandem_endpoint *remote,
				uint64_t now)
{
	struct ice_selection *sel = &gen->selected[ice->locals[local].component - 1];

	if (!ice->lite || !sel->active || sel->local != local ||
	    !tandem_endpoint_equal(&sel->remote, remote))
		return;
	sel->consent_ms = now;
	sel->armed = sel->armed || now - sel->since >= ICE_ARM_MS;
}

void tandem_ice_lite_offer(struct tandem_ice *ice, unsigned int component, uint32_t priority,
			   const struct tandem_endpoint *remote)
{
	struct ice_selection *best = &ice->best[component - 1];

	for (size_t i = 0; i < ice->locals_count; i++) {
		const struct ice_local *l = &ice->locals[i];
		uint64_t value;

		if (l->component != component ||
		    tandem_ip_family(&l->addr.ip) != tandem_ip_family(&remote->ip))
			continue;
		value = tandem_ice_pair_priority(ice, (unsigned int)i, priority);
		if (!best->active || value > best->priority)
			*best = (struct ice_selection){ .active = true,
							.local = (uint8_t)i,
							.remote = *remote,
							.priority = value };
	}
}

void tandem_ice_lite_select(struct tandem_ice *ice, uint64_t now)
{
	for (unsigned int c = 0; c < ice->components; c++) {
		const struct ice_selection *best = &ice->best[c];

		if (best->active)
			tandem_ice_select(ice, best->local, &best->remote, best->priority, now);
	}
}

static uint64_t lost_at(const struct tandem_ice *ice, const struct ice_selection *sel)
{
	if (!sel->active || (ice->lite && !sel->armed))
		return ICE_NEVER;
	if (ice->lite)
		return ice_about(sel->consent_ms + TANDEM_ICE_CONSENT_LOST_MS);
	return sel->consent_ms + TANDEM_ICE_CONSENT_LOST_MS;
}

static void generation_tick(struct tandem_ice *ice, struct ice_generation *gen, uint64_t now)
{
	for (unsigned int c = 0; c < ice->components; c++) {
		struct ice_selection *sel = &gen->selected[c];

		if (!sel->active)
			continue;
		if (now >= lost_at(ice, sel)) {
			sel->active = false;
			if (gen == &ice->now)
				ice->state = TANDEM_ICE_LOST;
			if (ice->ops->consent_lost)
				ice->ops->consent_lost(c + 1, ice->arg);
		} else if (now >= sel->next_consent_ms) {
			sel->next_consent_ms = consent_next(now);
			if (!tandem_ice_tx_new(ice, sel->tx, false))
				continue;
			ice->n.consents_sent++;
			tandem_ice_send_check(ice, gen, sel->local, &sel->remote, &sel->tx[0]);
		}
	}
}

void tandem_ice_consent_tick(struct tandem_ice *ice, uint64_t now)
{
	generation_tick(ice, &ice->now, now);
	generation_tick(ice, &ice->old, now);
}

uint64_t tandem_ice_consent_deadline(const struct tandem_ice *ice)
{
	const struct ice_generation *gens[] = { &ice->now, &ice->old };
	uint64_t due = ICE_NEVER;

	for (size_t g = 0; g < 2; g++) {
		for (unsigned int c = 0; c < ice->components; c++) {
			const struct ice_selection *sel = &gens[g]->selected[c];
			uint64_t lost = lost_at(ice, sel);

			if (sel->active && sel->next_consent_ms < due)
				due = sel->next_consent_ms;
			if (lost < due)
				due = lost;
		}
	}
	return due;
}
