/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kinds of relay that are tandem itself share. */
#ifndef TANDEM_BENCH_RELAY_PLANE_H
#define TANDEM_BENCH_RELAY_PLANE_H

#include "bench/relay.h"
#include "userspace/datapath/datapath.h"

/* A process besides the plane's. */
struct relay_worker {
	const char *socket;
	pid_t pid;
};

/*
 * serve() of a relay kind: a plane with that fast path (NULL: io_uring alone). worker is that of
 * DPDK; NULL: none.
 */
int tandem_relay_plane_serve(const struct relay_job *job, const struct tandem_datapath_ops *ops,
			     const struct relay_worker *worker, char *why, size_t why_size);

/* With flags for all flows (enum rule_flag). With some of RULE_F_TAPS all that passes is captured. */
int tandem_relay_plane_serve_flags(const struct relay_job *job,
				   const struct tandem_datapath_ops *ops,
				   const struct relay_worker *worker, uint32_t flags, char *why,
				   size_t why_size);

#endif
