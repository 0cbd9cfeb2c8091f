/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A relay, or an SFU, that someone else has set up: sent to and received from by sockets, in
 * the namespace this process is in.
 */
#ifndef TANDEM_BENCH_TARGET_H
#define TANDEM_BENCH_TARGET_H

#include "bench/options.h"
#include "bench/trial.h"

struct target;

/*
 * Open the sockets of all flows that the options name, and start to receive. 0, -EINVAL for
 * flows that make no sense, or a negative errno; says what is wrong.
 */
int tandem_target_open(struct target **targetp, const struct bench_options *opts);
void tandem_target_close(struct target *target);

uint32_t tandem_target_flows(const struct target *target);
void tandem_target_size(struct target *target, uint32_t size);

extern const struct trial_ends tandem_target_ends; /* ends is a struct target */

#endif
