/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/result.h"

#include <stddef.h>
#include <string.h>

#include "bench/stats.h"

double tandem_result_zero_loss(const struct result_round *round)
{
	return round->zero_loss;
}

double tandem_result_near_zero(const struct result_round *round)
{
	return round->near_zero;
}

double tandem_result_peak(const struct result_round *round)
{
	return round->peak;
}

static double per_cpu(const struct result_cpu *cpu)
{
	return cpu->ns > 0 ? 1e9 / cpu->ns : 0;
}

double tandem_result_per_cpu(const struct result_round *round)
{
	return per_cpu(&round->saturated);
}

double tandem_result_per_cpu_calls(const struct result_round *round)
{
	return per_cpu(&round->calls);
}

double tandem_result_end_to_end(const struct result_round *round)
{
	const struct result_cpu *c = &round->saturated;

	return c->wire_ns > 0 && c->ns > 0 ? 1e9 / (c->wire_ns + c->ns) : 0;
}

double tandem_result_p99(const struct result_round *round)
{
	return round->latency[1].p99;
}

static double field(const struct result *r, int round, size_t offset)
{
	double value;

	memcpy(&value, (const char *)&r->round[round] + offset, sizeof(value));
	return value;
}

#define ALWAYS SIZE_MAX

/* taken is where a number is that is 0 in rounds that did not come to this figure; or ALWAYS. */
static double median_at(const struct result *r, size_t offset, size_t taken)
{
	double values[RESULT_MAX_ROUNDS];
	size_t n = 0;

	for (int i = 0; i < r->rounds; i++) {
		if (taken == ALWAYS || field(r, i, taken) > 0)
			values[n++] = field(r, i, offset);
	}
	return tandem_figure(values, n).median;
}

#define MEDIAN(field) m.field = median_at(r, offsetof(struct result_round, field), ALWAYS)

static void median_cpu(const struct result *r, struct result_cpu *cpu, size_t offset)
{
	size_t taken = offset + offsetof(struct result_cpu, rate);

	cpu->rate = median_at(r, offset + offsetof(struct result_cpu, rate), taken);
	cpu->loss = median_at(r, offset + offsetof(struct result_cpu, loss), taken);
	cpu->ns = median_at(r, offset + offsetof(struct result_cpu, ns), taken);
	cpu->system_ns = median_at(r, offset + offsetof(struct result_cpu, system_ns), taken);
	cpu->wire_ns = median_at(r, offset + offsetof(struct result_cpu, wire_ns), taken);
}

static void median_latency(const struct result *r, struct result_latency *l, size_t offset)
{
	size_t taken = offset + offsetof(struct result_latency, rate);

	l->share = median_at(r, offset + offsetof(struct result_latency, share), taken);
	l->rate = median_at(r, offset + offsetof(struct result_latency, rate), taken);
	l->loss = median_at(r, offset + offsetof(struct result_latency, loss), taken);
	l->p50 = median_at(r, offset + offsetof(struct result_latency, p50), taken);
	l->p99 = median_at(r, offset + offsetof(struct result_latency, p99), taken);
	l->p999 = median_at(r, offset + offsetof(struct result_latency, p999), taken);
	l->max = median_at(r, offset + offsetof(struct result_latency, max), taken);
	l->jitter_mean = median_at(r, offset + offsetof(struct result_latency, jitter_mean), taken);
	l->jitter_max = median_at(r, offset + offsetof(struct result_latency, jitter_max), taken);
	l->sent = median_at(r, offset + offsetof(struct result_latency, sent), taken);
	l->taken = median_at(r, offset + offsetof(struct result_latency, taken), taken);
	l->lost = median_at(r, offset + offsetof(struct result_latency, lost), taken);
	l->duplicates = median_at(r, offset + offsetof(struct result_latency, duplicates), taken);
	l->reordered = median_at(r, offset + offsetof(struct result_latency, reordered), taken);
}

struct result_round tandem_result_median(const struct result *r)
{
	struct result_round m = { 0 };

	MEDIAN(zero_loss);
	MEDIAN(near_zero);
	MEDIAN(peak);
	for (size_t i = 0; i < RESULT_LOADS; i++)
		median_latency(r, &m.latency[i],
			       offsetof(struct result_round, latency) +
				       i * sizeof(struct result_latency));
	median_cpu(r, &m.saturated, offsetof(struct result_round, saturated));
	median_cpu(r, &m.calls, offsetof(struct result_round, calls));
	for (int i = 0; i < r->rounds; i++)
		m.generator_bound |= r->round[i].generator_bound;
	return m;
}

double tandem_result_ratio(const struct result *a, const struct result *b, result_figure_h *figure)
{
	double ratios[RESULT_MAX_ROUNDS];
	size_t n = 0;

	for (int i = 0; i < a->rounds && i < b->rounds; i++) {
		double x = figure(&a->round[i]), y = figure(&b->round[i]);

		if (x > 0 && y > 0)
			ratios[n++] = x / y;
	}
	return tandem_figure(ratios, n).median;
}
