/* SPDX-License-Identifier: GPL-2.0-only */
/* What a replay tells in the end. */
#ifndef TANDEM_REPLAY_REPORT_H
#define TANDEM_REPLAY_REPORT_H

#include <stdio.h>

#include "userspace/replay/compare.h"
#include "userspace/replay/pace.h"

struct tandem_replay_result {
	const struct tandem_replay_options *o;
	uint32_t sources, streams;
	struct tandem_pace_report pace;
	bool listened, compared;
	uint64_t heard, heard_missed;
	struct tandem_comparison comparison;
};

/* For people, or with o->json as one document on a line. */
void tandem_replay_report(const struct tandem_replay_result *r, FILE *out);

#endif
