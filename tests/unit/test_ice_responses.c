/* SPDX-License-Identifier: GPL-2.0-only */
/* Responses to the checks of an ICE agent, of its peer and of others, and which pair is nominated then. */
#include "tests/unit/ice_forge.h"

/* Sets a full agent checking; the id of its check. */
static struct peer *checking(struct net *net, struct forge *answer)
{
	struct peer *p = agent(net, false);
	struct tandem_candidate c;
	struct tandem_stun m;

	candidate(&c, "1 1 UDP 1 198.51.100.2 6000 typ host");
	assert_int_equal(tandem_ice_add_remote(p->ice, &c, net->now), 0);
	tandem_ice_tick(p->ice, net->now);
	sent_last(net, &m);
	net->queued = 0;
	assert_int_equal(m.class, TANDEM_STUN_REQUEST);
	assert_int_equal(tandem_stun_check_integrity(&m, their_pwd, strlen(their_pwd)), 0);
	*answer = (struct forge){ .class = TANDEM_STUN_SUCCESS, .pwd = their_pwd, .mapped = true };
	memcpy(answer->id, m.id, sizeof(m.id));
	return p;
}

static void forged_responses(void **state)
{
	struct net *net = net_new();
	struct forge right, wrong;
	struct peer *p = checking(net, &right);
	(void)state;

	wrong = right;
	wrong.pwd = NULL;
	give(p, REMOTE, &wrong);
	wrong.pwd = tandem_ice_pwd(p->ice); /* reflected: our own password is not theirs */
	give(p, REMOTE, &wrong);
	wrong = right;
	wrong.class = TANDEM_STUN_ERROR;
	wrong.error = TANDEM_STUN_ROLE_CONFLICT;
	wrong.pwd = NULL;
	give(p, REMOTE, &wrong);
	assert_int_equal(counts(p)->bad_response, 3);
	wrong = right;
	wrong.id[5] ^= 1;
	give(p, REMOTE, &wrong);
	assert_int_equal(counts(p)->stray, 1);
	assert_int_equal(counts(p)->responses + counts(p)->role_switched, 0);

	/* None of them has kept the right one from being taken; once. */
	give(p, REMOTE, &right);
	assert_int_equal(counts(p)->responses, 1);
	give(p, REMOTE, &right);
	assert_int_equal(counts(p)->stray, 2);
	net_free(net);
}

/* RFC 8445 7.2.5.2.1: the answer must come from where it was asked. */
static void response_from_elsewhere(void **state)
{
	struct net *net = net_new();
	struct forge right;
	struct peer *p = checking(net, &right);
	(void)state;

	give(p, "198.51.100.3:6000", &right);
	assert_int_equal(counts(p)->stray, 1);
	give(p, REMOTE, &right); /* the check has failed */
	assert_int_equal(counts(p)->responses, 0);
	net_run(net, 60000);
	assert_int_equal(p->selected, 0);
	assert_int_equal(p->failed, 1);
	net_free(net);
}

static void responses_that_say_no(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct net *net = net_new();
		struct forge f;
		struct peer *p = checking(net, &f);

		f.mapped = false; /* 0: a success that does not say where from */
		if (i) {
			f.class = TANDEM_STUN_ERROR;
			f.error = i == 1 ? 500 : TANDEM_STUN_BAD_REQUEST;
		}
		give(p, REMOTE, &f);
		assert_int_equal(counts(p)->bad_response, i == 0);
		net_run(net, 60000);
		assert_int_equal(p->sent, 1); /* not again */
		assert_int_equal(p->failed, 1);
		net_free(net);
	}
}

static void role_conflict_is_heard(void **state)
{
	struct net *net = net_new();
	struct forge f;
	struct peer *p = checking(net, &f);
	struct tandem_stun m;
	(void)state;

	f.mapped = false;
	f.class = TANDEM_STUN_ERROR;
	f.error = TANDEM_STUN_ROLE_CONFLICT;
	give(p, REMOTE, &f);
	assert_int_equal(counts(p)->role_switched, 1);
	assert_false(tandem_ice_controlling(p->ice));
	net->now += TANDEM_ICE_TA_MS;
	tandem_ice_tick(p->ice, net->now);
	sent_last(net, &m);
	assert_true(m.controlled && !m.controlling);
	net_free(net);
}

/* RFC 5245 nominates all pairs, and the best counts; RFC 8445 nominates one, perhaps a new one. */
static void nominations(void **state)
{
	struct net *net = net_new();
	struct peer *p = agent(net, true);
	struct forge f = request_for(p);
	(void)state;

	f.use_candidate = true;
	f.priority = 1000;
	give(p, "198.51.100.2:1000", &f);
	assert_endpoint(&p->remote[0], "198.51.100.2:1000");
	f.priority = 3000;
	give(p, "198.51.100.2:3000", &f);
	assert_endpoint(&p->remote[0], "198.51.100.2:3000");
	net->now += 100;
	f.priority = 2000;
	give(p, "198.51.100.2:2000", &f);
	assert_endpoint(&p->remote[0], "198.51.100.2:3000");
	assert_int_equal(p->selected, 2);
	/* Long after the last word for the present one, another is meant. */
	net->now += 2000;
	give(p, "198.51.100.2:2000", &f);
	assert_endpoint(&p->remote[0], "198.51.100.2:2000");
	f.use_candidate = false;
	f.priority = 9000;
	give(p, "198.51.100.2:9000", &f);
	assert_int_equal(p->selected, 3);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_responses),	 cmocka_unit_test(response_from_elsewhere),
		cmocka_unit_test(responses_that_say_no), cmocka_unit_test(role_conflict_is_heard),
		cmocka_unit_test(nominations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
