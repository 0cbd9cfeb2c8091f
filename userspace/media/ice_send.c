/* SPDX-License-Identifier: GPL-2.0-only */
/* The messages of the agent (RFC 8445 7.1, 7.3). */
#include <string.h>

#include "userspace/media/ice_agent.h"

static void out(struct tandem_ice *ice, const struct tandem_stun_writer *w,
		const struct tandem_endpoint *local, const struct tandem_endpoint *remote)
{
	int len = tandem_stun_finish(w);

	if (len > 0)
		ice->ops->send(local, remote, w->buf, (size_t)len, ice->arg);
}

bool tandem_ice_tx_new(struct tandem_ice *ice, struct ice_tx tx[ICE_TX], bool nominating)
{
	memmove(tx + 1, tx, (ICE_TX - 1) * sizeof(*tx));
	tx[0] = (struct ice_tx){
		.live = !tandem_ice_random(tx[0].id, sizeof(tx[0].id)),
		.controlling = ice->controlling,
		.nominating = nominating,
	};
	return tx[0].live;
}

void tandem_ice_send_check(struct tandem_ice *ice, const struct ice_generation *gen,
			   unsigned int local, const struct tandem_endpoint *remote,
			   const struct ice_tx *tx)
{
	const struct ice_local *l = &ice->locals[local];
	uint8_t buf[TANDEM_ICE_MESSAGE_MAX];
	struct tandem_stun_writer w;

	if (!tandem_ice_may_send(ice, remote))
		return;
	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, tx->id);
	tandem_stun_put_username(&w, gen->remote_ufrag, gen->ufrag);
	tandem_stun_put_priority(
		&w, tandem_candidate_priority(TANDEM_CANDIDATE_PRFLX, l->preference, l->component));
	tandem_stun_put_role(&w, tx->controlling, ice->tie_breaker);
	if (tx->nominating)
		tandem_stun_put_use_candidate(&w);
	tandem_stun_put_integrity(&w, gen->remote_pwd, strlen(gen->remote_pwd));
	tandem_stun_put_fingerprint(&w);
	out(ice, &w, &l->addr, remote);
}

void tandem_ice_send_success(struct tandem_ice *ice, const struct ice_generation *gen,
			     const struct tandem_stun *msg, const struct tandem_endpoint *local,
			     const struct tandem_endpoint *remote)
{
	uint8_t buf[TANDEM_ICE_MESSAGE_MAX];
	struct tandem_stun_writer w;

	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_SUCCESS, msg->id);
	tandem_stun_put_mapped(&w, remote);
	tandem_stun_put_integrity(&w, gen->pwd, strlen(gen->pwd));
	tandem_stun_put_fingerprint(&w);
	ice->n.replies_sent++;
	out(ice, &w, local, remote);
}

void tandem_ice_send_error(struct tandem_ice *ice, const struct ice_generation *gen,
			   const struct tandem_stun *msg, unsigned int code,
			   const struct tandem_endpoint *local,
			   const struct tandem_endpoint *remote)
{
	uint8_t buf[TANDEM_ICE_MESSAGE_MAX];
	struct tandem_stun_writer w;

	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_ERROR, msg->id);
	tandem_stun_put_error(&w, code);
	if (code == TANDEM_STUN_UNKNOWN_ATTRIBUTE)
		tandem_stun_put_unknown(&w, msg);
	if (gen)
		tandem_stun_put_integrity(&w, gen->pwd, strlen(gen->pwd));
	tandem_stun_put_fingerprint(&w);
	if (!gen && tandem_stun_finish(&w) > (int)msg->len)
		return;
	ice->n.errors_sent++;
	out(ice, &w, local, remote);
}
