/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operator does to the front end: blocking sources, and draining. */
#include "tests/unit/sip_call.h"

static void ask(struct peer *p, const char *method, const char *uri, const char *agent)
{
	static unsigned int n;

	n++;
	peer_send(p, NULL,
		  "%s %s SIP/2.0\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKask%u;rport\n"
		  "Max-Forwards: 70\nFrom: <sip:alice@example.test>;tag=t%u\nTo: <%s>\n"
		  "Call-ID: ask%u\nCSeq: 1 %s\nContact: <sip:alice@%s:%u>\nUser-Agent: %s\n",
		  method, uri, p->host, p->port, n, n, uri, n, method, p->host, p->port, agent);
}

static json_int_t dropped(const struct world *w, const char *by)
{
	json_t *doc = tandem_sip_dropped_json(w->sip);
	json_int_t n = json_integer_value(json_object_get(doc, by));

	json_decref(doc);
	return n;
}

static void scanners_hear_nothing(void **state)
{
	static const char *const agents[] = { "friendly-scanner" };
	struct world *w = *state;
	struct peer p;

	world_stop(w);
	w->cfg.deny_agents = agents;
	w->cfg.deny_agents_count = 1;
	world_start(w);
	peer_open(&p, AF_INET, false);
	ask(&p, "OPTIONS", "sip:" RELAY, "Friendly-Scanner/2.1");
	peer_expect_nothing(&p, 100);
	assert_int_equal(dropped(w, "agent"), 1);
	ask(&p, "OPTIONS", "sip:" RELAY, "friendly phone");
	peer_expect(&p, "SIP/2.0 200");
	peer_close(&p);
}

static void denied_networks_hear_nothing(void **state)
{
	struct tandem_prefix deny, allow;
	struct world *w = *state;
	struct peer four, six;

	world_stop(w);
	tandem_prefix_parse(&deny, "::/0");
	tandem_prefix_parse(&allow, "::1");
	w->cfg.deny = &deny;
	w->cfg.deny_count = 1;
	world_start(w);
	peer_open(&four, AF_INET, false);
	peer_open(&six, AF_INET6, false);
	ask(&six, "OPTIONS", "sip:" RELAY, "x");
	peer_expect_nothing(&six, 100);
	assert_int_equal(dropped(w, "network"), 1);
	ask(&four, "OPTIONS", "sip:" RELAY, "x");
	peer_expect(&four, "SIP/2.0 200");

	world_stop(w);
	w->cfg.allow = &allow;
	w->cfg.allow_count = 1;
	world_start(w);
	ask(&six, "OPTIONS", "sip:" RELAY, "x");
	peer_expect(&six, "SIP/2.0 200");
	peer_close(&four);
	peer_close(&six);
}

static void a_block_is_kept_and_removed(void **state)
{
	struct world *w = *state;
	char why[128] = "";
	json_t *doc;
	struct peer p;

	peer_open(&p, AF_INET, false);
	assert_int_equal(tandem_sip_block_add(w->sip, "127.0.0.9/8", 0, why, sizeof(why)), 0);
	ask(&p, "OPTIONS", "sip:" RELAY, "x");
	peer_expect_nothing(&p, 100);
	world_restart(w);
	ask(&p, "OPTIONS", "sip:" RELAY, "x");
	peer_expect_nothing(&p, 100);
	doc = tandem_sip_blocks_json(w->sip);
	assert_int_equal(json_array_size(json_object_get(doc, "blocks")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(doc, "blocks"), 0), "network")),
			    "127.0.0.0/8");
	json_decref(doc);
	assert_int_equal(tandem_sip_block_remove(w->sip, "127.0.0.0/8", why, sizeof(why)), 0);
	assert_int_equal(tandem_sip_block_remove(w->sip, "127.0.0.0/8", why, sizeof(why)), -ENOENT);
	ask(&p, "OPTIONS", "sip:" RELAY, "x");
	peer_expect(&p, "SIP/2.0 200");
	peer_close(&p);
}

/* libre has responses before the proxy has. */
static void a_callee_who_is_blocked_is_not_heard(void **state)
{
	struct world *w = *state;
	struct call c;
	char why[128];

	open_call(&c, w, AF_INET, false, AF_INET6, false);
	send_invite(&c, "blocked", OFFER);
	peer_expect(&c.alice, "SIP/2.0 100");
	strcpy(c.invite, peer_expect(&c.bob, "INVITE "));
	assert_int_equal(tandem_sip_block_add(w->sip, "::1", 0, why, sizeof(why)), 0);
	respond(&c, c.invite, "180 Ringing", NULL, NULL);
	respond(&c, c.invite, "486 Busy Here", NULL, NULL);
	peer_expect_nothing(&c.alice, 100);
	assert_true(dropped(w, "operator") >= 2);
	assert_int_equal(tandem_sip_block_remove(w->sip, "::1", why, sizeof(why)), 0);
	respond(&c, c.invite, "486 Busy Here", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 486");
	peer_close(&c.alice);
	peer_close(&c.bob);
}

static void a_block_ends_by_itself(void **state)
{
	struct world *w = *state;
	char why[128] = "";
	struct peer p;
	int i;

	peer_open(&p, AF_INET, false);
	assert_int_equal(tandem_sip_block_add(w->sip, "127.0.0.1", 1, why, sizeof(why)), 0);
	for (i = 0; i < 100; i++) {
		ask(&p, "OPTIONS", "sip:" RELAY, "x");
		if (peer_try(&p, 50))
			break;
	}
	assert_in_range(i, 0, 99);
	peer_close(&p);
}

static void blocks_are_bounded_and_checked(void **state)
{
	struct world *w = *state;
	char why[128] = "", net[32];
	int i, err = 0;

	assert_int_equal(tandem_sip_block_add(w->sip, "10.0.0.0/33", 0, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "10.0.0.0/33"));
	for (i = 0; i < 2000 && !err; i++) {
		snprintf(net, sizeof(net), "10.0.%d.%d", i / 256, i % 256);
		err = tandem_sip_block_add(w->sip, net, 60, why, sizeof(why));
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(i, 1025);
}

static void a_drain_refuses_what_is_new(void **state)
{
	struct call c;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "up", OFFER, ANSWER);
	tandem_sip_drain(c.w->sip, true);
	send_invite(&c, "new", OFFER);
	peer_expect(&c.alice, "SIP/2.0 503");
	assert_string_equal(header(c.alice.msg, "Retry-After"), "30");
	peer_expect_nothing(&c.bob, 50);
	ask(&c.alice, "OPTIONS", "sip:" RELAY, "dispatcher");
	peer_expect(&c.alice, "SIP/2.0 503");
	do_register(&c.bob, "bob");
	hang_up(&c); /* what is up goes on, and ends as ever */
	tandem_sip_drain(c.w->sip, false);
	ask(&c.alice, "OPTIONS", "sip:" RELAY, "dispatcher");
	peer_expect(&c.alice, "SIP/2.0 200");
	close_call(&c);
}

static void a_drain_can_redirect(void **state)
{
	struct world *w = *state;
	struct call c;

	world_stop(w);
	w->cfg.drain_redirect = "other.example.test:5070";
	w->cfg.drain_refuses_register = true;
	world_start(w);
	open_call(&c, w, AF_INET, false, AF_INET, false);
	tandem_sip_drain(w->sip, true);
	send_invite(&c, "elsewhere", OFFER);
	peer_expect(&c.alice, "SIP/2.0 302");
	assert_string_equal(header(c.alice.msg, "Contact"), "<sip:bob@other.example.test:5070>");
	ask(&c.alice, "REGISTER", "sip:example.test", "x");
	peer_expect(&c.alice, "SIP/2.0 503");
	close_call(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(scanners_hear_nothing),	   TEST(denied_networks_hear_nothing),
		TEST(a_block_is_kept_and_removed), TEST(a_callee_who_is_blocked_is_not_heard),
		TEST(a_block_ends_by_itself),	   TEST(blocks_are_bounded_and_checked),
		TEST(a_drain_refuses_what_is_new), TEST(a_drain_can_redirect),
	};

	tandem_log_set_level(TANDEM_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
