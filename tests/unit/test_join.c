/* SPDX-License-Identifier: GPL-2.0-only */
/* What two datapaths counted of one stream, as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/stream_of.h"
#include "userspace/datapath/join.h"

static uint32_t expected(const struct tandem_stream *s)
{
	return s->cycles + s->max_seq - s->base_seq + 1;
}

static void joined_sequences(void **state)
{
	/* The ranges on either path in true extended numbers, and what comes out. */
	static const struct {
		const char *what;
		uint32_t a_first, a_last, b_first, b_last;
		uint64_t b_from_ns, b_to_ns;
		uint32_t expected;
	} cases[] = {
		{ "slow carried the start", 200, 1000, 100, 199, 1, 5, 901 },
		{ "slow carried the end", 100, 1000, 1001, 1010, 50, 200, 911 },
		{ "slow saw some in between", 100, 1000, 500, 510, 50, 60, 901 },
		{ "start before a wrap", 0x10005, 0x10100, 0xfff0, 0x10004, 1, 5, 0x111 },
		{ "end after a wrap", 0xff00, 0x1fff0, 0x1fff1, 0x20010, 50, 200, 0x10111 },
		{ "many cycles on a", 0xff00, 0x5ff00, 0x5ff01, 0x5ff20, 50, 200, 0x50021 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int swap = 0; swap < 2; swap++) {
			struct tandem_stream a = stream_of(cases[i].a_first, cases[i].a_last, 0, 10,
							   100);
			struct tandem_stream b = stream_of(cases[i].b_first, cases[i].b_last, 0,
							   cases[i].b_from_ns, cases[i].b_to_ns);
			struct tandem_stream *to = swap ? &b : &a;

			tandem_stream_join(to, swap ? &a : &b);
			if (expected(to) != cases[i].expected)
				fail_msg("%s: %u, not %u", cases[i].what, expected(to),
					 cases[i].expected);
			assert_true(to->received <= expected(to));
		}
	}
}

static void joined_loss(void **state)
{
	struct tandem_stream a = stream_of(100, 199, 7, 10, 100),
			     b = stream_of(200, 299, 2, 101, 200);
	struct tandem_stream wrapped = stream_of(1, 10, 0, 10, 100),
			     more = stream_of(11, 20, 0, 101, 200);
	(void)state;

	a.lost_prior = 3;
	a.jitter_ns = 1;
	a.jitter_max_ns = 9;
	b.jitter_ns = 2;
	b.jitter_max_ns = 4;
	tandem_stream_join(&a, &b);
	assert_int_equal(a.lost_prior + expected(&a) - a.received, 12);
	assert_int_equal(a.packets, 191);
	assert_int_equal(a.octets, 320);
	assert_int_equal(a.jitter_ns, 2);
	assert_int_equal(a.jitter_max_ns, 9);
	assert_int_equal(a.first_ns, 10);
	assert_int_equal(a.last_ns, 200);

	/* A base just before 0. */
	wrapped.base_seq = 0xffffffff;
	wrapped.received += 2;
	tandem_stream_join(&wrapped, &more);
	assert_int_equal(expected(&wrapped), 22);
	assert_int_equal(wrapped.received, 22);
}

static void joined_reports(void **state)
{
	struct tandem_stream a = stream_of(100, 199, 0, 10, 100);
	struct tandem_stream b = { .flow_id = 1,
				   .ssrc = 1,
				   .rr_count = 2,
				   .rr_lost = -4,
				   .rtt_ns = 50,
				   .rtt_min_ns = 40,
				   .rtt_max_ns = 60,
				   .sr_count = 1,
				   .sr_lsr = { 7, 0 },
				   .sr_ns = { 70, 0 },
				   .bye = 1 };
	(void)state;

	tandem_stream_join(&a, &b);
	assert_int_equal(a.rr_count, 2);
	assert_int_equal(a.rr_lost, -4);
	assert_int_equal(a.rtt_ns, 50);
	assert_int_equal(a.rtt_min_ns, 40);
	assert_int_equal(a.sr_lsr[0], 7);
	assert_int_equal(a.bye, 1);
	assert_int_equal(a.received, 100);
	assert_int_equal(expected(&a), 100);
}

/* A flow that the fast path punts for a reason, while io_uring forwards it well. */
static void joined_reason(void **state)
{
	struct tandem_flow_stats a = { .flow.last_reason = REASON_no_egress_port }, b = { 0 };
	(void)state;

	b.flow.last_ns = 5;
	tandem_stats_join(&a, &b);
	assert_int_equal(a.flow.last_reason, REASON_no_egress_port);
	assert_int_equal(a.flow.last_ns, 5);
	b.flow.last_ns = 6;
	b.flow.last_reason = REASON_send_failed;
	a.flow.no_room = 2;
	b.flow.no_room = 3;
	tandem_stats_join(&a, &b);
	assert_int_equal(a.flow.last_reason, REASON_send_failed);
	assert_int_equal(a.flow.no_room, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_sequences),
		cmocka_unit_test(joined_loss),
		cmocka_unit_test(joined_reports),
		cmocka_unit_test(joined_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
