/* SPDX-License-Identifier: GPL-2.0-only */
/* One view of a flow that two datapaths carry between them. */
#ifndef TANDEM_DATAPATH_JOIN_H
#define TANDEM_DATAPATH_JOIN_H

#include "userspace/datapath/datapath.h"

/*
 * Add what b saw of a stream to what a saw of the same SSRC. Counts are summed;
 * the sequence range (RFC 3550 A.1) spans both, so that cumulative loss follows
 * from the sum of the distinct packets received; jitter (A.8) and the other
 * running estimates are of the path that saw the latest packet.
 */
void tandem_stream_join(struct tandem_stream *a, const struct tandem_stream *b);

/* Add flow and streams of b to a; the offload state of a is left alone. */
void tandem_stats_join(struct tandem_flow_stats *a, const struct tandem_flow_stats *b);

/*
 * Add the legs of a flow that b saw to those that a saw, by their ids. A leg that a does not have
 * is added behind, while there is room for max. The reason of the last lost copy is that of
 * a, as the two have no time to compare, unless only b has lost any.
 */
void tandem_legs_join(struct tandem_leg_stats *a, size_t *n, size_t max,
		      const struct tandem_leg_stats *b, size_t b_count);

#endif
