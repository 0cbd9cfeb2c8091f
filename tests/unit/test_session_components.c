/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parties with ICE and DTLS that do not multiplex RTCP: two components, each with a pair, an
 * association and keys of its own (RFC 8445, RFC 5764 section 4.1).
 */
#include "tests/unit/webrtc_fixture.h"

#define FAR "198.51.100.99"

/* Both components have their pair, and the flows of each the keys of its handshake. */
static void assert_apart(struct fixture *fx, const struct browser *b, enum tandem_party_id party,
			 const char *rtp, const char *rtcp)
{
	const struct tandem_flow_spec *from = fx_flow(fx, 0, party, TANDEM_RTCP);
	struct tandem_srtp in, out;

	assert_keys(fx, b, party);
	assert_remote(fx_flow(fx, 0, party, TANDEM_RTP), rtp);
	assert_remote(from, rtcp);
	assert_int_equal(from->flags & (RULE_F_ICE | RULE_F_DTLS), RULE_F_ICE | RULE_F_DTLS);
	assert_int_equal(tandem_dtls_keys(b->end[1].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(from->srtp_in, &out));
	assert_false(
		tandem_sdes_same_keys(from->srtp_in, fx_flow(fx, 0, party, TANDEM_RTP)->srtp_in));
}

/* The same, with a plain phone on the other side. */
static void assert_with_phone(struct fixture *fx, const struct browser *b,
			      enum tandem_party_id party, const char *phone_rtcp)
{
	const struct tandem_flow_spec *to = fx_flow(fx, 0, !party, TANDEM_RTCP);
	struct tandem_srtp in, out;

	assert_apart(fx, b, party, PLACE ":7000", PLACE ":7001");
	assert_egress(fx_flow(fx, 0, party, TANDEM_RTCP), EGRESS_RTCP, phone_rtcp);
	assert_egress(to, EGRESS_RTCP, PLACE ":7001");
	assert_int_equal(tandem_dtls_keys(b->end[1].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(to->srtp_out, &in));
	assert_false(fx_flow(fx, 0, !party, TANDEM_RTP)->egress[EGRESS_RTCP].flags);
}

/* It offers, and the phone answers. */
static void offer(struct fixture *fx, struct browser *b, bool mux)
{
	assert_int_equal(
		fx_describe(fx, TANDEM_PARTY_A, false, AUTO, PLAIN, browser_sdp(b, "actpass", mux)),
		0);
	assert_has_not(fx, "candidate");
	assert_int_equal(
		fx_describe(fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")), 0);
}

static void apart_calls_phone(struct fixture *fx, struct browser *b)
{
	browser_open_with(b, fx, PLACE, true, 2);
	offer(fx, b, false);
	/* RFC 8035: what was not offered is not answered */
	assert_has_not(fx, "rtcp-mux");
	assert_has_not(fx, "a=group:");
	assert_has(fx, " 2 UDP ");
	/* checks come before keys, and so does the handshake */
	assert_true(fx_flow(fx, 0, TANDEM_PARTY_A, TANDEM_RTCP)->flags & RULE_F_ICE);
	browser_reads(b);
	run(fx, 2000);
	assert_with_phone(fx, b, TANDEM_PARTY_A, CALLEE ":5001");
	assert_int_equal(tandem_session_confirm(fx->ss, CALL), 0);
}

static void offered_without_mux(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	assert_counted(&fx, "{\"started\":2,\"connected\":2}");
	browser_close(&b);
	fx_clean(&fx);
}

/* The relay offers rtcp-mux, with what is needed if it is not taken (RFC 5761 5.1.3). */
static void answered_without_mux(void **state)
{
	static const char *const setups[] = { "active", "passive" };
	struct browser b;
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		open_world(&fx);
		browser_open_with(&b, &fx, PLACE, false, 2);
		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS,
					     audio(CALLER, 4000, "")),
				 0);
		assert_has(&fx, "a=rtcp-mux\r\n");
		assert_has(&fx, "rtpmap:101 telephone-event/8000\r\na=rtcp:");
		assert_non_null(strstr(strstr(fx.sdp, "a=rtcp:"), " IN IP4 10.0.0.2\r\n"));
		make_dtls(&b, !i);
		browser_reads(&b);
		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS,
					     browser_sdp(&b, setups[i], false)),
				 0);
		run(&fx, 2000);
		assert_with_phone(&fx, &b, TANDEM_PARTY_B, CALLER ":4001");
		browser_close(&b);
		fx_clean(&fx);
	}
}

/* Once rtcp-mux is taken nothing more is said of the other component. */
static void mux_taken(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP));
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	assert_has(&fx, "a=rtcp-mux\r\n");
	assert_has_not(&fx, " 2 UDP ");
	browser_close(&b);
	fx_clean(&fx);
}

/* From one flow to two components, each with keys of its own, and back from two flows to one. */
static void mux_on_one_side(void **state)
{
	const struct tandem_flow_spec *spec;
	struct tandem_srtp in, out;
	struct browser a, b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&a, &fx, PLACE, true);
	browser_open_with(&b, &fx, FAR, false, 2);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, AUTO,
				     browser_sdp(&a, "actpass", true)),
			 0);
	browser_reads(&b);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, AUTO,
				     browser_sdp(&b, "active", false)),
			 0);
	assert_has(&fx, "a=rtcp-mux\r\n");
	browser_reads(&a);
	run(&fx, 2000);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_remote(spec, PLACE ":7000");
	assert_int_equal(tandem_dtls_keys(a.end[0].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(spec->srtp_in, &out));
	assert_null(spec->srtp_out);
	assert_non_null(spec->fan);
	assert_int_equal(spec->fan->branch_count, 2);
	assert_int_equal(spec->fan->branches[0].flags, BRANCH_F_ANY);
	assert_int_equal(spec->fan->branches[1].flags, BRANCH_F_RTCP);
	assert_int_equal(spec->fan->key_count, 2);
	assert_int_equal(ntohs(spec->fan->legs[0].leg.egress.remote_port), 7000);
	assert_int_equal(ntohs(spec->fan->legs[1].leg.egress.remote_port), 7001);
	assert_int_equal(tandem_dtls_keys(b.end[0].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(&spec->fan->keys[0], &in));
	assert_int_equal(tandem_dtls_keys(b.end[1].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(&spec->fan->keys[1], &in));
	/* the way back */
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP);
	assert_remote(spec, FAR ":7001");
	assert_egress(spec, EGRESS_RTCP, PLACE ":7000");
	assert_true(tandem_sdes_same_keys(spec->srtp_in, &out));
	assert_int_equal(tandem_dtls_keys(a.end[0].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(spec->srtp_out, &in));
	browser_close(&b);
	browser_close(&a);
	fx_clean(&fx);
}

/* A full agent on the relay's side: it checks both, and asks for the consent of each. */
static void full_agent(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.env.send = relay_send;
	fx.cfg.security_count = 1;
	fx.cfg.security[0].ice = TANDEM_ICE_MODE_FULL;
	fx.cfg.security[0].security = TANDEM_SECURITY_AUTO;
	assert_int_equal(tandem_prefix_parse(&fx.cfg.security[0].peer, "192.0.2.0/24"), 0);
	assert_int_equal(fx_start(&fx), 0);
	assert_int_equal(fx_dialog(&fx, CALL), 0);
	apart_calls_phone(&fx, &b);
	run(&fx, 2 * TANDEM_ICE_CONSENT_LOST_MS);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	assert_true(tandem_ice_counters(b.ice)->requests > 10);
	browser_close(&b);
	fx_clean(&fx);
}

/* Its RTCP has gone, and its media has not. */
static void consent_of_one(void **state)
{
	struct tandem_endpoint gone;
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS); /* it keeps asking */
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	gone = b.end[1].place;
	b.end[1].place = ep(PLACE, 1);
	assert_int_equal(tandem_ice_set_components(b.ice, 1, fx.now_ms), 0);
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 1000);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP));
	b.end[1].place = gone;
	browser_close(&b);
	fx_clean(&fx);
}

static void ice_restart(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP)->srtp_in->id;
	assert_int_equal(tandem_ice_restart(b.ice), 0);
	offer(&fx, &b, false);
	/* the old pairs carry until there are new ones */
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	browser_reads(&b);
	run(&fx, 2000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP)->srtp_in->id, id);
	browser_close(&b);
	fx_clean(&fx);
}

/* It takes to multiplexing, and then gives it up again, with the credentials that it has. */
static void to_mux_and_back(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in->id;
	offer(&fx, &b, true);
	assert_has(&fx, "a=rtcp-mux\r\n");
	assert_has_not(&fx, " 2 UDP ");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP, CALLEE ":5001");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP, PLACE ":7000");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in->id, id);
	run(&fx, 2000);

	tandem_dtls_free(b.end[1].dtls);
	b.end[1].dtls = NULL;
	b.end[1].relay = (struct tandem_endpoint){ 0 };
	queued = 0; /* the close_notify */
	assert_int_equal(tandem_ice_set_components(b.ice, 1, fx.now_ms), 0);
	assert_int_equal(tandem_ice_set_components(b.ice, 2, fx.now_ms), 0);
	offer(&fx, &b, false);
	assert_has_not(&fx, "rtcp-mux");
	assert_has(&fx, " 2 UDP ");
	assert_int_equal(tandem_dtls_alloc(&b.end[1].dtls, b.ctx,
					   &(struct tandem_dtls_config){ .client = true,
									 .ops = &browser_dtls,
									 .arg = &b.end[1] }),
			 0);
	browser_reads(&b);
	run(&fx, 2000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in->id, id);
	browser_close(&b);
	fx_clean(&fx);
}

/* An answer to such an offer cannot be taken: both components go on. */
static void mux_refused(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio("2001:db8::5", 4000, "")),
		-EAFNOSUPPORT);
	/* nor does anything that happens meanwhile change that */
	assert_int_equal(tandem_flows_sync(fx.ss, fx_session(&fx, CALL)), 0);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	browser_close(&b);
	fx_clean(&fx);
}

static void stored(void **state)
{
	struct browser b;
	struct fixture fx;
	char why[128];

	(void)state;
	open_world(&fx);
	apart_calls_phone(&fx, &b);
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	fx.ss->store = fx.store;
	tandem_session_save(fx.ss, fx_session(&fx, CALL));
	tandem_sessions_free(fx.ss);
	assert_int_equal(fx_start(&fx), 0);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_with_phone(&fx, &b, TANDEM_PARTY_A, CALLEE ":5001");
	browser_close(&b);
	fx_clean(&fx);
}

/* Candidates for RTP alone: it has no RTCP, and ICE is not to wait for it. */
static void no_rtcp(void **state)
{
	struct browser b;
	struct fixture fx;
	char text[4096], *at;
	const json_t *wire;
	json_t *js;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	strcpy(text, browser_sdp(&b, "actpass", false));
	at = strstr(text, "a=ice-options:trickle\r\n");
	memmove(at, at + 23, strlen(at + 23) + 1);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN, text), 0);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")), 0);
	assert_has_not(&fx, " 2 UDP ");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	js = tandem_session_json(fx.ss, CALL);
	wire = json_object_get(json_array_get(json_object_get(js, "media"), 0), "a");
	wire = json_object_get(json_object_get(wire, "security"), "wire");
	assert_string_equal(json_string_value(json_object_get(wire, "dtls")), "waiting");
	assert_string_equal(json_string_value(json_object_get(wire, "dtls_rtcp")), "none");
	json_decref(js);
	browser_close(&b);
	fx_clean(&fx);
}

/* RFC 8858: who takes nothing but rtcp-mux gets it, with DTLS and with plain RTP. */
static void mux_only(void **state)
{
	char text[4096];
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	snprintf(text, sizeof(text), "%sa=rtcp-mux-only\r\n", browser_sdp(&b, "actpass", false));
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN, text), 0);
	assert_has_not(&fx, "rtcp-mux-only");
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "a=rtcp-mux\r\n");
	assert_has_not(&fx, "rtcp-mux-only");
	browser_reads(&b);
	run(&fx, 2000);
	assert_keys(&fx, &b, TANDEM_PARTY_A);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	browser_close(&b);
	fx_clean(&fx);

	open_world(&fx);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, PLAIN, PLAIN,
				     audio(CALLER, 4000, "a=rtcp-mux\r\na=rtcp-mux-only\r\n")),
			 0);
	assert_has_not(&fx, "rtcp-mux-only");
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, PLAIN, PLAIN, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "a=rtcp-mux\r\n");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP, CALLEE ":5001");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP, CALLER ":4000");
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offered_without_mux),
		cmocka_unit_test(answered_without_mux),
		cmocka_unit_test(mux_taken),
		cmocka_unit_test(mux_on_one_side),
		cmocka_unit_test(full_agent),
		cmocka_unit_test(consent_of_one),
		cmocka_unit_test(ice_restart),
		cmocka_unit_test(to_mux_and_back),
		cmocka_unit_test(mux_refused),
		cmocka_unit_test(stored),
		cmocka_unit_test(no_rtcp),
		cmocka_unit_test(mux_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
