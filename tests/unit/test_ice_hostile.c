/* SPDX-License-Identifier: GPL-2.0-only */
/* ICE agents and those who mean no good: forged messages, floods, candidates that are targets. */
#include "tests/unit/ice_forge.h"

#include <errno.h>

static void without_the_password(void **state)
{
	(void)state;
	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *p = agent(net, lite);
		struct forge f = request_for(p);
		size_t asked = 0, answered = 0;
		uint8_t buf[512];

		f.use_candidate = true;
		for (int i = 0; i < 30000; i++) {
			f.pwd = i % 3 ? "another password of them" : NULL;
			f.ufrag = i % 3 == 2 ? "guess" : tandem_ice_ufrag(p->ice);
			f.no_username = i % 7 == 0;
			asked += forge(buf, sizeof(buf), &f);
			give(p, REMOTE, &f);
			for (size_t k = 0; k < net->queued; k++)
				answered += net->queue[k].len;
			net->queued = 0;
			net->now += i % 3 == 0;
		}
		/* 10 s: four at once and then one a second, each smaller than what it answers */
		assert_in_range(counts(p)->errors_sent, 4, 14);
		assert_true(answered * 500 < asked);
		assert_int_equal(p->sent, counts(p)->errors_sent);
		assert_int_equal(counts(p)->bad_auth, 30000);
		assert_int_equal(counts(p)->requests + counts(p)->remote_learned, 0);
		assert_int_equal(p->selected, 0);
		/* and others are served as ever */
		f = request_for(p);
		f.use_candidate = true;
		f.controlled = !lite;
		give(p, REMOTE, &f);
		assert_int_equal(counts(p)->requests, 1);
		assert_int_equal(p->selected, lite);
		net_free(net);
	}
}

static void an_error_is_not_larger_than_its_request(void **state)
{
	static const uint8_t bare[] = { 0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1,  2,
					3,    4,    5,	  6,	7,    8,    9,	  10,	11, 12 };
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct tandem_endpoint local = ep(LOCAL), remote = ep(REMOTE);
	(void)state;

	tandem_ice_input(p->ice, &local, &remote, bare, sizeof(bare), net->now);
	assert_int_equal(counts(p)->bad_auth, 1);
	assert_int_equal(p->sent, 0);
	net_free(net);
}

static void with_the_password_too_often(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct forge f = request_for(p);
	(void)state;

	for (int i = 0; i < 10000; i++) {
		give(p, REMOTE, &f);
		net->queued = 0;
		net->now += i % 10 == 0;
	}
	assert_in_range(p->sent, 100, 210); /* in one second */
	assert_int_equal(counts(p)->limited, 10000 - p->sent);
	net_free(net);
}

/* By mandatory attributes alone is a response larger than the smallest request. */
static void amplification(void **state)
{
	static const char *const from[] = { "198.51.100.2:6000", "[2001:db8::2]:6000" };
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct forge f = request_for(p);
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		uint8_t buf[512];
		size_t asked = forge(buf, sizeof(buf), &f);

		net->queued = 0;
		give(p, from[i], &f);
		assert_int_equal(net->queued, 1);
		assert_true(net->queue[0].len <= asked);
	}
	net_free(net);
}

static void wrong_role(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct forge f = request_for(p);
	struct tandem_stun m;
	(void)state;

	f.controlled = true;
	f.use_candidate = true;
	give(p, REMOTE, &f);
	sent_last(net, &m);
	assert_int_equal(m.class, TANDEM_STUN_ERROR);
	assert_int_equal(m.error, TANDEM_STUN_ROLE_CONFLICT);
	assert_int_equal(tandem_stun_check_integrity(&m, f.pwd, strlen(f.pwd)), 0);
	assert_int_equal(counts(p)->role_conflict, 1);
	assert_int_equal(p->selected, 0);
	net_free(net);
}

static void attribute_that_must_be_understood(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct tandem_endpoint local = ep(LOCAL), remote = ep(REMOTE);
	struct forge f = request_for(p);
	uint8_t buf[512], again[512];
	struct tandem_stun_writer w;
	struct tandem_stun m;
	size_t len;
	(void)state;

	/* PRIORITY becomes 0x0042; then the integrity is made anew. */
	f.pwd = NULL;
	len = forge(buf, sizeof(buf), &f) - 8;
	for (size_t i = 20; i < len; i += 4) {
		if (buf[i] == 0 && buf[i + 1] == 0x24 && buf[i + 3] == 4)
			buf[i + 1] = 0x42;
	}
	memcpy(again, buf, len);
	w = (struct tandem_stun_writer){ .buf = again, .size = sizeof(again), .len = len };
	tandem_stun_put_integrity(&w, tandem_ice_pwd(p->ice), strlen(tandem_ice_pwd(p->ice)));
	assert_int_equal(tandem_ice_input(p->ice, &local, &remote, again,
					  (size_t)tandem_stun_finish(&w), net->now),
			 0);
	sent_last(net, &m);
	assert_int_equal(m.error, TANDEM_STUN_UNKNOWN_ATTRIBUTE);
	assert_int_equal(counts(p)->unknown_attribute, 1);
	assert_int_equal(counts(p)->requests, 0);
	net_free(net);
}

/* A description with a thousand targets. */
static void flood_by_candidates(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, false);
	struct tandem_candidate c;
	size_t before = 0, taken = 0;
	char text[128];
	(void)state;

	net->cut = true;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d 1 UDP %d 203.0.113.%d %d typ host", i, i + 1,
			 i % 200 + 1, 1000 + i);
		candidate(&c, text);
		taken += !tandem_ice_add_remote(p->ice, &c, net->now);
	}
	assert_int_equal(taken, TANDEM_ICE_REMOTES);
	assert_int_equal(counts(p)->remote_full, 1000 - TANDEM_ICE_REMOTES);
	for (int s = 0; s < 41; s++) {
		net_run(net, 1000);
		before = p->sent;
		assert_true(before <= 1 + (size_t)(s + 1) * 1000 / TANDEM_ICE_TA_MS);
	}
	assert_in_range(p->sent, TANDEM_ICE_REMOTES, 7 * TANDEM_ICE_REMOTES);
	assert_int_equal(p->failed, 1);
	net_run(net, 600000);
	assert_int_equal(p->sent, before);
	net_free(net);
}

/* One who knows the password, from a thousand addresses. */
static void flood_by_sources(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, false);
	struct forge f = request_for(p);
	size_t replies;
	(void)state;

	net->cut = true;
	f.controlled = true; /* the agent controls */
	for (int i = 0; i < 1000; i++) {
		char from[64];

		snprintf(from, sizeof(from), "203.0.113.%d:%d", i % 200 + 1, 1000 + i);
		f.priority = (uint32_t)i + 1;
		give(p, from, &f);
		net_run(net, 20);
	}
	replies = counts(p)->replies_sent;
	assert_int_equal(counts(p)->remote_learned, TANDEM_ICE_REMOTES);
	net_run(net, 60000);
	assert_true(p->sent - replies <= 80000 / TANDEM_ICE_TA_MS);
	replies = p->sent;
	net_run(net, 600000);
	assert_int_equal(p->sent, replies);
	net_free(net);
}

/* No pair is checked for ever, however often the other side asks. */
static void one_pair_over_and_over(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, false);
	struct forge f = request_for(p);
	(void)state;

	net->cut = true;
	f.controlled = true;
	for (int i = 0; i < 6000; i++) {
		give(p, REMOTE, &f);
		net_run(net, 100);
	}
	assert_true(counts(p)->checks_sent <= 32);
	assert_true(counts(p)->retransmits <= 200);
	net_free(net);
}

static void denied_targets(void **state)
{
	static const char *const never[] = {
		"1 1 UDP 1 224.0.0.1 5000 typ host",	    "1 1 UDP 1 0.0.0.0 9 typ host",
		"1 1 UDP 1 255.255.255.255 9 typ host",	    "1 1 UDP 1 192.0.2.9 0 typ host",
		"1 1 UDP 1 198.51.100.7 5000 typ host",	    "1 1 UDP 1 198.51.100.8 1 typ relay",
		"1 1 UDP 1 ::ffff:198.51.100.7 1 typ host",
	};
	struct tandem_candidate c;
	(void)state;

	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *p = agent(net, lite);
		struct forge f = request_for(p);

		/* The send handler fails the test on any message there. */
		assert_int_equal(tandem_prefix_parse(&net->deny, "198.51.100.0/24"), 0);
		for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
			candidate(&c, never[i]);
			assert_int_equal(tandem_ice_add_remote(p->ice, &c, net->now), -EACCES);
		}
		assert_int_equal(counts(p)->remote_denied, sizeof(never) / sizeof(never[0]));
		f.use_candidate = lite;
		f.controlled = !lite;
		give(p, REMOTE, &f);
		f.pwd = "wrong but long enough it is";
		give(p, REMOTE, &f);
		net_run(net, 60000);
		assert_int_equal(p->sent, 0);
		assert_int_equal(p->selected, 0);
		net_free(net);
	}
}

static void denied_after_it_was_taken(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, false);
	struct tandem_candidate c;
	size_t sent;
	(void)state;

	candidate(&c, "1 1 UDP 1 198.51.100.2 6000 typ host");
	assert_int_equal(tandem_ice_add_remote(p->ice, &c, net->now), 0);
	net_run(net, 1000);
	sent = p->sent;
	assert_true(sent > 0);
	assert_int_equal(tandem_prefix_parse(&net->deny, "198.51.100.0/24"), 0);
	net_run(net, 60000);
	assert_int_equal(p->sent, sent);
	net_free(net);
}

static void what_cannot_be_used(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "1 1 TCP 1 192.0.2.9 9 typ host tcptype active", -EPROTONOSUPPORT },
		{ "1 1 UDP 1 0a1b.local 5000 typ host", -EADDRNOTAVAIL },
		{ "1 1 UDP 1 host.example 5000 typ host", -EADDRNOTAVAIL },
		{ "1 1 UDP 1 2001:db8::1 5000 typ host", -EAFNOSUPPORT },
		{ "1 2 UDP 1 192.0.2.9 5000 typ host", -ENOENT },
		{ "1 256 UDP 1 192.0.2.9 5000 typ host", -ENOENT },
		{ "1 1 UDP 1 192.0.2.9 5000 typ novel", 0 },
		{ "1 1 UDP 1 192.0.2.9 5000 typ host", -EEXIST },
	};
	struct net *net = net_new();
	struct peer *p = agent(net, false);
	struct tandem_candidate c;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		candidate(&c, cases[i].text);
		assert_int_equal(tandem_ice_add_remote(p->ice, &c, net->now), cases[i].err);
	}
	assert_int_equal(counts(p)->remote_tcp, 1);
	assert_int_equal(counts(p)->remote_name, 2);
	assert_int_equal(counts(p)->remote_family, 1);
	assert_int_equal(counts(p)->remote_component, 2);
	assert_int_equal(counts(p)->remote_taken, 1);
	assert_int_equal(counts(p)->remote_again, 1);
	net_free(net);
}

static void many_before_the_answer(void **state)
{
	static const char *const local[] = { LOCAL };
	struct tandem_ice_config cfg = { .lite = true, .controlling = true, .components = 1 };
	struct tandem_ice_remote r = { their_ufrag, their_pwd, false };
	struct net *net = net_new();
	struct peer *p = net_peer(net, cfg, local, 1);
	struct forge f = request_for(p);
	char longest[200];
	(void)state;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	f.use_candidate = true;
	f.from = longest;
	give(p, "203.0.113.1:1", &f);
	f.from = NULL;
	for (int i = 0; i < 90; i++) {
		char from[64];

		snprintf(from, sizeof(from), "203.0.113.%d:7", i + 2);
		f.priority = (uint32_t)i;
		give(p, from, &f);
		net->queued = 0;
	}
	assert_int_equal(p->selected, 0);
	assert_int_equal(tandem_ice_set_remote(p->ice, &r, net->now), 0);
	assert_in_range(p->selected, 1, 8);
	assert_endpoint(&p->remote[0], "203.0.113.9:7"); /* the best of the first eight */
	net_free(net);
}

static void not_for_this_agent(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct tandem_endpoint local = ep(LOCAL), other = ep("192.0.2.1:5001"), remote = ep(REMOTE);
	struct forge f = request_for(p);
	const char *ufrag;
	uint8_t buf[512];
	size_t len, n = 0;
	(void)state;

	len = forge(buf, sizeof(buf), &f);
	assert_int_equal(tandem_ice_input(p->ice, &other, &remote, buf, len, net->now), -ENOENT);
	assert_int_equal(tandem_ice_input(p->ice, &local, &remote, buf, len - 1, net->now),
			 -EBADMSG);
	assert_int_equal(tandem_ice_input(p->ice, &local, &remote, "\x80", 1, net->now), -EBADMSG);
	ufrag = tandem_ice_request_ufrag(buf, len, &n);
	assert_non_null(ufrag);
	assert_int_equal(n, strlen(f.ufrag));
	assert_memory_equal(ufrag, f.ufrag, n);
	f.ufrag = "another";
	len = forge(buf, sizeof(buf), &f);
	assert_int_equal(tandem_ice_input(p->ice, &local, &remote, buf, len, net->now), -ENOENT);
	f.no_username = true;
	len = forge(buf, sizeof(buf), &f);
	assert_null(tandem_ice_request_ufrag(buf, len, &n));
	assert_null(tandem_ice_request_ufrag(buf, 7, &n));
	buf[0] = 0x00;
	buf[1] = 0x11; /* an indication */
	assert_null(tandem_ice_request_ufrag(buf, len, &n));
	assert_int_equal(p->sent, 0);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_password),
		cmocka_unit_test(an_error_is_not_larger_than_its_request),
		cmocka_unit_test(with_the_password_too_often),
		cmocka_unit_test(amplification),
		cmocka_unit_test(wrong_role),
		cmocka_unit_test(attribute_that_must_be_understood),
		cmocka_unit_test(flood_by_candidates),
		cmocka_unit_test(flood_by_sources),
		cmocka_unit_test(one_pair_over_and_over),
		cmocka_unit_test(denied_targets),
		cmocka_unit_test(denied_after_it_was_taken),
		cmocka_unit_test(what_cannot_be_used),
		cmocka_unit_test(many_before_the_answer),
		cmocka_unit_test(not_for_this_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
