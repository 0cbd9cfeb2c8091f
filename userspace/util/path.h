/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TANDEM_UTIL_PATH_H
#define TANDEM_UTIL_PATH_H

#include <sys/types.h>

/* Make every missing directory above the last slash of path. 0 or a negative errno. */
int tandem_path_make_parents(const char *path, mode_t mode);

#endif
