/* SPDX-License-Identifier: GPL-2.0-only */
/* The local API's client: one request over the control socket. */
#ifndef TANDEM_CONTROL_CLIENT_H
#define TANDEM_CONTROL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Send request to the relay at path and wait up to 5 s for the answer; *result is
 * a new reference. Otherwise why says what happened, and the return value is
 *   -ENOENT, -ECONNREFUSED  no relay serves path
 *   -EACCES                 it may not be connected to
 *   -EREMOTEIO              the relay answered with an error
 *   -ETIMEDOUT, -EPROTO     no answer, or none that can be read
 */
int tandem_client_call(const char *path, const json_t *request, json_t **result, char *why,
		       size_t why_size);

/*
 * A stream socket connected to path, whose receiving and sending take at most 5 s; flags are
 * further ones for socket(). Its descriptor, or a negative errno.
 */
int tandem_client_connect(const char *path, int flags);

/* Does somebody serve path? Nothing is sent, and nothing waited for. */
bool tandem_client_alive(const char *path);

#endif
