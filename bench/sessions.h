/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows of a relay that someone else has set up. */
#ifndef TANDEM_BENCH_SESSIONS_H
#define TANDEM_BENCH_SESSIONS_H

#include "bench/options.h"
#include "userspace/util/endpoint.h"

struct session_flow {
	struct tandem_endpoint source, target, sink;
};

/*
 * Read them from the file of opts (lines of SOURCE TARGET SINK, each ADDR:PORT; a # begins
 * a comment) or make them of its targets. *flows is to be freed. 0, or a negative errno
 * having said what is wrong.
 */
int tandem_sessions_read(const struct bench_options *opts, struct session_flow **flows,
			 uint32_t *count);

#endif
