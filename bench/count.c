/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stats.h"
#include "bench/wirerun.h"

static void sum_flows(struct wire_count *count, const struct seq_state *seqs, uint32_t flows)
{
	uint64_t unique = 0;

	for (uint32_t i = 0; i < flows; i++) {
		const struct seq_state *s = &seqs[i];
		double jitter = (double)seq_jitter_ns(s);

		unique += seq_unique(s);
		count->duplicates += s->duplicates;
		count->reordered += s->reordered;
		count->jitter_mean += jitter / flows;
		if (jitter > count->jitter_max)
			count->jitter_max = jitter;
	}
	count->lost = count->sent > unique ? count->sent - unique : 0;
}

int tandem_wire_sum(struct wire_count *count, const struct wire_sink *sinks, size_t sinks_count,
		    const struct seq_state *seqs, uint32_t flows)
{
	struct hist *latency = calloc(1, sizeof(*latency));

	if (!latency)
		return -ENOMEM;
	for (size_t i = 0; i < sinks_count; i++) {
		count->received += sinks[i].received;
		count->frame_octets += sinks[i].octets;
		count->stale += sinks[i].stale;
		count->overdue += sinks[i].overdue;
		tandem_hist_merge(latency, &sinks[i].latency);
	}
	sum_flows(count, seqs, flows);
	count->latency_p50 = tandem_hist_quantile(latency, 0.5);
	count->latency_p99 = tandem_hist_quantile(latency, 0.99);
	count->latency_p999 = tandem_hist_quantile(latency, 0.999);
	count->latency_max = latency->max;
	free(latency);
	return 0;
}
