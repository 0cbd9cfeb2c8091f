/* SPDX-License-Identifier: GPL-2.0-only */
/* The benchmark's arithmetic: sequence accounting, histogram, medians, search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result.h"
#include "bench/search.h"
#include "bench/seq.h"
#include "bench/stats.h"

/* ---- sequence numbers ---- */

struct seq_case {
	const char *what;
	uint32_t first;
	size_t count;
	uint32_t seqs[8];
	uint64_t unique;
	uint32_t duplicates, reordered, next;
};

static const struct seq_case seq_cases[] = {
	{ "in order", 5, 4, { 5, 6, 7, 8 }, 4, 0, 0, 9 },
	{ "one missing", 5, 3, { 5, 7, 8 }, 3, 0, 0, 9 },
	{ "one late", 5, 4, { 5, 7, 6, 8 }, 4, 0, 1, 9 },
	{ "one twice", 5, 4, { 5, 6, 6, 7 }, 3, 1, 0, 8 },
	{ "late, and then twice", 5, 5, { 5, 7, 6, 6, 8 }, 4, 1, 1, 9 },
	{ "before the first", 5, 2, { 4, 5 }, 1, 1, 0, 6 },
	{ "the first missing", 5, 2, { 6, 7 }, 2, 0, 0, 8 },
	{ "the first late", 5, 2, { 6, 5 }, 2, 0, 1, 7 },
	{ "wrap", 0xfffffffe, 4, { 0xfffffffe, 0xffffffff, 0, 1 }, 4, 0, 0, 2 },
	{ "late over a wrap", 0xfffffffe, 3, { 0xfffffffe, 0, 0xffffffff }, 3, 0, 1, 1 },
	{ "a jump past the window", 0, 3, { 0, 200, 201 }, 3, 0, 0, 202 },
	{ "behind the window", 0, 3, { 0, 200, 1 }, 2, 1, 0, 201 },
	{ "at its edge", 0, 2, { 63, 0 }, 2, 0, 1, 64 },
};

static void sequences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(seq_cases) / sizeof(seq_cases[0]); i++) {
		const struct seq_case *c = &seq_cases[i];
		struct seq_state s;

		seq_reset(&s, c->first);
		for (size_t k = 0; k < c->count; k++)
			seq_count(&s, c->seqs[k], 0);
		if (seq_unique(&s) != c->unique || s.duplicates != c->duplicates ||
		    s.reordered != c->reordered || s.next != c->next)
			fail_msg("%s: unique %llu, duplicates %u, reordered %u, next %u", c->what,
				 (unsigned long long)seq_unique(&s), s.duplicates, s.reordered,
				 s.next);
	}
}

static void jitter_of_a_steady_stream_is_zero(void **state)
{
	struct seq_state s;

	(void)state;
	seq_reset(&s, 0);
	for (uint32_t i = 0; i < 1000; i++)
		seq_count(&s, i, 123456789);
	assert_int_equal(seq_jitter_ns(&s), 0);
}

/* Transit times that alternate by d: A.8 approaches d. */
static void jitter_approaches_the_difference(void **state)
{
	struct seq_state s;

	(void)state;
	seq_reset(&s, 0);
	for (uint32_t i = 0; i < 1000; i++)
		seq_count(&s, i, 5000000 + (i % 2) * 16000);
	assert_in_range(seq_jitter_ns(&s), 15900, 16100);
}

/* ---- histogram ---- */

static void a_bucket_is_never_below_its_values(void **state)
{
	(void)state;
	for (uint64_t v = 0; v < 1ULL << 35; v = v < 100 ? v + 1 : v + v / 7) {
		uint64_t top = hist_value(hist_index(v));

		assert_true(top >= v);
		assert_true(top - v <= v / HIST_SUB);
	}
}

static void huge_values_keep_to_the_last_bucket(void **state)
{
	(void)state;
	assert_int_equal(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
	assert_int_equal(hist_index(1ULL << HIST_MAX_BITS), HIST_BUCKETS - 1);
}

static void quantiles(void **state)
{
	struct hist *h = calloc(1, sizeof(*h)), *other = calloc(1, sizeof(*other));

	(void)state;
	assert_non_null(h);
	assert_non_null(other);
	assert_int_equal(tandem_hist_quantile(h, 0.5), 0);
	for (uint64_t v = 1; v <= 1000; v++)
		hist_add(v % 2 ? h : other, v * 1000);
	tandem_hist_merge(h, other);
	assert_in_range(tandem_hist_quantile(h, 0.5), 500000, 500000 + 500000 / 32);
	assert_in_range(tandem_hist_quantile(h, 0.99), 990000, 1000000);
	assert_int_equal(tandem_hist_quantile(h, 1), 1000000);
	assert_int_equal(h->max, 1000000);
	free(other);
	free(h);
}

static void figures(void **state)
{
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };
	struct figure f = tandem_figure(odd, 3);

	(void)state;
	assert_true(f.min == 1 && f.median == 2 && f.max == 3);
	assert_true(tandem_figure(even, 4).median == 2.5);
	assert_true(tandem_figure(even, 0).median == 0);
}

static void a_stride_visits_every_flow(void **state)
{
	static const uint32_t counts[] = { 1, 2, 3, 4, 6, 100, 1000, 2000, 65536, 100000 };
	uint8_t *seen = malloc(100000);

	(void)state;
	assert_non_null(seen);
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		uint32_t n = counts[k], stride = tandem_stride(n), at = 0, visited = 0;

		memset(seen, 0, n);
		for (uint32_t i = 0; i < n; i++) {
			visited += !seen[at];
			seen[at] = 1;
			at += stride;
			if (at >= n)
				at -= n;
		}
		assert_int_equal(visited, n);
	}
	free(seen);
}

/* ---- search ---- */

/* A relay that forwards so much and drops the rest, behind a generator that sends so much. */
struct model {
	double relay, generator;
	int unlucky;   /* every so many trials one packet is lost for no reason; 0: never */
	int collapses; /* when flooded it delivers only a share of 1/collapses */
	int error;
	int trials;
};

static int model_trial(double rate, struct search_trial *got, void *arg)
{
	struct model *m = arg;

	m->trials++;
	if (m->error)
		return m->error;
	got->offered = rate > 0 && rate < m->generator ? rate : m->generator;
	got->delivered = got->offered < m->relay ? got->offered : m->relay;
	if (m->collapses && got->offered > 2 * m->relay)
		got->delivered = m->relay / m->collapses;
	if (m->unlucky && m->trials % m->unlucky == 0)
		got->delivered -= 1;
	got->loss = 1 - got->delivered / got->offered;
	if (got->loss < 1e-12)
		got->loss = 0;
	return 0;
}

static const struct search_limits usual = {
	.tolerance = 0, .precision = 0.02, .steps = 30, .retries = 1
};

static void search_finds_the_rate(void **state)
{
	static const double rates[] = { 50, 1000, 123456, 250000, 1900000 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct model m = { .relay = rates[i], .generator = 2000000 };
		struct search_result r;

		assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), 0);
		assert_true(r.complete && !r.generator_bound);
		assert_true(r.rate <= rates[i] && r.rate >= 0.97 * rates[i]);
	}
}

static void search_knows_the_generators_end(void **state)
{
	struct model m = { .relay = 9e6, .generator = 2e6 };
	struct search_result r;

	(void)state;
	assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), 0);
	assert_true(r.generator_bound && r.complete && r.rate == 2e6);
	assert_int_equal(m.trials, 1);
}

static void search_is_not_fooled_by_a_flood(void **state)
{
	struct model m = { .relay = 300000, .generator = 3e6, .collapses = 20 };
	struct search_result r;

	(void)state;
	assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), 0);
	assert_true(r.rate <= 300000 && r.rate >= 0.97 * 300000);
}

static void search_forgives_one_unlucky_trial(void **state)
{
	struct model m = { .relay = 300000, .generator = 3e6, .unlucky = 5 };
	struct search_result r;

	(void)state;
	assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), 0);
	assert_true(r.rate >= 0.97 * 300000);
}

static void search_keeps_its_bounds(void **state)
{
	struct search_limits limits = usual;
	struct model m = { .relay = 100000, .generator = 3e6 };
	struct search_result r;

	(void)state;
	limits.steps = 4;
	assert_int_equal(tandem_search(&limits, NULL, model_trial, &m, &r), 0);
	assert_int_equal(m.trials, 4);
	assert_false(r.complete);
}

static void a_second_search_uses_what_is_known(void **state)
{
	struct search_limits limits = usual;
	struct model m = { .relay = 300000, .generator = 3e6 };
	struct search_result near, zero;
	int before;

	(void)state;
	limits.tolerance = 0.00001;
	assert_int_equal(tandem_search(&limits, NULL, model_trial, &m, &near), 0);
	before = m.trials;
	assert_int_equal(tandem_search(&usual, &near, model_trial, &m, &zero), 0);
	assert_true(zero.rate <= near.rate && zero.rate >= 0.97 * 300000);
	assert_true(m.trials - before <= 2);
}

static void a_relay_that_loses_always_has_no_rate(void **state)
{
	struct model m = { .relay = 300000, .generator = 3e6, .unlucky = 1 };
	struct search_result r;

	(void)state;
	assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), 0);
	assert_true(r.rate == 0);
	assert_true(r.peak > 0);
}

static void an_error_ends_the_search(void **state)
{
	struct model m = { .error = -EINTR };
	struct search_result r;

	(void)state;
	assert_int_equal(tandem_search(&usual, NULL, model_trial, &m, &r), -EINTR);
}

/* ---- results ---- */

static void ratios_are_taken_within_a_round(void **state)
{
	struct result a = { .rounds = 3 }, b = { .rounds = 3 };

	(void)state;
	for (int i = 0; i < 3; i++) { /* the machine is slower from round to round */
		a.round[i].zero_loss = 900.0 / (i + 1);
		b.round[i].zero_loss = 1000.0 / (i + 1);
	}
	b.round[2].zero_loss = 0; /* and here nothing was found */
	assert_true(tandem_result_ratio(&a, &b, tandem_result_zero_loss) > 0.899);
	assert_true(tandem_result_ratio(&a, &b, tandem_result_zero_loss) < 0.901);
	assert_true(tandem_result_ratio(&a, &b, tandem_result_p99) == 0);
	assert_true(tandem_result_median(&a).zero_loss == 450);
}

static void cost_with_and_without_the_wire(void **state)
{
	struct result_round round = { .saturated = { .rate = 1, .ns = 300, .wire_ns = 700 } };

	(void)state;
	assert_true(tandem_result_per_cpu(&round) > 3333332 &&
		    tandem_result_per_cpu(&round) < 3333334);
	assert_true(tandem_result_end_to_end(&round) > 999999 &&
		    tandem_result_end_to_end(&round) < 1000001);
	assert_true(tandem_result_per_cpu_calls(&round) == 0);
	round.saturated.ns = -5; /* noise: nothing can be said */
	assert_true(tandem_result_per_cpu(&round) == 0);
	assert_true(tandem_result_end_to_end(&round) == 0);
}

static void json_has_null_for_what_was_not_taken(void **state)
{
	struct result r = { .relay = "x", .flows = 1, .size = 172, .rounds = 1 };
	json_t *doc, *median;

	(void)state;
	r.round[0].zero_loss = 5;
	doc = tandem_result_json(&r, 1);
	median = json_object_get(json_array_get(doc, 0), "median");
	assert_true(json_real_value(json_object_get(median, "zero_loss_packets_per_s")) == 5);
	assert_true(json_is_null(json_object_get(median, "near_zero_loss_packets_per_s")));
	assert_true(json_is_null(json_object_get(median, "cpu_calls")));
	assert_int_equal(json_array_size(json_object_get(median, "latency")), 0);
	json_decref(doc);
}

/* The time may be over before a round has come to all of its figures. */
static void what_a_round_did_not_come_to_is_no_zero(void **state)
{
	struct result r = { .rounds = 2 };
	struct result_round m;

	r.round[0].peak = 100;
	r.round[1].peak = 300;
	r.round[0].saturated = (struct result_cpu){ .rate = 90, .ns = 8 };
	r.round[0].latency[1] = (struct result_latency){ .share = 0.5, .rate = 50, .p99 = 7 };
	m = tandem_result_median(&r);
	assert_true(m.peak == 200);
	assert_true(m.saturated.rate == 90 && m.saturated.ns == 8);
	assert_true(m.latency[1].share == 0.5 && m.latency[1].p99 == 7);
	assert_true(m.calls.rate == 0 && m.latency[0].rate == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences),
		cmocka_unit_test(jitter_of_a_steady_stream_is_zero),
		cmocka_unit_test(jitter_approaches_the_difference),
		cmocka_unit_test(a_bucket_is_never_below_its_values),
		cmocka_unit_test(huge_values_keep_to_the_last_bucket),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(figures),
		cmocka_unit_test(a_stride_visits_every_flow),
		cmocka_unit_test(search_finds_the_rate),
		cmocka_unit_test(search_knows_the_generators_end),
		cmocka_unit_test(search_is_not_fooled_by_a_flood),
		cmocka_unit_test(search_forgives_one_unlucky_trial),
		cmocka_unit_test(search_keeps_its_bounds),
		cmocka_unit_test(a_second_search_uses_what_is_known),
		cmocka_unit_test(a_relay_that_loses_always_has_no_rate),
		cmocka_unit_test(an_error_ends_the_search),
		cmocka_unit_test(ratios_are_taken_within_a_round),
		cmocka_unit_test(cost_with_and_without_the_wire),
		cmocka_unit_test(json_has_null_for_what_was_not_taken),
		cmocka_unit_test(what_a_round_did_not_come_to_is_no_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
