/* SPDX-License-Identifier: GPL-2.0-only */
/* When packets leave: at the times of the capture, as absolute deadlines. */
#ifndef TANDEM_REPLAY_PACE_H
#define TANDEM_REPLAY_PACE_H

#include "userspace/replay/script.h"
#include "userspace/replay/sources.h"

/* Upper limits of the histogram, in ns; the last bucket is for what is above them all. */
#define TANDEM_LATE_BUCKETS 10
extern const uint64_t tandem_late_limits[TANDEM_LATE_BUCKETS - 1];

struct tandem_pace_report {
	uint64_t sent, failed, octets;
	uint64_t lost, duplicated, reordered; /* by the impairments */
	uint64_t took_ns;
	/* How much later than it was due a packet had been handed to the kernel. Not with --fast. */
	uint64_t late_sum_ns, late_max_ns;
	uint64_t late[TANDEM_LATE_BUCKETS];
};

/* Send the script, each clone of it. 0 or -ENOMEM. */
int tandem_pace_run(const struct tandem_script *script, const struct tandem_replay_options *o,
		    struct tandem_sources *sources, struct tandem_pace_report *report);

#endif
