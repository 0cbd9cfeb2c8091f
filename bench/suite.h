/* SPDX-License-Identifier: GPL-2.0-only */
/* The measurements of one relay, in the order in which they are taken. */
#ifndef TANDEM_BENCH_SUITE_H
#define TANDEM_BENCH_SUITE_H

#include "bench/options.h"
#include "bench/result.h"
#include "bench/trial.h"

#define CALLS_PACE 50 /* packets/s of a stream of 20 ms packets */

struct suite {
	const struct bench_options *opts;
	double deadline;    /* on the clock of tandem_bench_now() */
	double idle_system; /* CPUs not idle while nothing is measured */
};

/* What a relay's load and the same load on the bare wire are sent with. */
struct suite_subject {
	const char *name;
	uint32_t flows, size;
	struct trial_setup setup;
	/* Turn the ends to the relay, or (direct) to the wire without one; 0 or a negative errno. */
	int (*aim)(void *arg, bool direct);
	void *arg;
	bool has_direct; /* there is a wire without a relay */
};

/* How much of the machine is busy without us, over a short while. */
void tandem_suite_idle(struct suite *suite);

/*
 * One round: rates, latencies and CPU time, as the options ask for, as far as the time
 * allows. 0, -EINTR when stopped, or a negative errno.
 */
int tandem_suite_round(const struct suite *suite, struct suite_subject *subject,
		       struct result_round *round);

#endif
