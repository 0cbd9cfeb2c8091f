/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for the highest rate at which no more than a given share of packets is lost
 * (RFC 2544 26.1 with a tolerance). It asks a function for trials, so it can be tested
 * without packets.
 */
#ifndef TANDEM_BENCH_SEARCH_H
#define TANDEM_BENCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#define SEARCH_MAX_STEPS 40

/* What one trial at a rate gave. */
struct search_trial {
	double offered; /* packets/s that really left; less than asked for where the generator ends */
	double delivered; /* packets/s, each counted once */
	double loss;	  /* share of what was offered, 0 to 1 */
	bool starved;	  /* the generator was kept from sending more by something else */
};

/* Run a trial: rate in packets/s, 0 for as fast as it goes. 0 or a negative errno. */
typedef int(search_trial_h)(double rate, struct search_trial *trial, void *arg);

struct search_limits {
	double tolerance;    /* share that may be lost: 0, or 0.00001 for 0.001 % */
	double precision;    /* stop when the bounds are this share apart, such as 0.02 */
	int steps;	     /* trials at most, retries included */
	int retries;	     /* how often a failed rate is tried again before it counts as failed */
	double seconds;	     /* in all, at most; 0: no limit */
	double (*now)(void); /* clock for that */
};

struct search_step {
	double rate; /* asked for; 0: as fast as it goes */
	struct search_trial got;
	bool passed;
};

struct search_result {
	double rate;	      /* the highest offered rate that passed; 0: none did */
	double peak;	      /* the highest delivered rate of any trial */
	bool generator_bound; /* the generator could send no faster, and that passed */
	bool complete;	      /* the precision was reached before the limits */
	size_t count;
	struct search_step steps[SEARCH_MAX_STEPS];
};

/*
 * Search. A first trial as fast as it goes gives the upper bound; where it passes, the
 * generator (or the CPU that it shares with the relay) is the limit. known may be the result of
 * a search with another tolerance: its trials are taken into account and not made again.
 * Returns 0, or the error of a trial.
 */
int tandem_search(const struct search_limits *limits, const struct search_result *known,
		  search_trial_h *h, void *arg, struct search_result *result);

#endif
