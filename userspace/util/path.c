/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int tandem_path_make_parents(const char *path, mode_t mode)
{
	char *dir = strdup(path), *slash;
	int err = 0;

	if (!dir)
		return -ENOMEM;
	for (slash = *dir ? strchr(dir + 1, '/') : NULL; slash && !err;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, mode) && errno != EEXIST)
			err = -errno;
		*slash = '/';
	}
	free(dir);
	return err;
}
