/* SPDX-License-Identifier: GPL-2.0-only */
/* The ICE agent of a wire: one for all components (RFC 8445). */
#include <errno.h>
#include <string.h>

#include "userspace/session/wire_state.h"

/* ---- what becomes known, and is for the session ----------------------------- */

static void move_leg(struct tandem_leg *leg, const struct tandem_wire_end *end)
{
	if (!leg || (end->comp == TANDEM_RTCP && !leg->apart))
		return;
	leg->remote[end->comp] = end->selected;
	if (leg->mux)
		leg->remote[TANDEM_RTCP] = end->selected;
}

bool tandem_wire_take_pairs(struct tandem_wire *wire, const struct tandem_session *s)
{
	bool moved = false;
	int c;

	for (c = 0; c < 2; c++) {
		struct tandem_wire_end *end = &wire->end[c];

		if (!end->moved)
			continue;
		move_leg(tandem_wire_leg(&s->agreed, wire), end);
		move_leg(tandem_wire_leg(&s->pending, wire), end);
		end->moved = false;
		moved = true;
	}
	return moved;
}

void tandem_wire_selected(const struct tandem_wire *wire, enum tandem_component comp,
			  struct tandem_endpoint *remote)
{
	*remote = wire->end[comp].selected;
}

bool tandem_wire_has_ice(const struct tandem_wire *wire)
{
	return wire->ice != NULL;
}

bool tandem_wire_is_lite(const struct tandem_wire *wire)
{
	return !wire->full;
}

bool tandem_wire_has_rtcp(const struct tandem_wire *wire)
{
	return wire->components > 1;
}

/* ---- what the agent asks for ------------------------------------------------- */

static void ice_send(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		     const void *data, size_t len, void *arg)
{
	const struct tandem_wire *wire = arg;

	(void)wire->ss->env.send(wire->ss->plane, local, remote, data, len);
}

/* Whoever has sent a check is there and wants an answer, also on this host. */
static bool ice_allowed(const struct tandem_endpoint *remote, void *arg)
{
	const struct tandem_wire *wire = arg;

	return !tandem_sessions_denied(wire->ss, remote);
}

static void ice_selected(unsigned int component, const struct tandem_endpoint *local,
			 const struct tandem_endpoint *remote, void *arg)
{
	struct tandem_wire *wire = arg;
	struct tandem_wire_end *end = &wire->end[component - 1];

	end->selected = *remote;
	end->moved = true;
}

/* Nobody may be sent to who does not want it any more (RFC 7675 5.1). */
static void ice_lost(unsigned int component, void *arg)
{
	const struct tandem_endpoint none = { 0 };

	ice_selected(component, NULL, &none, arg);
}

static const struct tandem_ice_ops ice_ops = {
	.send = ice_send,
	.allowed = ice_allowed,
	.selected = ice_selected,
	.consent_lost = ice_lost,
};

/* ---- making and freeing ------------------------------------------------------ */

int tandem_wire_make_ice(struct tandem_wire *wire, const char *ufrag, const char *pwd)
{
	struct tandem_ice_local locals[2];
	const struct tandem_ice_config cfg = {
		.lite = !wire->full,
		.controlling = wire->controlling,
		.components = 2,
		.locals = locals,
		.locals_count = 2,
		.ufrag = ufrag,
		.pwd = pwd,
		.ops = &ice_ops,
		.arg = wire,
	};
	int c;

	for (c = 0; c < 2; c++) {
		locals[c] = (struct tandem_ice_local){ c + 1U, tandem_wire_local(wire, c),
						       wire->shown };
		if (wire->shown.port)
			locals[c].shown.port += c;
	}
	return tandem_ice_alloc(&wire->ice, &cfg);
}

static void forget_pair(struct tandem_wire_end *end)
{
	end->selected = (struct tandem_endpoint){ 0 };
	end->moved = false;
}

void tandem_wire_drop_ice(struct tandem_wire *wire)
{
	tandem_ice_free(wire->ice);
	wire->ice = NULL;
	wire->peer_ufrag[0] = '\0';
	forget_pair(&wire->end[TANDEM_RTP]);
	forget_pair(&wire->end[TANDEM_RTCP]);
}

void tandem_wire_agree_ice(struct tandem_wire *wire)
{
	strcpy(wire->agreed_ufrag, wire->ice ? tandem_ice_ufrag(wire->ice) : "");
	wire->agreed_lite = wire->peer_lite;
	wire->agreed_components = wire->components;
	if (wire->components == 1)
		forget_pair(&wire->end[TANDEM_RTCP]);
	if (wire->ice)
		(void)tandem_ice_set_components(wire->ice, wire->components,
						tandem_sessions_now(wire->ss));
}

int tandem_wire_adopt_pairs(struct tandem_wire *wire, const struct tandem_endpoint remote[2])
{
	const struct tandem_ice_remote peer = { wire->peer_ufrag, wire->peer_pwd, wire->peer_lite };
	uint64_t now = tandem_sessions_now(wire->ss);
	int err = tandem_ice_set_remote(wire->ice, &peer, now);
	unsigned int c;

	tandem_wire_agree_ice(wire);
	for (c = 0; c < wire->components && !err; c++) {
		const struct tandem_endpoint local = tandem_wire_local(wire, c);

		if (!remote[c].port)
			continue;
		err = tandem_ice_adopt(wire->ice, c + 1, &local, &remote[c], now);
		wire->end[c].selected = remote[c];
	}
	return err;
}

bool tandem_wire_rollback_ice(struct tandem_wire *wire)
{
	bool changed = wire->components != wire->agreed_components;

	if (!wire->agreed_components)
		return false;
	wire->components = wire->agreed_components;
	if (!wire->ice || !wire->agreed_ufrag[0])
		return false;
	if (strcmp(wire->agreed_ufrag, tandem_ice_ufrag(wire->ice)) &&
	    !tandem_ice_rollback(wire->ice)) {
		strcpy(wire->peer_ufrag, tandem_ice_remote_ufrag(wire->ice));
		strcpy(wire->peer_pwd, tandem_ice_remote_pwd(wire->ice));
		wire->peer_lite = wire->agreed_lite;
		changed = true;
	}
	(void)tandem_ice_set_components(wire->ice, wire->components, tandem_sessions_now(wire->ss));
	return changed;
}
