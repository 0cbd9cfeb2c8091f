/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes back: a thread that keeps the datagrams of some sockets. */
#ifndef TANDEM_REPLAY_LISTEN_H
#define TANDEM_REPLAY_LISTEN_H

#include <stddef.h>

#include "userspace/replay/options.h"

/* Kept in all; what comes beyond is counted. */
#define TANDEM_LISTEN_MAX_PACKETS (1 << 22)

struct tandem_heard {
	uint8_t *data; /* on a 4-byte boundary */
	uint16_t len;
	uint16_t socket; /* by which it came, as numbered at the start */
};

struct tandem_listener;

/* A socket to listen by. Returns it, or a negative errno having said why. */
int tandem_listener_socket(const struct tandem_endpoint *ep);

/*
 * Begin to listen by count sockets, at most TANDEM_REPLAY_LISTEN_MAX, which stay their owner's and open until
 * the listener is freed. 0, or a negative errno.
 */
int tandem_listener_start(struct tandem_listener **lp, const int *fds, unsigned int count);

/* Listen on until nothing has come for wait_ns, and end. */
void tandem_listener_stop(struct tandem_listener *l, uint64_t wait_ns);

/* What was heard, in order of arrival, once it is stopped. */
const struct tandem_heard *tandem_listener_heard(const struct tandem_listener *l, size_t *count);

/* Datagrams that came and were not kept, and those that a socket had no room for. */
uint64_t tandem_listener_missed(const struct tandem_listener *l);

void tandem_listener_free(struct tandem_listener *l);

#endif
