/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sound of a party, to somebody who listens by TCP: a text that says whose it is, a NUL, and
 * then samples: 16 bits with sign, in the byte order of this host, one channel. Nothing blocks. Who
 * is not there is tried again, after 0.1 s, later up to every 5 s; who reads too slowly misses what does
 * not fit into two seconds.
 */
#ifndef TANDEM_RECORD_SINK_H
#define TANDEM_RECORD_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct tandem_sink;

/* about: copied. rate: samples a second. 0 or -ENOMEM. */
int tandem_sink_alloc(struct tandem_sink **sp, const struct sockaddr_storage *to, const char *about,
		      uint32_t rate);
/* What can be sent at once is. NULL is allowed. */
void tandem_sink_free(struct tandem_sink *s);

/* Send n samples, later; returns how many are lost for want of room, or of somebody who listens. */
size_t tandem_sink_put(struct tandem_sink *s, const int16_t *samples, size_t n);
/* Connect and write as far as that goes. To be called some fifty times a second. */
void tandem_sink_run(struct tandem_sink *s, uint64_t now_ns);
bool tandem_sink_connected(const struct tandem_sink *s);

#endif
