/* SPDX-License-Identifier: GPL-2.0-only */
/* REGISTER (RFC 3261 section 10.3, RFC 3327) as a phone sees it. */
#include <sqlite3.h>

#include "tests/unit/sip_fixture.h"

struct phone {
	struct world *w;
	struct peer peer;
	unsigned int branch;
};

static void phone_open(struct phone *ph, void **state)
{
	memset(ph, 0, sizeof(*ph));
	ph->w = *state;
	peer_open(&ph->peer, AF_INET, false);
}

/* REGISTER of sip:bob@example.test; lines: Contact, Expires and the like */
static const char *do_register(struct phone *ph, const char *call_id, unsigned int cseq,
			       const char *lines, const char *want)
{
	/* libre takes requests that differ in the branch alone for merged ones (8.2.2.2) */
	ph->branch++;
	peer_send(&ph->peer, NULL,
		  "REGISTER sip:example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKr%u;rport\nMax-Forwards: 70\n"
		  "From: <sip:bob@example.test>;tag=x%u\nTo: <sip:bob@Example.Test>\n"
		  "Call-ID: %s\nCSeq: %u REGISTER\n%s",
		  ph->peer.port, ph->branch, ph->branch, call_id, cseq, lines);
	return peer_expect(&ph->peer, want);
}

static size_t registered(struct phone *ph)
{
	struct tandem_sip_stats stats;

	tandem_sip_stats(ph->w->sip, &stats);
	return stats.registrations;
}

/* The clock may tick between the REGISTER and the answer to it, or to the next one. */
static void assert_contact(const char *msg, unsigned int n, const char *start, int seconds)
{
	const char *contact = header_n(msg, "Contact", n);

	assert_non_null(contact);
	if (strncmp(contact, start, strlen(start)))
		fail_msg("%s does not start with %s", contact, start);
	assert_in_range(atoi(contact + strlen(start)), seconds - 3, seconds);
}

static void lists_what_is_bound(void **state)
{
	struct phone ph;
	const char *msg;

	phone_open(&ph, state);
	msg = do_register(&ph, "c1", 1, "Contact: <sip:bob@127.0.0.1:5071>;q=0.5\nExpires: 300\n",
			  "SIP/2.0 200");
	assert_contact(msg, 0, "<sip:bob@127.0.0.1:5071>;q=0.500;expires=", 300);
	assert_non_null(strstr(header(msg, "To"), ";tag="));

	msg = do_register(&ph, "c1", 2,
			  "m: \"B, o\" <sip:bob@127.0.0.1:5072>;expires=100 , "
			  "sip:bob@127.0.0.1:5073;expires=99999\n",
			  "SIP/2.0 200");
	assert_contact(msg, 0, "<sip:bob@127.0.0.1:5073>;q=1.000;expires=", 3600);
	assert_contact(msg, 1, "<sip:bob@127.0.0.1:5072>;q=1.000;expires=", 100);
	assert_contact(msg, 2, "<sip:bob@127.0.0.1:5071>;q=0.500;expires=", 300);

	/* a query changes nothing */
	msg = do_register(&ph, "c2", 1, "", "SIP/2.0 200");
	assert_non_null(header_n(msg, "Contact", 2));
	assert_int_equal(registered(&ph), 3);

	/* removing one, then all */
	msg = do_register(&ph, "c1", 3, "Contact: <sip:bob@127.0.0.1:5072>;expires=0\n",
			  "SIP/2.0 200");
	assert_null(header_n(msg, "Contact", 2));
	msg = do_register(&ph, "c1", 4, "Contact: *\nExpires: 0\n", "SIP/2.0 200");
	assert_null(header(msg, "Contact"));
	assert_int_equal(registered(&ph), 0);
	peer_close(&ph.peer);
}

static void order_of_requests(void **state)
{
	const char *contact = "Contact: <sip:bob@127.0.0.1:5071>\n";
	struct phone ph;

	phone_open(&ph, state);
	do_register(&ph, "c1", 5, contact, "SIP/2.0 200");
	do_register(&ph, "c1", 5, "Contact: <sip:bob@127.0.0.1:5071>;expires=0\n", "SIP/2.0 500");
	do_register(&ph, "c1", 4, contact, "SIP/2.0 500");
	do_register(&ph, "c1", 4, "Contact: *\nExpires: 0\n", "SIP/2.0 500");
	assert_int_equal(registered(&ph), 1);
	/* the phone was restarted: another Call-ID begins anew */
	do_register(&ph, "c2", 1, contact, "SIP/2.0 200");
	assert_int_equal(registered(&ph), 1);

	/* a request that fails in one contact changes none */
	do_register(&ph, "c2", 2,
		    "Contact: <sip:bob@127.0.0.1:5079>\nContact: <mailto:bob@example.test>\n",
		    "SIP/2.0 400");
	assert_int_equal(registered(&ph), 1);
	peer_close(&ph.peer);
}

/* The answer may be lost with the process; who repeats the request is to have it then. */
static void repeated_requests(void **state)
{
	const char *contacts = "Contact: <sip:bob@127.0.0.1:5071>;expires=300\n"
			       "Contact: <sip:bob@127.0.0.1:5072>;q=0.5;expires=200\n";
	struct phone ph;
	const char *msg;

	phone_open(&ph, state);
	do_register(&ph, "c1", 5, contacts, "SIP/2.0 200");
	world_restart(*state);
	msg = do_register(&ph, "c1", 5, contacts, "SIP/2.0 200");
	assert_contact(msg, 0, "<sip:bob@127.0.0.1:5071>;q=1.000;expires=", 300);
	assert_contact(msg, 1, "<sip:bob@127.0.0.1:5072>;q=0.500;expires=", 200);
	assert_int_equal(registered(&ph), 2);

	/* the same number with anything else is not the same request */
	do_register(&ph, "c1", 5, "Contact: <sip:bob@127.0.0.1:5071>;q=0.1\n", "SIP/2.0 500");
	do_register(&ph, "c1", 5,
		    "Contact: <sip:bob@127.0.0.1:5071>\nContact: <sip:bob@127.0.0.1:5073>\n",
		    "SIP/2.0 500");
	do_register(&ph, "c1", 5, "Contact: <sip:bob@127.0.0.1:5071>\nPath: <sip:127.0.0.9;lr>\n",
		    "SIP/2.0 500");
	do_register(&ph, "c1", 5, "Contact: *\nExpires: 0\n", "SIP/2.0 500");
	assert_int_equal(registered(&ph), 2);

	/* what was removed is gone, however often that is asked for */
	do_register(&ph, "c1", 6, "Contact: *\nExpires: 0\n", "SIP/2.0 200");
	world_restart(*state);
	do_register(&ph, "c1", 6, "Contact: *\nExpires: 0\n", "SIP/2.0 200");
	assert_int_equal(registered(&ph), 0);
	peer_close(&ph.peer);
}

static void refusals(void **state)
{
	static const struct {
		const char *lines, *want;
	} cases[] = {
		{ "Contact: *\n", "SIP/2.0 400" },
		{ "Contact: *\nExpires: 60\n", "SIP/2.0 400" },
		{ "Contact: *, <sip:bob@127.0.0.1>\nExpires: 0\n", "SIP/2.0 400" },
		{ "Contact: <sip:bob@127.0.0.1>, <sip:bob@127.0.0.1>\n", "SIP/2.0 400" },
		{ "Contact: <sip:bob@127.0.0.1>, <sip:bob@127.0.0.1>;expires=0\n", "SIP/2.0 400" },
		{ "Contact: <sips:bob@127.0.0.1>\n", "SIP/2.0 400" },
		{ "Contact: <sip:bob@127.0.0.1\n X-Injected: 1>\n", "SIP/2.0 400" },
		{ "Contact: <sip:bob@127.0.0.1>;expires=5\n", "SIP/2.0 423" },
		{ "Require: magic\nContact: <sip:bob@127.0.0.1>\n", "SIP/2.0 420" },
	};
	struct phone ph;
	size_t i;

	phone_open(&ph, state);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		do_register(&ph, "c1", (unsigned int)i + 1, cases[i].lines, cases[i].want);
		assert_int_equal(registered(&ph), 0);
	}
	do_register(&ph, "c1", 90, "Contact: <sip:bob@127.0.0.1>;expires=5\n", "SIP/2.0 423");
	assert_string_equal(header(ph.peer.msg, "Min-Expires"), "60");
	/* nonsense stands for the default */
	do_register(&ph, "c1", 91, "Contact: <sip:bob@127.0.0.1>;expires=soon\n", "SIP/2.0 200");
	assert_non_null(strstr(header(ph.peer.msg, "Contact"), "expires=3600"));
	peer_close(&ph.peer);
}

static void limits(void **state)
{
	struct world *w = *state;
	struct phone ph;

	world_stop(w);
	w->cfg.max_contacts = 2;
	w->cfg.max_registrations = 3;
	world_start(w);
	phone_open(&ph, state);
	do_register(&ph, "c1", 1, "Contact: <sip:b@127.0.0.1:1>, <sip:b@127.0.0.1:2>\n",
		    "SIP/2.0 200");
	do_register(&ph, "c1", 2, "Contact: <sip:b@127.0.0.1:3>\n", "SIP/2.0 403");
	/* a swap, and a refresh, are not one more */
	do_register(&ph, "c1", 3, "Contact: <sip:b@127.0.0.1:3>, <sip:b@127.0.0.1:1>;expires=0\n",
		    "SIP/2.0 200");
	do_register(&ph, "c1", 4, "Contact: <sip:b@127.0.0.1:3>\n", "SIP/2.0 200");
	assert_int_equal(registered(&ph), 2);
	peer_close(&ph.peer);
}

static void survives_a_restart_and_expires(void **state)
{
	struct phone ph;
	const char *msg;

	phone_open(&ph, state);
	((struct world *)*state)->cfg.min_expires_s = 1;
	world_restart(*state);
	do_register(&ph, "c1", 1,
		    "Contact: <sip:b@127.0.0.1:1>;expires=3, <sip:b@127.0.0.1:2>;q=0.1\n",
		    "SIP/2.0 200");
	world_restart(*state);
	assert_int_equal(registered(&ph), 2);
	run_ms(3100);
	msg = do_register(&ph, "c2", 1, "", "SIP/2.0 200");
	assert_non_null(strstr(header(msg, "Contact"), ":2>;q=0.100"));
	assert_null(header_n(msg, "Contact", 1));
	peer_close(&ph.peer);
}

/* A binding that could not be written must not be acknowledged, nor be there. */
static void a_locked_store_acknowledges_nothing(void **state)
{
	struct phone ph;
	sqlite3 *db;

	phone_open(&ph, state);
	assert_int_equal(sqlite3_open(ph.w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	do_register(&ph, "c1", 1, "Contact: <sip:b@127.0.0.1:1>\n", "SIP/2.0 503");
	assert_string_equal(header(ph.peer.msg, "Retry-After"), "10");
	assert_int_equal(registered(&ph), 0);
	sqlite3_close(db);
	do_register(&ph, "c1", 2, "Contact: <sip:b@127.0.0.1:1>\n", "SIP/2.0 200");
	assert_int_equal(registered(&ph), 1);
	peer_close(&ph.peer);
}

static void invite_goes_where_the_register_came_from(void **state)
{
	struct peer alice;
	struct phone ph;

	/* the Contact names an address behind a NAT */
	phone_open(&ph, state);
	peer_open(&alice, AF_INET, false);
	do_register(&ph, "c1", 1, "Contact: <sip:bob@192.168.7.7:5060>\n", "SIP/2.0 200");
	peer_send(&alice, NULL,
		  "MESSAGE sip:b%%6fb@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKm;rport\n"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: m\nCSeq: 1 MESSAGE\n",
		  alice.port);
	peer_expect(&ph.peer, "MESSAGE sip:bob@192.168.7.7:5060 SIP/2.0");
	assert_string_equal(header(ph.peer.msg, "Max-Forwards"), "70");
	peer_close(&alice);
	peer_close(&ph.peer);
}

static void path_becomes_route(void **state)
{
	struct peer alice;
	struct phone ph;
	char lines[256];

	phone_open(&ph, state);
	peer_open(&alice, AF_INET, false);
	snprintf(lines, sizeof(lines),
		 "Contact: <sip:bob@192.168.7.7>\nSupported: path\n"
		 "Path: <sip:edge@127.0.0.1:%u;lr>\nPath: <sip:inner.test;lr>\n",
		 ph.peer.port);
	do_register(&ph, "c1", 1, lines, "SIP/2.0 200");
	assert_non_null(strstr(header(ph.peer.msg, "Path"), ";lr>, <sip:inner.test;lr>"));
	peer_send(&alice, NULL,
		  "MESSAGE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKm;rport\n"
		  "Route: <sip:127.0.0.1:25060;lr>\n"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: m\nCSeq: 1 MESSAGE\n",
		  alice.port);
	peer_expect(&ph.peer, "MESSAGE sip:bob@192.168.7.7 SIP/2.0");
	assert_non_null(strstr(header(ph.peer.msg, "Route"), ";lr>, <sip:inner.test;lr>"));
	assert_null(header_n(ph.peer.msg, "Route", 1));
	peer_close(&alice);
	peer_close(&ph.peer);
}

static void shown_as_json(void **state)
{
	struct phone ph;
	json_t *doc, *reg;

	phone_open(&ph, state);
	do_register(&ph, "c1", 1,
		    "Contact: <sip:b@127.0.0.1:1>;q=0.25\nUser-Agent: caf\xe9 \"1\"\n",
		    "SIP/2.0 200");
	doc = tandem_sip_registrations_json(ph.w->sip);
	reg = json_array_get(json_object_get(doc, "registrations"), 0);
	assert_string_equal(json_string_value(json_object_get(reg, "aor")), "sip:bob@example.test");
	assert_string_equal(json_string_value(json_object_get(reg, "contact")),
			    "sip:b@127.0.0.1:1");
	assert_string_equal(json_string_value(json_object_get(reg, "user_agent")), "caf? \"1\"");
	assert_true(json_integer_value(json_object_get(reg, "expires_s")) > 3590);
	json_decref(doc);
	peer_close(&ph.peer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_what_is_bound),
		TEST(order_of_requests),
		TEST(repeated_requests),
		TEST(refusals),
		TEST(limits),
		TEST(survives_a_restart_and_expires),
		TEST(a_locked_store_acknowledges_nothing),
		TEST(invite_goes_where_the_register_came_from),
		TEST(path_becomes_route),
		TEST(shown_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
