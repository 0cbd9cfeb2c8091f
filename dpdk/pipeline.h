/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One frame through the core, for packet.c and packet_plain.c: the same but for ENV_SRTP. To be
 * included after env.h.
 */
#ifndef TANDEM_DPDK_PIPELINE_H
#define TANDEM_DPDK_PIPELINE_H

#include <rte_ether.h>

#include "core/forward.h"

/* The core reads tags from the frame itself, and wants it in one piece. */
static inline int packet_whole(struct rte_mbuf **mbuf)
{
	if (unlikely((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(mbuf))
		return -1;
	return unlikely((*mbuf)->nb_segs > 1) ? rte_pktmbuf_linearize(*mbuf) : 0;
}

/* As dpdk_packet(), without what it does for tags that are filled in later. */
static inline enum verdict pipeline_run(struct env *env, struct rte_mbuf **mbuf, uint32_t *port)
{
	enum verdict verdict;
	struct plan plan;
	struct frame f;
	__u32 ifindex = 0;

	if (packet_whole(mbuf)) {
		env_count(env, REASON_no_headroom);
		return VERDICT_PUNT;
	}
	env->mbuf = *mbuf;
	verdict = reason_verdict(relay_frame(env, &f, &plan, &ifindex));
	if (verdict == VERDICT_FORWARD && unlikely(plan_many(&plan))) {
		dpdk_copies(env, &f, &plan, *mbuf);
		*mbuf = NULL;
	}
	*port = ifindex - 1;
	return verdict;
}

#endif
