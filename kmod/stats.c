// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include "kmod/tandem.h"

void tandem_counters_sum(const struct tandem_table *table, struct reason_counters *sum)
{
	const struct reason_counters *each;
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
	{
		each = per_cpu_ptr(table->counters, cpu);
		for (i = 0; i < REASON_COUNT; i++)
			sum->packets[i] += READ_ONCE(each->packets[i]);
	}
}
