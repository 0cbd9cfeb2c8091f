/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending frames by an AF_XDP socket: with zero copies where the driver can, else by copying. */
#ifndef TANDEM_BENCH_XSK_H
#define TANDEM_BENCH_XSK_H

#include <stdint.h>

#define XSK_FRAME 2048 /* octets of room */

struct xsk;

/* A socket that sends by the first queue of a device in the present namespace. 0 or a negative errno. */
int tandem_xsk_open(struct xsk **xskp, uint32_t ifindex);
void tandem_xsk_close(struct xsk *xsk);

/* Room for the next frame, the caller's until it is put; NULL while all frames are on their way. */
void *tandem_xsk_frame(struct xsk *xsk);

/* The frame that was asked for last has len octets, and may go. */
void tandem_xsk_put(struct xsk *xsk, uint32_t len);

/* Have the kernel send what was put. 0, also when it will do so later, or a negative errno. */
int tandem_xsk_push(struct xsk *xsk);

#endif
