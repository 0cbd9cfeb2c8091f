/* SPDX-License-Identifier: GPL-2.0-only */
/* One frame through the core. */
#ifndef TANDEM_DPDK_PACKET_H
#define TANDEM_DPDK_PACKET_H

#include <rte_mbuf.h>

#include "core/abi.h"

struct env;

/*
 * Take *mbuf through the pipeline with env's table; everything is counted. On
 * VERDICT_FORWARD the frame is rewritten and *port is the number of the port to send it
 * on, after dpdk_protect_finish(), or *mbuf is NULL: copies of it went to env->copier; on
 * VERDICT_PUNT it is as it came. *mbuf may become another one: a VLAN tag that the NIC took
 * out is put back first. Headers lie as the driver puts them, two bytes off a
 * 4-byte boundary: for machines that do not care (x86-64, arm64).
 */
enum verdict dpdk_packet(struct env *env, struct rte_mbuf **mbuf, uint32_t *port);

/* The same, for a table without keys of SRTP; nothing is to be finished then. */
enum verdict dpdk_packet_plain(struct env *env, struct rte_mbuf **mbuf, uint32_t *port);

/*
 * Fetch what dpdk_packet() will want of the tables for an untagged frame whose first line is
 * in the cache already, some frames before its turn. Only a hint: nothing is decided by it.
 * Returns the entry of the port that the frame came to; NULL: of none, or not seen at once.
 */
const struct entry *dpdk_packet_ahead(struct env *env, const struct rte_mbuf *mbuf);

#endif
