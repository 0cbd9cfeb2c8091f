/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptions by which a party would make the relay send where it must not. */
#include "tests/unit/session_fixture.h"

static void answered(struct fixture *fx, const char *answer, int want)
{
	assert_int_equal(fx_offer(fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	if (fx_answer(fx, TANDEM_PARTY_B, answer) != want)
		fail_msg("taken, or refused otherwise:\n%s", answer);
	assert_int_equal(fx->plane.n, 0);
	assert_int_equal(tandem_session_rollback(fx->ss, CALL), 0);
}

/* An answer keeps the transport of the offer: with another it would pass unchecked. */
static void transport_changes_in_answer(void **state)
{
	static const char *const protos[] = { "udptl", "TCP/RTP/AVP", "RTP" };
	struct fixture fx;
	char text[256];
	size_t i;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof(text),
			 "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
			 "t=0 0\r\nm=audio 5000 %s 0\r\n",
			 protos[i]);
		answered(&fx, text, -EPROTO);
	}
	fx_clean(&fx);
}

/* IPv4 addresses in IPv6's clothes: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056). */
static void embedded_addresses(void **state)
{
	static const char *const hosts[] = {
		"::ffff:127.0.0.1",	"::127.0.0.1",	  "64:ff9b::127.0.0.1",
		"64:ff9b::169.254.9.9", "2002:7f00:1::1", "2002:a9fe:909::",
	};
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (fx_offer(&fx, TANDEM_PARTY_A, audio(hosts[i], 4000, "")) != -EACCES)
			fail_msg("not denied: %s", hosts[i]);
	}
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("2002:c000:20a::1", 4000, "")), 0);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("64:ff9b::c000:20a", 4000, "")), 0);
	fx_clean(&fx);
}

/* Other services of the host, which would be sent what anybody likes. */
static void addresses_of_the_host(void **state)
{
	static const char *const hosts[] = {
		"10.0.0.9",	   "10.0.0.1",	     "203.0.113.7",   "2001:db8:1::1",
		"::ffff:10.0.0.9", "64:ff9b::a00:9", "2002:a00:9::1", "192.0.2.255",
	};
	struct fixture fx;
	size_t i;

	(void)state;
	fx_init(&fx);
	fx.cfg.deny_self = true;
	fx.cfg.advertise[1] = ip("203.0.113.7");
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (fx_offer(&fx, TANDEM_PARTY_A, audio(hosts[i], 4000, "")) != -EACCES)
			fail_msg("not refused: %s", hosts[i]);
	}
	assert_int_equal(
		fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "a=rtcp:53 IN IP4 10.0.0.9\r\n")),
		-EACCES);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio("10.0.0.9", 5000, "")), -EACCES);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("10.0.0.9", 4000, "")), -EACCES);
	fx_clean(&fx);
}

/* What is allowed is so although it is denied; the relay's own ports are not. */
static void allowed_addresses(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		int err;
	} cases[] = {
		{ "10.0.0.9", 4000, 0 },	   { "169.254.7.7", 4000, 0 },
		{ "::ffff:169.254.7.8", 4000, 0 }, { "169.254.8.8", 4000, -EACCES },
		{ "10.0.0.1", 4000, 0 },	   { "10.0.0.1", 16400, -EACCES },
		{ "10.0.0.2", 4000, -EACCES },
	};
	static const char *const allow[] = { "10.0.0.9", "10.0.0.1/32", "169.254.7.0/24" };
	struct fixture fx;
	size_t i;

	(void)state;
	fx_init(&fx);
	fx.cfg.deny_self = true;
	for (i = 0; i < 3; i++)
		assert_int_equal(tandem_prefix_parse(&fx.cfg.allow[i], allow[i]), 0);
	fx.cfg.allow_count = 3;
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (fx_offer(&fx, TANDEM_PARTY_A, audio(cases[i].host, cases[i].port, "")) !=
		    cases[i].err)
			fail_msg("%s", cases[i].host);
	}
	fx_clean(&fx);
}

/* Written as IPv6, but reached by IPv4. */
static void mapped_address_is_ipv4(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("::ffff:" CALLER, 4000, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "c=IN IP4 10.0.0.1\r\n");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":4000");
	fx_clean(&fx);
}

/*
 * Two parties that each name the relay's port facing them would have a packet go
 * round inside the relay for ever.
 */
static void media_ports_of_the_relay(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.advertise[1] = ip("203.0.113.2");
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("10.0.0.1", 16384, "")), -EACCES);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("203.0.113.2", 16583, "")), -EACCES);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A,
				  audio(CALLER, 4000, "a=rtcp:16400 IN IP4 10.0.0.2\r\n")),
			 -EACCES);
	answered(&fx, audio("10.0.0.2", 16500, ""), -EACCES);
	/* RTCP goes to the port above */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("10.0.0.1", 16383, "")), -EACCES);
	/* a phone on the relay's own host */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("10.0.0.1", 16584, "")), 0);
	fx_clean(&fx);
}

/* Every m= line is a slot; an offer of too many leaves nothing taken behind. */
static void ports_run_out_halfway(void **state)
{
	char extra[4096] = "";
	struct fixture fx;
	size_t i, ports;

	(void)state;
	fx_init(&fx);
	fx.cfg.port_max = 16384 + 2 * 10 - 1;
	assert_int_equal(fx_start(&fx), 0);
	fx_dialog(&fx, CALL);
	for (i = 0; i < 20; i++)
		strcat(extra, "m=audio 4002 RTP/AVP 0\r\n");
	ports = fx_free_ports(&fx);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, extra)), -ENOSPC);
	assert_int_equal(fx_free_ports(&fx), ports);
	/* and with a call that is up, which goes on */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	ports = fx_free_ports(&fx);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, extra)), -ENOSPC);
	assert_int_equal(fx_free_ports(&fx), ports);
	assert_int_equal(fx.plane.n, 4);
	fx_clean(&fx);
}

/* What RFC 3264 8.2 allows: a slot that was rejected is taken by another kind of media. */
static void slot_is_recycled(void **state)
{
	struct fixture fx;
	uint64_t id;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id;
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 0, ""));
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 0, "")), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B,
				  "v=0\r\no=- 1 2 IN IP4 " CALLEE "\r\ns=-\r\nc=IN IP4 " CALLEE
				  "\r\nt=0 0\r\nm=video 5000 RTP/AVP 34\r\na=rtcp-mux\r\n"),
			 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A,
				   "v=0\r\no=- 1 2 IN IP4 " CALLER "\r\ns=-\r\nc=IN IP4 " CALLER
				   "\r\nt=0 0\r\nm=video 4000 RTP/AVP 34\r\na=rtcp-mux\r\n"),
			 0);
	assert_int_equal(fx.plane.n, 2);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id != id);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->pts.pt[0], 34);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->pts.clock_hz[1], 0);
	fx_clean(&fx);
}

/* BUNDLE is not passed on: an answer that claims it all the same has no say. */
static void bundle_in_answer_only(void **state)
{
	static const char body[] = "m=audio %u RTP/AVP 0\r\na=mid:0\r\n"
				   "m=video %u RTP/AVP 34\r\na=mid:1\r\n";
	char text[512];
	struct fixture fx;
	int n;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	n = snprintf(text, sizeof(text),
		     "v=0\r\no=- 1 1 IN IP4 " CALLER "\r\ns=-\r\nc=IN IP4 " CALLER
		     "\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
	snprintf(text + n, sizeof(text) - n, body, 4000, 4002);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, text), 0);
	assert_has_not(&fx, "BUNDLE");
	n = snprintf(text, sizeof(text),
		     "v=0\r\no=- 1 1 IN IP4 " CALLEE "\r\ns=-\r\nc=IN IP4 " CALLEE
		     "\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
	snprintf(text + n, sizeof(text) - n, body, 5000, 5002);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, text), 0);
	assert_remote(fx_flow(&fx, 1, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":4002");
	assert_remote(fx_flow(&fx, 1, TANDEM_PARTY_B, TANDEM_RTP), CALLEE ":5002");
	fx_clean(&fx);
}

/* Ports at the very end, names and zones in place of addresses. */
static void edges(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("phone.example.org", 4000, "")),
			 -EAFNOSUPPORT);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("2001:db8::1%eth0", 4000, "")),
			 -EAFNOSUPPORT);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 65536, "")), -EBADMSG);
	/* no port is left for RTCP: there is none, and RTP passes */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 65535, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5001, "")), 0);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP));
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, CALLEE ":5001");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, CALLER ":65535");
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_changes_in_answer),
		cmocka_unit_test(embedded_addresses),
		cmocka_unit_test(addresses_of_the_host),
		cmocka_unit_test(allowed_addresses),
		cmocka_unit_test(mapped_address_is_ipv4),
		cmocka_unit_test(media_ports_of_the_relay),
		cmocka_unit_test(ports_run_out_halfway),
		cmocka_unit_test(slot_is_recycled),
		cmocka_unit_test(bundle_in_answer_only),
		cmocka_unit_test(edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
