/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the worker's table that deals with keys of SRTP. A controller says which set is at which
 * index, and with which streams (dpdk_wire.h); the streams are memory that it shares. Of the
 * control thread.
 */
#ifndef TANDEM_DPDK_SRTP_H
#define TANDEM_DPDK_SRTP_H

#include <stdint.h>

#include "dpdk/flow_table.h"
#include "userspace/datapath/dpdk_streams.h"
#include "userspace/datapath/dpdk_wire.h"

/* With a book that is initialised: config's arrays, if it asks for SRTP. 0 or a negative errno. */
int dpdk_srtp_open(struct dpdk_table *table);

/* Also of what is open in part. Keys are wiped. */
void dpdk_srtp_close(struct dpdk_table *table);

/*
 * Streams that a controller has already, in place of those of a table without any set. fd is the table's
 * then, or closed. -EINVAL: it is no such memory.
 */
int dpdk_srtp_streams(struct dpdk_table *table, int fd);

/*
 * A key set, for flows to name. -EINVAL: it does not add up, or its streams are another's;
 * -EEXIST: there is one at the index.
 */
int dpdk_srtp_set(struct dpdk_table *table, const struct tandem_dpdk_srtp *set);

/*
 * Take it back. When this returns, no worker enters an index in its streams any more, unless a
 * flow has it still. -ENOENT: there is none at the index.
 */
int dpdk_srtp_drop(struct dpdk_table *table, uint32_t index);

/* From a worker: are there any keys? */
static inline bool dpdk_srtp_used(const struct dpdk_table *table)
{
	return __atomic_load_n(&table->srtp_count, __ATOMIC_RELAXED) != 0;
}

/* Answers to TANDEM_DPDK_SRTP_LIST and _USES, from cursor and place on. */
void dpdk_srtp_list(const struct dpdk_table *table, uint32_t cursor,
		    struct tandem_dpdk_reply *reply);
void dpdk_srtp_uses(const struct dpdk_table *table, struct tandem_dpdk_place place,
		    struct tandem_dpdk_reply *reply);

#endif
