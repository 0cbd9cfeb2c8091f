/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls through the proxy, as stories between two sockets. */
#include "tests/unit/sip_call.h"

static void basic_call(void **state)
{
	struct call c;
	const char *inv;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "basic", OFFER, ANSWER);

	inv = c.invite;
	assert_non_null(strstr(inv, "X-Odd:   a ,b;c=\"d\"  e\r\n"));
	assert_string_equal(header(inv, "Max-Forwards"), "69");
	assert_non_null(strstr(header_n(inv, "Via", 1), ";received=127.0.0.1"));
	assert_null(header_n(inv, "Via", 2));
	assert_non_null(strstr(header(inv, "Record-Route"), RELAY ";lr>"));
	assert_null(header_n(inv, "Record-Route", 1));
	assert_anchored(body(inv), "30000");
	assert_anchored(body(c.ok), "30002");
	assert_null(header_n(c.ok, "Via", 1));
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);

	hang_up(&c);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void mixed_transports_and_families(void **state)
{
	static const struct {
		int af_a, af_b;
		bool tcp_a, tcp_b;
	} cases[] = {
		{ AF_INET, AF_INET6, false, false }, { AF_INET6, AF_INET, false, false },
		{ AF_INET, AF_INET, true, false },   { AF_INET, AF_INET, false, true },
		{ AF_INET6, AF_INET, true, true },
	};
	char id[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call c;

		open_call(&c, *state, cases[i].af_a, cases[i].tcp_a, cases[i].af_b, cases[i].tcp_b);
		snprintf(id, sizeof(id), "mixed%zu", i);
		establish(&c, id, cases[i].af_a == AF_INET ? OFFER : SDP6("30000"),
			  cases[i].af_b == AF_INET ? ANSWER : SDP6("30002"));
		assert_non_null(header_n(c.invite, "Record-Route", 1));
		assert_non_null(strstr(body(c.invite), cases[i].af_b == AF_INET ? "IP4" : "IP6"));

		/* bob reaches alice, on her connection where there is one */
		bob_request(&c, "INFO", 5, NULL);
		peer_expect(&c.alice, "INFO ");
		assert_null(header(c.alice.msg, "Route"));
		peer_send(&c.alice, NULL,
			  "SIP/2.0 200 OK\n%sFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %s\n",
			  headers(c.alice.msg, "Via"), header(c.alice.msg, "From"),
			  header(c.alice.msg, "To"), header(c.alice.msg, "Call-ID"),
			  header(c.alice.msg, "CSeq"));
		peer_expect(&c.bob, "SIP/2.0 200");
		hang_up(&c);
		close_call(&c);
	}
}

static void survives_a_restart(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET6, false);
	establish(&c, "restart", OFFER, SDP6("30002"));
	world_restart(c.w);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);

	bob_request(&c, "INFO", 7, NULL);
	peer_expect(&c.alice, "INFO ");
	alice_request(&c, "BYE", 2, NULL, NULL);
	peer_expect(&c.bob, "BYE ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void late_offer(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "late", NULL);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 200"));
	assert_anchored(body(c.ok), "30002");
	alice_request(&c, "ACK", 1, NULL, OFFER);
	peer_expect(&c.bob, "ACK ");
	assert_anchored(body(c.bob.msg), "30000");
	hang_up(&c);
	close_call(&c);
}

static void repeated_2xx_is_passed_on_unchanged(void **state)
{
	struct call c;
	char first[MSG_SIZE];

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "repeat", OFFER, ANSWER);
	strcpy(first, c.ok);
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	assert_string_equal(body(peer_expect(&c.alice, "SIP/2.0 200")), body(first));
	alice_request(&c, "ACK", 1, NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	hang_up(&c);
	close_call(&c);
}

static void prack_and_update(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "prack", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "183 Session Progress", "Require: 100rel\nRSeq: 1\n", ANSWER);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 183"));
	assert_anchored(body(c.ok), "30002");
	alice_request(&c, "PRACK", 2, "RAck: 1 1 INVITE\n", NULL);
	peer_expect(&c.bob, "PRACK ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");

	alice_request(&c, "UPDATE", 3, "Contact: <sip:alice@127.0.0.1>\n",
		      SDP("127.0.0.1", "30010"));
	peer_expect(&c.bob, "UPDATE ");
	assert_anchored(body(c.bob.msg), "30010");
	respond(&c, c.bob.msg, "200 OK", NULL, ANSWER);
	assert_anchored(body(peer_expect(&c.alice, "SIP/2.0 200")), "30002");

	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	peer_expect(&c.alice, "SIP/2.0 200");
	alice_request(&c, "ACK", 1, NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	hang_up(&c);
	close_call(&c);
}

static void refused_reinvite_leaves_the_call(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "reinvite", OFFER, ANSWER);
	alice_request(&c, "INVITE", 2, "Contact: <sip:alice@127.0.0.1>\n",
		      SDP("127.0.0.1", "30020"));
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	assert_anchored(body(c.bob.msg), "30020");
	respond(&c, c.bob.msg, "488 Not Acceptable Here", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 488");
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);

	alice_request(&c, "ACK", 2, NULL, NULL);
	bob_request(&c, "BYE", 3, NULL);
	peer_expect(&c.alice, "BYE ");
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void cancel_is_hop_by_hop(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "cancel", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 180");
	peer_send(&c.alice, NULL,
		  "CANCEL sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKcancel;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: cancel\nCSeq: 1 CANCEL\n",
		  c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 200");
	peer_expect(&c.bob, "CANCEL ");
	assert_string_equal(header(c.bob.msg, "Via"), header(c.invite, "Via"));
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	respond(&c, c.invite, "487 Request Terminated", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 487");
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void rejection_ends_the_session(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "busy", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	respond(&c, c.invite, "486 Busy Here", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 486");
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void broken_sdp_is_488_with_a_warning(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "broken", "v=0\r\nthis is no session description\r\n");
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.alice, "SIP/2.0 488");
	assert_non_null(strstr(header(c.alice.msg, "Warning"), "399 " RELAY " \""));
	peer_expect_nothing(&c.bob, 50);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void simple_request(struct peer *p, const char *line, const char *extra)
{
	static unsigned int n;

	n++;
	peer_send(p, NULL,
		  "%s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs%u;rport\n"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: s%u\nCSeq: 1 %.*s\n%s",
		  line, p->port, n, n, (int)strcspn(line, " "), line, extra);
}

static void checks_of_a_proxy(void **state)
{
	static const struct {
		const char *line, *extra, *want;
	} cases[] = {
		{ "OPTIONS sip:example.test", "", "SIP/2.0 200" },
		{ "OPTIONS sip:127.0.0.1:25060", "Max-Forwards: 0\n", "SIP/2.0 200" },
		{ "OPTIONS sip:nobody@example.test", "", "SIP/2.0 480" },
		{ "OPTIONS sip:bob@example.test", "Max-Forwards: 0\n", "SIP/2.0 483" },
		{ "OPTIONS sip:bob@example.test", "Max-Forwards: many\n", "SIP/2.0 400" },
		{ "MESSAGE sip:bob@example.test", "Proxy-Require: magic\n", "SIP/2.0 420" },
		{ "MESSAGE sip:carol@elsewhere.test", "", "SIP/2.0 403" },
		{ "MESSAGE sip:carol@192.0.2.99", "Route: <sip:" RELAY ";lr>\n", "SIP/2.0 403" },
		{ "MESSAGE sip:bob@example.test", "Route: <sip:192.0.2.99;lr>\n", "SIP/2.0 403" },
		{ "REGISTER sip:elsewhere.test", "", "SIP/2.0 403" },
		{ "MESSAGE tel:+4912345", "", "SIP/2.0 416" },
		{ "CANCEL sip:bob@example.test", "", "SIP/2.0 481" },
		{ "BYE sip:bob@example.test", "Route: junk\n", "SIP/2.0 400" },
	};
	struct call c;
	size_t i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		simple_request(&c.alice, cases[i].line, cases[i].extra);
		peer_expect(&c.alice, cases[i].want);
	}
	simple_request(&c.alice, "MESSAGE sip:bob@example.test", "Proxy-Require: magic\n");
	peer_expect(&c.alice, "SIP/2.0 420");
	assert_string_equal(header(c.alice.msg, "Unsupported"), "magic");
	peer_expect_nothing(&c.bob, 30);
	close_call(&c);
}

static void loop_is_detected_spiral_is_not(void **state)
{
	struct call c;
	char via[512];

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	simple_request(&c.alice, "MESSAGE sip:bob@example.test", "");
	peer_expect(&c.bob, "MESSAGE ");
	snprintf(via, sizeof(via), "%s", headers(c.bob.msg, "Via"));

	/* bob sends it back as alice sent it, and then as he got it */
	peer_send(&c.bob, NULL,
		  "MESSAGE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKl1;rport\n%s"
		  "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %s\n",
		  c.bob.port, via, header(c.bob.msg, "From"), header(c.bob.msg, "To"),
		  header(c.bob.msg, "Call-ID"), header(c.bob.msg, "CSeq"));
	peer_expect(&c.bob, "SIP/2.0 482");

	/* sent on to somebody else it is another request */
	do_register(&c.alice, "carol");
	peer_send(&c.bob, NULL,
		  "MESSAGE sip:carol@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKl2;rport\n%s"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: spiral\nCSeq: 1 MESSAGE\n",
		  c.bob.port, via);
	peer_expect(&c.alice, "MESSAGE sip:carol@127.0.0.1:");
	close_call(&c);
}

static void repeated_invite_is_absorbed(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "again", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 180");
	send_invite(&c, "again", OFFER);
	peer_expect(&c.alice, "SIP/2.0 180");
	peer_expect_nothing(&c.bob, 50);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	close_call(&c);
}

static void too_many_transactions(void **state)
{
	struct world *w = *state;
	struct call c;

	world_stop(w);
	w->cfg.max_transactions = 2;
	world_start(w);
	open_call(&c, w, AF_INET, false, AF_INET, false);
	simple_request(&c.alice, "MESSAGE sip:bob@example.test", "");
	simple_request(&c.alice, "MESSAGE sip:bob@example.test", "");
	peer_expect_nothing(&c.alice, 20);
	simple_request(&c.alice, "MESSAGE sip:bob@example.test", "");
	peer_expect(&c.alice, "SIP/2.0 503");
	assert_non_null(header(c.alice.msg, "Retry-After"));
	close_call(&c);
}

static void timer_c_cancels(void **state)
{
	struct world *w = *state;
	struct call c;

	world_stop(w);
	w->cfg.timer_c_s = 1;
	world_start(w);
	open_call(&c, w, AF_INET, false, AF_INET, false);
	send_invite(&c, "timerc", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 180");
	peer_expect(&c.bob, "CANCEL ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	respond(&c, c.invite, "487 Request Terminated", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 408");
	assert_int_equal(tandem_sessions_count(w->ss), 0);
	close_call(&c);
}

static void unknown_dialog_is_481(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "gone", OFFER, ANSWER);
	tandem_session_end(c.w->ss, "gone", "test");
	alice_request(&c, "INVITE", 2, NULL, OFFER);
	peer_expect(&c.alice, "SIP/2.0 481");
	/* but they can still hang up */
	hang_up(&c);
	close_call(&c);
}

static void stranger_cannot_take_over_a_call(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "mine", OFFER, ANSWER);
	peer_send(&c.alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKevil;rport\nMax-Forwards: 70\n"
		  "From: <sip:eve@example.test>;tag=evil\nTo: <sip:bob@example.test>\n"
		  "Call-ID: mine\nCSeq: 9 INVITE\nContact: <sip:eve@127.0.0.1>\n",
		  c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 482");
	peer_send(&c.alice, NULL,
		  "BYE sip:bob@127.0.0.1:%u;transport=UDP SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKevilbye;rport\nMax-Forwards: 70\n"
		  "From: <sip:eve@example.test>;tag=evil\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: mine\nCSeq: 10 BYE\n",
		  c.bob.port, c.alice.port);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	peer_expect(&c.bob, "BYE ");
	hang_up(&c);
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(basic_call),
		TEST(mixed_transports_and_families),
		TEST(survives_a_restart),
		TEST(late_offer),
		TEST(repeated_invite_is_absorbed),
		TEST(repeated_2xx_is_passed_on_unchanged),
		TEST(prack_and_update),
		TEST(refused_reinvite_leaves_the_call),
		TEST(cancel_is_hop_by_hop),
		TEST(rejection_ends_the_session),
		TEST(broken_sdp_is_488_with_a_warning),
		TEST(checks_of_a_proxy),
		TEST(loop_is_detected_spiral_is_not),
		TEST(too_many_transactions),
		TEST(timer_c_cancels),
		TEST(unknown_dialog_is_481),
		TEST(stranger_cannot_take_over_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
