/* SPDX-License-Identifier: GPL-2.0-only */
/* ICE agents that have found each other: restart, consent, silence, a controller that is started anew. */
#include "tests/unit/ice_agents.h"

#include <errno.h>

static void restarts(void **state)
{
	(void)state;
	for (int lite = 0; lite < 2; lite++) {
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, addr_b, 1);
		char before[64];

		net_introduce(a, lite, b, false);
		net_run(net, 10000);
		snprintf(before, sizeof(before), "%s", tandem_ice_ufrag(a->ice));
		assert_false(tandem_ice_remote_restarts(b->ice, tandem_ice_ufrag(a->ice),
							tandem_ice_pwd(a->ice)));

		assert_int_equal(tandem_ice_restart(a->ice), 0);
		assert_string_not_equal(before, tandem_ice_ufrag(a->ice));
		assert_true(tandem_ice_remote_restarts(b->ice, tandem_ice_ufrag(a->ice),
						       tandem_ice_pwd(a->ice)));
		/* The answer takes a minute: the old pair and its consent stay. */
		net_run(net, 60000);
		assert_true(tandem_ice_selected(a->ice, 1, NULL, NULL));
		assert_int_equal(a->lost + b->lost, 0);
		assert_int_equal(counts(a)->bad_auth, 0);

		assert_int_equal(tandem_ice_restart(b->ice), 0);
		net_introduce(a, lite, b, false);
		assert_true(tandem_ice_selected(b->ice, 1, NULL, NULL));
		net_run(net, 2000);
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_connected(b, addr_b[0], addr_a[0]);
		assert_int_equal(a->selected, 2);
		assert_int_equal(b->selected, 2);
		net_run(net, 120000);
		assert_int_equal(a->lost + b->lost, 0);
		net_free(net);
	}
}

/* The offer of a restart is refused, before or after the new description has come. */
static void refused_restarts(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool lite = i & 1, described = i & 2;
		struct net *net = net_new();
		struct peer *a = net_peer(net, lite ? lite_offerer : full_offerer, addr_a, 1);
		struct peer *b = net_peer(net, full_answerer, addr_b, 1);
		struct tandem_ice_remote r = { "fresh", "0123456789012345678901", true };
		char before[64];

		net_introduce(a, lite, b, false);
		net_run(net, 10000);
		assert_int_equal(tandem_ice_rollback(a->ice), -ENOENT);
		snprintf(before, sizeof(before), "%s", tandem_ice_ufrag(a->ice));
		assert_int_equal(tandem_ice_restart(a->ice), 0);
		assert_null(tandem_ice_remote_ufrag(a->ice));
		if (described)
			assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), 0);
		net_run(net, 5000);
		assert_int_equal(tandem_ice_rollback(a->ice), 0);
		assert_int_equal(tandem_ice_rollback(a->ice), -ENOENT);
		assert_string_equal(tandem_ice_ufrag(a->ice), before);
		assert_string_equal(tandem_ice_remote_ufrag(a->ice), tandem_ice_ufrag(b->ice));
		assert_string_equal(tandem_ice_remote_pwd(a->ice), tandem_ice_pwd(b->ice));
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_int_equal(tandem_ice_controlling(a->ice), !lite);
		net_run(net, 120000);
		assert_connected(a, addr_a[0], addr_b[0]);
		assert_connected(b, addr_b[0], addr_a[0]);
		assert_int_equal(a->lost + b->lost, 0);
		assert_int_equal(a->selected + b->selected, 2);
		net_free(net);
	}
}

/* It rings for long: the lite side has given up when the call is answered, and is found. */
static void found_after_all(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, lite_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1);
	(void)state;

	net_credentials(b, a, false);
	net_run(net, 120000);
	assert_int_equal(a->failed, 1);
	net_credentials(a, b, true);
	net_candidates(a, b);
	net_run(net, 2000);
	assert_connected(a, addr_a[0], addr_b[0]);
	assert_connected(b, addr_b[0], addr_a[0]);
	net_free(net);
}

static void changed_credentials_are_a_restart(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct tandem_ice_remote r = { "abcd", "0123456789012345678901", false };
	(void)state;

	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), 0);
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), 0);
	r.ufrag = "abce";
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), -EBUSY);
	r.ufrag = "abc";
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), -EINVAL);
	r.ufrag = "ab\ncd";
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), -EINVAL);
	r.ufrag = "abcd";
	r.pwd = "012345678901234567890";
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), -EINVAL);
	r.pwd = NULL;
	assert_int_equal(tandem_ice_set_remote(a->ice, &r, net->now), -EINVAL);
	net_free(net);
}

static void consent_is_lost(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1);
	size_t sent;
	(void)state;

	net_introduce(a, false, b, false);
	net_run(net, 20000);
	net->cut = true;
	net_run(net, 22000);
	assert_int_equal(a->lost, 0);
	net_run(net, 9000);
	assert_int_equal(a->lost, 1);
	assert_int_equal(tandem_ice_state(a->ice), TANDEM_ICE_LOST);
	assert_false(tandem_ice_selected(a->ice, 1, NULL, NULL));
	assert_true(tandem_ice_deadline(a->ice) == UINT64_MAX);

	/* Not again with the same credentials (RFC 7675 5.1). */
	net->cut = false;
	sent = a->sent + b->sent;
	net_run(net, 60000);
	assert_int_equal(a->sent + b->sent, sent);
	assert_int_equal(tandem_ice_restart(a->ice), 0);
	assert_int_equal(tandem_ice_restart(b->ice), 0);
	net_introduce(a, false, b, false);
	net_run(net, 2000);
	assert_connected(a, addr_a[0], addr_b[0]);
	net_free(net);
}

static void short_cuts_are_survived(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1);
	(void)state;

	net_introduce(a, false, b, false);
	for (int i = 0; i < 10; i++) {
		net->cut = false;
		net_run(net, 10000);
		net->cut = true;
		net_run(net, 16000);
	}
	assert_int_equal(a->lost + b->lost, 0);
	net_free(net);
}

/* A lite agent sends no consent checks; it goes by those of the other side. */
static void lite_and_the_silence_of_the_other(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, lite_answerer, addr_b, 1);
	(void)state;

	net_introduce(a, false, b, true);
	net_run(net, 30000);
	net->cut = true;
	net_run(net, 20000);
	assert_int_equal(b->lost, 0);
	net_run(net, 20000);
	assert_int_equal(b->lost, 1);
	assert_int_equal(tandem_ice_state(b->ice), TANDEM_ICE_LOST);
	net_free(net);

	/* One that never sends any, as of RFC 5245, is not missed. */
	net = net_new();
	a = net_peer(net, full_offerer, addr_a, 1);
	b = net_peer(net, lite_answerer, addr_b, 1);
	net_introduce(a, false, b, true);
	net_run(net, 1000);
	net->cut = true;
	net_run(net, 600000);
	assert_int_equal(b->lost, 0);
	assert_connected(b, addr_b[0], addr_a[0]);
	net_free(net);
}

/* The controller was started anew: the agents of before, from their credentials. */
static void taken_up_again(void **state)
{
	struct net *net = net_new();
	struct peer *a = net_peer(net, full_offerer, addr_a, 1);
	struct peer *b = net_peer(net, full_answerer, addr_b, 1), *again;
	struct tandem_ice_config cfg = full_offerer;
	struct tandem_endpoint local = ep(addr_a[0]), remote = ep(addr_b[0]);
	(void)state;

	net_introduce(a, false, b, false);
	net_run(net, 10000);
	cfg.ufrag = tandem_ice_ufrag(a->ice);
	cfg.pwd = tandem_ice_pwd(a->ice);
	again = net_peer(net, cfg, addr_a, 1);
	tandem_ice_free(a->ice);
	a->ice = NULL;
	assert_int_equal(tandem_ice_adopt(again->ice, 1, &local, &remote, net->now), -EINVAL);
	net_credentials(b, again, false);
	assert_int_equal(tandem_ice_adopt(again->ice, 2, &local, &remote, net->now), -EINVAL);
	assert_int_equal(tandem_ice_adopt(again->ice, 1, &remote, &local, net->now), -EINVAL);
	assert_int_equal(tandem_ice_adopt(again->ice, 1, &local, &remote, net->now), 0);
	assert_int_equal(tandem_ice_state(again->ice), TANDEM_ICE_CONNECTED);
	net_run(net, 120000);
	assert_int_equal(again->lost + b->lost, 0);
	assert_true(counts(again)->consents_sent > 10);
	net->cut = true;
	net_run(net, 40000);
	assert_int_equal(again->lost, 1);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restarts),
		cmocka_unit_test(refused_restarts),
		cmocka_unit_test(found_after_all),
		cmocka_unit_test(changed_credentials_are_a_restart),
		cmocka_unit_test(consent_is_lost),
		cmocka_unit_test(short_cuts_are_survived),
		cmocka_unit_test(lite_and_the_silence_of_the_other),
		cmocka_unit_test(taken_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
