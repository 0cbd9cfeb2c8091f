/* SPDX-License-Identifier: GPL-2.0-only */
/* One process hands the trunks to another: what comes in between waits, and is not lost. */
#include "tests/unit/uring_fixture.h"

#include "userspace/datapath/bequest.h"

#define FLOW 1

static void reopen(struct fixture *f, const struct tandem_datapath_config *cfg)
{
	char why[256] = "";

	if (tandem_uring_open(&f->dp, cfg, 0, why, sizeof(why)))
		fail_msg("%s", why);
}

static void hand_over(struct fixture *f, struct tandem_bequest *bequest)
{
	assert_int_equal(ops->bequeath(f->dp, bequest), 0);
	assert_true(bequest->len && bequest->fd_count > URING_INHERITED_TRUNKS);
	ops->close(f->dp, true);
}

static void assert_passes(struct fixture *f, uint16_t seq)
{
	unsigned char got[2048], want[2048];
	size_t len = rtp(want, seq, 0x1234);
	uint16_t port;

	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), (ssize_t)len);
	assert_memory_equal(got, want, len);
	assert_int_equal(port, BASE + 2);
}

static void what_comes_meanwhile_is_not_lost(void **state)
{
	struct fixture *f = *state;
	const struct tandem_flow_spec spec = spec_of(FLOW, "127.0.0.1", BASE, &f->caller,
						     &f->callee);
	struct tandem_datapath_config cfg = config();
	struct tandem_bequest bequest = { 0 };
	uint16_t seq = 0;

	if (!f->dp->trunked)
		skip();
	assert_int_equal(set(f, &spec), 0);
	for (int i = 0; i < 3; i++) {
		send_rtp(&f->caller, BASE, seq);
		assert_passes(f, seq++);
		hand_over(f, &bequest);
		for (uint16_t k = 0; k < 5; k++)
			send_rtp(&f->caller, BASE, (uint16_t)(seq + k));
		cfg.bequest = &bequest;
		reopen(f, &cfg);
		tandem_bequest_clean(&bequest);
		send_rtp(&f->caller, BASE, (uint16_t)(seq + 5));
		usleep(50000); /* nothing is read before its flow is there */
		assert_int_equal(set(f, &spec), 0);
		ops->resume(f->dp);
		for (uint16_t k = 0; k < 6; k++)
			assert_passes(f, seq++);
	}
	/* none other has it */
	assert_int_equal(removal(f, FLOW), 0);
}

/* A port whose flow has gone is nobody's, and what other ports it is for is of no use. */
static void what_is_not_wanted_any_more(void **state)
{
	struct fixture *f = *state;
	const struct tandem_flow_spec spec = spec_of(FLOW, "127.0.0.1", BASE, &f->caller,
						     &f->callee);
	struct tandem_datapath_config cfg = config();
	struct tandem_bequest bequest = { 0 };
	uint16_t port;
	char byte;

	if (!f->dp->trunked)
		skip();
	assert_int_equal(set(f, &spec), 0);
	hand_over(f, &bequest);
	cfg.bequest = &bequest;
	reopen(f, &cfg);
	ops->resume(f->dp);
	assert_int_equal(f->dp->steer.bits[0], 0);
	tandem_bequest_clean(&bequest);

	assert_int_equal(set(f, &spec), 0);
	hand_over(f, &bequest);
	cfg.port_max -= 2;
	reopen(f, &cfg);
	assert_false(f->dp->holding);
	/* with the process that was before it all of it is gone */
	tandem_bequest_clean(&bequest);
	assert_int_equal(set(f, &spec), 0);
	send_rtp(&f->caller, BASE, 1);
	assert_passes(f, 1);

	bequest.len = 7;
	cfg.bequest = &bequest;
	ops->close(f->dp, false);
	reopen(f, &cfg);
	assert_false(f->dp->holding);
	assert_int_equal(receive(&f->callee, (unsigned char *)&byte, 0, &port), -1);
}

/* Nothing is made of it: nothing is left of it. */
static void an_heir_that_does_not_live(void **state)
{
	struct fixture *f = *state;
	struct tandem_datapath_config cfg = config();
	struct tandem_bequest bequest = { 0 };
	int before = open_fds();

	if (!f->dp->trunked)
		skip();
	for (int i = 0; i < 3; i++) {
		hand_over(f, &bequest);
		cfg.bequest = &bequest;
		reopen(f, &cfg);
		ops->close(f->dp, false);
		reopen(f, &cfg);
		tandem_bequest_clean(&bequest);
		ops->resume(f->dp);
	}
	assert_int_equal(open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_meanwhile_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_wanted_any_more, setup, teardown),
		cmocka_unit_test_setup_teardown(an_heir_that_does_not_live, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
