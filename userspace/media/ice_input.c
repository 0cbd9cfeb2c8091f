/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams that come in, and responses to checks (RFC 8445 7.2.5). */
#include <errno.h>
#include <string.h>

#include "userspace/media/ice_agent.h"

/* A transaction that was found: of a pair, or (consent) of a selected pair. */
struct match {
	struct ice_tx *tx;
	struct ice_pair *pair;
	struct ice_selection *sel;
	const struct ice_generation *gen;
};

static struct ice_tx *tx_find(struct ice_tx tx[ICE_TX], const uint8_t *id)
{
	for (size_t i = 0; i < ICE_TX; i++) {
		if (tx[i].live && !memcmp(tx[i].id, id, TANDEM_STUN_ID))
			return &tx[i];
	}
	return NULL;
}

static bool match_selection(struct ice_generation *gen, const uint8_t *id, struct match *m)
{
	for (unsigned int c = 0; c < TANDEM_ICE_COMPONENTS; c++) {
		struct ice_selection *sel = &gen->selected[c];
		struct ice_tx *tx = sel->active ? tx_find(sel->tx, id) : NULL;

		if (tx) {
			*m = (struct match){ .tx = tx, .sel = sel, .gen = gen };
			return true;
		}
	}
	return false;
}

static bool match_find(struct tandem_ice *ice, const uint8_t *id, struct match *m)
{
	for (size_t i = 0; ice->list && i < ice->list->pairs_count; i++) {
		struct ice_pair *pair = &ice->list->pairs[i];
		struct ice_tx *tx = tx_find(pair->tx, id);

		if (tx) {
			*m = (struct match){ .tx = tx, .pair = pair, .gen = &ice->now };
			return true;
		}
	}
	return match_selection(&ice->now, id, m) || match_selection(&ice->old, id, m);
}

static bool match_symmetric(const struct tandem_ice *ice, const struct match *m, unsigned int local,
			    const struct tandem_endpoint *remote)
{
	const struct tandem_endpoint *asked = m->pair ? tandem_ice_pair_remote(ice, m->pair)
						      : &m->sel->remote;

	return (m->pair ? m->pair->local : m->sel->local) == local &&
	       tandem_endpoint_equal(asked, remote);
}

static void pair_fail(struct ice_pair *pair)
{
	pair->state = PAIR_FAILED;
	pair->nominate = false;
	pair->valid_ms = 0;
	memset(pair->tx, 0, sizeof(pair->tx));
}

/* 7.2.5.1. The numbers change with the role, or two could go on disagreeing. */
static void role_switch(struct tandem_ice *ice, struct ice_pair *pair, const struct ice_tx *tx)
{
	if (ice->lite != ice->remote_lite) {
		pair_fail(pair);
		return;
	}
	if (tx->controlling == ice->controlling) {
		ice->controlling = !ice->controlling;
		ice->n.role_switched++;
		(void)tandem_ice_random(&ice->tie_breaker, sizeof(ice->tie_breaker));
		tandem_ice_pairs_reorder(ice);
	}
	memset(pair->tx, 0, sizeof(pair->tx));
	pair->state = PAIR_WAITING;
	tandem_ice_pair_trigger(ice, pair);
}

/* 7.2.5.3 */
static void pair_succeed(struct tandem_ice *ice, struct ice_pair *pair, const struct ice_tx *tx,
			 uint64_t now)
{
	unsigned int c = tandem_ice_pair_component(ice, pair) - 1;
	bool nominated = ice->controlling ? tx->nominating && tx->controlling : pair->nominate;

	pair->state = PAIR_SUCCEEDED;
	pair->valid_ms = now ? now : 1;
	memset(pair->tx, 0, sizeof(pair->tx));
	if (!pair->nominate)
		pair->triggered = 0;
	if (!ice->list->nominate_at[c])
		ice->list->nominate_at[c] = pair->valid_ms + ICE_NOMINATE_MS;
	tandem_ice_pairs_thaw(ice, pair);
	if (nominated) {
		pair->nominate = false;
		tandem_ice_select(ice, pair->local, tandem_ice_pair_remote(ice, pair),
				  pair->priority, now);
	}
	tandem_ice_nominate(ice, now);
}

void tandem_ice_response(struct tandem_ice *ice, const struct tandem_stun *msg, unsigned int local,
			 const struct tandem_endpoint *remote, uint64_t now)
{
	const char *pwd;
	struct match m;

	if (!match_find(ice, msg->id, &m)) {
		ice->n.stray++;
		return;
	}
	pwd = m.gen->remote_pwd;
	if (tandem_stun_check_integrity(msg, pwd, strlen(pwd))) {
		ice->n.bad_response++;
		return;
	}
	if (!match_symmetric(ice, &m, local, remote)) {
		/* 7.2.5.2.1 */
		ice->n.stray++;
		if (m.pair)
			pair_fail(m.pair);
		return;
	}
	if (msg->unknown_count || (msg->class == TANDEM_STUN_SUCCESS && !msg->has_mapped)) {
		ice->n.bad_response++;
		if (m.pair)
			pair_fail(m.pair);
		return;
	}
	ice->n.responses++;
	if (m.sel && msg->class == TANDEM_STUN_SUCCESS) {
		m.tx->live = false;
		m.sel->consent_ms = now;
	} else if (m.pair && msg->class == TANDEM_STUN_SUCCESS) {
		struct ice_tx tx = *m.tx;

		pair_succeed(ice, m.pair, &tx, now);
	} else if (m.pair && msg->error == TANDEM_STUN_ROLE_CONFLICT) {
		struct ice_tx tx = *m.tx;

		role_switch(ice, m.pair, &tx);
	} else if (m.pair) {
		pair_fail(m.pair);
	}
}

int tandem_ice_input(struct tandem_ice *ice, const struct tandem_endpoint *local,
		     const struct tandem_endpoint *remote, const void *data, size_t len,
		     uint64_t now)
{
	int i = tandem_ice_local_find(ice, local);
	struct tandem_stun msg;

	if (tandem_stun_parse(&msg, data, len)) {
		ice->n.not_stun++;
		return -EBADMSG;
	}
	if (i < 0 || msg.method != TANDEM_STUN_BINDING) {
		ice->n.not_ours++;
		return -ENOENT;
	}
	switch (msg.class) {
	case TANDEM_STUN_REQUEST:
		return tandem_ice_request(ice, &msg, (unsigned int)i, remote, now);
	case TANDEM_STUN_INDICATION:
		ice->n.indications++; /* keeps NATs open, says nothing (RFC 8445 11) */
		return 0;
	default:
		tandem_ice_response(ice, &msg, (unsigned int)i, remote, now);
		return 0;
	}
}

const char *tandem_ice_request_ufrag(const void *data, size_t len, size_t *ufrag_len)
{
	struct tandem_stun msg;
	const char *colon;

	if (tandem_stun_parse(&msg, data, len) || msg.method != TANDEM_STUN_BINDING ||
	    msg.class != TANDEM_STUN_REQUEST || !msg.username)
		return NULL;
	colon = memchr(msg.username, ':', msg.username_len);
	if (!colon)
		return NULL;
	*ufrag_len = (size_t)(colon - msg.username);
	return msg.username;
}
