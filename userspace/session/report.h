/* SPDX-License-Identifier: GPL-2.0-only */
/* The media of a session that is about to go, for its call record. */
#ifndef TANDEM_SESSION_REPORT_H
#define TANDEM_SESSION_REPORT_H

#include "userspace/session/model.h"

/*
 * {"verdict", "datapath", "offload", "offload_percent", "media": [...], "from_caller": {...},
 * "from_callee": {...}}: docs/operation.md has the fields. New reference, NULL on no memory.
 */
json_t *tandem_session_report(struct tandem_sessions *ss, const struct tandem_session *s);

#endif
