/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/packet.h"

#include <rte_ether.h>

#include "core/forward.h"

/* The core reads tags from the frame itself, and wants it in one piece. */
static int packet_whole(struct rte_mbuf **mbuf)
{
	if (unlikely((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(mbuf))
		return -1;
	return unlikely((*mbuf)->nb_segs > 1) ? rte_pktmbuf_linearize(*mbuf) : 0;
}

enum verdict dpdk_packet(struct env *env, struct rte_mbuf **mbuf, uint32_t *port)
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
