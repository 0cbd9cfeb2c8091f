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

static double median_at(const struct result *r, size_t offset)
{
	double values[RESULT_MAX_ROUNDS];

	for (int i = 0; i < r->rounds; i++)
		memcpy(&values[i], (const char *)&r->round[i] + offset, sizeof(double));
	return tandem_figure(values, (size_t)r->rounds).median;
}

#define MEDIAN(field) m.field = median_at(r, offsetof(struct result_round, field))

static void median_cpu(const struct result *r, struct result_cpu *cpu, size_t offset)
{
	cpu->rate = median_at(r, offset + offsetof(struct result_cpu, rate));
	cpu->loss = median_at(r, offset + offsetof(struct result_cpu, loss));
	cpu->ns = median_at(r, offset + offsetof(struct result_cpu, ns));
	cpu->system_ns = median_at(r, offset + offsetof(struct result_cpu, system_ns));
	cpu->wire_ns = median_at(r, offset + offsetof(struct result_cpu, wire_ns));
}

static void median_latency(const struct result *r, struct result_latency *l, size_t offset)
{
	l->share = median_at(r, offset + offsetof(struct result_latency, share));
	l->rate = median_at(r, offset + offsetof(struct result_latency, rate));
	l->loss = median_at(r, offset + offsetof(struct result_latency, loss));
	l->p50 = median_at(r, offset + offsetof(struct result_latency, p50));
	l->p99 = median_at(r, offset + offsetof(struct result_latency, p99));
	l->p999 = median_at(r, offset + offsetof(struct result_latency, p999));
	l->max = median_at(r, offset + offsetof(struct result_latency, max));
	l->jitter_mean = median_at(r, offset + offsetof(struct result_latency, jitter_mean));
	l->jitter_max = median_at(r, offset + offsetof(struct result_latency, jitter_max));
	l->sent = median_at(r, offset + offsetof(struct result_latency, sent));
	l->taken = median_at(r, offset + offsetof(struct result_latency, taken));
	l->lost = median_at(r, offset + offsetof(struct result_latency, lost));
	l->duplicates = median_at(r, offset + offsetof(struct result_latency, duplicates));
	l->reordered = median_at(r, offset + offsetof(struct result_latency, reordered));
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
