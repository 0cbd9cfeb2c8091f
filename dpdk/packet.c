/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/packet.h"

#include <rte_ether.h>
#include <rte_prefetch.h>
#include <string.h>

#include "core/forward.h"

/* The core reads tags from the frame itself, and wants it in one piece. */
static int packet_whole(struct rte_mbuf **mbuf)
{
	if (unlikely((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(mbuf))
		return -1;
	return unlikely((*mbuf)->nb_segs > 1) ? rte_pktmbuf_linearize(*mbuf) : 0;
}

const struct entry *dpdk_packet_ahead(struct env *env, const struct rte_mbuf *mbuf)
{
	const struct eth_hdr *eth = rte_pktmbuf_mtod(mbuf, const void *);
	const struct ip4_hdr *ip = (const void *)(eth + 1);
	const struct udp_hdr *udp = (const void *)(ip + 1);
	const struct entry *entry;
	struct flow_key key;
	__u32 slot;

	if (mbuf->data_len < sizeof(*eth) + sizeof(struct ip6_hdr) + sizeof(*udp))
		return NULL;
	if (eth->type == net16(ETHERTYPE_IP4)) {
		ip_addr_map4(&key.local, ip->dst);
	} else {
		const struct ip6_hdr *ip6 = (const void *)(eth + 1);

		if (eth->type != net16(ETHERTYPE_IP6))
			return NULL;
		memcpy(&key.local, ip6->dst, sizeof(key.local));
		udp = (const void *)(ip6 + 1);
	}
	key.local_port = udp->dst;
	if (port_slot(env, &key, &slot) != REASON_NONE)
		return NULL;
	entry = env_entry(env, slot);
	if (entry)
		env_touch(entry);
	return entry;
}

enum verdict dpdk_packet(struct env *env, struct rte_mbuf **mbuf, uint32_t *port)
{
	enum verdict verdict;
	struct plan plan;
	struct frame f;
	__u32 ifindex = 0, mark;

	if (packet_whole(mbuf)) {
		env_count(env, REASON_no_headroom);
		return VERDICT_PUNT;
	}
	env->mbuf = *mbuf;
	mark = dpdk_protect_mark(env);
	verdict = reason_verdict(relay_frame(env, &f, &plan, &ifindex));
	if (verdict != VERDICT_FORWARD)
		dpdk_protect_back(env, mark);
	if (verdict == VERDICT_FORWARD && unlikely(plan_many(&plan))) {
		dpdk_copies(env, &f, &plan, *mbuf);
		*mbuf = NULL;
	}
	*port = ifindex - 1;
	return verdict;
}
