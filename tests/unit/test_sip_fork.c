/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One request, several phones:
 *
 *   alice --- relay --- desk, cell (both bob's), carol
 */
#include "tests/unit/sip_call.h"

struct house {
	struct world *w;
	struct peer alice, desk, cell, carol;
	char desk_invite[MSG_SIZE];
	char cell_invite[MSG_SIZE];
};

static void register_as(struct peer *p, const char *user, const char *q)
{
	static unsigned int n;

	n++;
	peer_send(p, NULL,
		  "REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKf%u\n"
		  "Max-Forwards: 70\nFrom: <sip:%s@example.test>;tag=r\n"
		  "To: <sip:%s@example.test>\nCall-ID: freg%u\nCSeq: 1 REGISTER\n"
		  "Contact: <sip:%s@%s:%u>;q=%s\nExpires: 600\n",
		  p->host, p->port, n, user, user, n, user, p->host, p->port, q);
	peer_expect(p, "SIP/2.0 200");
}

static void house_open(struct house *h, struct world *w, const char *desk_q, const char *cell_q)
{
	memset(h, 0, sizeof(*h));
	h->w = w;
	peer_open(&h->alice, AF_INET, false);
	peer_open(&h->desk, AF_INET, false);
	peer_open(&h->cell, AF_INET, false);
	peer_open(&h->carol, AF_INET, false);
	register_as(&h->desk, "bob", desk_q);
	register_as(&h->cell, "bob", cell_q);
	register_as(&h->carol, "carol", "1.0");
}

static void house_close(struct house *h)
{
	peer_close(&h->alice);
	peer_close(&h->desk);
	peer_close(&h->cell);
	peer_close(&h->carol);
}

static void restart(struct house *h)
{
	world_restart(h->w);
	run_ms(20);
}

static void invite(struct house *h, const char *user, const char *id, const char *extra)
{
	peer_send(&h->alice, OFFER,
		  "INVITE sip:%s@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:%s@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:alice@%s:%u>\n"
		  "Supported: 100rel\n%s",
		  user, h->alice.host, h->alice.port, id, user, user, id, h->alice.host,
		  h->alice.port, extra ? extra : "");
	peer_expect(&h->alice, "SIP/2.0 100");
}

/* Both are called. */
static void ring_both(struct house *h, const char *id)
{
	invite(h, "bob", id, NULL);
	strcpy(h->desk_invite, peer_expect(&h->desk, "INVITE "));
	strcpy(h->cell_invite, peer_expect(&h->cell, "INVITE "));
}

/* p answers request; its tag is made of its port. */
static void reply(struct peer *p, const char *request, const char *status, const char *extra,
		  const char *sdp)
{
	const char *to = header(request, "To");
	char tag[32];

	snprintf(tag, sizeof(tag), ";tag=t%u", p->port);
	peer_send(p, sdp,
		  "SIP/2.0 %s\n%s%sFrom: %s\nTo: %s%s\nCall-ID: %s\nCSeq: %s\n%s"
		  "Contact: <sip:bob@%s:%u>\n",
		  status, headers(request, "Via"), headers(request, "Record-Route"),
		  header(request, "From"), to, strstr(to, "tag=") ? "" : tag,
		  header(request, "Call-ID"), header(request, "CSeq"), extra ? extra : "", p->host,
		  p->port);
}

/* A request of alice's in the dialog that response has made, to p. */
static void in_dialog(struct house *h, struct peer *p, const char *response, const char *method,
		      unsigned int cseq, const char *extra, const char *sdp)
{
	peer_send(&h->alice, sdp,
		  "%s sip:bob@%s:%u SIP/2.0\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKd%s%u%u;rport\n"
		  "%sMax-Forwards: 70\nFrom: <sip:alice@example.test>;tag=atag\nTo: %s\n"
		  "Call-ID: %s\nCSeq: %u %s\nContact: <sip:alice@%s:%u>\n%s",
		  method, p->host, p->port, h->alice.host, h->alice.port, method, cseq, p->port,
		  routes_reversed(response), header(response, "To"), header(response, "Call-ID"),
		  cseq, method, h->alice.host, h->alice.port, extra ? extra : "");
}

static void ack_refusal(struct house *h, const char *user, const char *id)
{
	peer_send(&h->alice, NULL,
		  "ACK sip:%s@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: %s\nCall-ID: %s\nCSeq: 1 ACK\n",
		  user, h->alice.host, h->alice.port, id, user, header(h->alice.msg, "To"), id);
}

/* The media port that a description offers. */
static int media_port(const char *msg)
{
	const char *m = strstr(body(msg), "m=audio ");

	assert_non_null(m);
	return atoi(m + 8);
}

static size_t sessions(const struct house *h)
{
	return tandem_sessions_count(h->w->ss);
}

/* A CANCEL comes to p, who gives up. */
static void expect_cancel(struct peer *p, const char *invited)
{
	peer_expect(p, "CANCEL ");
	reply(p, p->msg, "200 OK", NULL, NULL);
	reply(p, invited, "487 Request Terminated", NULL, NULL);
	peer_expect(p, "ACK ");
}

static void first_to_answer_has_the_call(void **state)
{
	char ok[MSG_SIZE];
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "both");
	/* each branch has ports of its own, and what is left of the breadth */
	assert_int_not_equal(media_port(h.desk_invite), media_port(h.cell_invite));
	assert_int_equal(atoi(header(h.desk_invite, "Max-Breadth")) +
				 atoi(header(h.cell_invite, "Max-Breadth")),
			 60);
	assert_int_equal(sessions(&h), 2);

	reply(&h.desk, h.desk_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	reply(&h.cell, h.cell_invite, "183 Session Progress", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 183");
	assert_anchored(body(h.alice.msg), "30002");
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	strcpy(ok, peer_expect(&h.alice, "SIP/2.0 200"));
	expect_cancel(&h.desk, h.desk_invite);
	peer_expect_nothing(&h.alice, 30);
	assert_int_equal(sessions(&h), 1);

	in_dialog(&h, &h.cell, ok, "ACK", 1, NULL, NULL);
	peer_expect(&h.cell, "ACK ");
	in_dialog(&h, &h.cell, ok, "INVITE", 2, NULL, OFFER);
	peer_expect(&h.alice, "SIP/2.0 100");
	peer_expect(&h.cell, "INVITE ");
	assert_anchored(body(h.cell.msg), "30000");
	reply(&h.cell, h.cell.msg, "200 OK", NULL, ANSWER);
	strcpy(ok, peer_expect(&h.alice, "SIP/2.0 200"));
	assert_anchored(body(ok), "30002");
	in_dialog(&h, &h.cell, ok, "ACK", 2, NULL, NULL);
	peer_expect(&h.cell, "ACK ");
	in_dialog(&h, &h.cell, ok, "BYE", 3, NULL, NULL);
	peer_expect(&h.cell, "BYE ");
	reply(&h.cell, h.cell.msg, "200 OK", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_int_equal(sessions(&h), 0);
	house_close(&h);
}

/* Both 2xx go to the caller, who has two calls then (RFC 3261 section 13.2.2.4). */
static void two_answer_at_once(void **state)
{
	char first[MSG_SIZE], second[MSG_SIZE];
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "twice");
	reply(&h.desk, h.desk_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	strcpy(first, peer_expect(&h.alice, "SIP/2.0 200"));
	reply(&h.desk, h.desk_invite, "200 OK", NULL, SDP("127.0.0.1", "30004"));
	strcpy(second, peer_expect(&h.alice, "SIP/2.0 200"));
	assert_anchored(body(second), "30004");
	assert_int_not_equal(media_port(first), media_port(second));
	assert_int_equal(sessions(&h), 2);

	in_dialog(&h, &h.desk, second, "ACK", 1, NULL, NULL);
	in_dialog(&h, &h.desk, second, "BYE", 2, NULL, NULL);
	peer_expect(&h.desk, "CANCEL ");
	peer_expect(&h.desk, "ACK ");
	peer_expect(&h.desk, "BYE ");
	assert_int_equal(sessions(&h), 1);
	/* the repeated one is still the other call's */
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_int_equal(media_port(h.alice.msg), media_port(first));
	in_dialog(&h, &h.cell, first, "ACK", 1, NULL, NULL);
	peer_expect(&h.cell, "ACK ");
	in_dialog(&h, &h.cell, first, "BYE", 2, NULL, NULL);
	peer_expect(&h.cell, "BYE ");
	assert_int_equal(sessions(&h), 0);
	house_close(&h);
}

/* What becomes of two refusals, in either order. */
static void best_refusal_goes_upstream(void **state)
{
	static const struct {
		const char *desk, *cell, *best;
	} cases[] = {
		{ "486 Busy Here", "404 Not Found", "SIP/2.0 486" },
		{ "500 Trouble", "404 Not Found", "SIP/2.0 404" },
		{ "503 Overload", "503 Overload", "SIP/2.0 500" },
		{ "480 Away", "484 Incomplete", "SIP/2.0 484" },
		{ "487 Terminated", "480 Away", "SIP/2.0 480" },
		{ "302 Moved", "486 Busy", "SIP/2.0 302" },
	};
	struct house h;
	char id[16];
	size_t i;

	house_open(&h, *state, "1.0", "1.0");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(id, sizeof(id), "best%zu", i);
		ring_both(&h, id);
		reply(&h.desk, h.desk_invite, cases[i].desk, NULL, NULL);
		peer_expect(&h.desk, "ACK ");
		peer_expect_nothing(&h.alice, 20);
		reply(&h.cell, h.cell_invite, cases[i].cell, NULL, NULL);
		peer_expect(&h.cell, "ACK ");
		peer_expect(&h.alice, cases[i].best);
		ack_refusal(&h, "bob", id);
		assert_int_equal(sessions(&h), 0);
	}
	house_close(&h);
}

/* 6xx: nobody else needs to be asked. */
static void global_refusal_ends_all(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "decline");
	reply(&h.cell, h.cell_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	reply(&h.desk, h.desk_invite, "603 Decline", NULL, NULL);
	peer_expect(&h.desk, "ACK ");
	expect_cancel(&h.cell, h.cell_invite);
	peer_expect(&h.alice, "SIP/2.0 603");
	assert_int_equal(sessions(&h), 0);
	house_close(&h);
}

static void all_challenges_are_passed_on(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "auth");
	reply(&h.desk, h.desk_invite, "401 Unauthorized",
	      "WWW-Authenticate: Digest realm=\"desk\", nonce=\"1\"\n", NULL);
	reply(&h.cell, h.cell_invite, "407 Proxy Authentication Required",
	      "Proxy-Authenticate: Digest realm=\"cell\", nonce=\"2\"\n", NULL);
	peer_expect(&h.alice, "SIP/2.0 401");
	assert_string_equal(header(h.alice.msg, "WWW-Authenticate"),
			    "Digest realm=\"desk\", nonce=\"1\"");
	assert_null(header_n(h.alice.msg, "WWW-Authenticate", 1));
	assert_string_equal(header(h.alice.msg, "Proxy-Authenticate"),
			    "Digest realm=\"cell\", nonce=\"2\"");
	house_close(&h);
}

static void caller_gives_up(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "giveup");
	reply(&h.desk, h.desk_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	reply(&h.cell, h.cell_invite, "100 Trying", NULL, NULL);
	peer_send(&h.alice, NULL,
		  "CANCEL sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKgiveupbob;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: giveup\nCSeq: 1 CANCEL\n",
		  h.alice.host, h.alice.port);
	peer_expect(&h.alice, "SIP/2.0 200");
	expect_cancel(&h.desk, h.desk_invite);
	peer_expect_nothing(&h.alice, 20);
	expect_cancel(&h.cell, h.cell_invite);
	peer_expect(&h.alice, "SIP/2.0 487");
	assert_int_equal(sessions(&h), 0);
	house_close(&h);
}

static void lower_q_is_called_later(void **state)
{
	struct house h;

	house_open(&h, *state, "0.9", "0.5");
	invite(&h, "bob", "serial", NULL);
	strcpy(h.desk_invite, peer_expect(&h.desk, "INVITE "));
	peer_expect_nothing(&h.cell, 30);
	reply(&h.desk, h.desk_invite, "486 Busy Here", NULL, NULL);
	peer_expect(&h.desk, "ACK ");
	strcpy(h.cell_invite, peer_expect(&h.cell, "INVITE "));
	assert_anchored(body(h.cell_invite), "30000");
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_anchored(body(h.alice.msg), "30002");
	assert_int_equal(sessions(&h), 1);
	house_close(&h);
}

/* And when it has only rung for sip.ring_s; should it still answer, it has the call. */
static void next_is_called_when_nobody_answers(void **state)
{
	struct house h;

	house_open(&h, *state, "0.9", "0.5");
	h.w->cfg.ring_s = 1;
	restart(&h);
	invite(&h, "bob", "norply", NULL);
	strcpy(h.desk_invite, peer_expect(&h.desk, "INVITE "));
	reply(&h.desk, h.desk_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	peer_expect(&h.desk, "CANCEL ");
	strcpy(h.cell_invite, peer_expect(&h.cell, "INVITE "));
	reply(&h.cell, h.cell_invite, "180 Ringing", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 180");
	reply(&h.desk, h.desk_invite, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_anchored(body(h.alice.msg), "30002");
	expect_cancel(&h.cell, h.cell_invite);
	assert_int_equal(sessions(&h), 1);
	h.w->cfg.ring_s = 0;
	house_close(&h);
}

/* A phone that says nothing at all is not waited for once another has refused. */
static void dead_phone_is_not_waited_for(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "dead");
	reply(&h.desk, h.desk_invite, "486 Busy Here", NULL, NULL);
	peer_expect(&h.desk, "ACK ");
	peer_expect_nothing(&h.alice, 3000);
	peer_expect(&h.alice, "SIP/2.0 486");
	ack_refusal(&h, "bob", "dead");
	/* and if it comes to life after all, there is nobody to talk to */
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	while (strncmp(h.cell.msg, "ACK ", 4))
		assert_true(peer_try(&h.cell, 1000));
	peer_expect(&h.cell, "BYE ");
	peer_expect_nothing(&h.alice, 20);
	assert_int_equal(sessions(&h), 0);
	house_close(&h);
}

/* Each early dialog is its own branch's: PRACK and UPDATE reach the session they are for. */
static void early_dialogs_are_kept_apart(void **state)
{
	char desk[MSG_SIZE], cell[MSG_SIZE];
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	ring_both(&h, "early");
	reply(&h.desk, h.desk_invite, "183 Progress", "Require: 100rel\nRSeq: 1\n", ANSWER);
	strcpy(desk, peer_expect(&h.alice, "SIP/2.0 183"));
	reply(&h.cell, h.cell_invite, "183 Progress", "Require: 100rel\nRSeq: 7\n",
	      SDP("127.0.0.1", "30004"));
	strcpy(cell, peer_expect(&h.alice, "SIP/2.0 183"));
	assert_int_not_equal(media_port(desk), media_port(cell));

	in_dialog(&h, &h.desk, desk, "PRACK", 2, "RAck: 1 1 INVITE\n", NULL);
	peer_expect(&h.desk, "PRACK ");
	reply(&h.desk, h.desk.msg, "200 OK", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 200");
	in_dialog(&h, &h.desk, desk, "UPDATE", 3, NULL, SDP("127.0.0.1", "30010"));
	peer_expect(&h.desk, "UPDATE ");
	/* the port of this branch, as it was in its INVITE */
	assert_int_equal(media_port(h.desk.msg), media_port(h.desk_invite));
	reply(&h.desk, h.desk.msg, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_int_equal(media_port(h.alice.msg), media_port(desk));
	in_dialog(&h, &h.cell, cell, "UPDATE", 3, NULL, SDP("127.0.0.1", "30012"));
	peer_expect(&h.cell, "UPDATE ");
	assert_int_equal(media_port(h.cell.msg), media_port(h.cell_invite));
	house_close(&h);
}

static void first_answer_to_a_message_counts(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	peer_send(&h.alice, NULL,
		  "MESSAGE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKmsg;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: msg\nCSeq: 1 MESSAGE\n",
		  h.alice.host, h.alice.port);
	strcpy(h.desk_invite, peer_expect(&h.desk, "MESSAGE "));
	strcpy(h.cell_invite, peer_expect(&h.cell, "MESSAGE "));
	reply(&h.desk, h.desk_invite, "486 Busy Here", NULL, NULL);
	peer_expect_nothing(&h.alice, 20);
	reply(&h.cell, h.cell_invite, "200 OK", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 200");
	house_close(&h);
}

static void breadth_is_not_exceeded(void **state)
{
	struct house h;

	house_open(&h, *state, "1.0", "1.0");
	invite(&h, "bob", "narrow", "Max-Breadth: 1\n");
	/* the newest registration first, then the other, one at a time */
	strcpy(h.cell_invite, peer_expect(&h.cell, "INVITE "));
	assert_string_equal(header(h.cell_invite, "Max-Breadth"), "1");
	assert_null(header_n(h.cell_invite, "Max-Breadth", 1));
	peer_expect_nothing(&h.desk, 30);
	reply(&h.cell, h.cell_invite, "486 Busy Here", NULL, NULL);
	peer_expect(&h.cell, "ACK ");
	strcpy(h.desk_invite, peer_expect(&h.desk, "INVITE "));
	reply(&h.desk, h.desk_invite, "486 Busy Here", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 486");
	ack_refusal(&h, "bob", "narrow");

	invite(&h, "bob", "nothing", "Max-Breadth: 0\n");
	peer_expect(&h.alice, "SIP/2.0 440");
	house_close(&h);
}

/* A proxy before us calls two of our users in one call: both are, and neither takes the other's. */
static void fork_of_another_proxy(void **state)
{
	char carol_invite[MSG_SIZE];
	struct house h;

	house_open(&h, *state, "0.9", "0.5");
	invite(&h, "bob", "merged", NULL);
	strcpy(h.desk_invite, peer_expect(&h.desk, "INVITE "));
	invite(&h, "carol", "merged", NULL);
	strcpy(carol_invite, peer_expect(&h.carol, "INVITE "));
	assert_int_not_equal(media_port(h.desk_invite), media_port(carol_invite));
	assert_int_equal(sessions(&h), 2);
	reply(&h.carol, carol_invite, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	reply(&h.desk, h.desk_invite, "603 Decline", NULL, NULL);
	peer_expect(&h.alice, "SIP/2.0 603");
	assert_int_equal(sessions(&h), 1);
	house_close(&h);
}

static void redirect_is_followed(void **state)
{
	struct house h;
	char carol[MSG_SIZE];

	house_open(&h, *state, "0.9", "0.5");
	h.w->cfg.follow_redirects = true;
	restart(&h);
	invite(&h, "bob", "moved", NULL);
	strcpy(h.desk_invite, peer_expect(&h.desk, "INVITE "));
	peer_send(&h.desk, NULL,
		  "SIP/2.0 302 Moved Temporarily\n%sFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:carol@example.test>\n",
		  headers(h.desk_invite, "Via"), header(h.desk_invite, "From"),
		  header(h.desk_invite, "To"), header(h.desk_invite, "Call-ID"),
		  header(h.desk_invite, "CSeq"));
	peer_expect(&h.desk, "ACK ");
	strcpy(carol, peer_expect(&h.carol, "INVITE sip:carol@127.0.0.1"));
	peer_expect_nothing(&h.cell, 20);
	/* whom she sends back to is not tried twice, and then bob's other phone is due */
	peer_send(&h.carol, NULL,
		  "SIP/2.0 302 Moved Temporarily\n%sFrom: %s\nTo: %s;tag=y\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:bob@%s:%u>\n",
		  headers(carol, "Via"), header(carol, "From"), header(carol, "To"),
		  header(carol, "Call-ID"), header(carol, "CSeq"), h.desk.host, h.desk.port);
	peer_expect(&h.carol, "ACK ");
	strcpy(h.cell_invite, peer_expect(&h.cell, "INVITE "));
	peer_expect_nothing(&h.desk, 20);
	reply(&h.cell, h.cell_invite, "200 OK", NULL, ANSWER);
	peer_expect(&h.alice, "SIP/2.0 200");
	assert_int_equal(sessions(&h), 1);
	house_close(&h);
}

/* Nobody gets farther by a 302 than the caller could alone. */
static void redirect_out_of_the_house_is_the_callers_business(void **state)
{
	struct house h;

	house_open(&h, *state, "0.9", "0.9");
	h.w->cfg.follow_redirects = true;
	restart(&h);
	invite(&h, "carol", "outside", NULL);
	peer_expect(&h.carol, "INVITE ");
	peer_send(&h.carol, NULL,
		  "SIP/2.0 302 Moved Temporarily\n%sFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:premium@127.0.0.1:%u>\n",
		  headers(h.carol.msg, "Via"), header(h.carol.msg, "From"),
		  header(h.carol.msg, "To"), header(h.carol.msg, "Call-ID"),
		  header(h.carol.msg, "CSeq"), h.alice.port);
	peer_expect(&h.alice, "SIP/2.0 302");
	assert_non_null(strstr(header(h.alice.msg, "Contact"), "premium"));
	assert_int_equal(sessions(&h), 0);
	h.w->cfg.follow_redirects = false;
	house_close(&h);
}

static void redirect_server(void **state)
{
	struct house h;
	char want[96];

	house_open(&h, *state, "0.9", "0.5");
	h.w->cfg.redirect = true;
	restart(&h);
	invite(&h, "bob", "where", NULL);
	peer_expect(&h.alice, "SIP/2.0 302");
	snprintf(want, sizeof(want), "<sip:bob@%s:%u>;q=1.000", h.desk.host, h.desk.port);
	assert_string_equal(header(h.alice.msg, "Contact"), want);
	snprintf(want, sizeof(want), "<sip:bob@%s:%u>;q=0.900", h.cell.host, h.cell.port);
	assert_string_equal(header_n(h.alice.msg, "Contact", 1), want);
	ack_refusal(&h, "bob", "where");
	peer_expect_nothing(&h.desk, 20);
	assert_int_equal(sessions(&h), 0);
	h.w->cfg.redirect = false;
	house_close(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_to_answer_has_the_call),
		TEST(two_answer_at_once),
		TEST(best_refusal_goes_upstream),
		TEST(global_refusal_ends_all),
		TEST(all_challenges_are_passed_on),
		TEST(caller_gives_up),
		TEST(lower_q_is_called_later),
		TEST(next_is_called_when_nobody_answers),
		TEST(dead_phone_is_not_waited_for),
		TEST(early_dialogs_are_kept_apart),
		TEST(first_answer_to_a_message_counts),
		TEST(breadth_is_not_exceeded),
		TEST(fork_of_another_proxy),
		TEST(redirect_is_followed),
		TEST(redirect_out_of_the_house_is_the_callers_business),
		TEST(redirect_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
