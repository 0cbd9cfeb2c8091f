/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local API's server: a Unix stream socket of mode 0600. Each line in is a
 * JSON object {"call": NAME, ...parameters}; each gets one line back, in order:
 *
 *   {"result": {...}}   or   {"error": {"code": WORD, "text": WORDS}}
 *
 * All is bounded: clients, length of a request, requests answered per turn. A new
 * client takes the place of the one that was idle longest.
 */
#ifndef TANDEM_CONTROL_CONTROL_H
#define TANDEM_CONTROL_CONTROL_H

#include <jansson.h>
#include <stddef.h>

#define TANDEM_CONTROL_MAX_CLIENTS 16
#define TANDEM_CONTROL_MAX_REQUEST (256U * 1024) /* bytes, newline included */

struct tandem_control;

/*
 * Answer one request. call is its name, params the whole object (borrowed). On 0
 * *result is a new reference; else a negative errno, and why may say more:
 * -ENOSYS no such call, -EINVAL bad parameters, -ENOENT no such thing, -EAGAIN
 * not available now.
 */
typedef int(tandem_control_call_h)(const char *call, const json_t *params, json_t **result,
				   char *why, size_t why_size, void *arg);

/*
 * Listen on path; directories above it are made when missing, and a socket that nobody
 * serves is replaced. -EADDRINUSE when another process serves it. why: as text.
 */
int tandem_control_open(struct tandem_control **ctlp, const char *path,
			tandem_control_call_h *call_h, void *arg, char *why, size_t why_size);
/* Disconnects the clients and removes the socket. */
void tandem_control_close(struct tandem_control *ctl);

/* Readable when dispatch has something to do. */
int tandem_control_fd(const struct tandem_control *ctl);
/* Serve what is ready; never blocks. */
void tandem_control_dispatch(struct tandem_control *ctl);

#endif
