/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The array of srtp_streams that controller and DPDK worker share (core/srtp_abi.h): a memfd, sealed so
 * that neither can take memory away under the other, and how its descriptor gets from one
 * to the other.
 */
#ifndef TANDEM_DATAPATH_DPDK_STREAMS_H
#define TANDEM_DATAPATH_DPDK_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/srtp_abi.h"

/* fd is -1 while there is none. */
struct tandem_dpdk_streams {
	int fd;
	struct srtp_stream *array;
	size_t size; /* bytes */
};

/* count streams, all zero, that cost memory where they are written. 0 or a negative errno. */
int tandem_dpdk_streams_make(struct tandem_dpdk_streams *streams, uint32_t count);

/*
 * The same from a descriptor that came from the other side, and is streams' then, or closed.
 * -EINVAL: it is no such memory.
 */
int tandem_dpdk_streams_take(struct tandem_dpdk_streams *streams, int fd, uint32_t count);

/* Of what is not there, too. */
void tandem_dpdk_streams_close(struct tandem_dpdk_streams *streams);

/* Do both descriptors stand for the same memory? */
bool tandem_dpdk_streams_same(int fd, int other);

/* send() and recv() with a descriptor that goes along; -1: none. A received one is close-on-exec. */
ssize_t tandem_dpdk_send(int fd, const void *message, size_t len, int flags, int passed);
ssize_t tandem_dpdk_recv(int fd, void *message, size_t size, int flags, int *passed);

#endif
