/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of the relay's own, by the egress of a flow:
 *
 *   caller ............... :BASE [ relay ] :BASE+2 --RTP or SRTP--> callee
 *   caller <--SRTP-- :BASE+6 [ relay ] :BASE+4 ................... callee
 */
#include "tests/unit/uring_srtp.h"

#define OWN 0x77777777

static struct tandem_endpoint at(uint16_t port)
{
	struct tandem_endpoint ep = { .port = port };

	tandem_ip_parse(&ep.ip, "127.0.0.1");
	return ep;
}

static int inject(struct fixture *f, uint64_t flow, uint16_t local, uint16_t seq)
{
	const struct tandem_endpoint ep = at(local);
	unsigned char packet[RTP_LEN];

	return ops->inject(f->dp, flow, &ep, packet, rtp(packet, seq, OWN));
}

/* Is this the next thing that the callee gets, as it is? */
static void assert_next(struct fixture *f, uint16_t seq)
{
	unsigned char got[2048], want[RTP_LEN];
	uint16_t port;

	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), rtp(want, seq, OWN));
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(port, BASE + 2);
}

static void plain(void **state)
{
	struct fixture *f = *state;

	there(f, NULL);
	for (uint16_t i = 0; i < 5; i++) {
		assert_int_equal(inject(f, 1, BASE + 2, i), 0);
		assert_next(f, i);
	}
	/* what is no flow's, or leaves from elsewhere, goes nowhere, and the next is as ever */
	assert_int_equal(inject(f, 9, BASE + 2, 5), 0);
	assert_int_equal(inject(f, 1, BASE + 4, 6), 0);
	assert_int_equal(inject(f, 1, BASE + 2, 7), 0);
	assert_next(f, 7);
	assert_int_equal(stats_of(f, 1).flow.packets, 0);
	await_buffers(f);
}

static void held(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);

	spec.flags |= RULE_F_MUTE;
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(inject(f, 1, BASE + 2, 1), 0);
	spec.flags &= ~(uint32_t)RULE_F_MUTE;
	settle(f);
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(inject(f, 1, BASE + 2, 2), 0);
	assert_next(f, 2);
}

/* Opened by a second flow, that has the keys for what arrives: each in both directions. */
static void sealed(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp out = set_of(30, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp in = set_of(31, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_flow_spec back = spec_of(2, "127.0.0.1", BASE + 4, &f->callee, &f->caller);
	unsigned char got[2048], want[RTP_LEN];
	uint16_t port;
	ssize_t len;

	there(f, &out);
	back.srtp_in = &in;
	assert_int_equal(set(f, &back), 0);
	for (uint16_t i = 65530; i != 6; i++) {
		assert_int_equal(inject(f, 1, BASE + 2, i), 0);
		len = receive(&f->callee, got, sizeof(got), &port);
		assert_int_equal(len, RTP_LEN + TAG);
		rtp(want, i, OWN);
		assert_memory_not_equal(got + 12, want + 12, RTP_LEN - 12);
		send_to(&f->callee, "127.0.0.1", BASE + 4, got, (size_t)len);
		assert_int_equal(receive(&f->caller, got, sizeof(got), &port), RTP_LEN);
		assert_memory_equal(got, want, RTP_LEN);
	}
	/* an index that has been: nothing leaves */
	assert_int_equal(inject(f, 1, BASE + 2, 65530), 0);
	await_counter(f, REASON_srtp_replay, 1);
}

static void refused(void **state)
{
	struct fixture *f = *state;
	const struct tandem_endpoint ep = at(BASE + 2);
	unsigned char packet[PAYLOAD_MAX + 1] = { 0x80, 8 };
	int err = 0, n;

	assert_int_equal(ops->inject(f->dp, 1, &ep, packet, 7), -EMSGSIZE);
	assert_int_equal(ops->inject(f->dp, 1, &ep, packet, sizeof(packet)), -EMSGSIZE);
	assert_int_equal(ops->inject(f->dp, 1, &ep, packet, 11), -EINVAL);
	packet[0] = 0;
	assert_int_equal(ops->inject(f->dp, 1, &ep, packet, 100), -EINVAL);
	/* however much comes, it is bounded, and the worker gets through it */
	for (n = 0; n < 1000000 && !err; n++)
		err = inject(f, 1, BASE + 2, (uint16_t)n);
	assert_true(!err || err == -EAGAIN);
	settle(f);
	await_buffers(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(held, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(sealed, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(refused, setup_sets, teardown_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
