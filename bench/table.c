/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "bench/result.h"

static const char *micros(double ns, char buf[16])
{
	if (ns <= 0)
		snprintf(buf, 16, "-");
	else
		snprintf(buf, 16, ns < 99500 ? "%.1f" : "%.0f", ns / 1e3);
	return buf;
}

static const char *plain(double v, int digits, char buf[16])
{
	if (v <= 0)
		snprintf(buf, 16, "-");
	else
		snprintf(buf, 16, "%.*f", digits, v);
	return buf;
}

static void rates(const struct result *results, size_t count, FILE *out)
{
	char t[7][16];

	fprintf(out,
		"\nRates, thousand packets/s (* the generator, or the CPU it shares with the "
		"relay, "
		"is the limit)\n%-12s %7s %5s %10s %10s %10s %11s %11s %9s %10s\n",
		"relay", "flows", "size", "no loss", "0.001 %", "peak", "flows/s", "(fast path)",
		"KiB/flow", "(resident)");
	for (size_t i = 0; i < count; i++) {
		const struct result *r = &results[i];
		struct result_round m = tandem_result_median(r);

		fprintf(out, "%-12s %7u %5u %9s%c %10s %10s %11s %11s %9s %10s\n", r->relay,
			r->flows, r->size, plain(m.zero_loss / 1e3, 0, t[0]),
			m.generator_bound ? '*' : ' ', plain(m.near_zero / 1e3, 0, t[1]),
			plain(m.peak / 1e3, 0, t[2]), plain(r->install_rate, 0, t[3]),
			plain(r->fast_rate, 0, t[4]), plain(r->memory / 1024, 1, t[5]),
			plain(r->resident / 1024, 1, t[6]));
	}
}

static void latencies(const struct result *results, size_t count, FILE *out)
{
	char t[6][16];

	fprintf(out,
		"\nLatency and jitter, microseconds, at a share of the loss-free rate\n"
		"%-12s %7s %5s %5s %8s %8s %8s %8s %8s %8s %8s %6s %7s\n",
		"relay", "flows", "size", "load", "p50", "p99", "p99.9", "max", "jitter", "jit.max",
		"lost", "twice", "late");
	for (size_t i = 0; i < count; i++) {
		struct result_round m = tandem_result_median(&results[i]);

		for (size_t k = 0; k < RESULT_LOADS; k++) {
			const struct result_latency *l = &m.latency[k];

			if (l->rate <= 0)
				continue;
			fprintf(out,
				"%-12s %7u %5u %4.0f%% %8s %8s %8s %8s %8s %8s %8.0f %6.0f %7.0f\n",
				results[i].relay, results[i].flows, results[i].size, l->share * 100,
				micros(l->p50, t[0]), micros(l->p99, t[1]), micros(l->p999, t[2]),
				micros(l->max, t[3]), micros(l->jitter_mean, t[4]),
				micros(l->jitter_max, t[5]), l->lost, l->duplicates, l->reordered);
		}
	}
}

static void cpu_line(const char *what, const struct result *r, const struct result_cpu *c,
		     FILE *out)
{
	if (c->rate <= 0)
		return;
	fprintf(out, "%-12s %7u %5u %-10s %10.0f %10.3f %11.3f %10.3f %12.0f\n", r->relay, r->flows,
		r->size, what, c->rate / 1e3, c->ns / 1e3, c->system_ns / 1e3, c->wire_ns / 1e3,
		c->ns > 0 ? 1e9 / c->ns : 0);
}

static void cpu_times(const struct result *results, size_t count, FILE *out)
{
	fprintf(out,
		"\nCPU seconds of the relay for a million packets (all that the wire alone does "
		"not "
		"take)\n%-12s %7s %5s %-10s %10s %10s %11s %10s %12s\n",
		"relay", "flows", "size", "load", "kpackets/s", "CPU s/M", "(system)", "wire",
		"packets/CPU s");
	for (size_t i = 0; i < count; i++) {
		struct result_round m = tandem_result_median(&results[i]);

		cpu_line("saturated", &results[i], &m.saturated, out);
		cpu_line("calls", &results[i], &m.calls, out);
		if (results[i].polls)
			fprintf(out, "%-12s polls: it uses its CPU whatever the load\n",
				results[i].relay);
	}
}

/* tandem itself, with one of its datapaths. */
static bool ours(const struct result *r)
{
	return !strcmp(r->relay, "xdp") || !strcmp(r->relay, "uring") || !strcmp(r->relay, "dpdk");
}

/* A ratio of nothing is not printed. */
static void ratio(const struct result *a, const struct result *b, const char *what,
		  result_figure_h *figure, FILE *out)
{
	double r = tandem_result_ratio(a, b, figure);

	if (r > 0)
		fprintf(out, "%-10s / %-12s %7u %5u  %-36s %8.2f\n", a->relay, b->relay, a->flows,
			a->size, what, r);
}

static void ratios(const struct result *results, size_t count, FILE *out)
{
	fprintf(out, "\nRatios within a round, medians over the rounds\n");
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k++) {
			const struct result *a = &results[i], *b = &results[k];

			if (!ours(a) || ours(b) || strcmp(b->relay, "direct") == 0 ||
			    a->flows != b->flows || a->size != b->size)
				continue;
			ratio(a, b, "packets/s without loss", tandem_result_zero_loss, out);
			ratio(a, b, "packets/s with 0.001 % lost", tandem_result_near_zero, out);
			ratio(a, b, "packets/s at most", tandem_result_peak, out);
			ratio(a, b, "packets/CPU second, wire and relay", tandem_result_end_to_end,
			      out);
			ratio(a, b, "packets/CPU second, saturated", tandem_result_per_cpu, out);
			ratio(a, b, "packets/CPU second, pace of calls",
			      tandem_result_per_cpu_calls, out);
			ratio(a, b, "p99 latency at half of the rate", tandem_result_p99, out);
		}
	}
}

void tandem_result_table(const struct result *results, size_t count, bool rate, bool latency,
			 bool cpu, FILE *out)
{
	if (!count)
		return;
	if (results[0].copies > 1)
		fprintf(out, "\nEach packet leaves %u times; rates are of copies.\n",
			results[0].copies);
	if (rate)
		rates(results, count, out);
	if (latency)
		latencies(results, count, out);
	if (cpu && results[0].copies == 1)
		cpu_times(results, count, out);
	if (count > 1)
		ratios(results, count, out);
}
