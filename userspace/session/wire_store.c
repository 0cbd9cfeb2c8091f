/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire as JSON: for readers, and for the store. After a restart the pairs that were selected and
 * the keys go on; the associations are gone, and new ones come with the next description.
 */
#include <errno.h>
#include <string.h>

#include "userspace/session/wire_state.h"

static const char *ice_role(const struct tandem_wire *wire)
{
	if (!wire->ice)
		return "none";
	if (!wire->full)
		return "lite";
	return tandem_ice_controlling(wire->ice) ? "controlling" : "controlled";
}

static const char *dtls_state(const struct tandem_wire_end *end)
{
	return end->dtls ? tandem_dtls_state_name(tandem_dtls_state(end->dtls)) : "none";
}

json_t *tandem_wire_json(const struct tandem_wire *wire)
{
	const struct tandem_wire_end *rtp, *rtcp;

	if (!wire)
		return json_null();
	rtp = &wire->end[TANDEM_RTP];
	rtcp = &wire->end[TANDEM_RTCP];
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "ice",
			 wire->ice ? tandem_ice_state_name(tandem_ice_state(wire->ice)) : "none",
			 "ice_role", ice_role(wire), "dtls", dtls_state(rtp), "dtls_error",
			 rtp->dtls ? tandem_dtls_why(rtp->dtls) : "", "dtls_rtcp", dtls_state(rtcp),
			 "dtls_rtcp_error", rtcp->dtls ? tandem_dtls_why(rtcp->dtls) : "");
}

static json_t *dump_fingerprints(const struct tandem_wire_peer *peer)
{
	char value[TANDEM_DTLS_FINGERPRINT_STRLEN];
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < peer->fps_count; i++) {
		if (!tandem_dtls_fingerprint_format(&peer->fps[i], value, sizeof(value)))
			json_array_append_new(list, json_string(value));
	}
	return list;
}

json_t *tandem_wires_json(const struct tandem_wires *wires)
{
	const struct tandem_dtls_counters none = { 0 };
	const struct tandem_dtls_counters *c = wires->ctx ? tandem_dtls_context_counters(wires->ctx)
							  : &none;
	json_t *js = json_object();

	if (wires->quota.half_open)
		json_object_set_new(js, "half_open", json_integer(wires->quota.half_open));
#define X(name, help)                                                                              \
	if (c->name)                                                                               \
		json_object_set_new(js, #name, json_integer((json_int_t)c->name));
	TANDEM_DTLS_COUNTERS(X)
#undef X
	return js;
}

json_t *tandem_wire_dump(const struct tandem_wire *wire)
{
	if (!wire)
		return json_null();
	return json_pack("{s:b, s:b, s:b, s:i, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:b, s:o}",
			 "full", wire->full, "controlling",
			 wire->ice && tandem_ice_controlling(wire->ice), "ice", wire->ice != NULL,
			 "components", (int)wire->agreed_components, "ufrag",
			 wire->ice ? tandem_ice_ufrag(wire->ice) : "", "pwd",
			 wire->ice ? tandem_ice_pwd(wire->ice) : "", "peer_ufrag", wire->peer_ufrag,
			 "peer_pwd", wire->peer_pwd, "peer_lite", wire->peer_lite, "selected",
			 tandem_json_endpoint(&wire->end[TANDEM_RTP].selected), "selected_rtcp",
			 tandem_json_endpoint(&wire->end[TANDEM_RTCP].selected), "client",
			 wire->peer.client, "fingerprints", dump_fingerprints(&wire->peer));
}

static int parse_fingerprints(struct tandem_wire_peer *peer, const json_t *js)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(js) || json_array_size(js) > TANDEM_DTLS_FINGERPRINTS)
		return -EBADMSG;
	json_array_foreach (js, i, value) {
		if (!json_is_string(value) ||
		    tandem_dtls_fingerprint_parse(&peer->fps[i], json_string_value(value)))
			return -EBADMSG;
		peer->fps_count++;
	}
	return 0;
}

static int parse_pair(struct tandem_endpoint *selected, const json_t *js)
{
	if (!js || json_is_null(js))
		return 0;
	return json_is_string(js) ? tandem_endpoint_parse(selected, json_string_value(js))
				  : -EBADMSG;
}

static int parse_ice(struct tandem_wire *wire, const json_t *js)
{
	const char *ufrag, *pwd, *peer_ufrag, *peer_pwd;
	struct tandem_endpoint selected[2] = { 0 };
	int lite, err;

	if (json_unpack((json_t *)js, "{s:s, s:s, s:s, s:s, s:b}", "ufrag", &ufrag, "pwd", &pwd,
			"peer_ufrag", &peer_ufrag, "peer_pwd", &peer_pwd, "peer_lite", &lite) ||
	    !tandem_ice_ufrag_valid(peer_ufrag, strlen(peer_ufrag)) ||
	    !tandem_ice_pwd_valid(peer_pwd, strlen(peer_pwd)))
		return -EBADMSG;
	if (parse_pair(&selected[TANDEM_RTP], json_object_get(js, "selected")) ||
	    parse_pair(&selected[TANDEM_RTCP], json_object_get(js, "selected_rtcp")))
		return -EBADMSG;
	strcpy(wire->peer_ufrag, peer_ufrag);
	strcpy(wire->peer_pwd, peer_pwd);
	wire->peer_lite = lite;
	tandem_ice_free(wire->ice);
	wire->ice = NULL;
	err = tandem_wire_make_ice(wire, ufrag, pwd);
	return err ? err : tandem_wire_adopt_pairs(wire, selected);
}

int tandem_wire_parse(struct tandem_sessions *ss, const struct tandem_session *s, size_t media,
		      enum tandem_party_id party, struct tandem_leg *leg, const json_t *js)
{
	struct tandem_wire_ice mode = { .mode = tandem_sessions_ice(ss, &s->source[party]) };
	struct tandem_wire *wire;
	int client, ice, err;
	json_int_t components;

	if (leg->secure.kind != TANDEM_PROTECT_DTLS || leg->local == TANDEM_LOCAL_NONE ||
	    leg->transport != media)
		return 0;
	if (json_unpack((json_t *)js, "{s:b, s:b}", "ice", &ice, "client", &client))
		return -EBADMSG;
	err = tandem_wire_prepare(ss, s, media, party, leg, &mode);
	if (err)
		return err;
	wire = leg->secure.wire;
	/* of an earlier version all are lite */
	wire->full = json_is_true(json_object_get(js, "full"));
	wire->controlling = json_is_true(json_object_get(js, "controlling"));
	/* and have one component */
	components = json_integer_value(json_object_get(js, "components"));
	wire->components = components == 2 ? 2 : 1;
	leg->apart = components == 2 && !leg->mux;
	wire->peer.client = client;
	err = parse_fingerprints(&wire->peer, json_object_get(js, "fingerprints"));
	if (err)
		return err;
	/* with keys the associations are over; without, they begin anew */
	if (!leg->secure.rtp.in.suite)
		wire->next_peer = wire->peer;
	if (ice)
		return parse_ice(wire, js);
	tandem_wire_drop_ice(wire);
	return 0;
}
