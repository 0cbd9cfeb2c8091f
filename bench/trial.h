/* SPDX-License-Identifier: GPL-2.0-only */
/* One trial: a load, what became of its packets, and the CPU time that went by. */
#ifndef TANDEM_BENCH_TRIAL_H
#define TANDEM_BENCH_TRIAL_H

#include <signal.h>

#include "bench/cpu.h"
#include "bench/search.h"
#include "bench/wirerun.h"

/* Set by SIGINT and SIGTERM; everything that waits looks at it. */
extern volatile sig_atomic_t tandem_bench_stopped;

/* Who sends and receives: the wire, or sockets (target.c). */
struct trial_ends {
	int (*reset)(void *ends);
	int (*send)(void *ends, const struct wire_load *load);
	void (*drain)(void *ends);
	int (*collect)(void *ends, struct wire_count *count);
	void *ends;
};

struct trial_setup {
	struct trial_ends ends;
	const pid_t *pids; /* of the relay */
	size_t pids_count;
	uint32_t copies; /* that arrive of each packet */
	double seconds;	 /* of each trial of a search */
	unsigned int cpu;
	unsigned int starved; /* out: trials in which the generator did not get its CPU */
};

struct trial {
	struct wire_count count;
	struct cpu_time cpu;
	bool starved;			 /* the generator did not get its CPU */
	double offered, delivered, loss; /* packets/s, each counted once; share */
};

/*
 * One trial. A spinning generator that did not get its CPU, since something else
 * ran there, is given two more chances. 0, -EINTR when stopped, or a negative errno.
 */
int tandem_trial(struct trial_setup *setup, const struct wire_load *load, struct trial *trial);

/* Trials for tandem_search(); arg is a struct trial_setup. */
int tandem_trial_h(double rate, struct search_trial *got, void *arg);

extern const struct trial_ends tandem_wire_ends; /* ends is a struct wire */

#endif
