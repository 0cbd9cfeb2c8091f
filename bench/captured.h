/* SPDX-License-Identifier: GPL-2.0-only */
/* All that passes a plane is captured, as tandem capture would, to a file that is thrown away. */
#ifndef TANDEM_BENCH_CAPTURED_H
#define TANDEM_BENCH_CAPTURED_H

#include "userspace/datapath/plane.h"

struct bench_captured;

/* Begin, in a thread of its own. 0 or a negative errno. */
int tandem_bench_capture_start(struct bench_captured **cp, struct tandem_plane *plane);
/* Says on stderr how many packets there were, and how many of them were lost. NULL is allowed. */
void tandem_bench_capture_stop(struct bench_captured *c);

#endif
