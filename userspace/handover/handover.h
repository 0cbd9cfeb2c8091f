/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One process takes the relay over from another that runs (docs/upgrade.md). The one that
 * comes asks over the local API of the one that goes:
 *
 *   handover.start  "version": TEXT, "abi": N   {"pid", "version", "socket": PATH}
 *
 * and connects to PATH. When the one that goes has closed what it has, it writes "go\n" there, and behind it, if the request has
 * "sockets": true, what it leaves to the other (SCM_RIGHTS);
 * when the one that comes is in service, it writes "ready\n". If it ends without, or is not
 * ready in time, the one that goes takes everything up again.
 */
#ifndef TANDEM_HANDOVER_HANDOVER_H
#define TANDEM_HANDOVER_HANDOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct tandem_bequest;

/* ---- the one that goes ---- */

struct tandem_handover;

struct tandem_handover_ops {
	/* New calls are to be left where they are, without an answer (on), or taken again. */
	void (*quiet)(bool on, void *arg);
	/* Requests that are not answered yet: they are waited for, for a while. */
	size_t (*open)(void *arg);
	/* All is agreed: the event loop is to end, then tandem_handover_give() to be called. */
	void (*go)(void *arg);
};

/* control_socket is where the local API is served. ops and arg are kept. -ENOMEM, -errno. */
int tandem_handover_open(struct tandem_handover **hp, const char *control_socket,
			 const struct tandem_handover_ops *ops, void *arg);
/* A handover that is under way is off. NULL is fine. */
void tandem_handover_close(struct tandem_handover *h);

/* Readable when dispatch has something to do. */
int tandem_handover_fd(const struct tandem_handover *h);
/* Never blocks. */
void tandem_handover_dispatch(struct tandem_handover *h);

/*
 * Of the shape of a call of the local API; arg is a struct tandem_handover. -ENOSYS when the
 * call is another; -EAGAIN when a handover is under way; -EINVAL when the ABI differs, for what
 * this process leaves behind would not be understood.
 */
int tandem_handover_call(const char *call, const json_t *params, json_t **result, char *why,
			 size_t why_size, void *arg);

/* True from go() on. */
bool tandem_handover_agreed(const struct tandem_handover *h);

/*
 * After everything else has been closed: let the other one begin, with what is left to it, and wait until it is in service.
 * Returns 0 then; else a negative errno (-ECONNRESET it has ended, -ETIMEDOUT it took more than
 * 15 s), and the other process is there no more.
 */
int tandem_handover_give(struct tandem_handover *h, const struct tandem_bequest *bequest);

/* ---- the one that comes ---- */

/*
 * Ask the relay at control_socket to hand over, and wait until it has let go; bequest is what it leaves,
 * if anything. On 0 *fdp is to be given to tandem_handover_ready(), or -1: there is no relay to take over from. Else a
 * negative errno with why, and that relay goes on.
 */
int tandem_handover_take(int *fdp, struct tandem_bequest *bequest, const char *control_socket,
			 char *why, size_t why_size);

/* This process is in service: the other may end. Closes fd. -ECONNRESET when it is not there. */
int tandem_handover_ready(int fd);

#endif
