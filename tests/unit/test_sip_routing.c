/* SPDX-License-Identifier: GPL-2.0-only */
/* Where requests go when the plain way does not work: NAT, strict routers, dead connections. */
#include "tests/unit/sip_call.h"

static void send_private_invite(struct call *c, const char *id)
{
	peer_send(&c->alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 192.168.9.9:5060;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:alice@192.168.9.9>\n",
		  id, id);
}

/* alice is not registered, and her Contact is of no use: her flow is in the Record-Route */
static void caller_behind_nat_is_reached(void **state)
{
	struct call c;
	int i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_private_invite(&c, "nat");
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	assert_non_null(strstr(header_n(c.invite, "Via", 1), ";received=127.0.0.1"));
	assert_non_null(header_n(c.invite, "Record-Route", 1));
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 200"));
	alice_request(&c, "ACK", 1, NULL, NULL);
	peer_expect(&c.bob, "ACK ");

	/* before and after a restart: the key of the tokens is in the store */
	for (i = 0; i < 2; i++) {
		peer_send(&c.bob, NULL,
			  "INFO sip:alice@192.168.9.9 SIP/2.0\n"
			  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKi%d;rport\n%s"
			  "From: <sip:bob@example.test>;tag=btag\n"
			  "To: <sip:alice@example.test>;tag=atag\nCall-ID: nat\nCSeq: %d INFO\n",
			  c.bob.port, i, routes_forward(c.invite), i + 1);
		peer_expect(&c.alice, "INFO sip:alice@192.168.9.9 SIP/2.0");
		world_restart(c.w);
	}

	/* the token is of this call alone */
	peer_send(&c.bob, NULL,
		  "INFO sip:alice@192.168.9.9 SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKj;rport\n%s"
		  "From: <sip:bob@example.test>;tag=btag\nTo: <sip:alice@example.test>;tag=atag\n"
		  "Call-ID: other\nCSeq: 9 INFO\n",
		  c.bob.port, routes_forward(c.invite));
	peer_expect(&c.bob, "SIP/2.0 403");
	close_call(&c);
}

/* The token's URI in "<...>", without the brackets. */
static const char *first_route_uri(const char *msg)
{
	static char uri[256];
	const char *rr = header(msg, "Record-Route");

	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(rr + 1, ">"), rr + 1);

	return uri;
}

static void strict_routers_on_both_sides(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "strict", OFFER, ANSWER);

	/* before us: our own URI in the Request-URI, the target last in Route */
	peer_send(&c.alice, NULL,
		  "INFO %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs1;rport\n"
		  "Route: <sip:bob@127.0.0.1:%u>\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: strict\nCSeq: 5 INFO\n",
		  first_route_uri(c.invite), c.alice.port, c.bob.port);
	peer_expect(&c.bob, "INFO sip:bob@127.0.0.1:");
	assert_null(header(c.bob.msg, "Route"));

	/* after us: it gets its URI as Request-URI, and the target last in Route */
	peer_send(&c.alice, NULL,
		  "INFO sip:bob@far.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs2;rport\n"
		  "Route: <%s>, <sip:strict@127.0.0.1:%u>, <sip:next.test;lr>\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: strict\nCSeq: 6 INFO\n",
		  c.alice.port, first_route_uri(c.invite), c.bob.port);
	peer_expect(&c.bob, "INFO sip:strict@127.0.0.1:");
	assert_string_equal(header_n(c.bob.msg, "Route", 0), "<sip:next.test;lr>");
	assert_string_equal(header_n(c.bob.msg, "Route", 1), "<sip:bob@far.test>");
	close_call(&c);
}

/* bob registered over a connection that is gone, and listens at his Contact */
static void dead_connection_falls_back_to_the_contact(void **state)
{
	struct sockaddr_storage ss;
	struct peer reg, bob;
	struct call c;
	socklen_t len;
	int fd;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	memset(&bob, 0, sizeof(bob));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	peer_addr(&ss, &len, AF_INET, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&ss, &len);

	peer_open(&reg, AF_INET, true);
	reg.port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	do_register(&reg, "carol");
	peer_close(&reg);
	run_ms(20);

	peer_send(&c.alice, NULL,
		  "MESSAGE sip:carol@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKd;rport\n"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: d\nCSeq: 1 MESSAGE\n",
		  c.alice.port);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	run_ms(50);
	bob.fd = accept(fd, NULL, NULL);
	assert_true(bob.fd >= 0);
	bob.tcp = true;
	fcntl(bob.fd, F_SETFL, O_NONBLOCK);
	peer_expect(&bob, "MESSAGE sip:carol@127.0.0.1:");
	assert_non_null(strstr(header(bob.msg, "Via"), "SIP/2.0/TCP"));
	peer_close(&bob);
	close(fd);
	close_call(&c);
}

static void offers_that_cross_are_491(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "glare", OFFER, ANSWER);
	alice_request(&c, "INVITE", 2, "Contact: <sip:alice@127.0.0.1>\n",
		      SDP("127.0.0.1", "30040"));
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	strcpy(c.invite, c.bob.msg);
	bob_request(&c, "INVITE", 9, SDP("127.0.0.1", "30042"));
	peer_expect(&c.bob, "SIP/2.0 100");
	peer_expect(&c.bob, "SIP/2.0 491");
	peer_expect_nothing(&c.alice, 30);

	respond(&c, c.invite, "200 OK", NULL, SDP("127.0.0.1", "30044"));
	assert_anchored(body(peer_expect(&c.alice, "SIP/2.0 200")), "30044");
	close_call(&c);
}

static void late_offer_in_reliable_response(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "late183", NULL);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "183 Session Progress", "Require: 100rel\nRSeq: 1\n", ANSWER);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 183"));
	assert_anchored(body(c.ok), "30002");
	alice_request(&c, "PRACK", 2, "RAck: 1 1 INVITE\n", OFFER);
	peer_expect(&c.bob, "PRACK ");
	assert_anchored(body(c.bob.msg), "30000");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	respond(&c, c.invite, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	alice_request(&c, "ACK", 1, NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	hang_up(&c);
	close_call(&c);
}

/* A late offer that is never answered must not stand in the way of the next one. */
static void unanswered_late_offer_is_void(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "void", OFFER, ANSWER);
	alice_request(&c, "INVITE", 2, "Contact: <sip:alice@127.0.0.1>\n", NULL);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	respond(&c, c.bob.msg, "200 OK", NULL, SDP("127.0.0.1", "30050"));
	peer_expect(&c.alice, "SIP/2.0 200");
	alice_request(&c, "ACK", 2, NULL, NULL);
	peer_expect(&c.bob, "ACK ");

	alice_request(&c, "INVITE", 3, "Contact: <sip:alice@127.0.0.1>\n",
		      SDP("127.0.0.1", "30052"));
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	assert_anchored(body(c.bob.msg), "30052");
	close_call(&c);
}

/* The session table gives a call up that nobody answers: both sides hear of it. */
static void session_end_cancels_the_setup(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "giveup", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 180");
	tandem_session_end(c.w->ss, "giveup", "test");
	tandem_sip_session_ended(c.w->sip, "giveup", "test");
	peer_expect(&c.bob, "CANCEL ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	respond(&c, c.invite, "487 Request Terminated", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 408");
	close_call(&c);
}

static void overload_of_a_peer_is_not_ours(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "over", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "503 Service Unavailable", "Retry-After: 3600\n", NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 500");
	assert_null(header(c.alice.msg, "Retry-After"));
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(caller_behind_nat_is_reached),
		TEST(strict_routers_on_both_sides),
		TEST(dead_connection_falls_back_to_the_contact),
		TEST(offers_that_cross_are_491),
		TEST(late_offer_in_reliable_response),
		TEST(unanswered_late_offer_is_void),
		TEST(session_end_cancels_the_setup),
		TEST(overload_of_a_peer_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
