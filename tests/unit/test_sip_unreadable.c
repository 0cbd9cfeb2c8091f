/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that libre cannot read: what they are answered, and to whom; and those of RFC 2543, which are
 * served.
 */
#include <jansson.h>

#include "tests/unit/sip_call.h"

static unsigned int ids;

/* vias: what is put for "Via: %s" may be several lines. Returns what was sent. */
static const char *send_broken(struct peer *p, const char *first_line, const char *via)
{
	static char text[MSG_SIZE];

	ids++;
	snprintf(text, sizeof(text),
		 "%s\r\nVia: %s\r\nFrom: <sip:a@x>;tag=f\r\nTo:\r\n <sip:b@y>\r\n"
		 "Call-ID: broken-%u\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		 first_line, via, ids);
	peer_send_raw(p, text, strlen(text));

	return text;
}

static const char *via_of(const struct peer *p, const char *params)
{
	static char via[256];

	snprintf(via, sizeof(via), "SIP/2.0/%s %s:%u%s", tp(p), p->host, p->port, params);

	return via;
}

static long unreadable(struct world *w)
{
	json_t *o = tandem_sip_auth_json(w->sip);
	long n = (long)json_integer_value(json_object_get(o, "unreadable"));

	json_decref(o);

	return n;
}

static void first_lines(void **state)
{
	static const struct {
		const char *line;
		const char *status; /* NULL: no answer */
	} cases[] = {
		{ "OPTIONS sip:a@example.test SIP/7.0", "SIP/2.0 505 Version Not Supported\r\n" },
		{ "OPTIONS sip:a@example.test SIP/1.0", "SIP/2.0 505 " },
		{ "OPTIONS sip:a@example.test SIP/2.0 ", "SIP/2.0 400 Bad Request\r\n" },
		{ "OPTIONS  sip:a@example.test SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS sip:a@example.test  SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS\tsip:a@example.test SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS sip:a@example.test; lr SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS  SIP/2.0", "SIP/2.0 400 " },
		{ "OPTIONS sip:a@example.test SIP/2.x", "SIP/2.0 400 " },
		{ "ACK  sip:a@example.test SIP/2.0", NULL },
		{ "ACK sip:a@example.test SIP/7.0", NULL },
		{ "OPTIONS sip:a@example.test", NULL },
		{ "GET / HTTP/1.1", NULL },
		{ "SIP/2.0  200 OK", NULL },
		{ "SIP/7.0 xyz OK", NULL },
	};
	struct peer p;
	size_t i, answers = 0;

	peer_open(&p, AF_INET, false);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		send_broken(&p, cases[i].line, via_of(&p, ";branch=z9hG4bKx"));
		if (!cases[i].status) {
			peer_expect_nothing(&p, 20);
			continue;
		}
		peer_expect(&p, cases[i].status);
		answers++;
	}
	assert_int_equal(unreadable(*state), answers);
	peer_close(&p);
}

/* RFC 3261 section 8.2.6.2, and what RFC 3581 adds to the top Via. */
static void the_answer_is_one_to_the_request(void **state)
{
	char tag[128], want[256];
	const char *sent;
	struct peer p;

	(void)state;
	peer_open(&p, AF_INET, false);
	sent = send_broken(
		&p, "OPTIONS sip:a@example.test SIP/7.0",
		via_of(&p, ";rport;branch=z9hG4bKx;q=\"1\",SIP/2.0/TCP a,\r\n SIP/3.0/TCP b\r\n"
			   "v : SIP/2.0/UDP c;branch=1"));
	peer_expect(&p, "SIP/2.0 505 ");
	snprintf(want, sizeof(want),
		 "SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKx;q=\"1\";rport=%u;received=127.0.0.1, "
		 "SIP/2.0/TCP a,   SIP/3.0/TCP b",
		 p.port, p.port);
	assert_string_equal(header(p.msg, "Via"), want);
	assert_string_equal(header_n(p.msg, "Via", 1), "SIP/2.0/UDP c;branch=1");
	assert_null(header_n(p.msg, "Via", 2));
	assert_string_equal(header(p.msg, "From"), "<sip:a@x>;tag=f");
	assert_string_equal(header(p.msg, "CSeq"), "7 OPTIONS");
	assert_non_null(strstr(header(p.msg, "Call-ID"), "broken-"));
	assert_memory_equal(header(p.msg, "To"), "<sip:b@y>;tag=", 14);
	assert_true(strlen(p.msg) < strlen(sent) + 128);

	/* the same request, the same tag */
	strcpy(tag, header(p.msg, "To"));
	peer_send_raw(&p, sent, strlen(sent));
	peer_expect(&p, "SIP/2.0 505 ");
	assert_string_equal(header(p.msg, "To"), tag);
	peer_close(&p);
}

/* Section 18.2.2: to the port in the Via, but for rport; and to no other host. */
static void where_the_answer_goes(void **state)
{
	struct peer a, b;

	(void)state;
	peer_open(&a, AF_INET, false);
	peer_open(&b, AF_INET, false);
	send_broken(&a, "OPTIONS sip:x SIP/7.0", via_of(&b, ";branch=z9hG4bKx"));
	peer_expect(&b, "SIP/2.0 505");
	send_broken(&a, "OPTIONS sip:x SIP/7.0", via_of(&b, ";branch=z9hG4bKx;RPORT"));
	peer_expect(&a, "SIP/2.0 505");
	send_broken(&a, "OPTIONS sip:x SIP/7.0", via_of(&b, ";branch=z9hG4bKx;maddr=127.0.0.2"));
	send_broken(&a, "OPTIONS sip:x SIP/7.0", ";;;");
	send_broken(&a, "OPTIONS sip:x SIP/7.0", "SIP/2.0/UDP");
	send_broken(&a, "OPTIONS sip:x SIP/7.0", "");
	send_broken(&a, "OPTIONS sip:x SIP/7.0", "SIP/2.0/UDP a b");
	peer_expect_nothing(&a, 20);
	peer_expect_nothing(&b, 20);
	peer_close(&a);
	peer_close(&b);
}

static void long_ones_get_no_answer(void **state)
{
	char via[4000];
	struct peer p;
	size_t n;

	(void)state;
	peer_open(&p, AF_INET, false);
	n = (size_t)snprintf(via, sizeof(via), "%s", via_of(&p, ";branch=z9hG4bKx;x="));
	memset(via + n, 'a', sizeof(via) - n - 1);
	via[n + 1500] = '\0';
	send_broken(&p, "OPTIONS sip:x SIP/7.0", via);
	peer_expect(&p, "SIP/2.0 505");
	via[n + 1500] = 'a';
	via[n + 2100] = '\0';
	send_broken(&p, "OPTIONS sip:x SIP/7.0", via);
	peer_expect_nothing(&p, 20);
	peer_close(&p);
}

static void a_flood_is_answered_at_its_rate(void **state)
{
	struct world *w = *state;
	unsigned int i, answers = 0;
	struct peer p;

	w->cfg.source_rate = 2;
	world_restart(w);
	peer_open(&p, AF_INET, false);
	for (i = 0; i < 40; i++)
		send_broken(&p, "OPTIONS sip:x SIP/7.0", via_of(&p, ";branch=z9hG4bKx"));
	while (peer_try(&p, 20))
		answers++;
	assert_in_range(answers, 1, 30);
	peer_close(&p);
}

static void scanners_are_not_answered(void **state)
{
	static const char *const agents[] = { "scanner" };
	struct world *w = *state;
	struct peer p;
	char via[256];

	w->cfg.deny_agents = agents;
	w->cfg.deny_agents_count = 1;
	world_restart(w);
	peer_open(&p, AF_INET, false);
	snprintf(via, sizeof(via), "%s\r\nUser-Agent: nice\r\n Scanner",
		 via_of(&p, ";branch=z9hG4bKx"));
	send_broken(&p, "OPTIONS sip:x SIP/7.0", via);
	peer_expect_nothing(&p, 20);
	send_broken(&p, "OPTIONS sip:x SIP/7.0", via_of(&p, ";branch=z9hG4bKx"));
	peer_expect(&p, "SIP/2.0 505");
	peer_close(&p);
}

static void send_text(struct peer *p, const char *text)
{
	peer_send_raw(p, text, strlen(text));
}

static bool is_closed(struct peer *p)
{
	char c;
	int i;

	for (i = 0; i < 100; i++) {
		if (!recv(p->fd, &c, 1, 0))
			return true;
		run_ms(5);
	}

	return false;
}

#define VIA   "Via: SIP/2.0/TCP h;branch=z9hG4bKt\r\n"
#define REST  "From: <sip:a@x>;tag=f\r\nTo: <sip:b@y>\r\nCall-ID: t\r\nCSeq: 1 OPTIONS\r\n"
#define RIGHT "OPTIONS sip:example.test SIP/2.0\r\n" VIA REST "Content-Length: 0\r\n\r\n"

/* What follows a message is known where it has told its length, and the connection serves on. */
static void streams_go_on_where_they_can(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, AF_INET, true);
	send_text(&p,
		  "OPTIONS  sip:x SIP/2.0\r\n" VIA REST "Content-Length: 8\r\n\r\nOPTIONS " RIGHT);
	peer_expect(&p, "SIP/2.0 400");
	peer_expect(&p, "SIP/2.0 200");

	/* in pieces */
	send_text(&p, "OPTIONS sip:x SIP/7.0\r\nVia: SIP/2.0/TCP h;bran");
	send_text(&p, "ch=z9hG4bKt\r\n" REST "l: 0\r\n");
	peer_expect_nothing(&p, 20);
	send_text(&p, "\r\n" RIGHT);
	peer_expect(&p, "SIP/2.0 505");
	peer_expect(&p, "SIP/2.0 200");
	peer_close(&p);
}

static void streams_end_where_they_cannot(void **state)
{
	static const char *const texts[] = {
		/* no length, one that is none, and more than has come by then */
		"OPTIONS sip:x SIP/7.0\r\n" VIA REST "\r\n" RIGHT,
		"OPTIONS sip:x SIP/7.0\r\n" VIA REST "Content-Length: -1\r\n\r\n" RIGHT,
		"OPTIONS sip:x SIP/7.0\r\n" VIA REST "Content-Length: 99999999999999999999\r\n\r\n",
		"OPTIONS sip:x SIP/7.0\r\n" VIA REST "Content-Length: 9\r\n\r\n",
		/* one that libre reads, RFC 3261 section 18.3 */
		"OPTIONS sip:example.test SIP/2.0\r\n" VIA REST "\r\n",
		"OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n" REST "\r\n",
	};
	struct peer p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		peer_open(&p, AF_INET, true);
		send_text(&p, texts[i]);
		peer_expect(&p, i < 4 ? "SIP/2.0 505" : "SIP/2.0 400");
		assert_int_equal(p.rest_len, 0);
		assert_true(is_closed(&p));
		peer_close(&p);
	}
}

static void old_request(struct call *c, const char *method, const char *version, const char *to_tag,
			const char *sdp)
{
	peer_send(&c->alice, sdp,
		  "%s sip:bob@example.test %s\nVia:SIP/2.0/UDP 127.0.0.1:%u\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>%s\n"
		  "Call-ID: old\nCSeq: 1 %s\nContact: <sip:alice@127.0.0.1:%u>\n",
		  method, version, c->alice.port, to_tag, method, c->alice.port);
}

/* No branch, no Max-Forwards, as before RFC 3261: the transaction is found all the same (section 17.2.3). */
static void rfc_2543_calls(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	old_request(&c, "INVITE", "sip/2.0", "", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	assert_non_null(strstr(c.invite, " SIP/2.0\r\n"));
	assert_non_null(strstr(header_n(c.invite, "Via", 1), ";branch=z9hG4bK2543"));

	/* again: it is known */
	old_request(&c, "INVITE", "SIP/2.0", "", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 180");
	peer_expect_nothing(&c.bob, 20);

	old_request(&c, "CANCEL", "SIP/2.0", "", NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	peer_expect(&c.bob, "CANCEL ");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	respond(&c, c.invite, "487 Request Terminated", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 487");

	/* without this the 487 would come again, after half a second */
	old_request(&c, "ACK", "SIP/2.0", ";tag=btag", NULL);
	peer_expect_nothing(&c.alice, 700);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* A branch of another making than RFC 3261's is one nevertheless. */
static void branches_without_the_cookie(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, AF_INET, false);
	peer_send(&p, NULL,
		  "OPTIONS sip:example.test SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=1\n"
		  "From: <sip:a@x>;tag=f\nTo: <sip:b@y>\nCall-ID: cookie\nCSeq: 1 OPTIONS\n",
		  p.port);
	peer_expect(&p, "SIP/2.0 200");
	assert_non_null(strstr(header(p.msg, "Via"), ";branch=1"));
	peer_close(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_lines),
		TEST(the_answer_is_one_to_the_request),
		TEST(where_the_answer_goes),
		TEST(long_ones_get_no_answer),
		TEST(a_flood_is_answered_at_its_rate),
		TEST(scanners_are_not_answered),
		TEST(streams_go_on_where_they_can),
		TEST(streams_end_where_they_cannot),
		TEST(rfc_2543_calls),
		TEST(branches_without_the_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
