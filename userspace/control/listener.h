/* SPDX-License-Identifier: GPL-2.0-only */
/* A socket in the file system, for the local API and for a handover. */
#ifndef TANDEM_CONTROL_LISTENER_H
#define TANDEM_CONTROL_LISTENER_H

#include <stddef.h>

/* A listening, non-blocking socket at path; its descriptor, or a negative errno with why. */
int tandem_listener_open(const char *path, char *why, size_t why_size);

#endif
