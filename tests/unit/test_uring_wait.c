/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What waits for the controller to find the media of an SSRC. Here the test is the controller.
 *
 *   caller --RTP--> :BASE [ relay ] :BASE+2 --SRTP--> callee
 *   phone, or nobody <--RTP-- :BASE+6 [ relay ] :BASE+4 <--SRTP-- callee
 */
#include "tests/unit/uring_srtp.h"

#define KNOWN 0x4321
#define NEW   0x1234
#define FLOW  2
#define ROOM  (URING_WAITING / 8)
#define BURST 86 /* packets */

/* A flow with a fan of n branches, each for one SSRC and with legs to one phone. */
struct bundle {
	struct tandem_srtp in;
	struct tandem_flow_spec spec;
	struct tandem_fan *fan;
};

static void bundle_init(struct fixture *f, struct bundle *b, uint8_t suite)
{
	struct tandem_srtp out = set_of(10U + suite, suite, 7);

	there(f, &out);
	*b = (struct bundle){ .in = set_of(20U + suite, suite, 7), .fan = fan_alloc(8) };
	b->fan->leg_count = b->fan->branch_count = 0;
	b->spec = spec_of(FLOW, "127.0.0.1", BASE + 4, &f->callee, &f->caller);
	b->spec.egress[EGRESS_RTP].flags = 0;
	b->spec.flags = RULE_F_DTLS;
	b->spec.fan = b->fan;
}

/* To be followed by bundle_set(). */
static void bundle_branch(struct bundle *b, uint32_t ssrc, const struct phone *to, uint16_t legs)
{
	struct tandem_fan *fan = b->fan;

	fan->branches[fan->branch_count++] = (struct branch){
		.ssrc = ssrc,
		.first = fan->leg_count,
		.count = legs,
	};
	for (uint16_t i = 0; i < legs; i++) {
		fan_leg(fan, fan->leg_count, 1 + fan->leg_count, BASE + 6, &to->at);
		fan->leg_count++;
	}
}

static void bundle_set(struct fixture *f, struct bundle *b)
{
	b->spec.srtp_in = &b->in;
	assert_int_equal(set(f, &b->spec), 0);
}

static void bundle_free(struct fixture *f, struct bundle *b)
{
	assert_int_equal(removal(f, FLOW), 0);
	free(b->fan);
}

static size_t say(struct fixture *f, uint16_t seq, uint32_t ssrc)
{
	unsigned char buf[2048];
	size_t len = protected_of(f, seq, ssrc, buf, sizeof(buf));

	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	return len;
}

static void hears(const struct phone *p, uint16_t seq, uint32_t ssrc)
{
	unsigned char want[RTP_LEN], got[2048];
	uint16_t port;

	rtp(want, seq, ssrc);
	assert_int_equal(receive(p, got, sizeof(got), &port), RTP_LEN);
	assert_int_equal(port, BASE + 6);
	assert_memory_equal(got, want, RTP_LEN);
}

static void hears_no_more(const struct phone *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 50), 0);
}

static uint32_t waiting(struct fixture *f)
{
	const struct uring_waits *q = &f->dp->waits;
	uint32_t n = 0;

	for (uint32_t at = q->first; at != TANDEM_NO_SLOT; at = q->all[at].next)
		n++;
	assert_int_equal(f->dp->ports[4].waiting, n);
	return n;
}

static void ssrc_h(const struct tandem_unknown_source *src, void *arg)
{
	assert_int_equal(src->flow_id, FLOW);
	assert_true(src->from_peer);
	(*(uint32_t *)arg)++;
}

static uint32_t told(struct fixture *f)
{
	const struct tandem_event_handlers handlers = { .unknown_source = ssrc_h };
	struct pollfd pfd = { .fd = ops->event_fd(f->dp), .events = POLLIN };
	uint32_t n = 0;

	while (poll(&pfd, 1, 0) == 1)
		ops->dispatch(f->dp, &handlers, &n);
	return n;
}

/* All of them, in order, and each once; those of an SSRC that is known do not wait with them. */
static void none_is_lost(void **state)
{
	static const uint8_t suites[] = { SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM };
	struct fixture *f = *state;
	struct phone other = phone_open("127.0.0.1");
	uint64_t unknown = 0;

	for (size_t i = 0; i < 2; i++) {
		struct bundle b;

		bundle_init(f, &b, suites[i]);
		bundle_branch(&b, KNOWN, &f->caller, 1);
		bundle_set(f, &b);
		for (uint16_t seq = 0; seq < BURST; seq++) {
			say(f, seq, NEW);
			say(f, seq, KNOWN);
			hears(&f->caller, seq, KNOWN);
		}
		unknown += BURST;
		await_counter(f, REASON_unknown_ssrc, unknown);
		assert_int_equal(waiting(f), BURST);
		assert_in_range(told(f), 16, BURST);
		assert_int_equal(stats_of(f, FLOW).flow.packets, BURST);

		bundle_branch(&b, NEW, &other, 1);
		bundle_set(f, &b);
		assert_int_equal(waiting(f), 0);
		for (uint16_t seq = 0; seq < BURST; seq++)
			hears(&other, seq, NEW);
		say(f, BURST, NEW);
		hears(&other, BURST, NEW);
		hears_no_more(&other);
		assert_int_equal(stats_of(f, FLOW).flow.packets, 2 * BURST + 1);
		assert_int_equal(stats_of(f, FLOW).flow.dropped, 0);
		assert_int_equal(leg_of(f, FLOW, 2).packets, 87);
		assert_int_equal(leg_of(f, FLOW, 2).lost, 0);
		await_buffers(f);
		bundle_free(f, &b);
	}
	assert_int_equal(counter(f, REASON_untold), 0);
	assert_int_equal(counter(f, REASON_unproven), 0);
	close(other.fd);
}

/* Each SSRC goes on when it is its turn, by as many legs as it has, or by none. */
static void each_in_its_time(void **state)
{
	struct fixture *f = *state;
	struct phone other = phone_open("127.0.0.1");
	struct bundle b;

	bundle_init(f, &b, SRTP_AES_CM_128_HMAC_SHA1_80);
	bundle_set(f, &b);
	for (uint16_t seq = 0; seq < 6; seq++) {
		say(f, seq, 1);
		say(f, seq, 2);
		say(f, seq, 3);
	}
	await_counter(f, REASON_unknown_ssrc, 18);
	assert_int_equal(waiting(f), 18);
	bundle_branch(&b, 2, &other, 2);
	bundle_set(f, &b);
	assert_int_equal(waiting(f), 12);
	for (uint16_t seq = 0; seq < 6; seq++) {
		hears(&other, seq, 2);
		hears(&other, seq, 2);
	}
	bundle_branch(&b, 3, &other, 0);
	bundle_set(f, &b);
	assert_int_equal(waiting(f), 6);
	assert_int_equal(counter(f, REASON_muted), 6);
	/* with the fan gone nothing has to be told apart */
	b.spec.fan = NULL;
	b.spec.egress[EGRESS_RTP].flags = EGRESS_F_ACTIVE;
	bundle_set(f, &b);
	assert_int_equal(waiting(f), 0);
	for (uint16_t seq = 0; seq < 6; seq++)
		hears(&f->caller, seq, 1);
	hears_no_more(&other);
	await_buffers(f);
	bundle_free(f, &b);
	close(other.fd);
}

static void forged_and_repeated(void **state)
{
	struct fixture *f = *state;
	unsigned char buf[2048], bad[2048];
	struct bundle b;
	size_t len;

	bundle_init(f, &b, SRTP_AES_CM_128_HMAC_SHA1_80);
	bundle_set(f, &b);
	len = protected_of(f, 1, NEW, buf, sizeof(buf));
	memcpy(bad, buf, len);
	bad[len - 1] ^= 1;
	send_to(&f->callee, "127.0.0.1", BASE + 4, bad, len);
	await_counter(f, REASON_unproven, 1);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(told(f), 0);
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_unknown_ssrc, 3);
	bundle_branch(&b, NEW, &f->caller, 1);
	bundle_set(f, &b);
	hears(&f->caller, 1, NEW);
	hears_no_more(&f->caller);
	assert_int_equal(counter(f, REASON_srtp_replay), 1);
	bundle_free(f, &b);
}

/* What nobody finds a media for waits in a bounded number, for a bounded time. */
static void bounded(void **state)
{
	const struct timespec until_late = { .tv_sec = 1, .tv_nsec = 100000000 };
	struct fixture *f = *state;
	struct bundle b;

	bundle_init(f, &b, SRTP_AES_CM_128_HMAC_SHA1_80);
	bundle_set(f, &b);
	for (uint16_t seq = 0; seq < 2 * ROOM; seq++)
		say(f, seq, NEW);
	await_counter(f, REASON_unknown_ssrc, 2 * ROOM);
	assert_in_range(waiting(f), 1, ROOM);
	nanosleep(&until_late, NULL);
	say(f, 2 * ROOM, NEW);
	await_counter(f, REASON_unknown_ssrc, 2 * ROOM + 1);
	assert_int_equal(waiting(f), 1);
	bundle_branch(&b, NEW, &f->caller, 1);
	bundle_set(f, &b);
	hears(&f->caller, 2 * ROOM, NEW);
	hears_no_more(&f->caller);

	/* and what is late when its time comes is of no use */
	say(f, 0, 7);
	await_counter(f, REASON_unknown_ssrc, 2 * ROOM + 2);
	assert_int_equal(waiting(f), 1);
	nanosleep(&until_late, NULL);
	say(f, 2 * ROOM + 1, NEW); /* the worker looks at its clock */
	hears(&f->caller, 2 * ROOM + 1, NEW);
	bundle_branch(&b, 7, &f->caller, 1);
	bundle_set(f, &b);
	assert_int_equal(waiting(f), 0);
	hears_no_more(&f->caller);
	bundle_free(f, &b);
}

static void flow_ends_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct bundle b;

	bundle_init(f, &b, SRTP_AES_CM_128_HMAC_SHA1_80);
	bundle_set(f, &b);
	for (uint16_t seq = 0; seq < 10; seq++)
		say(f, seq, NEW);
	await_counter(f, REASON_unknown_ssrc, 10);
	assert_int_equal(waiting(f), 10);
	bundle_free(f, &b);
	assert_int_equal(waiting(f), 0);
	hears_no_more(&f->caller);
	await_buffers(f);
}

static int setup_sets_sockets(void **state)
{
	return setup_sets_mode(state, URING_WITHOUT_TRUNKS);
}

static int setup_sets_single(void **state)
{
	return setup_sets_mode(state, URING_WITHOUT_MULTISHOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(none_is_lost, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(none_is_lost, setup_sets_sockets, teardown_sets),
		cmocka_unit_test_setup_teardown(none_is_lost, setup_sets_single, teardown_sets),
		cmocka_unit_test_setup_teardown(each_in_its_time, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(forged_and_repeated, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(bounded, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(flow_ends_meanwhile, setup_sets, teardown_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
