/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls with browsers: what each side gets to see, and what comes about. */
#include "tests/unit/webrtc_fixture.h"

static void browser_calls_phone(void **state)
{
	struct tandem_flow_spec *from_a, *from_b;
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_has(&fx, " RTP/AVP 0 8\r\nc=IN IP4 10.0.0.2\r\n");
	assert_has(&fx, "a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n");
	assert_has_not(&fx, "ice");
	assert_has_not(&fx, "candidate");
	assert_has_not(&fx, "fingerprint");
	assert_has_not(&fx, "setup");
	assert_has_not(&fx, "BUNDLE");
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "a=setup:passive\r\n");
	assert_has(&fx, "a=mid:0\r\n");
	assert_has(&fx, " UDP/TLS/RTP/SAVPF 0 8");
	/* nothing goes to the browser, nor from it, before it is known and has keys */
	from_a = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	from_b = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	assert_true(from_a->flags & RULE_F_ICE && from_a->flags & RULE_F_DTLS);
	assert_true(tandem_ip_is_any(&from_a->key.remote));
	assert_false(from_a->egress[EGRESS_RTP].flags);
	assert_false(from_b->egress[EGRESS_RTP].flags);
	assert_false(from_b->flags & (RULE_F_ICE | RULE_F_DTLS));

	tandem_session_confirm(fx.ss, CALL);
	assert_verdict(&fx, "no keys with the caller: ICE has not found it");
	browser_reads(&b);
	run(&fx, 2000);
	assert_verdict(&fx, "no media");
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_int_equal(tandem_dtls_state(b.end[0].dtls), TANDEM_DTLS_CONNECTED);
	assert_remote(from_a, PLACE ":7000");
	assert_egress(from_b, EGRESS_RTP, PLACE ":7000");
	assert_keys(&fx, &b, TANDEM_PARTY_A);
	assert_counted(&fx, "{\"started\":1,\"connected\":1}");
	assert_null(from_b->srtp_in);
	assert_null(from_a->srtp_out);

	/* rtcp-mux on one side alone */
	assert_egress(from_a, EGRESS_RTP, CALLEE ":5000");
	assert_egress(from_a, EGRESS_RTCP, CALLEE ":5001");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	from_b = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP);
	assert_egress(from_b, EGRESS_RTCP, PLACE ":7000");
	assert_int_equal(from_b->egress[EGRESS_RTCP].local_port, from_a->key.local_port);
	browser_close(&b);
	fx_clean(&fx);
}

static void phone_calls_browsers(void **state)
{
	static const char *const setups[] = { "active", "passive" };
	struct browser b;
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		phone_calls_browser(&fx, &b, setups[i]);
		assert_int_equal(b.client, !i);
		browser_close(&b);
		fx_clean(&fx);
	}
}

/* Nothing said of either: WebRTC is ended on both sides all the same. */
static void browser_calls_browser(void **state)
{
	struct browser a, b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&a, &fx, PLACE, true);
	browser_open(&b, &fx, "198.51.100.99", false);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, AUTO,
				     browser_sdp(&a, "actpass", true)),
			 0);
	browser_reads(&b);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, AUTO, browser_sdp(&b, "active", true)),
		0);
	browser_reads(&a);
	run(&fx, 2000);
	assert_keys(&fx, &a, TANDEM_PARTY_A);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP,
		      "198.51.100.99:7000");
	assert_int_equal(fx.plane.n, 2);
	browser_close(&b);
	browser_close(&a);
	fx_clean(&fx);
}

static void what_is_refused(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, false);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS,
				     browser_sdp(&b, "holdconn", true)),
			 -EPROTO);
	/* no fingerprint that counts */
	assert_int_equal(
		fx_describe(
			&fx, TANDEM_PARTY_B, true, AUTO, DTLS,
			"v=0\r\no=- 1 1 IN IP4 198.51.100.20\r\ns=-\r\n"
			"c=IN IP4 198.51.100.20\r\nt=0 0\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n"
			"a=setup:active\r\na=fingerprint:sha-1 "
			"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\r\n"),
		-EPROTO);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, audio(CALLEE, 5000, "")),
		-EPROTO);
	assert_int_equal(fx.plane.n, 0);
	browser_close(&b);
	fx_clean(&fx);
}

/* DTLS-SRTP by a phone without ICE: the address of its description it is. */
static void without_ice(void **state)
{
	char fp[TANDEM_DTLS_FINGERPRINT_STRLEN], text[2048];
	const struct tandem_flow_spec *rtcp;
	struct tandem_srtp in, out;
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open_with(&b, &fx, CALLEE, false, 2);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	tandem_dtls_fingerprint_format(tandem_dtls_context_fingerprint(b.ctx), fp, sizeof(fp));
	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 " CALLEE "\r\ns=-\r\nc=IN IP4 " CALLEE "\r\nt=0 0\r\n"
		 "m=audio 7000 UDP/TLS/RTP/SAVPF 0\r\na=setup:active\r\na=fingerprint:%s\r\n",
		 fp);
	browser_reads(&b);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, text), 0);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), CALLEE ":7000");
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->flags & RULE_F_ICE);
	b.end[0].relay = (struct tandem_endpoint){
		fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local,
		ntohs(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local_port)
	};
	b.end[1].relay = b.end[0].relay;
	b.end[1].relay.port++;
	run(&fx, 500);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	/* and another handshake at its port of RTCP */
	rtcp = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP);
	assert_remote(rtcp, CALLEE ":7001");
	assert_int_equal(rtcp->flags & (RULE_F_DTLS | RULE_F_ICE), RULE_F_DTLS);
	assert_int_equal(tandem_dtls_keys(b.end[1].dtls, &in, &out), 0);
	assert_true(tandem_sdes_same_keys(rtcp->srtp_in, &out));
	assert_egress(rtcp, EGRESS_RTCP, CALLER ":4001");
	rtcp = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP);
	assert_true(tandem_sdes_same_keys(rtcp->srtp_out, &in));
	assert_egress(rtcp, EGRESS_RTCP, CALLEE ":7001");
	browser_close(&b);
	fx_clean(&fx);
}

#define BUNDLED(mid, media)                                                                        \
	media "c=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=rtcp-mux\r\na=setup:actpass\r\n"             \
	      "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                           \
	      "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"             \
	      "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"

/* RTCP of all SSRCs of the caller's bundle leaves by each transport of the callee's. */
static void room_beside_a_bundle(void **state)
{
	static const char offer[] =
		"v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" BUNDLED(
			"0", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n")
			BUNDLED("1", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n");
	const struct tandem_leg_keys *keys;
	char answer[8192];
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, "198.51.100.99", false);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, DTLS, DTLS, offer), 0);
	browser_reads(&b);
	snprintf(
		answer, sizeof(answer), "%s%s", browser_sdp(&b, "active", true),
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\n"
		"a=mid:1\r\na=rtcp-mux\r\na=setup:active\r\na=ice-ufrag:efgh\r\n"
		"a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:"
		"08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n");
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, DTLS, DTLS, answer), 0);
	run(&fx, 2000);
	assert_non_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan);
	keys = &fx_session(&fx, CALL)->agreed.v[0].leg[TANDEM_PARTY_B].secure.rtp;
	assert_true(keys->out.suite);
	assert_int_equal(keys->out.streams, TANDEM_BUNDLE_STREAMS);
	browser_close(&b);
	fx_clean(&fx);
}

static bool keyed; /* the flow of the caller's media, when DTLS was last sent */

static int send_noting(struct tandem_plane *plane, const struct tandem_endpoint *local,
		       const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	const struct tandem_flow_spec *flow = fx_flow((struct fixture *)plane, 0, TANDEM_PARTY_A,
						      TANDEM_RTP);
	const unsigned char *first = payload;

	if (*first >= 20 && *first < 64)
		keyed = flow && flow->srtp_in;
	return relay_send(plane, local, remote, payload, len);
}

/* What the relay says last in a handshake allows the browser to send: first come the flows. */
static void flows_before_the_last_flight(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.env.send = send_noting;
	assert_int_equal(fx_start(&fx), 0);
	assert_int_equal(fx_dialog(&fx, CALL), 0);
	browser_open(&b, &fx, PLACE, true);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN,
				     browser_sdp(&b, "actpass", true)),
			 0);
	assert_int_equal(
		fx_describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "a=setup:passive\r\n");
	browser_reads(&b);
	keyed = false;
	run(&fx, 2000);
	assert_keys(&fx, &b, TANDEM_PARTY_A);
	assert_true(keyed);
	browser_close(&b);
	fx_clean(&fx);
}

/* It is no WebRTC: where nothing is said of either side, it passes. */
static void without_mux(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, AUTO, AUTO,
				     browser_sdp(&b, "actpass", false)),
			 0);
	assert_has(&fx, " UDP/TLS/RTP/SAVPF 0 8\r\n");
	assert_has(&fx, "a=fingerprint:");
	assert_has_not(&fx, "ice-ufrag");
	assert_null(fx_session(&fx, CALL)->pending.v[0].leg[1].secure.wire);
	browser_close(&b);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(browser_calls_phone),
		cmocka_unit_test(phone_calls_browsers),
		cmocka_unit_test(browser_calls_browser),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(without_ice),
		cmocka_unit_test(room_beside_a_bundle),
		cmocka_unit_test(flows_before_the_last_flight),
		cmocka_unit_test(without_mux),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
