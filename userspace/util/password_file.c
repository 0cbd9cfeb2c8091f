/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/password_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tandem_password_file_read(char **passwordp, const char *path, char *why, size_t why_size)
{
	char line[TANDEM_PASSWORD_MAX + 2] = "";
	FILE *f = fopen(path, "re");
	int err = 0;

	if (!f) {
		err = -errno;
		snprintf(why, why_size, "%.100s: %s", path, strerror(-err));
		return err;
	}
	/* no copy of it in a buffer of the library's */
	setvbuf(f, NULL, _IONBF, 0);
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0] || strlen(line) > TANDEM_PASSWORD_MAX) {
		snprintf(why, why_size, "%.100s: its first line is no password of up to %d octets",
			 path, TANDEM_PASSWORD_MAX);
		err = -EINVAL;
	} else {
		*passwordp = strdup(line);
		err = *passwordp ? 0 : -ENOMEM;
	}
	fclose(f);
	explicit_bzero(line, sizeof(line));
	return err;
}
