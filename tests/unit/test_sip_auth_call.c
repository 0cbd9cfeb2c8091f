/* SPDX-License-Identifier: GPL-2.0-only */
/* Calling with credentials and without; policies, users that come and go, limits. */
#include "tests/unit/sip_auth.h"

/* ---- calling ---- */

/* alice's INVITE to bob, in somebody's name, with more lines. */
static void invite(struct peer *p, const char *id, const char *from, const char *lines)
{
	peer_send(p, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:%s>;tag=atag\nTo: <sip:bob@example.test>\nCall-ID: %.8s\n"
		  "CSeq: %u INVITE\nContact: <sip:alice@%s:%u>\n%s",
		  tp(p), p->host, p->port, id, from, id, (unsigned int)strlen(id), p->host, p->port,
		  lines);
}

static void invite_as(struct peer *p, const char *id, const char *from, struct answer *a,
		      const char *want)
{
	char lines[2200];

	snprintf(lines, sizeof(lines), "Proxy-Authorization: %s\n", credentials(a));
	a->nc++;
	invite(p, id, from, lines);
	peer_expect(p, want);
}

static struct answer call_challenged(struct peer *p, const char *id)
{
	struct answer a = answer_for("alice", "wonder", "INVITE", "sip:bob@example.test");

	invite(p, id, "alice@example.test", "");
	take_nonce(&a, peer_expect(p, "SIP/2.0 407"));
	return a;
}

static void open_phones(struct call *c, struct world *w)
{
	struct answer a;

	memset(c, 0, sizeof(*c));
	c->w = w;
	peer_open(&c->alice, AF_INET, false);
	peer_open(&c->bob, AF_INET, false);
	a = challenged(&c->bob, "bob", "build er");
	reg(&c->bob, &a, "SIP/2.0 200");
}

static void calls_with_credentials(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct call c;
	char lines[2200];

	open_phones(&c, w);
	a = call_challenged(&c.alice, "call-001a");
	/* what is meant for us ends here; what is meant for others goes on */
	snprintf(lines, sizeof(lines),
		 "Proxy-Authorization: Digest realm=\"elsewhere\", nonce=\"n\"\n"
		 "Proxy-Authorization: %s\nAuthorization: Digest realm=\"bob's\", nonce=\"n\"\n"
		 "Authorization: Digest realm=\"" REALM "\", nonce=\"n\"\n",
		 credentials(&a));
	invite(&c.alice, "call-001aa", "alice@example.test", lines);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	assert_string_equal(header(c.invite, "Proxy-Authorization"),
			    "Digest realm=\"elsewhere\", nonce=\"n\"");
	assert_null(header_n(c.invite, "Proxy-Authorization", 1));
	assert_string_equal(header(c.invite, "Authorization"),
			    "Digest realm=\"bob's\", nonce=\"n\"");
	assert_null(header_n(c.invite, "Authorization", 1));
	assert_null(strstr(c.invite, REALM "\", nonce"));

	/* within the dialog nobody is asked, on either side */
	respond(&c, c.invite, "200 OK", NULL, ANSWER);
	strcpy(c.ok, peer_expect(&c.alice, "SIP/2.0 200"));
	alice_request(&c, "ACK", 10, NULL, NULL);
	peer_expect(&c.bob, "ACK ");
	bob_request(&c, "INFO", 1, NULL);
	peer_expect(&c.alice, "INFO ");
	alice_request(&c, "BYE", 11, NULL, NULL);
	peer_expect(&c.bob, "BYE ");
	close_call(&c);
}

static void callers_without(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct call c;

	open_phones(&c, w);
	/* the called exists or not: the same answer */
	invite(&c.alice, "call-101a", "alice@example.test", "");
	peer_expect(&c.alice, "SIP/2.0 407");
	invite(&c.alice, "call-102a", "mallory@elsewhere.test", "");
	peer_expect(&c.alice, "SIP/2.0 407");
	peer_send(&c.alice, NULL,
		  "MESSAGE sip:nobody@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKm1;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=m\nTo: <sip:nobody@example.test>\n"
		  "Call-ID: m1\nCSeq: 1 MESSAGE\n",
		  c.alice.host, c.alice.port);
	peer_expect(&c.alice, "SIP/2.0 407");
	peer_expect_nothing(&c.bob, 50);

	/* with one's own name, or none; not with another's */
	a = call_challenged(&c.alice, "call-103a");
	invite_as(&c.alice, "call-104b", "bob@example.test", &a, "SIP/2.0 403");
	invite_as(&c.alice, "call-105b", "alice@elsewhere.test", &a, "SIP/2.0 403");
	invite_as(&c.alice, "call-106b", "anonymous@anonymous.invalid", &a, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	close_call(&c);
}

/* Having been in a call does not open the relay: its route without the dialog is not enough. */
static void routes_are_no_credentials(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct call c;

	open_phones(&c, w);
	a = call_challenged(&c.alice, "call-201a");
	invite_as(&c.alice, "call-201aa", "alice@example.test", &a, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	peer_send(&c.bob, OFFER,
		  "INVITE sip:victim@127.0.0.1:9 SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKv1;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:bob@example.test>;tag=v\nTo: <sip:victim@127.0.0.1:9>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:bob@%s:%u>\n",
		  c.bob.host, c.bob.port, routes_forward(c.invite), header(c.invite, "Call-ID"),
		  c.bob.host, c.bob.port);
	peer_expect(&c.bob, "SIP/2.0 407");
	close_call(&c);
}

/* ---- policies ---- */

static void only_registering(void **state)
{
	struct world *w = closed_world(state);
	struct call c;

	w->cfg.auth = TANDEM_SIP_AUTH_REGISTER;
	world_restart(w);
	open_phones(&c, w);
	assert_int_equal(registered(w), 1);
	invite(&c.alice, "call-301a", "whoever@elsewhere.test", "");
	peer_expect(&c.alice, "SIP/2.0 100");
	peer_expect(&c.bob, "INVITE ");
	close_call(&c);
}

static void trusted_sources(void **state)
{
	struct world *w = closed_world(state);
	struct tandem_prefix trusted;
	struct call c;
	unsigned int i;

	tandem_prefix_parse(&trusted, "127.0.0.0/8");
	w->cfg.trusted = &trusted;
	w->cfg.trusted_count = 1;
	w->cfg.source_rate = 1;
	world_restart(w);
	memset(&c, 0, sizeof(c));
	peer_open(&c.alice, AF_INET, false);
	peer_open(&c.bob, AF_INET6, false);
	for (i = 0; i < 30; i++)
		send_register(&c.alice, "bob@example.test", "bob@example.test", "", "SIP/2.0 200");
	send_register(&c.bob, "bob@example.test", "bob@example.test", "", "SIP/2.0 401");
	assert_int_equal(counter(w, "trusted"), 30);
	assert_int_equal(counter(w, "limited"), 0);
	close_call(&c);
}

/* Written by another process, as the command line does. */
static void with_other_store(struct world *w, void (*h)(struct tandem_store *store))
{
	struct tandem_store *other;
	char why[128];

	assert_int_equal(tandem_store_open(&other, w->path, why, sizeof(why)), 0);
	h(other);
	tandem_store_close(other);
	run_ms(1300);
}

static void add_alice(struct tandem_store *store)
{
	struct world w = { .store = store };

	add_user(&w, "alice", "wonder");
	add_user(&w, "bob", "build er");
}

static void remove_bob(struct tandem_store *store)
{
	assert_int_equal(tandem_store_user_remove(store, "bob"), 0);
}

static void remove_alice(struct tandem_store *store)
{
	assert_int_equal(tandem_store_user_remove(store, "alice"), 0);
}

/* Open as long as nobody has set it up; then closed, and what came before is gone. */
static void closes_with_the_first_user(void **state)
{
	struct world *w = *state;
	struct answer a;
	struct peer p;

	w->cfg.realm = REALM;
	world_restart(w);
	peer_open(&p, AF_INET, false);
	send_register(&p, "bob@example.test", "bob@example.test", "", "SIP/2.0 200");
	with_other_store(w, add_alice);
	assert_int_equal(registered(w), 0);
	a = challenged(&p, "bob", "build er");
	reg(&p, &a, "SIP/2.0 200");
	assert_int_equal(registered(w), 1);
	/* they stay over a restart, and over other users' coming and going */
	world_restart(w);
	assert_int_equal(registered(w), 1);
	with_other_store(w, remove_alice);
	assert_int_equal(registered(w), 1);
	/* and go with their user; the relay stays closed without any */
	with_other_store(w, remove_bob);
	assert_int_equal(registered(w), 0);
	reg(&p, &a, "SIP/2.0 401");
	world_restart(w);
	send_register(&p, "bob@example.test", "bob@example.test", "", "SIP/2.0 401");
	peer_close(&p);
}

static void contacts_of_open_days(void **state)
{
	struct world *w = *state;
	struct peer p;

	peer_open(&p, AF_INET, false);
	send_register(&p, "bob@example.test", "bob@example.test", "", "SIP/2.0 200");
	assert_int_equal(registered(w), 1);
	world_restart(w);
	assert_int_equal(registered(w), 1);
	/* bob becomes a user; this contact is not one that he has proven to be his */
	add_user(w, "bob", "build er");
	world_restart(w);
	assert_int_equal(registered(w), 0);
	peer_close(&p);
}

/* ---- limits ---- */

static void guessing(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct call c;
	unsigned int i;

	w->cfg.auth_failures = 5;
	w->cfg.auth_block_s = 2;
	world_restart(w);
	memset(&c, 0, sizeof(c));
	peer_open(&c.alice, AF_INET, false);
	peer_open(&c.bob, AF_INET6, false);
	a = challenged(&c.alice, "bob", "guess");
	for (i = 0; i < 5; i++) {
		a.nc = i + 1;
		reg(&c.alice, &a, "SIP/2.0 401");
	}
	assert_int_equal(counter(w, "blocked_sources"), 1);
	/* not even the right one is answered now, and others are not concerned */
	a.password = "build er";
	peer_send(&c.alice, NULL,
		  "REGISTER sip:example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKg;rport\nMax-Forwards: 70\n"
		  "From: <sip:bob@example.test>;tag=g\nTo: <sip:bob@example.test>\n"
		  "Call-ID: g\nCSeq: 1 REGISTER\nAuthorization: %s\n",
		  c.alice.port, credentials(&a));
	peer_expect_nothing(&c.alice, 100);
	assert_int_equal(counter(w, "blocked"), 1);
	a = challenged(&c.bob, "bob", "build er");
	reg(&c.bob, &a, "SIP/2.0 200");
	run_ms(2100);
	a = challenged(&c.alice, "bob", "build er");
	reg(&c.alice, &a, "SIP/2.0 200");
	close_call(&c);
}

static void flood(void **state)
{
	struct world *w = *state;
	struct call c;
	unsigned int i;

	w->cfg.source_rate = 2;
	world_restart(w);
	open_call(&c, w, AF_INET, false, AF_INET6, false);
	/* a call is set up within the limit, and goes on beyond it */
	establish(&c, "flood1", OFFER, SDP6("30002"));
	for (i = 0; i < 40; i++)
		peer_send(&c.alice, NULL,
			  "OPTIONS sip:example.test SIP/2.0\n"
			  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKo%u;rport\n"
			  "Max-Forwards: 70\nFrom: <sip:a@b>;tag=o\nTo: <sip:example.test>\n"
			  "Call-ID: o%u\nCSeq: 1 OPTIONS\n",
			  c.alice.port, i, i);
	for (i = 0; peer_try(&c.alice, 50); i++)
		assert_int_equal(strncmp(c.alice.msg, "SIP/2.0 200", 11), 0);
	assert_in_range(i, 15, 35);
	assert_in_range(counter(w, "limited"), 5, 25);
	assert_int_equal(i + counter(w, "limited"), 40);
	hang_up(&c);
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_with_credentials),
		TEST(callers_without),
		TEST(routes_are_no_credentials),
		TEST(only_registering),
		TEST(trusted_sources),
		TEST(closes_with_the_first_user),
		TEST(contacts_of_open_days),
		TEST(guessing),
		TEST(flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
