/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a password. Private to userspace/cli. */
#ifndef TANDEM_CLI_PASSWORD_H
#define TANDEM_CLI_PASSWORD_H

#include <stddef.h>

#define TANDEM_PASSWORD_SIZE 130 /* 128 octets, with newline or NUL */

/*
 * One line of stdin; on a terminal, asked for twice and not shown. 0, or a negative errno
 * having said why on stderr. The caller wipes buf.
 */
int tandem_password_read(char buf[TANDEM_PASSWORD_SIZE]);

#endif
