/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TANDEM_BENCH_OPTIONS_H
#define TANDEM_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/relay.h"

#define BENCH_MAX_LIST	 8
#define BENCH_MAX_RELAYS (LAB_MAX_LANES - 1)
#define BENCH_MAX_FLOWS	 100000
#define BENCH_MAX_COPIES 64

/* What sends to a relay that someone else has set up. */
enum bench_generator {
	BENCH_BY_SOCKETS,
	BENCH_BY_XDP,	 /* live frames of an XDP program */
	BENCH_BY_AF_XDP, /* received by the same sink */
};

struct bench_options {
	struct relay relays[BENCH_MAX_RELAYS];
	size_t relays_count;
	uint32_t flows[BENCH_MAX_LIST], sizes[BENCH_MAX_LIST];
	size_t flows_count, sizes_count;
	bool rate, latency, cpu; /* what to measure */
	double trial_s, search_s, total_s;
	int rounds, retries;
	uint32_t copies; /* of each packet */
	uint8_t suite;	 /* enum srtp_suite, of relays that protect */
	unsigned int generator_cpu;
	const char *json, *svg;
	bool quiet;

	/* A relay that someone else has set up. */
	const char *sessions; /* file of flows */
	char **targets;	      /* ADDR:PORT, one for each flow */
	size_t targets_count;
	enum bench_generator generator;
	const char *source, *sink; /* first address and port of the flows' ends */
	pid_t pids[RELAY_MAX_PIDS];
	size_t pids_count;
};

/* A whole number from low to high, in decimal digits and nothing else. 0 or -EINVAL. */
int tandem_bench_whole(const char *text, unsigned long low, unsigned long high,
		       unsigned long *value);

/* Returns -1 to go on, or what to exit with; says what is wrong. */
int tandem_bench_options(struct bench_options *opts, int argc, char **argv);

#endif
