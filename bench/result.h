/* SPDX-License-Identifier: GPL-2.0-only */
/* What was measured, and how it is shown. */
#ifndef TANDEM_BENCH_RESULT_H
#define TANDEM_BENCH_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RESULT_LOADS	  3
#define RESULT_MAX_ROUNDS 15

/* Latency at one share of the rate, ns. */
struct result_latency {
	double share, rate, loss;
	double p50, p99, p999, max;
	double jitter_mean, jitter_max;
	double sent, taken, lost, duplicates, reordered; /* packets; taken by the device */
};

/* CPU time at one load. */
struct result_cpu {
	double rate, loss;
	double ns; /* of the relay for each packet delivered: less what the wire alone takes */
	double system_ns; /* the same from the time that no CPU was idle */
	double wire_ns;	  /* what the wire alone took */
};

/* One relay in one round. Rates are of copies, where there are several of each packet. */
struct result_round {
	double zero_loss, near_zero, peak; /* packets/s; near: 0.001 % lost */
	bool generator_bound;
	struct result_latency latency[RESULT_LOADS];
	struct result_cpu saturated, calls;
};

/* One relay with so many flows and such packets. */
struct result {
	const char *relay;
	uint32_t flows, size, copies;
	bool polls;		 /* its processes use their CPUs whatever the load */
	double install_rate;	 /* flows/s */
	double fast_rate;	 /* the same in the fast path alone; 0: not known */
	double memory, resident; /* octets for each flow */
	int rounds;
	struct result_round round[RESULT_MAX_ROUNDS];
};

/* Medians over the rounds. */
struct result_round tandem_result_median(const struct result *r);

/* Median over the rounds of a's figure divided by b's in the same round; 0: there is none. */
typedef double(result_figure_h)(const struct result_round *round);
double tandem_result_ratio(const struct result *a, const struct result *b, result_figure_h *figure);

/* Figures for tandem_result_ratio(). */
double tandem_result_zero_loss(const struct result_round *round);
double tandem_result_near_zero(const struct result_round *round);
double tandem_result_peak(const struct result_round *round);
double tandem_result_per_cpu(const struct result_round *round); /* packets/CPU second, saturated */
double tandem_result_per_cpu_calls(const struct result_round *round); /* and at the pace of calls */
double tandem_result_end_to_end(const struct result_round *round);    /* saturated, with the wire */
double tandem_result_p99(const struct result_round *round);	      /* at half of the rate */

/* table.c, json.c, svg.c: results of count relays, all of them of one run. */
void tandem_result_table(const struct result *results, size_t count, bool rate, bool latency,
			 bool cpu, FILE *out);
json_t *tandem_result_json(const struct result *results, size_t count);
int tandem_result_svg(const struct result *results, size_t count, const char *path);

#endif
