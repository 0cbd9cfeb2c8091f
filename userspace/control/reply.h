/* SPDX-License-Identifier: GPL-2.0-only */
/* One line of request to one line of reply. Private to userspace/control. */
#ifndef TANDEM_CONTROL_REPLY_H
#define TANDEM_CONTROL_REPLY_H

#include "userspace/control/control.h"

/* The reply to a request line of len bytes (no newline), newline included; malloc'd, NULL on no memory. */
char *tandem_reply_make(const char *line, size_t len, tandem_control_call_h *call_h, void *arg);

/* The error reply of err and text, newline included; malloc'd, NULL on no memory. */
char *tandem_reply_error(int err, const char *text);

#endif
