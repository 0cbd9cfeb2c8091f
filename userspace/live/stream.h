/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures as streams of pcapng, each to one client by a Unix socket of its own: packets of the
 * calls that its filter names, each with a comment that says whose it is and what became of it.
 * A client that does not read in time loses packets, which are counted: the last block says how many.
 */
#ifndef TANDEM_LIVE_STREAM_H
#define TANDEM_LIVE_STREAM_H

#include <jansson.h>

#include "userspace/live/live.h"

struct tandem_streams;

/* base: the name of a socket, to which those of streams have a number appended. 0 or -errno. */
int tandem_streams_open(struct tandem_streams **streamsp, struct tandem_live *cap,
			const char *base);
/* Clients see their streams end. NULL is allowed. */
void tandem_streams_close(struct tandem_streams *streams);

struct tandem_live_sip;
/* A message of SIP, for those streams that its call is in. In the controller's thread. */
void tandem_streams_sip(struct tandem_streams *streams, const struct tandem_live_sip *m);

/* Readable when tandem_streams_dispatch() has something to do, in the controller's thread. */
int tandem_streams_fd(const struct tandem_streams *streams);
void tandem_streams_dispatch(struct tandem_streams *streams);

/*
 * The calls of the local API (docs/api.md):
 *   capture.start  "id", "user", "address", "ssrc", "all", "direction", "clear", "headers"
 *                  {"id", "socket"}: to be connected to within 10 s; the stream ends when the
 *                  client shuts down its side, after which what there is left comes
 *   capture.list   {"captures": [...]}
 * -ENOSYS: it is none of them; else as tandem_control_call_h.
 */
int tandem_streams_call(const char *call, const json_t *params, json_t **result, char *why,
			size_t why_size, void *arg);

#endif
