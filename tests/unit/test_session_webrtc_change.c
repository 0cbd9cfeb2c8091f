/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls with browsers that change: other descriptions, new ICE credentials and
 * keys, places that are gone, and a relay that is started again.
 */
#include "tests/unit/webrtc_fixture.h"

/* A re-INVITE that changes nothing of the transport, from either side. */
static void reinvite(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4100, "")), 0);
	browser_reads(&b); /* the same credentials and fingerprint */
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, browser_sdp(&b, "active", true)),
		0);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, CALLER ":4100");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");

	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_has(&fx, " RTP/AVP 0 8\r\n");
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4100, "")), 0);
	/* the relay keeps its role */
	assert_has(&fx, "a=setup:passive\r\n");
	browser_reads(&b);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	browser_close(&b);
	fx_clean(&fx);
}

/* The browser restarts ICE, from another place: media follows, keys stay. */
static void ice_restart(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	assert_int_equal(tandem_ice_restart(b.ice), 0);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browser_reads(&b);
	run(&fx, 2000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), PLACE ":7000");
	browser_close(&b);
	fx_clean(&fx);
}

/*
 * The offer of a restart is refused, or its answer cannot be taken: the browser goes on as before,
 * and so does the relay, also in what it writes next.
 */
static void refused_ice_restart(void **state)
{
	struct browser b;
	struct fixture fx;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char before[64];

		phone_calls_browser(&fx, &b, "active");
		snprintf(before, sizeof(before), "a=ice-ufrag:%s\r\n",
			 tandem_ice_remote_ufrag(b.ice));
		assert_int_equal(tandem_ice_restart(b.ice), 0);
		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
					     browser_sdp(&b, "actpass", true)),
				 0);
		if (i)
			assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS,
						     audio("2001:db8::5", 4000, "")),
					 -EAFNOSUPPORT);
		assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
		assert_int_equal(tandem_ice_rollback(b.ice), 0);
		run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
		assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
		assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), PLACE ":7000");

		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
					     browser_sdp(&b, "actpass", true)),
				 0);
		assert_int_equal(
			fx_describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")),
			0);
		assert_has(&fx, before);
		browser_close(&b);
		fx_clean(&fx);
	}
}

/* Another certificate is another association; old keys are tried until there are new ones. */
static void another_association(void **state)
{
	const struct tandem_flow_spec *spec;
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	id = spec->srtp_in->id;
	tandem_dtls_free(b.end[0].dtls);
	b.end[0].dtls = NULL;
	tandem_dtls_context_put(b.ctx);
	assert_int_equal(tandem_dtls_context_alloc(&b.ctx, NULL), 0);
	queued = 0; /* the close_notify */
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	assert_int_equal(spec->srtp_in->id, id);
	browser_reads(&b);
	run(&fx, 500);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	assert_int_not_equal(spec->srtp_in->id, id);
	assert_int_equal(spec->srtp_in_old->id, id);
	fx.now_ms += TANDEM_OLD_KEY_MS;
	tandem_sessions_tick(fx.ss);
	assert_null(spec->srtp_in_old);
	browser_close(&b);
	fx_clean(&fx);
}

/* Who does not answer checks is sent nothing any more (RFC 7675). */
static void consent(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	run(&fx, 30000); /* it keeps asking */
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browsers[0] = NULL; /* gone */
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 1000);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->egress[EGRESS_RTP].flags);
	browsers[0] = &b;
	browser_close(&b);
	fx_clean(&fx);
}

static void restart(void **state)
{
	const struct tandem_flow_spec *spec;
	struct browser b;
	struct fixture fx;
	char why[128], *text;
	uint64_t id;
	json_t *js;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	fx.ss->store = fx.store;
	tandem_session_save(fx.ss, fx_session(&fx, CALL));
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	js = tandem_session_json(fx.ss, CALL);
	text = json_dumps(js, 0);
	assert_non_null(strstr(text, "\"dtls\": \"connected\""));
	assert_null(strstr(text, tandem_ice_pwd(b.ice)));
	free(text);
	json_decref(js);

	tandem_sessions_free(fx.ss);
	assert_int_equal(fx_start(&fx), 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	assert_int_equal(spec->srtp_in->id, id);
	assert_remote(spec, PLACE ":7000");
	assert_true(spec->flags & RULE_F_ICE);
	/* checks are answered as before */
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browser_close(&b);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reinvite),
		cmocka_unit_test(ice_restart),
		cmocka_unit_test(refused_ice_restart),
		cmocka_unit_test(another_association),
		cmocka_unit_test(consent),
		cmocka_unit_test(restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
