/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP that ends at the relay, through io_uring, from what a controller asks for to packets:
 *
 *   caller --RTP--> :BASE [ relay ] :BASE+2 --SRTP--> callee
 *   caller <--RTP-- :BASE+6 [ relay ] :BASE+4 <--SRTP-- callee
 */
#include "uring_srtp.h"

static void back(struct fixture *f, const struct tandem_srtp *in, const struct tandem_srtp *old)
{
	struct tandem_flow_spec spec = spec_of(2, "127.0.0.1", BASE + 4, &f->callee, &f->caller);

	spec.srtp_in = in;
	spec.srtp_in_old = old;
	assert_int_equal(set(f, &spec), 0);
}

static bool comes_back(struct fixture *f, uint16_t seq, const unsigned char *data, size_t len)
{
	unsigned char plain[RTP_LEN], buf[2048];
	uint16_t port;

	rtp(plain, seq, 0x1234);
	send_to(&f->callee, "127.0.0.1", BASE + 4, data, len);
	return receive(&f->caller, buf, sizeof(buf), &port) == RTP_LEN &&
	       memcmp(buf, plain, RTP_LEN) == 0;
}

static void protected_and_back(void **state)
{
	static const uint8_t suites[] = { SRTP_AES_CM_128_HMAC_SHA1_80,
					  SRTP_AES_256_CM_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM };
	struct fixture *f = *state;
	unsigned char buf[2048];
	size_t len;

	for (uint16_t i = 0; i < 3; i++) {
		struct tandem_srtp out = set_of(10U + i, suites[i], 7);
		struct tandem_srtp in = set_of(20U + i, suites[i], 7);

		there(f, &out);
		back(f, &in, NULL);
		for (uint16_t seq = 65530; seq != 10; seq++) { /* over the rollover */
			len = protected(f, seq, buf, sizeof(buf));
			assert_int_equal(len, RTP_LEN + (i < 2 ? TAG : 16));
			assert_true(comes_back(f, seq, buf, len));
		}
	}
	assert_int_equal(stats_of(f, 2).streams[0].packets, 48);
	assert_int_equal(stats_of(f, 2).streams[0].octets, 48 * (RTP_LEN - 12));
}

static void forged_and_replayed(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp out = set_of(10, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp in = set_of(20, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	unsigned char buf[2048];
	size_t len;

	there(f, &out);
	back(f, &in, NULL);
	len = protected(f, 1, buf, sizeof(buf));
	buf[50] ^= 1;
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_srtp_auth, 1);
	buf[50] ^= 1;
	assert_true(comes_back(f, 1, buf, len));
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_srtp_replay, 1);
	assert_int_equal(stats_of(f, 2).flow.packets, 1);
	assert_int_equal(stats_of(f, 2).flow.dropped, 2);
}

/* While keys change, those before still fit; what both have kept goes on where it was. */
static void keys_change(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp out = set_of(10, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp in = set_of(20, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp next_out = set_of(11, SRTP_AES_CM_128_HMAC_SHA1_80, 9);
	struct tandem_srtp next_in = set_of(21, SRTP_AES_CM_128_HMAC_SHA1_80, 9);
	unsigned char before[2048], buf[2048];
	size_t len;

	there(f, &out);
	back(f, &in, NULL);
	len = protected(f, 1, buf, sizeof(buf));
	assert_true(comes_back(f, 1, buf, len));
	protected(f, 2, before, sizeof(before));
	back(f, &next_in, &in);
	there(f, &next_out);
	assert_true(comes_back(f, 2, before, len));
	len = protected(f, 3, buf, sizeof(buf));
	assert_true(comes_back(f, 3, buf, len));
	send_to(&f->callee, "127.0.0.1", BASE + 4, before,
		len); /* has been; the new ones say why */
	await_counter(f, REASON_srtp_auth, 1);

	back(f, &next_in, NULL);
	assert_int_equal(protected(f, 4, buf, sizeof(buf)), len);
	assert_true(comes_back(f, 4, buf, len));
	send_to(&f->callee, "127.0.0.1", BASE + 4, before, len);
	await_counter(f, REASON_srtp_auth, 2);
}

static void source_h(const struct tandem_unknown_source *src, void *arg)
{
	assert_int_equal(src->flow_id, 2);
	(*(int *)arg)++;
}

/* How many sources have been told of since the last time. */
static int sources(struct fixture *f)
{
	const struct tandem_event_handlers handlers = { .unknown_source = source_h };
	struct pollfd pfd = { .fd = ops->event_fd(f->dp), .events = POLLIN };
	int n = 0;

	while (poll(&pfd, 1, 0) == 1)
		ops->dispatch(f->dp, &handlers, &n);
	return n;
}

/* While a source is to be learned, only who has the keys is one. */
static void only_authentic_sources_are_told(void **state)
{
	static const uint8_t suites[] = { SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM };
	struct fixture *f = *state;
	struct phone stranger = phone_open("127.0.0.1");
	unsigned char buf[2048], bad[2048];
	size_t len;

	for (uint64_t i = 0; i < 2; i++) {
		struct tandem_srtp out = set_of(10 + i, suites[i], 7);
		struct tandem_srtp in = set_of(20 + i, suites[i], 7);
		struct tandem_flow_spec spec = spec_of(2, "127.0.0.1", BASE + 4, &f->callee,
						       &f->caller);

		there(f, &out);
		spec.srtp_in = &in;
		spec.flags = RULE_F_LEARN;
		assert_int_equal(set(f, &spec), 0);
		len = protected(f, 1, buf, sizeof(buf));
		memcpy(bad, buf, len);
		bad[len - 1] ^= 1;
		send_to(&stranger, "127.0.0.1", BASE + 4, bad, len);
		send_to(&stranger, "127.0.0.1", BASE + 4, buf, 20);
		await_counter(f, REASON_unproven, 3 * i + 2);
		assert_int_equal(sources(f), 0);

		send_to(&stranger, "127.0.0.1", BASE + 4, buf, len);
		await_counter(f, REASON_learning, 4 * i + 3);
		assert_int_equal(sources(f), 1);
		/* who has heard it has proved nothing by saying it again */
		send_to(&stranger, "127.0.0.1", BASE + 4, buf, len);
		await_counter(f, REASON_unproven, 3 * i + 3);
		assert_int_equal(sources(f), 0);
		assert_int_equal(stats_of(f, 2).flow.packets, 0);
	}
	close(stranger.fd);
}

static void ssrc_h(const struct tandem_unknown_source *src, void *arg)
{
	assert_int_equal(src->flow_id, 2);
	assert_true(src->from_peer);
	assert_true(src->head_len > 32 && src->len > src->head_len);
	assert_int_equal(src->head[0] >> 6, 2);
	(*(int *)arg)++;
}

static int ssrcs(struct fixture *f)
{
	const struct tandem_event_handlers handlers = { .unknown_source = ssrc_h };
	struct pollfd pfd = { .fd = ops->event_fd(f->dp), .events = POLLIN };
	int n = 0;

	while (poll(&pfd, 1, 0) == 1)
		ops->dispatch(f->dp, &handlers, &n);
	return n;
}

/* An SSRC that no branch takes is told of, if who sends it has the keys, and the flow has some. */
static void only_authentic_ssrcs_are_told(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp out = set_of(10, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp in = set_of(20, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_flow_spec spec = spec_of(2, "127.0.0.1", BASE + 4, &f->callee, &f->caller);
	struct tandem_fan *fan = fan_alloc(1);
	unsigned char buf[2048], bad[2048];
	size_t len;

	there(f, &out);
	fan->branches[0] = (struct branch){ .ssrc = 0x4321, .count = 1 };
	fan_leg(fan, 0, 1, BASE + 6, &f->caller.at);
	spec.egress[EGRESS_RTP].flags = 0;
	spec.fan = fan;
	spec.flags = RULE_F_DTLS;
	assert_int_equal(set(f, &spec), 0);
	len = protected(f, 1, buf, sizeof(buf));
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_unproven, 1);
	assert_int_equal(ssrcs(f), 0);

	spec.srtp_in = &in;
	assert_int_equal(set(f, &spec), 0);
	memcpy(bad, buf, len);
	bad[len - 1] ^= 1;
	send_to(&f->callee, "127.0.0.1", BASE + 4, bad, len);
	await_counter(f, REASON_unproven, 2);
	assert_int_equal(ssrcs(f), 0);
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_unknown_ssrc, 3);
	assert_int_equal(ssrcs(f), 1);

	/* a forward has nobody to ask */
	spec.flags = 0;
	assert_int_equal(set(f, &spec), 0);
	len = protected(f, 2, buf, sizeof(buf));
	send_to(&f->callee, "127.0.0.1", BASE + 4, buf, len);
	await_counter(f, REASON_unknown_ssrc, 4);
	assert_int_equal(ssrcs(f), 0);
	free(fan);
}

/* Each copy leaves under the keys of its leg. */
static void legs_have_keys(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp keys[2] = { set_of(30, SRTP_AES_CM_128_HMAC_SHA1_80, 7),
				       set_of(31, SRTP_AEAD_AES_128_GCM, 9) };
	struct tandem_srtp in = set_of(32, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct phone other = phone_open("127.0.0.1");
	struct tandem_fan *fan = fan_alloc(3);
	unsigned char plain[RTP_LEN], got[2][2048];
	uint16_t port;
	ssize_t len;

	fan_leg(fan, 0, 1, BASE + 2, &f->callee.at);
	fan_leg(fan, 1, 2, BASE + 2, &other.at);
	fan_leg(fan, 2, 3, BASE + 2, &other.at);
	fan->keys = keys;
	fan->key_count = 2;
	fan->legs[0].srtp = 30;
	fan->legs[1].srtp = 31;
	spec.egress[EGRESS_RTP].flags = 0;
	spec.fan = fan;
	assert_int_equal(set(f, &spec), 0);
	back(f, &in, NULL);
	rtp(plain, 7, 0x1234);
	send_to(&f->caller, "127.0.0.1", BASE, plain, sizeof(plain));
	len = receive(&f->callee, got[0], sizeof(got[0]), &port);
	assert_int_equal(len, RTP_LEN + TAG);
	assert_memory_not_equal(got[0] + 12, plain + 12, RTP_LEN - 12);
	/* what the first leg got can be read with its keys */
	assert_true(comes_back(f, 7, got[0], (size_t)len));
	assert_int_equal(receive(&other, got[0], sizeof(got[0]), &port), RTP_LEN + 16);
	assert_memory_not_equal(got[0] + 12, plain + 12, RTP_LEN - 12);
	assert_int_equal(receive(&other, got[1], sizeof(got[1]), &port), RTP_LEN);
	assert_memory_equal(got[1], plain, RTP_LEN);
	close(other.fd);
	free(fan);
}

/* Packets of so many SSRCs from one place; the callee gets some, or none. */
static void many_ssrcs(struct fixture *f, const struct phone *from, uint32_t ssrc, int n, int got)
{
	unsigned char plain[RTP_LEN], buf[2048];
	uint16_t port;
	int i;

	for (i = 0; i < n; i++) {
		rtp(plain, 1, ssrc + (uint32_t)i);
		send_to(from, "127.0.0.1", BASE, plain, sizeof(plain));
	}
	for (i = 0; i < got; i++)
		assert_int_equal(receive(&f->callee, buf, sizeof(buf), &port), RTP_LEN + TAG);
}

/*
 * Places under a key are few, and who can forge a source can take them; not so who cannot, and
 * not those of SSRCs that were announced.
 */
static void places_for_ssrcs(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp out = set_of(10, SRTP_AES_CM_128_HMAC_SHA1_80, 7);
	struct tandem_srtp next = set_of(11, SRTP_AES_CM_128_HMAC_SHA1_80, 9);
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct phone stranger = phone_open("127.0.0.1");
	unsigned char buf[2048];

	there(f, &out);
	many_ssrcs(f, &stranger, 0x100, 8, 0);
	await_counter(f, REASON_unknown_source, 8);
	protected(f, 1, buf, sizeof(buf));
	many_ssrcs(f, &f->caller, 0x200, 8, 3);
	await_counter(f, REASON_srtp_no_room, 5);
	protected(f, 2, buf, sizeof(buf)); /* who speaks goes on */

	spec.srtp_out = &next;
	spec.expected[0] = 0x1234;
	assert_int_equal(set(f, &spec), 0);
	many_ssrcs(f, &f->caller, 0x300, 8, 3);
	await_counter(f, REASON_srtp_no_room, 10);
	protected(f, 3, buf, sizeof(buf)); /* and who was announced begins */
	assert_int_equal(stats_of(f, 1).flow.last_reason, REASON_srtp_no_room);

	/* others that are announced later do not get those that are left, if these are few */
	next = set_of(12, SRTP_AES_CM_128_HMAC_SHA1_80, 9);
	for (uint32_t i = 0; i < 6; i++) {
		spec.expected[0] = 0x400 + i;
		assert_int_equal(set(f, &spec), 0);
	}
	many_ssrcs(f, &f->caller, 0x500, 4, 2);
	await_counter(f, REASON_srtp_no_room, 12);
	many_ssrcs(f, &f->caller, 0x400, 6, 2);
	await_counter(f, REASON_srtp_no_room, 16);
	close(stranger.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(protected_and_back, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(forged_and_replayed, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(keys_change, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(only_authentic_sources_are_told, setup_sets,
						teardown_sets),
		cmocka_unit_test_setup_teardown(only_authentic_ssrcs_are_told, setup_sets,
						teardown_sets),
		cmocka_unit_test_setup_teardown(legs_have_keys, setup_sets, teardown_sets),
		cmocka_unit_test_setup_teardown(places_for_ssrcs, setup_sets, teardown_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
