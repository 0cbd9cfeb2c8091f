/* SPDX-License-Identifier: GPL-2.0-only */
/* ICE (RFC 8839) and DTLS-SRTP (RFC 5763, RFC 8842) in descriptions, for a wire. */
#include <errno.h>
#include <string.h>

#include "userspace/session/wire_state.h"

/* The section's own, or else the session's. */
static const char *find_attr(const struct tandem_sdp *sdp, size_t i, const char *name, size_t n)
{
	if (tandem_sdp_find_attr(sdp, i, name, 0))
		return tandem_sdp_find_attr(sdp, i, name, n);
	return tandem_sdp_find_attr(sdp, TANDEM_SDP_SESSION, name, n);
}

static int read_fingerprints(struct tandem_wire_peer *peer, const struct tandem_sdp *sdp, size_t i)
{
	const char *value;
	size_t n;

	peer->fps_count = 0;
	for (n = 0; (value = find_attr(sdp, i, "fingerprint", n)); n++) {
		if (peer->fps_count < TANDEM_DTLS_FINGERPRINTS &&
		    !tandem_dtls_fingerprint_parse(&peer->fps[peer->fps_count], value))
			peer->fps_count++;
	}
	return peer->fps_count ? 0 : -EPROTO;
}

/* Are more candidates to be expected than there are (RFC 8838)? */
static bool may_trickle(const struct tandem_sdp *sdp, size_t i)
{
	const char *options = find_attr(sdp, i, "ice-options", 0);

	return options && strstr(options, "trickle") && !find_attr(sdp, i, "end-of-candidates", 0);
}

/*
 * The components that the party has. Without rtcp-mux those are two, unless its candidates are for
 * RTP alone: then it does no RTCP.
 */
static unsigned int count_components(const struct tandem_sdp *sdp, size_t i, bool answer)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);
	struct tandem_candidate c;
	const char *value;
	bool any = false;
	size_t n;

	if (tandem_media_muxes(media, answer) || !media->rtcp_port)
		return 1;
	for (n = 0; (value = tandem_sdp_find_attr(sdp, i, "candidate", n)); n++) {
		if (tandem_candidate_parse(&c, value, strlen(value)))
			continue;
		if (c.component == 2)
			return 2;
		any = true;
	}
	return any && !may_trickle(sdp, i) ? 1 : 2;
}

static void read_candidates(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i,
			    uint64_t now)
{
	struct tandem_candidate c;
	const char *value;
	size_t n;

	for (n = 0; (value = tandem_sdp_find_attr(sdp, i, "candidate", n)); n++) {
		if (!tandem_candidate_parse(&c, value, strlen(value)))
			(void)tandem_ice_add_remote(wire->ice, &c, now);
	}
	tandem_ice_end_of_candidates(wire->ice, now);
}

/*
 * Other credentials than before: the offerer has restarted, and the relay does in its answer. An
 * answerer that has others is another one, as behind a proxy that forks: it gets an agent that
 * has what was offered.
 */
static int renew_ice(struct tandem_wire *wire, bool answer)
{
	char ufrag[TANDEM_ICE_CRED_MAX + 1], pwd[TANDEM_ICE_CRED_MAX + 1];
	int err;

	if (!answer)
		return tandem_ice_restart(wire->ice);
	strcpy(ufrag, tandem_ice_ufrag(wire->ice));
	strcpy(pwd, tandem_ice_pwd(wire->ice));
	tandem_wire_drop_ice(wire);
	err = tandem_wire_make_ice(wire, ufrag, pwd);
	explicit_bzero(pwd, sizeof(pwd));
	return err;
}

/* Of two that are lite nobody would check. The party does not know of the agent yet. */
static void become_full(struct tandem_wire *wire)
{
	if (wire->full || wire->mode != TANDEM_ICE_MODE_AUTO || wire->peer_ufrag[0])
		return;
	tandem_wire_drop_ice(wire);
	wire->full = true;
}

static int read_ice(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i, bool answer)
{
	const char *ufrag = find_attr(sdp, i, "ice-ufrag", 0);
	const char *pwd = find_attr(sdp, i, "ice-pwd", 0);
	uint64_t now = tandem_sessions_now(wire->ss);
	struct tandem_ice_remote remote;
	int err = 0;

	wire->components = count_components(sdp, i, answer);
	if (!ufrag || !pwd) {
		tandem_wire_drop_ice(wire);
		return 0;
	}
	if (!tandem_ice_ufrag_valid(ufrag, strlen(ufrag)) ||
	    !tandem_ice_pwd_valid(pwd, strlen(pwd)))
		return -EPROTO;
	if (!answer && tandem_sdp_session(sdp)->ice_lite)
		become_full(wire);
	if (!wire->ice)
		err = tandem_wire_make_ice(wire, NULL, NULL);
	else if (wire->peer_ufrag[0] &&
		 (strcmp(wire->peer_ufrag, ufrag) || strcmp(wire->peer_pwd, pwd)))
		err = renew_ice(wire, answer);
	/* what is too many is given up by the agreement */
	if (!err && wire->components > 1)
		err = tandem_ice_set_components(wire->ice, wire->components, now);
	if (err)
		return err;
	strcpy(wire->peer_ufrag, ufrag);
	strcpy(wire->peer_pwd, pwd);
	wire->peer_lite = tandem_sdp_session(sdp)->ice_lite;
	remote = (struct tandem_ice_remote){ ufrag, pwd, wire->peer_lite };
	err = tandem_ice_set_remote(wire->ice, &remote, now);
	if (!err)
		read_candidates(wire, sdp, i, now);
	return err;
}

static enum tandem_dtls_setup read_setup(const struct tandem_sdp *sdp, size_t i)
{
	const char *setup = tandem_sdp_media(sdp, i)->setup;

	return setup ? tandem_dtls_setup_parse(setup) : TANDEM_DTLS_NO_SETUP;
}

int tandem_wire_offered(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i)
{
	struct tandem_wire_peer *peer = &wire->next_peer;
	bool active = wire->end[TANDEM_RTP].dtls ? wire->peer.client : wire->active;
	enum tandem_dtls_setup prefer = active ? TANDEM_DTLS_ACTIVE : TANDEM_DTLS_PASSIVE;
	int err = read_fingerprints(peer, sdp, i);

	if (err)
		return err;
	peer->setup = tandem_dtls_setup_answer(read_setup(sdp, i), prefer);
	if (peer->setup == TANDEM_DTLS_NO_SETUP)
		return -EPROTO;
	peer->client = peer->setup == TANDEM_DTLS_ACTIVE;
	return read_ice(wire, sdp, i, false);
}

int tandem_wire_answered(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i)
{
	struct tandem_wire_peer *peer = &wire->next_peer;
	int client, err = read_fingerprints(peer, sdp, i);

	if (err)
		return err;
	client = tandem_dtls_setup_client(TANDEM_DTLS_ACTPASS, read_setup(sdp, i));
	if (client < 0)
		return -EPROTO;
	peer->client = client;
	return read_ice(wire, sdp, i, true);
}

static int write_ice(const struct tandem_wire *wire, bool own, struct tandem_sdp *sdp, size_t i)
{
	char value[TANDEM_CANDIDATE_STRLEN];
	struct tandem_candidate c;
	size_t n;
	int err = tandem_sdp_add_attr(sdp, i, "ice-ufrag", tandem_ice_ufrag(wire->ice));

	if (!err)
		err = tandem_sdp_add_attr(sdp, i, "ice-pwd", tandem_ice_pwd(wire->ice));
	for (n = 0; own && !err && !tandem_ice_local_candidate(wire->ice, n, &c); n++) {
		if (c.component > wire->components)
			continue;
		if (tandem_candidate_format(&c, value, sizeof(value)) < 0)
			return -EINVAL;
		err = tandem_sdp_add_attr(sdp, i, "candidate", value);
	}
	return err;
}

int tandem_wire_sdp(const struct tandem_wire *wire, bool answer, bool own, struct tandem_sdp *sdp,
		    size_t i)
{
	enum tandem_dtls_setup setup = answer ? wire->next_peer.setup : TANDEM_DTLS_ACTPASS;
	char value[TANDEM_DTLS_FINGERPRINT_STRLEN];
	int err = tandem_dtls_fingerprint_format(
		tandem_dtls_context_fingerprint(wire->ss->wires.ctx), value, sizeof(value));

	if (!err)
		err = tandem_sdp_add_attr(sdp, i, "fingerprint", value);
	if (!err)
		err = tandem_sdp_add_attr(sdp, i, "setup", tandem_dtls_setup_name(setup));
	return err || !wire->ice ? err : write_ice(wire, own, sdp, i);
}
