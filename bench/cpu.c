/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_KSOFTIRQD 256

static double clock_s(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		return 0;
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* CPU time of a kernel thread; its clock cannot be read, its scheduler statistics can. */
static double kthread_s(pid_t pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e9;
}

static size_t find_ksoftirqd(pid_t *pids, size_t max)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	size_t n = 0;

	while (dir && n < max && (entry = readdir(dir))) {
		char path[300], name[16] = "";
		FILE *f;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && strncmp(name, "ksoftirqd/", 10) == 0)
			pids[n++] = atoi(entry->d_name);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return n;
}

static double ksoftirqd_s(void)
{
	static pid_t pids[MAX_KSOFTIRQD];
	static size_t count;
	double sum = 0;

	if (!count)
		count = find_ksoftirqd(pids, MAX_KSOFTIRQD);
	for (size_t i = 0; i < count; i++)
		sum += kthread_s(pids[i]);
	return sum;
}

/* user, nice, system, irq, softirq, steal of the first line; idle and iowait left out. */
static double not_idle_s(double wall)
{
	unsigned long long idle = 0, iowait = 0;
	FILE *f = fopen("/proc/stat", "re");
	double ticks = (double)sysconf(_SC_CLK_TCK), cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);

	if (!f)
		return 0;
	if (fscanf(f, "cpu %*u %*u %*u %llu %llu", &idle, &iowait) != 2)
		idle = iowait = 0;
	fclose(f);
	/* The idle time is exact where the tick stops in idle CPUs; that of busy ones is sampled. */
	return wall * cpus - (double)(idle + iowait) / ticks;
}

void tandem_cpu_now(struct cpu_time *t, const pid_t *pids, size_t pids_count)
{
	clockid_t id;

	memset(t, 0, sizeof(*t));
	t->wall = clock_s(CLOCK_MONOTONIC);
	t->generator = clock_s(CLOCK_THREAD_CPUTIME_ID);
	t->ksoftirqd = ksoftirqd_s();
	t->system = not_idle_s(t->wall);
	for (size_t i = 0; i < pids_count; i++) {
		if (clock_getcpuclockid(pids[i], &id) == 0)
			t->relay += clock_s(id);
	}
}

struct cpu_time tandem_cpu_between(const struct cpu_time *from, const struct cpu_time *to)
{
	return (struct cpu_time){ .wall = to->wall - from->wall,
				  .generator = to->generator - from->generator,
				  .relay = to->relay - from->relay,
				  .ksoftirqd = to->ksoftirqd - from->ksoftirqd,
				  .system = to->system - from->system };
}

double tandem_cpu_tasks(const struct cpu_time *t)
{
	return t->generator + t->relay + t->ksoftirqd;
}

uint64_t tandem_memory_free(void)
{
	unsigned long long kib = 0;
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib * 1024;
}

uint64_t tandem_memory_resident(const pid_t *pids, size_t pids_count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pids_count; i++) {
		unsigned long long pages = 0;
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/statm", (int)pids[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%*u %llu", &pages) == 1)
			sum += pages * (uint64_t)sysconf(_SC_PAGESIZE);
		fclose(f);
	}
	return sum;
}
