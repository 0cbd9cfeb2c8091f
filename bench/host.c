/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void processor(char *name, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) == 0 && colon) {
			snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	if (f)
		fclose(f);
}

json_t *tandem_bench_host(void)
{
	struct utsname uts = { 0 };
	double load[1] = { 0 };
	char cpu[128];

	uname(&uts);
	processor(cpu, sizeof(cpu));
	if (getloadavg(load, 1) != 1)
		load[0] = 0;
	return json_pack("{s:s, s:s, s:s, s:i, s:f}", "kernel", uts.release, "machine", uts.machine,
			 "processor", cpu, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN),
			 "load_average", load[0]);
}
