/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/packet.h"

#include <string.h>

#include "dpdk/env.h"
#include "dpdk/pipeline.h"

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
	const uint32_t mark = dpdk_protect_mark(env);
	enum verdict verdict = pipeline_run(env, mbuf, port);

	if (verdict != VERDICT_FORWARD)
		dpdk_protect_back(env, mark);
	return verdict;
}
