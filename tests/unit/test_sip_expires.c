/* SPDX-License-Identifier: GPL-2.0-only */
/* Session timers (RFC 4028): what a proxy adds, lowers and refuses, and the end of what nobody refreshes. */
#include "tests/unit/sip_call.h"
#include "userspace/sip/expires.h"

static int setup(void **state)
{
	int err = world_setup(state);
	struct world *w = *state;

	w->cfg.session_expires_s = 1800;
	w->cfg.min_se_s = 90;
	world_restart(w);
	return err;
}

static void reads_seconds(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint32_t seconds;
	} cases[] = {
		{ "1800", true, 1800 },
		{ "90;refresher=uac", true, 90 },
		{ "90 ;refresher=uac", true, 90 },
		{ "99999999999999999999", true, UINT32_MAX },
		{ "0", false, 0 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "90x", false, 0 },
		{ ";refresher=uac", false, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t seconds = 0;
		struct pl pl;

		pl_set_str(&pl, cases[i].text);
		assert_int_equal(tandem_expires_parse(&pl, &seconds), cases[i].good);
		if (cases[i].good)
			assert_int_equal(seconds, cases[i].seconds);
	}
}

/* An INVITE of alice's with these lines; whatever comes of it is read by the caller. */
static void invite(struct call *c, const char *id, const char *lines)
{
	peer_send(&c->alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:alice@127.0.0.1:%u>\n%s",
		  c->alice.port, id, id, c->alice.port, lines);
}

static void goes_on_with(void **state)
{
	static const struct {
		const char *lines, *interval, *min; /* NULL: no such header */
	} cases[] = {
		/* nobody asks: the relay does */
		{ "", "1800", NULL },
		{ "Supported: timer\n", "1800", NULL },
		{ "Supported: timer\nMin-SE: 3600\n", "3600", "3600" },
		/* what is asked for stays, unless it is too long */
		{ "Supported: timer\nSession-Expires: 600;refresher=uas\n", "600;refresher=uas",
		  NULL },
		{ "k: timer\nx: 86400;refresher=uac\n", "1800;refresher=uac", NULL },
		{ "Supported: timer\nx: 86400\nMin-SE: 7200\n", "7200", "7200" },
		/* too short, of one that would not understand why */
		{ "Session-Expires: 30\n", "90", "90" },
		{ "Session-Expires: 30\nMin-SE: 20\n", "90", "90" },
		{ "Session-Expires: 30\nMin-SE: 200\n", "200", "200" },
		/* not numbers: for the callee to say so */
		{ "Supported: timer\nSession-Expires: soon\n", "soon", NULL },
		{ "Supported: timer\nSession-Expires: 30\nMin-SE: x\n", "30", "x" },
	};
	struct call c;
	size_t i;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *msg, *value;
		char id[32];

		snprintf(id, sizeof(id), "on%zu", i);
		invite(&c, id, cases[i].lines);
		msg = peer_expect(&c.bob, "INVITE ");
		value = header(msg, "Session-Expires");
		assert_non_null(value);
		assert_string_equal(value, cases[i].interval);
		assert_null(header_n(msg, "Session-Expires", 1));
		assert_null(header(msg, "x"));
		value = header(msg, "Min-SE");
		if (cases[i].min)
			assert_string_equal(value, cases[i].min);
		else
			assert_null(value);
		assert_null(header_n(msg, "Min-SE", 1));
		assert_null(header(msg, "Require"));
		respond(&c, msg, "486 Busy Here", NULL, NULL);
		peer_expect(&c.bob, "ACK ");
		peer_expect(&c.alice, "SIP/2.0 100");
		peer_expect(&c.alice, "SIP/2.0 486");
	}
	close_call(&c);
}

static void refuses_what_is_too_short(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	invite(&c, "short", "Supported: timer\nSession-Expires: 89\n");
	peer_expect(&c.alice, "SIP/2.0 422");
	assert_string_equal(header(c.alice.msg, "Min-SE"), "90");
	peer_expect_nothing(&c.bob, 50);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* The call whose INVITE bob has, answered with these lines; what alice gets. */
static const char *answer(struct call *c, const char *lines)
{
	peer_expect(&c->alice, "SIP/2.0 100");
	strcpy(c->invite, peer_expect(&c->bob, "INVITE "));
	respond(c, c->invite, "200 OK", lines, ANSWER);
	strcpy(c->ok, peer_expect(&c->alice, "SIP/2.0 200"));
	alice_request(c, "ACK", 1, NULL, NULL);
	peer_expect(&c->bob, "ACK ");
	return c->ok;
}

static void tells_the_caller_to_refresh(void **state)
{
	const char *msg;
	struct call c;

	/* only the caller knows session timers */
	open_call(&c, *state, AF_INET, false, AF_INET, false);
	invite(&c, "tell1", "Supported: timer\n");
	msg = answer(&c, NULL);
	assert_string_equal(header(msg, "Session-Expires"), "1800;refresher=uac");
	assert_string_equal(header(msg, "Require"), "timer");
	/* the 2xx once more is the same */
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	msg = peer_expect(&c.alice, "SIP/2.0 200");
	assert_string_equal(header(msg, "Session-Expires"), "1800;refresher=uac");
	hang_up(&c);

	/* with an interval of its own */
	invite(&c, "tell2", "Supported: timer\nSession-Expires: 600;refresher=uas\n");
	msg = answer(&c, NULL);
	assert_string_equal(header(msg, "Session-Expires"), "600;refresher=uac");
	hang_up(&c);

	/* the callee has decided */
	invite(&c, "tell3", "Supported: timer\n");
	msg = answer(&c, "Session-Expires: 400;refresher=uas\nRequire: timer\n");
	assert_string_equal(header(msg, "Session-Expires"), "400;refresher=uas");
	assert_null(header_n(msg, "Session-Expires", 1));
	assert_null(header_n(msg, "Require", 1));
	hang_up(&c);

	/* nobody knows them */
	invite(&c, "tell4", "");
	msg = answer(&c, NULL);
	assert_null(header(msg, "Session-Expires"));
	assert_null(header(msg, "Require"));
	hang_up(&c);
	close_call(&c);
}

static void ticks(struct world *w, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms; i += 100) {
		run_ms(100);
		tandem_sessions_tick(w->ss);
	}
}

static void ends_what_nobody_refreshes(void **state)
{
	const char *two = "Session-Expires: 2;refresher=uac\nRequire: timer\n";
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	invite(&c, "end", "Supported: timer\n");
	answer(&c, two);
	ticks(c.w, 1200);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);

	/* by UPDATE, which has an offer as well or not */
	alice_request(&c, "UPDATE", 2, "Supported: timer\nSession-Expires: 1800;refresher=uac\n",
		      NULL);
	assert_string_equal(header(peer_expect(&c.bob, "UPDATE "), "Session-Expires"),
			    "1800;refresher=uac");
	respond(&c, c.bob.msg, "200 OK", two, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	ticks(c.w, 1200);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);

	/* by re-INVITE; one that is refused refreshes nothing */
	alice_request(&c, "INVITE", 3, "Supported: timer\nContact: <sip:alice@127.0.0.1>\n", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	respond(&c, c.bob.msg, "491 Request Pending", NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	peer_expect(&c.alice, "SIP/2.0 491");
	ticks(c.w, 1200);
	assert_int_equal(tandem_sessions_count(c.w->ss), 0);
	close_call(&c);
}

/* A 2xx to a refresh that says nothing of a timer makes the session last (section 8.2). */
static void a_refresh_may_end_the_timer(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	invite(&c, "off", "Supported: timer\n");
	answer(&c, "Session-Expires: 1;refresher=uac\nRequire: timer\n");
	bob_request(&c, "UPDATE", 1, NULL);
	strcpy(c.ok, peer_expect(&c.alice, "UPDATE "));
	peer_send(&c.alice, NULL, "SIP/2.0 200 OK\n%sFrom: %s\nTo: %s\nCall-ID: off\nCSeq: %s\n",
		  headers(c.ok, "Via"), header(c.ok, "From"), header(c.ok, "To"),
		  header(c.ok, "CSeq"));
	peer_expect(&c.bob, "SIP/2.0 200");
	ticks(c.w, 1500);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	close_call(&c);
}

/* After a restart there is time for a refresh that came while nobody was there. */
static void outlives_a_restart(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	invite(&c, "again", "Supported: timer\n");
	answer(&c, "Session-Expires: 1;refresher=uac\nRequire: timer\n");
	world_restart(c.w);
	ticks(c.w, 1500);
	assert_int_equal(tandem_sessions_count(c.w->ss), 1);
	close_call(&c);
}

static void off_changes_nothing(void **state)
{
	struct world *w = *state;
	struct call c;

	w->cfg.session_expires_s = 0;
	world_restart(w);
	open_call(&c, w, AF_INET, false, AF_INET, false);
	invite(&c, "none", "Supported: timer\nSession-Expires: 30\n");
	assert_null(header(answer(&c, NULL), "Session-Expires"));
	assert_string_equal(header(c.invite, "Session-Expires"), "30");
	assert_null(header(c.invite, "Min-SE"));
	hang_up(&c);
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_seconds),  TEST(goes_on_with),
		TEST(refuses_what_is_too_short),  TEST(tells_the_caller_to_refresh),
		TEST(ends_what_nobody_refreshes), TEST(a_refresh_may_end_the_timer),
		TEST(outlives_a_restart),	  TEST(off_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
