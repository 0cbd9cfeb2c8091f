/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A key set that another host takes up: it hears nothing twice, and sends nothing under an index
 * that has been used, as the packet path sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/env_api.h"
#include "core/srtp_window.h"
#include "userspace/datapath/srtp_seeds.h"
#include "userspace/datapath/srtp_sets.h"

#define STREAMS 4
#define SSRC	0x11223344U

static struct tandem_srtp set_of(bool sealed)
{
	return (struct tandem_srtp){
		.id = 7, .suite = SRTP_AES_CM_128_HMAC_SHA1_80, .streams = STREAMS, .sealed = sealed
	};
}

static struct tandem_srtp_sets *sets_with(const struct tandem_srtp *set,
					  struct srtp_stream **streams)
{
	struct tandem_srtp_sets *sets;
	struct srtp_keys keys;
	uint32_t index;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, 4), 0);
	assert_int_equal(tandem_srtp_sets_get(sets, set, &index, &keys), 0);
	*streams = *tandem_srtp_sets_streams(sets) + keys.first_stream;
	return sets;
}

/* The same set elsewhere, from what is known of it here. */
static struct tandem_srtp_sets *moved(struct tandem_srtp_sets *from, bool out,
				      struct srtp_stream **streams)
{
	const struct tandem_srtp set = set_of(out);
	struct tandem_srtp_seed seed = { .out = out };
	struct tandem_srtp_sets *sets;
	struct srtp_keys keys;
	uint32_t index;

	assert_true(tandem_srtp_sets_counted(from, 7, &seed));
	assert_int_equal(tandem_srtp_sets_alloc(&sets, 4), 0);
	tandem_srtp_sets_seed(sets, &seed, 1);
	assert_int_equal(tandem_srtp_sets_get(sets, &set, &index, &keys), 0);
	tandem_srtp_sets_seed(sets, NULL, 0);
	assert_int_equal(keys.stream_count, STREAMS);
	*streams = *tandem_srtp_sets_streams(sets) + keys.first_stream;
	return sets;
}

static void count(struct srtp_stream *s, uint64_t first, uint64_t last)
{
	s->owner = SRTP_OWNED | SSRC;
	for (uint64_t i = first; i <= last; i++)
		assert_true(srtp_window_enter(s->window, &s->top, i));
}

/* Whatever the last index was in its block: none at or before it is open, and all behind it are. */
static void nothing_is_taken_twice(void **state)
{
	const struct tandem_srtp set = set_of(false);
	struct tandem_srtp_sets *from, *to;
	struct srtp_stream *before, *after;

	(void)state;
	for (uint64_t last = 0x1ff80; last < 0x1ff80 + 3 * SRTP_BLOCK; last++) {
		from = sets_with(&set, &before);
		count(before, 0x1ff00, last);
		to = moved(from, false, &after);
		assert_true(after->owner == before->owner && after->top == last);
		for (uint64_t i = last - 300; i <= last; i++)
			assert_false(srtp_window_open(after->window, after->top, i));
		for (uint64_t i = last + 1; i <= last + 300; i++)
			assert_true(srtp_window_open(after->window, after->top, i));
		/* over the end of the sequence numbers: the rollover counter has come along */
		assert_true(srtp_index_guess(after->top, 5) == 0x20005);
		count(after, last + 1, last + 200);
		tandem_srtp_sets_free(from);
		tandem_srtp_sets_free(to);
	}
}

static void few_packets(void **state)
{
	const struct tandem_srtp set = set_of(false);
	struct tandem_srtp_sets *from, *to;
	struct srtp_stream *before, *after;

	(void)state;
	for (uint64_t last = 1; last < 2 * SRTP_BLOCK; last++) {
		from = sets_with(&set, &before);
		count(before, 0, last);
		to = moved(from, false, &after);
		for (uint64_t i = 0; i <= last; i++)
			assert_false(srtp_window_open(after->window, after->top, i));
		count(after, last + 1, last + 300);
		tandem_srtp_sets_free(from);
		tandem_srtp_sets_free(to);
	}
}

/* Also of SSRCs that nobody had heard of yet when it was asked. */
static void no_srtcp_index_comes_again(void **state)
{
	const struct tandem_srtp set = set_of(false);
	struct tandem_srtp_sets *first, *second, *third;
	struct srtp_stream *streams, *more;

	(void)state;
	first = sets_with(&set, &streams);
	streams[0].owner = SRTP_OWNED | SSRC;
	streams[0].top = 100;
	streams[0].rtcp_top = 50;
	second = moved(first, true, &streams);
	for (int i = 0; i < STREAMS; i++)
		assert_true(streams[i].rtcp_top >= 50 + TANDEM_SRTCP_STEP);
	assert_true(streams[0].owner == (SRTP_OWNED | SSRC));
	assert_true(streams[1].owner == 0);
	streams[2].rtcp_top += 9;
	third = moved(second, true, &more);
	for (int i = 0; i < STREAMS; i++)
		assert_true(more[i].rtcp_top >= 59 + 2 * TANDEM_SRTCP_STEP);
	tandem_srtp_sets_free(first);
	tandem_srtp_sets_free(second);
	tandem_srtp_sets_free(third);
}

/* What nobody knows here, nobody may believe to know elsewhere. */
static void a_lost_set_stays_lost(void **state)
{
	const struct tandem_srtp lost = set_of(true);
	struct tandem_srtp_seed seed = { .out = true };
	struct srtp_stream *streams;
	struct tandem_srtp_sets *sets = sets_with(&lost, &streams);

	(void)state;
	assert_true(streams[0].owner == SRTP_CLOSED);
	assert_false(tandem_srtp_sets_counted(sets, 7, &seed));
	assert_false(tandem_srtp_sets_counted(sets, 8, &seed));
	tandem_srtp_sets_free(sets);
}

/* It comes from a database: nothing in it may do harm. */
static void nonsense(void **state)
{
	struct srtp_stream streams[STREAMS] = { 0 };
	struct tandem_srtp_seed seed = {
		.count = 3,
		.streams = { { 1, ~0ULL, ~0ULL }, { 2, (1ULL << 48) - 1, 0x7fffffff }, { 3, 0, 0 } }
	};

	(void)state;
	tandem_srtp_seed_write(streams, STREAMS, &seed);
	assert_true(streams[0].top == 0 && streams[0].rtcp_top == 0);
	assert_true(streams[1].top == (1ULL << 48) - 1 && streams[1].rtcp_top == 0x7fffffff);
	assert_true(srtp_window_open(streams[2].window, streams[2].top, 0));
	seed.count = TANDEM_SRTP_SEED_STREAMS;
	tandem_srtp_seed_write(streams, STREAMS, &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_taken_twice),
		cmocka_unit_test(few_packets),
		cmocka_unit_test(no_srtcp_index_comes_again),
		cmocka_unit_test(a_lost_set_stays_lost),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
