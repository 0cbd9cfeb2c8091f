/* SPDX-License-Identifier: GPL-2.0-only */
/* What the other party gets to see: the relay's addresses, and everything else as it was. */
#include "tests/unit/session_fixture.h"

/* Replaces each "$n" in want by the relay port that media n shows to `party`, "$n+" by the next. */
static void assert_sdp(struct fixture *fx, enum tandem_party_id party, const char *want)
{
	const struct tandem_session *s = fx_session(fx, CALL);
	const struct tandem_media_list *list = s->pending.n ? &s->pending : &s->agreed;
	char text[8192];
	size_t at = 0;

	for (; *want; want++) {
		if (*want != '$') {
			text[at++] = *want;
			continue;
		}
		at += sprintf(text + at, "%u",
			      list->v[want[1] - '0'].leg[party].port + (want[2] == '+'));
		want += 1 + (want[2] == '+');
	}
	text[at] = '\0';
	assert_string_equal(fx->sdp, text);
}

static void only_addresses_change(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	/* odd spacing, unknown lines, LF: all kept */
	assert_int_equal(
		fx_offer(&fx, TANDEM_PARTY_A,
			 "v=0\no=alice 123 456 IN IP4 192.0.2.10\ns=a call\n"
			 "c=IN IP4 192.0.2.10\nb=AS:64\nt=0 0\na=tool:x y\n"
			 "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n"
			 "a=fmtp:101 0-15\na=ptime:20\na=x-unknown: 1\na=sendrecv\n"),
		0);
	assert_sdp(&fx, TANDEM_PARTY_B,
		   "v=0\no=alice 123 456 IN IP4 10.0.0.2\ns=a call\n"
		   "c=IN IP4 10.0.0.2\nb=AS:64\nt=0 0\na=tool:x y\n"
		   "m=audio $0 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n"
		   "a=fmtp:101 0-15\na=ptime:20\na=x-unknown: 1\na=sendrecv\n");
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B,
				   "v=0\r\no=bob 1 1 IN IP4 198.51.100.20\r\ns=-\r\nt=0 0\r\n"
				   "m=audio 5000 RTP/AVP 8\r\nc=IN IP4 198.51.100.20\r\n"),
			 0);
	assert_sdp(&fx, TANDEM_PARTY_A,
		   "v=0\r\no=bob 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\n"
		   "m=audio $0 RTP/AVP 8\r\nc=IN IP4 10.0.0.1\r\n");
	fx_clean(&fx);
}

static void rtcp_attribute(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A,
		 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
		 "m=audio 4000 RTP/AVP 0\r\na=rtcp:4009\r\n"
		 "m=video 4002 RTP/AVP 31\r\na=rtcp:4109 IN IP4 192.0.2.11\r\n"
		 "m=audio 4004 RTP/AVP 0\r\na=rtcp:4004\r\na=rtcp-mux\r\n");
	assert_sdp(&fx, TANDEM_PARTY_B,
		   "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
		   "m=audio $0 RTP/AVP 0\r\na=rtcp:$0+\r\n"
		   "m=video $1 RTP/AVP 31\r\na=rtcp:$1+ IN IP4 10.0.0.2\r\n"
		   "m=audio $2 RTP/AVP 0\r\na=rtcp:$2\r\na=rtcp-mux\r\n");
	fx_answer(
		&fx, TANDEM_PARTY_B,
		"v=0\r\no=- 1 1 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n"
		"m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 31\r\n"
		"m=audio 5004 RTP/AVP 0\r\na=rtcp-mux\r\n");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP), "192.0.2.10:4009");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP, "192.0.2.10:4009");
	assert_remote(fx_flow(&fx, 1, TANDEM_PARTY_A, TANDEM_RTCP), "192.0.2.11:4109");
	/* rtcp-mux: one flow each way, both egresses */
	assert_null(fx_flow(&fx, 2, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_egress(fx_flow(&fx, 2, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP,
		      "198.51.100.20:5004");
	assert_egress(fx_flow(&fx, 2, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP,
		      "198.51.100.20:5004");
	assert_int_equal(fx.plane.n, 10);
	fx_clean(&fx);
}

/* Where security passes from end to end. */
static void ice_and_bundle_are_removed(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.security = TANDEM_SECURITY_PASS;
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	assert_int_equal(
		fx_offer(&fx, TANDEM_PARTY_A,
			 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 "
			 "0\r\n"
			 "a=ice-lite\r\na=group:BUNDLE 0 1\r\na=group:LS 0 1\r\n"
			 "a=ice-options:trickle\r\n"
			 "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
			 "a=ice-pwd:0123456789012345678901\r\n"
			 "a=candidate:1 1 UDP 1 192.0.2.10 4000 typ host\r\n"
			 "a=candidate:2 1 UDP 2 192.0.2.11 4000 typ host\r\n"
			 "a=end-of-candidates\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"
			 "m=video 4002 RTP/SAVP 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
			 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=ice-mismatch\r\n"
			 "m=video 0 RTP/SAVP 96\r\na=bundle-only\r\n"),
		0);
	assert_sdp(&fx, TANDEM_PARTY_B,
		   "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
		   "a=group:LS 0 1\r\n"
		   "m=audio $0 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
		   "a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"
		   "m=video $1 RTP/SAVP 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
		   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n"
		   "m=video 0 RTP/SAVP 96\r\na=bundle-only\r\n");
	fx_clean(&fx);
}

/* Media that passes beside the relay keeps its address, even one taken from the session. */
static void mixed_with_media_not_relayed(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A,
		 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
		 "m=audio 4000 RTP/AVP 0\r\nm=message 2855 TCP/MSRP *\r\n"
		 "m=audio 4002 TCP/RTP/AVP 0\r\n");
	assert_sdp(&fx, TANDEM_PARTY_B,
		   "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
		   "m=audio $0 RTP/AVP 0\r\nc=IN IP4 10.0.0.2\r\nm=message 2855 TCP/MSRP *\r\n"
		   "m=audio 4002 TCP/RTP/AVP 0\r\n");
	fx_clean(&fx);
}

static void families(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer_from(&fx, CALL, TANDEM_PARTY_A, "2001:db8:a::10", CALLEE,
				       audio("2001:db8:a::10", 4000, "")),
			 0);
	assert_has(&fx, "o=- 1 1 IN IP4 10.0.0.2\r\n");
	assert_has(&fx, "c=IN IP4 10.0.0.2\r\n");
	/* an answer in the family that was not offered cannot be sent to */
	assert_int_equal(fx_answer_from(&fx, CALL, TANDEM_PARTY_B, CALLEE, "2001:db8:a::10",
					audio("2001:db8:b::20", 5000, "")),
			 -EAFNOSUPPORT);
	assert_int_equal(fx_answer_from(&fx, CALL, TANDEM_PARTY_B, CALLEE, "2001:db8:a::10",
					audio(CALLEE, 5000, "")),
			 0);
	assert_has(&fx, "c=IN IP6 2001:db8:1::1\r\n");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "[2001:db8:a::10]:4000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP,
		      "198.51.100.20:5000");
	/* the caller changes over to IPv4: another pair, so another flow */
	assert_int_equal(
		fx_offer_from(&fx, CALL, TANDEM_PARTY_A, CALLER, CALLEE, audio(CALLER, 4000, "")),
		0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "c=IN IP4 10.0.0.1\r\n");
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(tandem_ports_available(fx.ss->ports, 2), 100);
	assert_int_equal(fx_free_ports(&fx), 298);
	fx_clean(&fx);
}

static void no_address_of_that_family(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.locals_count = 2;
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer_from(&fx, CALL, TANDEM_PARTY_A, CALLER, "2001:db8:b::20",
				       audio(CALLER, 4000, "")),
			 -EAFNOSUPPORT);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A,
				  "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\n"
				  "c=IN IP4 phone.example.org\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n"),
			 -EAFNOSUPPORT);
	assert_int_equal(fx_free_ports(&fx), 200);
	fx_clean(&fx);
}

/* 0.0.0.0 towards IPv6 is said by the direction. */
static void hold_by_address_across_families(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer_from(&fx, CALL, TANDEM_PARTY_A, CALLER, "2001:db8:b::20",
				       audio("0.0.0.0", 4000, "")),
			 0);
	assert_has(&fx, "c=IN IP6 2001:db8:1::1\r\n");
	assert_has(&fx, "a=sendonly\r\n");
	assert_int_equal(fx_answer_from(&fx, CALL, TANDEM_PARTY_B, "2001:db8:b::20", CALLER,
					audio("2001:db8:b::20", 5000, "")),
			 0);
	/* the caller was never heard of: its port is open, and expects nobody */
	assert_true(tandem_ip_is_any(&fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.remote));
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->egress[EGRESS_RTP].flags);
	fx_clean(&fx);
}

static void advertised_address(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.advertise[1] = ip("203.0.113.7");
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	assert_has(&fx, "o=- 1 1 IN IP4 203.0.113.7\r\n");
	assert_has(&fx, "c=IN IP4 203.0.113.7\r\n");
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_has(&fx, "c=IN IP4 10.0.0.1\r\n");
	assert_endpoint(&fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local, htons(1),
			"10.0.0.2:1");
	fx_clean(&fx);
}

/* No route, or one from an address that is not ours: the first of the family. */
static void local_without_route(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer_from(&fx, CALL, TANDEM_PARTY_A, CALLER, "203.0.113.99", audio(CALLER, 4000, ""));
	assert_has(&fx, "c=IN IP4 10.0.0.1\r\n");
	fx_clean(&fx);
}

/* Ports of one m= line stay from offer to offer, whoever offers. */
static void ports_are_stable(void **state)
{
	struct fixture fx;
	char *first;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	first = fx.sdp; /* what the caller sees */
	fx.sdp = NULL;
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_string_equal(fx.sdp, first);
	free(first);
	fx_clean(&fx);
}

static void layered_ports(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A,
		 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n"
		 "m=video 4000/2 RTP/AVP 31\r\nc=IN IP4 192.0.2.10\r\n");
	assert_sdp(&fx, TANDEM_PARTY_B,
		   "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nt=0 0\r\n"
		   "m=video $0 RTP/AVP 31\r\nc=IN IP4 10.0.0.2\r\n");
	fx_clean(&fx);
}

/* The offerer has not offered the second media, so the answer to it cannot have it. */
static void answer_takes_what_was_not_offered(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A,
				  audio("192.0.2.10", 4000, "m=video 0 RTP/AVP 96\r\n")),
			 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B,
				   audio("198.51.100.20", 5000, "m=video 5002 RTP/AVP 96\r\n")),
			 0);
	assert_has(&fx, "m=video 0 RTP/AVP 96\r\n");
	assert_has_not(&fx, "198.51.100.20");
	/* and one that was taken back, whose ports are there yet */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A,
				  audio("192.0.2.10", 0, "m=video 4002 RTP/AVP 96\r\n")),
			 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B,
				   audio("198.51.100.20", 5000, "m=video 5002 RTP/AVP 96\r\n")),
			 0);
	assert_has(&fx, "m=audio 0 RTP/AVP 0 8 101\r\n");
	assert_has_not(&fx, "m=video 0 ");
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_addresses_change),
		cmocka_unit_test(rtcp_attribute),
		cmocka_unit_test(ice_and_bundle_are_removed),
		cmocka_unit_test(mixed_with_media_not_relayed),
		cmocka_unit_test(families),
		cmocka_unit_test(no_address_of_that_family),
		cmocka_unit_test(hold_by_address_across_families),
		cmocka_unit_test(advertised_address),
		cmocka_unit_test(local_without_route),
		cmocka_unit_test(ports_are_stable),
		cmocka_unit_test(layered_ports),
		cmocka_unit_test(answer_takes_what_was_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
