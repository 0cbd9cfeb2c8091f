/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay as a process: opens every part, joins them, and runs until told to stop. */
#ifndef TANDEM_RUN_H
#define TANDEM_RUN_H

#include "userspace/config/config.h"

/*
 * Run the relay with cfg until SIGINT or SIGTERM. fresh: drop what an earlier run
 * left pinned. take: a relay that runs hands over to this one (userspace/handover). Returns 0, -EINVAL when configuration and host do not go together,
 * or another negative errno; the reason has been logged.
 */
int tandem_run(const struct tandem_config *cfg, bool fresh, bool take);

#endif
