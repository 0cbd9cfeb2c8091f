/* SPDX-License-Identifier: GPL-2.0-only */
/* Binding requests of the other side (RFC 8445 7.3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/media/ice_agent.h"

/* So many a second, and as many at once. */
static bool bucket_take(struct ice_bucket *b, uint32_t burst, uint32_t per_s, uint64_t now)
{
	uint64_t earned = (now - b->ms) * per_s / 1000;

	if (!b->ms || earned >= burst) {
		b->tokens = burst;
		b->ms = now ? now : 1;
	} else if (earned) {
		b->tokens = b->tokens + (uint32_t)earned > burst ? burst
								 : b->tokens + (uint32_t)earned;
		b->ms = now;
	}
	if (!b->tokens)
		return false;
	b->tokens--;
	return true;
}

/* Where the first fragment ends, the other side's begins one further; NULL: no colon. */
static const char *username_colon(const struct tandem_stun *msg)
{
	return msg->username ? memchr(msg->username, ':', msg->username_len) : NULL;
}

static bool fragment_is(const char *p, size_t len, const char *ufrag)
{
	return ufrag && strlen(ufrag) == len && !memcmp(p, ufrag, len);
}

/* Whose credentials a request is made with, before they are checked. */
static const struct ice_generation *generation_of(const struct tandem_ice *ice,
						  const struct tandem_stun *msg, const char *colon)
{
	size_t len = (size_t)(colon - msg->username);

	if (fragment_is(msg->username, len, ice->now.ufrag))
		return &ice->now;
	return fragment_is(msg->username, len, ice->old.ufrag) ? &ice->old : NULL;
}

static void refuse(struct tandem_ice *ice, const struct tandem_stun *msg, unsigned int code,
		   unsigned int local, const struct tandem_endpoint *remote, uint64_t now)
{
	ice->n.bad_auth++;
	if (bucket_take(&ice->refusals, ICE_REFUSE_BURST, 1, now))
		tandem_ice_send_error(ice, NULL, msg, code, &ice->locals[local].addr, remote);
}

/*
 * 7.3.1.1. True when the request is to be refused. A full agent of which the other side is lite
 * controls, whatever it thinks; the numbers decide only where both can check.
 */
static bool role_conflicts(struct tandem_ice *ice, const struct tandem_stun *msg)
{
	bool greater = ice->tie_breaker >= msg->tie_breaker;

	if (ice->lite != ice->remote_lite)
		return ice->controlling ? msg->controlling : msg->controlled;
	if (ice->controlling ? !msg->controlling : !msg->controlled)
		return false;
	if (ice->controlling == greater)
		return true;
	ice->controlling = !ice->controlling;
	ice->n.role_switched++;
	if (ice->list)
		tandem_ice_pairs_reorder(ice);
	return false;
}

/* 7.3.1.3: the source as a candidate, known or new; -1: no room. */
static int remote_learn(struct tandem_ice *ice, unsigned int component,
			const struct tandem_endpoint *addr, uint32_t priority)
{
	struct ice_list *list = ice->list;
	int found = tandem_ice_remote_find(ice, component, addr);

	if (found >= 0)
		return found;
	if (list->remotes_count == TANDEM_ICE_REMOTES) {
		ice->n.remote_full++;
		return -1;
	}
	found = (int)list->remotes_count++;
	list->remotes[found] = (struct ice_remote){
		.addr = *addr,
		.priority = priority,
		.foundation = (uint32_t)found, /* as good as unlike all others */
		.component = (uint8_t)component,
	};
	ice->n.remote_learned++;
	tandem_ice_pairs_add(ice, (size_t)found);
	return found;
}

/* 7.3.1.4 and 7.3.1.5 */
static void pair_requested(struct tandem_ice *ice, struct ice_pair *pair, bool use_candidate,
			   uint64_t now)
{
	bool fresh = pair->state == PAIR_SUCCEEDED &&
		     now - pair->valid_ms < TANDEM_ICE_CONSENT_LOST_MS;

	if (use_candidate && !ice->controlling) {
		if (fresh) {
			tandem_ice_select(ice, pair->local, tandem_ice_pair_remote(ice, pair),
					  pair->priority, now);
			return;
		}
		pair->nominate = true;
	}
	if (pair->state != PAIR_SUCCEEDED || (use_candidate && !fresh))
		tandem_ice_pair_trigger(ice, pair);
}

static void request_learn(struct tandem_ice *ice, const struct ice_early *e, uint64_t now)
{
	unsigned int component = ice->locals[e->local].component;
	struct ice_pair *pair;
	int remote;

	if (ice->lite) {
		/* 7.3.2 */
		if (e->use_candidate)
			tandem_ice_select(ice, e->local, &e->remote,
					  tandem_ice_pair_priority(ice, e->local, e->priority),
					  now);
		return;
	}
	if (!ice->list || ice->state == TANDEM_ICE_LOST)
		return;
	remote = remote_learn(ice, component, &e->remote, e->priority);
	pair = remote < 0 ? NULL : tandem_ice_pair_find(ice, e->local, (unsigned int)remote);
	if (pair)
		pair_requested(ice, pair, e->use_candidate, now);
}

/* Kept until the description comes; a repeated request takes the place of the one before. */
static void early_keep(struct tandem_ice *ice, const struct ice_early *e)
{
	size_t i = 0;

	if (!ice->early)
		ice->early = calloc(ICE_EARLY, sizeof(*ice->early));
	if (!ice->early)
		return;
	while (i < ice->early_count && (ice->early[i].local != e->local ||
					!tandem_endpoint_equal(&ice->early[i].remote, &e->remote)))
		i++;
	if (i == ICE_EARLY)
		return;
	ice->early[i] = *e;
	if (i == ice->early_count)
		ice->early_count++;
}

void tandem_ice_early_replay(struct tandem_ice *ice, uint64_t now)
{
	for (size_t i = 0; i < ice->early_count; i++) {
		/* Others are of another branch of a forked offer. */
		if (!strcmp(ice->early[i].ufrag, ice->now.remote_ufrag))
			request_learn(ice, &ice->early[i], now);
	}
	free(ice->early);
	ice->early = NULL;
	ice->early_count = 0;
}

/* What an authenticated request of the present generation tells. */
static void request_take(struct tandem_ice *ice, const struct tandem_stun *msg, const char *theirs,
			 unsigned int local, const struct tandem_endpoint *remote, uint64_t now)
{
	struct ice_early e = {
		.remote = *remote,
		.priority = msg->priority,
		.local = (uint8_t)local,
		.use_candidate = msg->use_candidate,
	};
	size_t len = msg->username_len - (size_t)(theirs - msg->username);

	/* Consent checks of some come without; such a one is not to be learned from. */
	if (!msg->has_priority)
		return;
	if (ice->now.remote_ufrag) {
		request_learn(ice, &e, now);
	} else if (len <= ICE_EARLY_UFRAG) {
		memcpy(e.ufrag, theirs, len);
		early_keep(ice, &e);
	}
}

/* With the right password, of the right party, and understood. */
static void request_answer(struct tandem_ice *ice, struct ice_generation *gen,
			   const struct tandem_stun *msg, const char *theirs, unsigned int local,
			   const struct tandem_endpoint *remote, uint64_t now)
{
	const struct tandem_endpoint *from = &ice->locals[local].addr;

	if (msg->unknown_count) {
		ice->n.unknown_attribute++;
		tandem_ice_send_error(ice, gen, msg, TANDEM_STUN_UNKNOWN_ATTRIBUTE, from, remote);
		return;
	}
	if (gen == &ice->now && gen->remote_ufrag && role_conflicts(ice, msg)) {
		ice->n.role_conflict++;
		tandem_ice_send_error(ice, gen, msg, TANDEM_STUN_ROLE_CONFLICT, from, remote);
		return;
	}
	ice->n.requests++;
	tandem_ice_send_success(ice, gen, msg, from, remote);
	tandem_ice_selection_touch(gen, ice, local, remote, now);
	if (gen == &ice->now)
		request_take(ice, msg, theirs, local, remote, now);
}

int tandem_ice_request(struct tandem_ice *ice, const struct tandem_stun *msg, unsigned int local,
		       const struct tandem_endpoint *remote, uint64_t now)
{
	const char *colon = username_colon(msg), *theirs;
	const struct ice_generation *gen;

	if (!tandem_ice_may_send(ice, remote)) {
		ice->n.remote_denied++;
		return 0;
	}
	if (!colon || !msg->integrity) {
		refuse(ice, msg, TANDEM_STUN_BAD_REQUEST, local, remote, now);
		return 0;
	}
	gen = generation_of(ice, msg, colon);
	if (!gen) {
		ice->n.bad_auth++;
		return -ENOENT;
	}
	if (tandem_stun_check_integrity(msg, gen->pwd, strlen(gen->pwd))) {
		refuse(ice, msg, TANDEM_STUN_UNAUTHENTICATED, local, remote, now);
		return 0;
	}
	theirs = colon + 1;
	/* Another branch of a forked offer knows our password as well. */
	if (gen->remote_ufrag &&
	    !fragment_is(theirs, msg->username_len - (size_t)(theirs - msg->username),
			 gen->remote_ufrag)) {
		ice->n.bad_auth++;
		return 0;
	}
	/* Not before, as those who guess must not use up what others need. */
	if (!bucket_take(&ice->requests, ICE_REQUEST_BURST, ICE_REQUEST_BURST, now)) {
		ice->n.limited++;
		return 0;
	}
	request_answer(ice, gen == &ice->now ? &ice->now : &ice->old, msg, theirs, local, remote,
		       now);
	return 0;
}
