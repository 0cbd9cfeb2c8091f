/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stateful proxy must do by RFC 3261 sections 16 to 18, RFC 4320 and RFC 6026, where no other
 * test says so.
 */
#include "tests/unit/sip_call.h"

/* alice asks bob; via: what follows the transport in it, to which a branch is added. */
static void ask(struct call *c, const char *method, const char *via, const char *extra)
{
	peer_send(&c->alice, NULL,
		  "%s sip:bob@example.test SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\n"
		  "From: <sip:alice@example.test>;tag=t\nTo: <sip:bob@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 %s\n%s",
		  method, via, method, method, method, extra);
}

static const char *alices(const struct call *c)
{
	static char via[32];

	snprintf(via, sizeof(via), "127.0.0.1:%u", c->alice.port);

	return via;
}

/* Section 16.6 steps 1, 3 and 8: all of it, one hop less, and a Via with a branch that was never before. */
static void what_is_forwarded(void **state)
{
	char branch[128];
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ask(&c, "NOVEL", alices(&c), "X-Unknown: a\nMax-Forwards: 9\nrequire: novelty\n");
	peer_expect(&c.bob, "NOVEL sip:bob@127.0.0.1:");
	assert_string_equal(header(c.bob.msg, "Max-Forwards"), "8");
	assert_string_equal(header(c.bob.msg, "X-Unknown"), "a");
	assert_string_equal(header(c.bob.msg, "require"), "novelty");
	assert_string_equal(header(c.bob.msg, "CSeq"), "1 NOVEL");
	snprintf(branch, sizeof(branch), "%s", strstr(header(c.bob.msg, "Via"), ";branch=z9hG4bK"));
	respond(&c, c.bob.msg, "299 Done", "X-Other: b\n", NULL);
	peer_expect(&c.alice, "SIP/2.0 299 Done\r\n");
	assert_string_equal(header(c.alice.msg, "X-Other"), "b");
	assert_null(header_n(c.alice.msg, "Via", 1));

	ask(&c, "OTHER", alices(&c), "");
	peer_expect(&c.bob, "OTHER ");
	assert_string_equal(header(c.bob.msg, "Max-Forwards"), "70");
	assert_string_not_equal(strstr(header(c.bob.msg, "Via"), ";branch=z9hG4bK"), branch);
	close_call(&c);
}

/* Sections 18.2.1 and 18.2.2, and RFC 3581: what a Via says of itself is not believed. */
static void where_responses_go(void **state)
{
	struct peer other;
	struct call c;
	char via[64];

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	peer_open(&other, AF_INET, false);
	snprintf(via, sizeof(via), "phone.invalid:%u", other.port);
	ask(&c, "MESSAGE", via, "");
	peer_expect(&c.bob, "MESSAGE ");
	assert_non_null(strstr(header_n(c.bob.msg, "Via", 1), ";received=127.0.0.1"));
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&other, "SIP/2.0 200");

	snprintf(via, sizeof(via), "phone.invalid:%u;rport", other.port);
	ask(&c, "OPTIONS", via, "");
	peer_expect(&c.bob, "OPTIONS ");
	snprintf(via, sizeof(via), ";rport=%u", c.alice.port);
	assert_non_null(strstr(header_n(c.bob.msg, "Via", 1), via));
	assert_non_null(strstr(header_n(c.bob.msg, "Via", 1), ";received=127.0.0.1"));
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	peer_close(&other);
	close_call(&c);
}

/* Section 18.3: the rest of a datagram is no part of the message; a body cut off makes it 400. */
static void the_length_of_a_datagram(void **state)
{
	static const char text[] =
		"MESSAGE sip:bob@example.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		"127.0.0.1;rport;branch=z9hG4bK%u\r\n"
		"From: <sip:a@x>;tag=t\r\nTo: <sip:b@y>\r\nCall-ID: length\r\nCSeq: %u MESSAGE\r\n"
		"Content-Type: text/plain\r\n%s\r\nbody and more";
	char buf[1024];
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	snprintf(buf, sizeof(buf), text, 1, 1, "Content-Length: 4\r\n");
	peer_send_raw(&c.alice, buf, strlen(buf));
	peer_expect(&c.bob, "MESSAGE ");
	assert_string_equal(body(c.bob.msg), "body");
	assert_int_equal(c.bob.rest_len, 0);
	snprintf(buf, sizeof(buf), text, 2, 2, "");
	peer_send_raw(&c.alice, buf, strlen(buf));
	do
		peer_expect(&c.bob, "MESSAGE ");
	while (strstr(c.bob.msg, "1 MESSAGE"));
	assert_string_equal(header(c.bob.msg, "Content-Length"), "13");
	assert_string_equal(body(c.bob.msg), "body and more");
	snprintf(buf, sizeof(buf), text, 3, 3, "Content-Length: 14\r\n");
	peer_send_raw(&c.alice, buf, strlen(buf));
	peer_expect(&c.alice, "SIP/2.0 400");
	close_call(&c);
}

static unsigned int ms_until(struct peer *p, unsigned int limit)
{
	uint64_t from = tmr_jiffies();

	if (!peer_try(p, limit))
		fail_msg("nothing received");

	return (unsigned int)(tmr_jiffies() - from);
}

/* RFC 4320 section 4.1: 100 when the client's timer E has come to T2, and no other 1xx. */
static void provisional_responses_to_other_methods(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ask(&c, "MESSAGE", alices(&c), "");
	peer_expect(&c.bob, "MESSAGE ");
	respond(&c, c.bob.msg, "183 Session Progress", NULL, NULL);
	respond(&c, c.bob.msg, "100 Trying", NULL, NULL);
	assert_in_range(ms_until(&c.alice, 10000), 3000, 10000);
	assert_memory_equal(c.alice.msg, "SIP/2.0 100", 11);
	assert_null(strstr(header(c.alice.msg, "To"), "tag="));

	/* who asks again is told again */
	ask(&c, "MESSAGE", alices(&c), "");
	peer_expect(&c.alice, "SIP/2.0 100");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	close_call(&c);
}

/* RFC 4320 section 4.2: 408 tells nobody anything that did not know it. */
static void no_408_to_other_methods(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ask(&c, "MESSAGE", alices(&c), "");
	peer_expect(&c.bob, "MESSAGE ");
	respond(&c, c.bob.msg, "408 Request Timeout", NULL, NULL);
	ask(&c, "MESSAGE", alices(&c), "");
	peer_expect_nothing(&c.alice, 50);
	peer_expect_nothing(&c.bob, 50);

	send_invite(&c, "late", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	respond(&c, c.bob.msg, "408 Request Timeout", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 408");
	close_call(&c);
}

/* Section 9.2. */
static void cancel_is_for_invite_only(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ask(&c, "MESSAGE", alices(&c), "");
	peer_expect(&c.bob, "MESSAGE ");
	peer_send(&c.alice, NULL,
		  "CANCEL sip:bob@example.test SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bKMESSAGE\n"
		  "From: <sip:alice@example.test>;tag=t\nTo: <sip:bob@example.test>\n"
		  "Call-ID: MESSAGE\nCSeq: 1 CANCEL\n",
		  alices(&c));
	peer_expect(&c.alice, "SIP/2.0 200");
	assert_string_equal(header(c.alice.msg, "CSeq"), "1 CANCEL");
	peer_expect_nothing(&c.alice, 50);
	respond(&c, c.bob.msg, "202 Accepted", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 202");
	assert_string_equal(header(c.alice.msg, "CSeq"), "1 MESSAGE");
	close_call(&c);
}

/* As respond() has it, with the topmost Via only. */
static void respond_stunted(struct call *c, const char *status)
{
	peer_send(&c->bob, NULL,
		  "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s;tag=btag\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:bob@127.0.0.1:%u>\n",
		  status, header(c->invite, "Via"), header(c->invite, "From"),
		  header(c->invite, "To"), header(c->invite, "Call-ID"), header(c->invite, "CSeq"),
		  c->bob.port);
}

/* Section 16.7 step 3: a response without a Via of upstream's is not forwarded. */
static void responses_for_nobody(void **state)
{
	struct call c;
	int i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "stunted", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond_stunted(&c, "180 Ringing");
	peer_expect_nothing(&c.alice, 30);
	respond_stunted(&c, "200 OK");
	peer_expect(&c.alice, "SIP/2.0 500");
	for (i = 0; i < 2; i++) {
		assert_true(peer_try(&c.bob, 1500));
		assert_true(!strncmp(c.bob.msg, "ACK ", 4) || !strncmp(c.bob.msg, "BYE ", 4));
	}
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);

	ask(&c, "MESSAGE", alices(&c), "");
	do
		assert_true(peer_try(&c.bob, 1500));
	while (strncmp(c.bob.msg, "MESSAGE ", 8) != 0);
	strcpy(c.invite, c.bob.msg);
	respond_stunted(&c, "200 OK");
	do
		assert_true(peer_try(&c.alice, 1500));
	while (!strstr(c.alice.msg, "1 MESSAGE"));
	assert_memory_equal(c.alice.msg, "SIP/2.0 500", 11);
	close_call(&c);
}

/* RFC 6026: an INVITE that comes again behind its 2xx is the same one; strays go nowhere. */
static void repetitions_and_strays(void **state)
{
	static const char *const strays[] = { "180 Ringing", "200 OK", "486 Busy Here" };
	struct call c;
	size_t i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "accepted", OFFER, ANSWER);
	send_invite(&c, "accepted", OFFER);
	peer_expect_nothing(&c.bob, 50);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	while (peer_try(&c.alice, 0))
		assert_memory_equal(c.alice.msg, "SIP/2.0 200", 11);

	for (i = 0; i < ARRAY_SIZE(strays); i++) {
		peer_send(&c.bob, NULL,
			  "SIP/2.0 %s\nVia: SIP/2.0/UDP " RELAY ";branch=z9hG4bKnone\n"
			  "Via: SIP/2.0/UDP %s;branch=z9hG4bKaccepted\n"
			  "From: %s\nTo: %s;tag=other\nCall-ID: accepted\nCSeq: 1 INVITE\n",
			  strays[i], alices(&c), header(c.invite, "From"), header(c.invite, "To"));
		peer_expect_nothing(&c.alice, 20);
	}
	hang_up(&c);
	close_call(&c);
}

/* Section 17.2.1: a refusal comes again (timer G) until the ACK for it, which goes no further. */
static void refusals_come_again(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "refused", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "503 Service Unavailable", "Retry-After: 60\n", NULL);
	/* section 16.7 step 6: the trouble is bob's, not ours */
	peer_expect(&c.alice, "SIP/2.0 500");
	assert_null(header(c.alice.msg, "Retry-After"));
	/* section 17.1.1.3: for bob's by us, with one Via, that of the INVITE */
	peer_expect(&c.bob, "ACK ");
	assert_string_equal(header(c.bob.msg, "CSeq"), "1 ACK");
	assert_null(header_n(c.bob.msg, "Via", 1));
	assert_non_null(strstr(header(c.bob.msg, "To"), ";tag=btag"));

	peer_expect(&c.alice, "SIP/2.0 500");
	peer_send(
		&c.alice, NULL,
		"ACK sip:bob@example.test SIP/2.0\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKrefused;rport\nMax-Forwards: 70\n"
		"From: <sip:alice@example.test>;tag=atag\nTo: %s\nCall-ID: refused\nCSeq: 1 ACK\n",
		c.alice.port, header(c.alice.msg, "To"));
	while (peer_try(&c.alice, 0))
		;
	peer_expect_nothing(&c.alice, 2500);
	peer_expect_nothing(&c.bob, 0);
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_forwarded),	TEST(where_responses_go),
		TEST(the_length_of_a_datagram), TEST(provisional_responses_to_other_methods),
		TEST(no_408_to_other_methods),	TEST(cancel_is_for_invite_only),
		TEST(responses_for_nobody),	TEST(repetitions_and_strays),
		TEST(refusals_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
