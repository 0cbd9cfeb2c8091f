/* SPDX-License-Identifier: GPL-2.0-only */
/* A call of a capture, set up again by way of a SIP proxy: both parties and their media. */
#ifndef TANDEM_REPLAY_CALL_H
#define TANDEM_REPLAY_CALL_H

#include "userspace/replay/report.h"

/* Run call o->call of o->file. 0 with *r filled, or a negative errno having said why. */
int tandem_call_run(struct tandem_replay_result *r);

#endif
