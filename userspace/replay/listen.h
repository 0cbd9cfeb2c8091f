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
};

struct tandem_listener;

/* Bind the sockets of o and begin. 0, or a negative errno, having said why. */
int tandem_listener_start(struct tandem_listener **lp, const struct tandem_replay_options *o);

/* Listen on until nothing has come for wait_ns, and end. */
void tandem_listener_stop(struct tandem_listener *l, uint64_t wait_ns);

/* What was heard, in order of arrival, once it is stopped. */
const struct tandem_heard *tandem_listener_heard(const struct tandem_listener *l, size_t *count);

/* Datagrams that came and were not kept, and those that a socket had no room for. */
uint64_t tandem_listener_missed(const struct tandem_listener *l);

void tandem_listener_free(struct tandem_listener *l);

#endif
