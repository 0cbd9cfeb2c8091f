/* SPDX-License-Identifier: GPL-2.0-only */
/* A password in a file of its own, which others need not be able to read as the configuration is. */
#ifndef TANDEM_UTIL_PASSWORD_FILE_H
#define TANDEM_UTIL_PASSWORD_FILE_H

#include <stddef.h>

#define TANDEM_PASSWORD_MAX 255

/*
 * The first line of the file, 1 to TANDEM_PASSWORD_MAX octets, malloc'd; to be overwritten before
 * it is freed. 0, or a negative errno with why as text, which names the file.
 */
int tandem_password_file_read(char **passwordp, const char *path, char *why, size_t why_size);

#endif
