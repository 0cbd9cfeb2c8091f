/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that others try to end, to redirect or to get out of the relay; calls that cannot be. */
#include "tests/unit/sip_call.h"
#include "userspace/sip/local.h"

static void stray_bye(struct call *c, struct peer *from, const char *id, const char *from_tag,
		      const char *to_tag, unsigned int cseq)
{
	peer_send(from, NULL,
		  "BYE sip:bob@127.0.0.1:%u;transport=UDP SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs%u;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=%s\nTo: <sip:bob@example.test>;tag=%s\n"
		  "Call-ID: %s\nCSeq: %u BYE\n",
		  c->bob.port, from->port, cseq, routes_reversed(c->ok), from_tag, to_tag, id,
		  cseq);
}

static void only_both_tags_end_a_call(void **state)
{
	static const char *const tags[][2] = {
		{ "atag", "guess" }, { "btag", "guess" }, { "guess", "btag" }, { "atag", "atag" }
	};
	struct call c;
	size_t i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "tags", OFFER, ANSWER);
	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		stray_bye(&c, &c.alice, "tags", tags[i][0], tags[i][1], 20 + (unsigned int)i);
		assert_int_equal(tandem_sessions_count(c.w->ss), 1);
		peer_try(&c.bob, 30);
	}
	alice_request(&c, "CANCEL", 1, NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 481");
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	hang_up(&c);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* A proxy behind us forks, and two phones answer: the first one's call stays as it is. */
static void second_2xx_of_a_fork(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "fork", OFFER, ANSWER);
	peer_send(&c.bob, SDP("127.0.0.1", "31000"),
		  "SIP/2.0 200 OK\n%s%sFrom: %s\nTo: %s;tag=other\nCall-ID: fork\nCSeq: 1 INVITE\n"
		  "Contact: <sip:other@127.0.0.1:%u>\n",
		  headers(c.invite, "Via"), headers(c.invite, "Record-Route"),
		  header(c.invite, "From"), header(c.invite, "To"), c.bob.port);
	peer_expect(&c.alice, "SIP/2.0 200");
	assert_null(strstr(body(c.alice.msg), "m=audio"));

	/* alice lets go of the second one */
	stray_bye(&c, &c.alice, "fork", "atag", "other", 2);
	peer_expect(&c.bob, "BYE ");
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	hang_up(&c);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* An answer that cannot be: the callee is told to hang up, the caller that there is no call. */
static void refused_answer_ends_the_call_on_both_sides(void **state)
{
	struct call c;
	int i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "badanswer", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "200 OK", "Record-Route: <sip:127.0.0.1:9;lr>\n",
		"v=0\r\nnonsense\r\n");

	peer_expect(&c.alice, "SIP/2.0 488");
	assert_non_null(header(c.alice.msg, "Warning"));
	for (i = 0; i < 2; i++) {
		peer_expect(&c.bob, "ACK sip:bob@127.0.0.1");
		assert_string_equal(header(c.bob.msg, "CSeq"), "1 ACK");
		assert_non_null(strstr(header(c.bob.msg, "To"), "tag=btag"));
		assert_null(header(c.bob.msg, "Route"));
		if (i)
			break;
		peer_expect(&c.bob, "BYE sip:bob@127.0.0.1");
		assert_string_equal(header(c.bob.msg, "CSeq"), "2 BYE");
		assert_non_null(strstr(header(c.bob.msg, "From"), "tag=atag"));
		respond(&c, c.bob.msg, "200 OK", NULL, NULL);
		/* the ACK was lost: the 200 comes again, and is acknowledged again */
		respond(&c, c.invite, "200 OK", NULL, "v=0\r\nnonsense\r\n");
	}
	peer_expect_nothing(&c.bob, 50);
	alice_request(&c, "ACK", 1, NULL, NULL);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* A 2xx that owes an answer and has none must not keep the next offer out. */
static void unanswered_offer_is_void(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "void", OFFER, ANSWER);
	alice_request(&c, "INVITE", 2, "Contact: <sip:alice@127.0.0.1>\n", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	alice_request(&c, "ACK", 2, NULL, NULL);
	peer_expect(&c.bob, "ACK ");

	bob_request(&c, "UPDATE", 9, OFFER);
	peer_expect(&c.alice, "UPDATE ");
	close_call(&c);
}

/* Who writes our address into a Via of his own is not taken for a request come round. */
static void forged_via_does_not_free_the_media(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	peer_send(&c.alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKforged;rport\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:25060;branch=z9hG4bKours;loop=0123456789abcdef\n"
		  "Max-Forwards: 70\nFrom: <sip:alice@example.test>;tag=atag\n"
		  "To: <sip:bob@example.test>\nCall-ID: forged\nCSeq: 1 INVITE\n"
		  "Contact: <sip:alice@127.0.0.1:%u>\n",
		  c.alice.port, c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	assert_anchored(body(c.bob.msg), "30000");
	close_call(&c);
}

/* Who is in a call can name any next hop, but none that only this host can reach. */
static void next_hops_that_are_nobodys(void **state)
{
	static const char *const hosts[] = { "0.0.0.0", "224.0.0.1", "255.255.255.255", "[::]",
					     "[ff02::1]" };
	struct call c;
	size_t i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "hops", OFFER, ANSWER);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		peer_send(&c.alice, NULL,
			  "INFO sip:bob@%s:%u;transport=tcp SIP/2.0\n"
			  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKh%zu;rport\n%s"
			  "Max-Forwards: 70\nFrom: <sip:alice@example.test>;tag=atag\n"
			  "To: <sip:bob@example.test>;tag=btag\nCall-ID: hops\nCSeq: %zu INFO\n",
			  hosts[i], c.bob.port, c.alice.port, i, routes_reversed(c.ok), i + 2);
		peer_expect(&c.alice, "SIP/2.0 403");
	}
	hang_up(&c);
	close_call(&c);
}

static void only_peers_of_the_same_scope(void **state)
{
	static const struct {
		const char *src, *dst;
		bool may;
	} cases[] = {
		{ "192.0.2.1", "198.51.100.1", true },
		{ "192.0.2.1", "127.8.9.10", false },
		{ "127.0.0.1", "127.8.9.10", true },
		{ "192.0.2.1", "169.254.169.254", false },
		{ "2001:db8::1", "::ffff:127.0.0.1", false },
		{ "192.0.2.1", "0.1.2.3", false },
		{ "2001:db8::1", "::1", false },
		{ "::1", "::1", true },
		{ "2001:db8::1", "fe80::1", false },
		{ "fe80::2", "fe80::1", true },
		{ "2001:db8::1", "2001:db8::2", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sa src, dst;

		assert_int_equal(sa_set_str(&src, cases[i].src, 5060), 0);
		assert_int_equal(sa_set_str(&dst, cases[i].dst, 5060), 0);
		assert_int_equal(tandem_sip_may_send(&src, &dst), cases[i].may);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_both_tags_end_a_call),
		TEST(second_2xx_of_a_fork),
		TEST(refused_answer_ends_the_call_on_both_sides),
		TEST(unanswered_offer_is_void),
		TEST(forged_via_does_not_free_the_media),
		TEST(next_hops_that_are_nobodys),
		cmocka_unit_test(only_peers_of_the_same_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
