/* SPDX-License-Identifier: GPL-2.0-only */
/* What crosses on the wire, comes twice, or comes in pieces. */
#include "tests/unit/sip_call.h"

static void ring(struct call *c, const char *id)
{
	send_invite(c, id, OFFER);
	peer_expect(&c->alice, "SIP/2.0 100");
	strcpy(c->invite, peer_expect(&c->bob, "INVITE "));
	respond(c, c->invite, "180 Ringing", NULL, NULL);
	peer_expect(&c->alice, "SIP/2.0 180");
}

/* bob answers before the CANCEL reaches him: alice has a call, and hangs up (section 9.1) */
static void answer_crosses_cancel(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ring(&c, "cross");
	peer_send(&c.alice, NULL,
		  "CANCEL sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKcross;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: cross\nCSeq: 1 CANCEL\n",
		  c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 200");
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	peer_expect(&c.bob, "CANCEL ");
	respond(&c, c.bob.msg, "481 Too late", NULL, NULL);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 200"));
	assert_anchored(body(c.ok), "30002");
	alice_request(&c, "ACK", 1, NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	hang_up(&c);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* The relay has given the call up, and then bob answers. */
static void answer_crosses_the_end_of_the_session(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	ring(&c, "late");
	tandem_session_end(c.w->ss, "late", "test");
	tandem_sip_session_ended(c.w->sip, "late", "test");
	peer_expect(&c.bob, "CANCEL ");
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	peer_expect(&c.alice, "SIP/2.0 408");
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.bob, "BYE ");
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

static void challenged_invite_comes_again(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	send_invite(&c, "auth", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	respond(&c, c.invite, "407 Proxy Authentication Required",
		"Proxy-Authenticate: Digest realm=\"b\", nonce=\"1\"\n", NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 407");
	assert_string_equal(header(c.alice.msg, "Proxy-Authenticate"),
			    "Digest realm=\"b\", nonce=\"1\"");
	peer_send(&c.alice, NULL,
		  "ACK sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKauth;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: auth\nCSeq: 1 ACK\n",
		  c.alice.port);
	peer_expect_nothing(&c.bob, 30);

	peer_send(&c.alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKauth2;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: auth\nCSeq: 2 INVITE\nContact: <sip:alice@127.0.0.1:%u>\n"
		  "Proxy-Authorization: Digest username=\"alice\"\n",
		  c.alice.port, c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	assert_non_null(header(c.bob.msg, "Proxy-Authorization"));
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	close_call(&c);
}

static int options(char *buf, unsigned int n, unsigned int port, const char *length,
		   const char *content)
{
	return sprintf(buf,
		       "OPTIONS sip:127.0.0.1:25060 SIP/2.0\r\n"
		       "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKo%u\r\nMax-Forwards: 70\r\n"
		       "From: <sip:a@example.test>;tag=o\r\nTo: <sip:127.0.0.1>\r\n"
		       "Call-ID: o%u\r\nCSeq: 1 OPTIONS\r\nContent-Length: %s\r\n\r\n%s",
		       port, n, n, length, content);
}

/* The branch that a repeated 2xx is known by is the Via's, whatever a contact is called. */
static void contact_with_a_branch(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	peer_send(&c.bob, NULL,
		  "REGISTER sip:example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKcb;rport\nMax-Forwards: 70\n"
		  "From: <sip:bob@example.test>;tag=r\nTo: <sip:bob@example.test>\nCall-ID: cb\n"
		  "CSeq: 1 REGISTER\nContact: <sip:bob@127.0.0.1:%u;branch=z9hG4bKnone>\n"
		  "Contact: <sip:bob@127.0.0.1:%u;transport=UDP>;expires=0\nExpires: 600\n",
		  c.bob.port, c.bob.port, c.bob.port);
	peer_expect(&c.bob, "SIP/2.0 200");
	establish(&c, "branch", OFFER, ANSWER);
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	peer_expect(&c.alice, "SIP/2.0 200");
	hang_up(&c);
	close_call(&c);
}

static void stream_of_messages(void **state)
{
	static const char *const bad[] = { "4294967300", "-1", "0x4", "4, 4", "4;x" };
	char buf[4 * MSG_SIZE];
	struct peer p;
	int n, i;

	(void)state;
	peer_open(&p, AF_INET, true);
	/* two at once, the second cut in its middle */
	n = options(buf, 1, p.port, "4", "abcd");
	n += options(buf + n, 2, p.port, "0", "");
	peer_send_raw(&p, buf, (size_t)n - 150);
	peer_expect(&p, "SIP/2.0 200");
	peer_expect_nothing(&p, 30);
	peer_send_raw(&p, buf + n - 150, 150);
	peer_expect(&p, "SIP/2.0 200");
	assert_string_equal(header(p.msg, "Call-ID"), "o2");
	peer_close(&p);

	/* lengths that another element might read otherwise */
	for (i = 0; i < 5; i++) {
		peer_open(&p, AF_INET, true);
		n = options(buf, 10 + (unsigned int)i, p.port, bad[i], "abcd");
		peer_send_raw(&p, buf, (size_t)n);
		if (peer_try(&p, 100))
			assert_int_equal(strncmp(p.msg, "SIP/2.0 400", 11), 0);
		peer_close(&p);
	}
}

/* A header that never ends, in time and in size: the connection goes, the relay stays. */
static void endless_header(void **state)
{
	char chunk[4096];
	struct peer p;
	ssize_t n = 1;
	int i;

	(void)state;
	peer_open(&p, AF_INET, true);
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "OPTIONS sip:a SIP/2.0\r\nX: ", 26);
	for (i = 0; i < 40 && n > 0; i++) {
		n = send(p.fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
		memset(chunk, 'x', sizeof(chunk));
		run_ms(5);
	}
	assert_true(i < 40);
	peer_close(&p);
	peer_open(&p, AF_INET, true);
	peer_send_raw(&p, chunk, (size_t)options(chunk, 1, p.port, "0", ""));
	peer_expect(&p, "SIP/2.0 200");
	peer_close(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_crosses_cancel),
		TEST(answer_crosses_the_end_of_the_session),
		TEST(challenged_invite_comes_again),
		TEST(contact_with_a_branch),
		TEST(stream_of_messages),
		TEST(endless_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
