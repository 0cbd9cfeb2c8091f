/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU time and memory. On a wire of veth devices the relay's softirq work runs in whoever
 * sent the packet, so that no single process shows it. Two sums are taken over a trial:
 * `tasks`, exact to the nanosecond, of the generator's thread, the relay's processes and
 * the ksoftirqd threads, in one of which all of that work ends up; and `system`, the time
 * that all CPUs were not idle, which shows what others on the machine do besides.
 */
#ifndef TANDEM_BENCH_CPU_H
#define TANDEM_BENCH_CPU_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpu_time {
	double wall, generator, relay, ksoftirqd, system; /* s */
};

/* As of now; later ones minus earlier ones are of use. pids are the relay's. */
void tandem_cpu_now(struct cpu_time *t, const pid_t *pids, size_t pids_count);

/* What lies between: to minus from. */
struct cpu_time tandem_cpu_between(const struct cpu_time *from, const struct cpu_time *to);

/* Generator, relay and ksoftirqd together. */
double tandem_cpu_tasks(const struct cpu_time *t);

/* Octets that the kernel says are available; 0: it does not say. */
uint64_t tandem_memory_free(void);

/* Resident memory of processes together, octets. */
uint64_t tandem_memory_resident(const pid_t *pids, size_t pids_count);

#endif
