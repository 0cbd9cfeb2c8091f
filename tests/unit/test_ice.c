/* SPDX-License-Identifier: GPL-2.0-only */
/* ICE agents that find each other: roles, components, losses, NAT, trickle. */
#include "tests/unit/ice_agents.h"

#include <errno.h>

static void full_with_full(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1);
	(void)state;

	net_introduce(a, false, b, false);
	net_run(net, 1000);
	assert_connected(a, addr_a[0], addr_b[0]);
	assert_connected(b, addr_b[0], addr_a[0]);
	assert_true(tandem_ice_controlling(a->ice) && !tandem_ice_controlling(b->ice));
	assert_int_equal(a->selected, 1);
	assert_int_equal(b->selected, 1);
	assert_in_range(counts(a)->checks_sent, 2, 4); /* the check, and the nominating one */

	/* Then consent checks alone, about every 5 s. */
	net_run(net, 600000);
	assert_in_range(counts(a)->consents_sent, 100, 150);
	assert_in_range(counts(a)->checks_sent, 2, 4);
	assert_int_equal(a->lost + b->lost, 0);
	assert_int_equal(counts(a)->bad_auth + counts(a)->bad_response + counts(a)->stray, 0);
	net_free(net);
}

static void two_components(void **state)
{
	struct tandem_ice_config offerer = full_offerer, answerer = full_answerer;
	struct net *net = net_new();
	struct peer *a, *b;
	(void)state;

	offerer.components = answerer.components = 2;
	a = net_peer(net, offerer, addr_a, 2);
	b = net_peer(net, answerer, addr_b, 2);
	net_introduce(a, false, b, false);
	net_run(net, 2000);
	assert_connected(a, addr_a[0], addr_b[0]);
	assert_connected(b, addr_b[0], addr_a[0]);
	assert_endpoint(&a->remote[1], addr_b[1]);
	assert_endpoint(&b->remote[1], addr_a[1]);
	net_free(net);
}

/* The answer takes rtcp-mux: the second component goes, also in the middle of checks. */
static void component_dropped(void **state)
{
	struct tandem_ice_config offerer = full_offerer;
	struct net *net = net_new();
	struct tandem_candidate c;
	struct peer *a, *b;
	(void)state;

	offerer.components = 2;
	a = net_peer(net, offerer, addr_a, 2);
	b = net_peer(net, full_answerer, addr_b, 1);
	net_introduce(a, false, b, false);
	assert_int_equal(counts(b)->remote_component, 1);
	net_run(net, 2000);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_CHECKING);
	assert_int_equal(tandem_ice_set_components(a->ice, 3, net->now), -EINVAL);
	assert_int_equal(tandem_ice_set_components(a->ice, 0, net->now), -EINVAL);
	assert_int_equal(tandem_ice_set_components(a->ice, 1, net->now), 0);
	assert_connected(a, addr_a[0], addr_b[0]);
	assert_int_equal(tandem_ice_local_candidate(a->ice, 0, &c), 0);
	assert_int_equal(tandem_ice_local_candidate(a->ice, 1, &c), -ENOENT);
	net_free(net);
}

/* It comes back: the pair of the first stays, and the second is checked like one that is new. */
static void component_added(void **state)
{
	struct tandem_ice_config offerer = full_offerer, answerer;
	(void)state;

	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a, *b;

		answerer = lite ? lite_answerer : full_answerer;
		offerer.components = answerer.components = 2;
		a = net_peer(net, offerer, addr_a, 2);
		b = net_peer(net, answerer, addr_b, 2);
		net_introduce(a, false, b, lite);
		net_run(net, 2000);
		assert_int_equal(tandem_ice_set_components(a->ice, 1, net->now), 0);
		assert_int_equal(tandem_ice_set_components(b->ice, 1, net->now), 0);
		assert_false(tandem_ice_selected(a->ice, 2, NULL, NULL));
		net_run(net, 2000);
		memset(&a->remote[1], 0, sizeof(a->remote[1]));
		memset(&b->remote[1], 0, sizeof(b->remote[1]));
		assert_int_equal(tandem_ice_set_components(a->ice, 2, net->now), 0);
		assert_int_equal(tandem_ice_set_components(b->ice, 2, net->now), 0);
		assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_CHECKING);
		assert_true(tandem_ice_selected(a->ice, 1, NULL, NULL));
		net_run(net, 2000);
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_connected(b, addr_b[0], addr_a[0]);
		assert_endpoint(&a->remote[1], addr_b[1]);
		assert_endpoint(&b->remote[1], addr_a[1]);
		net_free(net);
	}
}

/* Nobody answers for what has come back: it fails as it would have at first. */
static void component_added_in_vain(void **state)
{
	struct tandem_ice_config offerer = full_offerer;
	struct net *net = net_new();
	struct peer *a, *b;
	(void)state;

	offerer.components = 2;
	a = net_peer(net, offerer, addr_a, 2);
	b = net_peer(net, full_answerer, addr_b, 1);
	net_introduce(a, false, b, false);
	net_run(net, 2000);
	assert_int_equal(tandem_ice_set_components(a->ice, 1, net->now), 0);
	net_run(net, 2000);
	assert_int_equal(tandem_ice_set_components(a->ice, 2, net->now), 0);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_CHECKING);
	net_run(net, TANDEM_ICE_PATIENCE_MS - 1000);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_CHECKING);
	net_run(net, 3000);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_FAILED);
	assert_true(tandem_ice_selected(a->ice, 1, NULL, NULL));
	net_free(net);
}

static void full_with_lite(void **state)
{
	(void)state;
	for (int offerer_lite = 0; offerer_lite < 2; offerer_lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, offerer_lite ? lite_offerer : full_offerer, addr_a,
					  1);
		struct peer *b = net_peer(net, offerer_lite ? full_answerer : lite_answerer, addr_b,
					  1);
		struct peer *full = offerer_lite ? b : a, *lite = offerer_lite ? a : b;

		net_introduce(a, offerer_lite, b, !offerer_lite);
		net_run(net, 1000);
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_connected(b, addr_b[0], addr_a[0]);
		assert_true(tandem_ice_controlling(full->ice));
		assert_false(tandem_ice_controlling(lite->ice));
		net_run(net, 300000);
		assert_int_equal(lite->lost + full->lost, 0);
		assert_int_equal(counts(lite)->checks_sent + counts(lite)->consents_sent, 0);
		net_free(net);
	}
}

static void lite_with_lite(void **state)
{
	static const char *const v6_first[] = { "[2001:db8::1]:5000", "192.0.2.1:5000" };
	struct net *net = net_new();
	struct peer *a = net_peer(net, lite_offerer, v6_first, 2);
	struct peer *b = net_peer(net, lite_answerer, addr_b, 1);
	(void)state;

	net_introduce(a, true, b, true);
	assert_connected(a, "192.0.2.1:5000", addr_b[0]);
	assert_connected(b, addr_b[0], "192.0.2.1:5000");
	assert_int_equal(counts(b)->remote_family, 1);
	net_run(net, 300000);
	assert_int_equal(a->sent + b->sent, 0);
	assert_int_equal(a->lost + b->lost, 0);
	net_free(net);
}

static void role_conflicts(void **state)
{
	(void)state;
	for (int controlling = 0; controlling < 2; controlling++) {
		for (uint64_t a_number = 1; a_number <= 3; a_number += 2) {
			struct tandem_ice_config cfg = { .controlling = controlling,
							 .components = 1,
							 .tie_breaker = a_number };
			struct net *net = net_new();
			struct peer *a = net_peer(net, cfg, addr_a, 1), *b;

			cfg.tie_breaker = 2;
			b = net_peer(net, cfg, addr_b, 1);
			net_introduce(a, false, b, false);
			net_run(net, 5000);
			assert_connected(a, addr_a[0], addr_b[0]);
			assert_connected(b, addr_b[0], addr_a[0]);
			assert_true(tandem_ice_controlling(a->ice) !=
				    tandem_ice_controlling(b->ice));
			/* The greater number controls (RFC 8445 7.3.1.1). */
			assert_true(tandem_ice_controlling(a->ice) == (a_number == 3));
			assert_int_equal(counts(a)->role_switched + counts(b)->role_switched, 1);
			net_free(net);
		}
	}
}

static void with_losses(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 50; seed++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, seed % 2 ? full_answerer : lite_answerer, addr_b, 1);

		net->seed = seed;
		net->loss = 20;
		net_introduce(a, false, b, seed % 2 == 0);
		while (!a->selected || !b->selected) {
			net_run(net, 100);
			assert_int_equal(a->failed + b->failed, 0);
		}
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_connected(b, addr_b[0], addr_a[0]);
		assert_int_equal(a->lost + b->lost, 0);
		net_free(net);
	}
}

/*
 *   A 192.0.2.1 ---- 203.0.113.9:7777 NAT ---- 10.0.0.2 B
 *
 * B's candidate is of no use to A, which learns of the address by B's checks.
 */
static void behind_nat(void **state)
{
	static const char *const inside[] = { "10.0.0.2:6000" };
	(void)state;

	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, inside, 1);

		b->nat = ep("203.0.113.9:7777");
		net_introduce(a, lite, b, false);
		net_run(net, 3000);
		assert_connected(a, addr_a[0], "203.0.113.9:7777");
		assert_connected(b, inside[0], addr_a[0]);
		assert_int_equal(counts(a)->remote_learned, !lite);
		net_free(net);
	}
}

static void dual_stack_prefers_the_first(void **state)
{
	static const char *const a_both[] = { "[2001:db8::1]:5000", "192.0.2.1:5000" };
	static const char *const b_both[] = { "[2001:db8::2]:6000", "198.51.100.2:6000" };
	(void)state;

	for (int broken = 0; broken < 2; broken++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, full_offerer, a_both, 2);
		struct peer *b = net_peer(net, full_answerer, b_both, 2);

		if (broken)
			assert_int_equal(tandem_prefix_parse(&net->dead, "2001:db8::/32"), 0);
		net_introduce(a, false, b, false);
		net_run(net, 3000);
		assert_connected(a, a_both[broken], b_both[broken]);
		assert_connected(b, b_both[broken], a_both[broken]);
		net_free(net);
	}
}

/* Candidates come after the answer, one at a time, and checks before them. */
static void trickled(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1);
	struct tandem_candidate c;
	(void)state;

	assert_int_equal(tandem_ice_local_candidate(b->ice, 0, &c), 0);
	assert_int_equal(tandem_ice_add_remote(a->ice, &c, net->now), -EINVAL);
	net_credentials(a, b, false);
	net_credentials(b, a, false);
	net_run(net, 10000);
	assert_int_equal(a->sent + b->sent, 0);
	c.addr = ep("198.51.100.77:1"); /* nobody there */
	c.foundation[0] = '9';
	assert_int_equal(tandem_ice_add_remote(a->ice, &c, net->now), 0);
	assert_int_equal(tandem_ice_add_remote(a->ice, &c, net->now), -EEXIST);
	net_run(net, 20000);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_CHECKING);
	c.addr = ep(addr_b[0]);
	c.foundation[0] = '1';
	assert_int_equal(tandem_ice_add_remote(a->ice, &c, net->now), 0);
	net_run(net, 2000);
	assert_connected(a, addr_a[0], addr_b[0]);
	assert_connected(b, addr_b[0], addr_a[0]); /* though it never got a candidate */
	net_free(net);
}

/* The checks of the answerer overtake its answer. */
static void checks_before_the_answer(void **state)
{
	(void)state;
	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, addr_b, 1);
		size_t before;

		net_credentials(a, b, lite);
		net_candidates(a, b);
		net_run(net, 2000);
		assert_int_equal(a->selected, 0);
		assert_true(counts(a)->requests > 0);
		net_credentials(b, a, false);
		before = counts(b)->consents_sent;
		net_run(net, lite ? 0 : 1000);
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_int_equal(counts(b)->consents_sent, before);
		net_free(net);
	}
}

/* One offer, two that answer: the one whose answer counts is the one that is learned from. */
static void forked_offer(void **state)
{
	static const char *const other[] = { "198.51.100.3:6000" };
	(void)state;

	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, addr_b, 1);
		struct peer *c = net_peer(net, full_answerer, other, 1);

		net_credentials(a, b, lite);
		net_candidates(a, b);
		net_credentials(a, c, lite);
		net_candidates(a, c);
		net_run(net, 2000);
		net_credentials(c, a, false);
		net_candidates(c, a);
		net_run(net, 60000);
		assert_connected(a, addr_a[0], other[0]);
		assert_int_equal(a->selected, 1);
		/* The other had begun to use its pair, and finds that nobody is there for it. */
		assert_true(!lite || counts(a)->bad_auth > 0);
		assert_int_equal(b->lost, lite);
		net_free(net);
	}
}

static void nobody_answers(void **state)
{
	(void)state;
	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, addr_b, 1);

		net->cut = true;
		net_introduce(a, lite, b, false);
		net_run(net, TANDEM_ICE_PATIENCE_MS - 1);
		assert_int_equal(a->failed + b->failed, 0);
		net_run(net, 1);
		assert_int_equal(a->failed, 1);
		assert_int_equal(b->failed, 1);
		assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_FAILED);
		assert_int_equal(b->sent, 7); /* RFC 8489 6.2.1 */
		net_run(net, 600000);
		assert_int_equal(a->failed + b->failed, 2);
		assert_int_equal(b->sent, 7);
		net_free(net);
	}
}

/* The relay's address as the other side sees it, behind a NAT that maps one to one. */
static void shown_address(void **state)
{
	struct tandem_ice_local l = { .component = 1, .addr = ep("10.1.1.1:5000") };
	struct tandem_ice_config cfg = { .lite = true, .components = 1, .ops = &peer_ops };
	struct tandem_candidate c;
	struct tandem_ice *ice;
	(void)state;

	l.shown = ep("203.0.113.5:5000");
	cfg.locals = &l;
	cfg.locals_count = 1;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), 0);
	assert_int_equal(tandem_ice_local_candidate(ice, 0, &c), 0);
	assert_endpoint(&c.addr, "203.0.113.5:5000");
	assert_int_equal(c.priority, (126U << 24) + (65535U << 8) + 255);
	tandem_ice_free(ice);
}

static void bad_configurations(void **state)
{
	struct tandem_ice_local l = { .component = 1, .addr = ep("192.0.2.1:5000") };
	struct tandem_ice_config good = { .components = 1,
					  .locals = &l,
					  .locals_count = 1,
					  .ops = &peer_ops },
				 cfg = good;
	struct tandem_ice_ops ops = peer_ops;
	struct tandem_ice *ice = NULL;
	(void)state;

	cfg.components = 2;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	cfg.components = 0;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	cfg = good;
	cfg.locals_count = 0;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	cfg.locals_count = TANDEM_ICE_LOCALS + 1;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	cfg = good;
	cfg.ufrag = "abcd";
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	cfg = good;
	ops.allowed = NULL;
	cfg.ops = &ops;
	assert_int_equal(tandem_ice_alloc(&ice, &cfg), -EINVAL);
	assert_null(ice);
	assert_int_equal(tandem_ice_alloc(&ice, &good), 0);
	assert_true(tandem_ice_ufrag_valid(tandem_ice_ufrag(ice), strlen(tandem_ice_ufrag(ice))));
	assert_true(tandem_ice_pwd_valid(tandem_ice_pwd(ice), strlen(tandem_ice_pwd(ice))));
	tandem_ice_free(ice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_with_full),
		cmocka_unit_test(two_components),
		cmocka_unit_test(component_added),
		cmocka_unit_test(component_added_in_vain),
		cmocka_unit_test(component_dropped),
		cmocka_unit_test(full_with_lite),
		cmocka_unit_test(lite_with_lite),
		cmocka_unit_test(role_conflicts),
		cmocka_unit_test(with_losses),
		cmocka_unit_test(behind_nat),
		cmocka_unit_test(dual_stack_prefers_the_first),
		cmocka_unit_test(trickled),
		cmocka_unit_test(checks_before_the_answer),
		cmocka_unit_test(forked_offer),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(shown_address),
		cmocka_unit_test(bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
