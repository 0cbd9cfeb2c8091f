/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet vectors through the DPDK worker's own packet code: real mbufs, its tables,
 * and next hops that its netlink code finds in the namespace.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpdk/env.h"
#include "dpdk/packet.h"
#include "tests/bpf/vec_more.h"

#define FRAMES	64
#define STREAMS 64

static struct {
	struct rte_mempool *pool;
	struct rte_rcu_qsbr *rcu;
	struct dpdk_hops *hops;
	struct dpdk_table *table;
} more;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

static void dpdk_open(unsigned int v0, unsigned int vlan)
{
	static char *args[] = {
		"vectors", "--no-huge", "--no-pci",	"--no-shconf",	     "--no-telemetry",
		"-m",	   "64",	"--lcores=0@0", "--log-level=error", "--iova-mode=va"
	};

	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		die("EAL");
	more.pool = rte_pktmbuf_pool_create("frames", FRAMES, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					    SOCKET_ID_ANY);
	more.rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	if (!more.pool || !more.rcu || rte_rcu_qsbr_init(more.rcu, 1))
		die("memory");
	if (dpdk_hops_alloc(&more.hops))
		die("netlink");
	/* A port's number is that of the interface here, for comparison with XDP's. */
	if (dpdk_hops_link(more.hops, (int)v0, v0, 0) ||
	    dpdk_hops_link(more.hops, (int)vlan, v0, 7))
		die("links");
}

static void dpdk_reset(const struct relay_config *config, const struct rule *rules,
		       const struct flow_key *shared, const unsigned int *shared_slot, size_t n)
{
	dpdk_table_free(more.table);
	more.table = NULL;
	if (dpdk_table_alloc(&more.table, config, STREAMS * 16, more.rcu))
		die("table");
	memcpy(more.table->rules, rules, config->slots * sizeof(*rules));
	for (size_t i = 0; i < n; i++) {
		if (dpdk_table_share(&shared[i], shared_slot[i], more.table))
			die("shared port");
	}
	for (__u32 i = 0; i < config->slots; i++) {
		dpdk_hops_resolve(more.hops, &rules[i].egress[EGRESS_RTP], 1);
		dpdk_hops_resolve(more.hops, &rules[i].egress[EGRESS_RTCP], 1);
	}
}

static void dpdk_busy(int add)
{
	for (__u32 i = 0; i < more.table->config.slots; i++)
		more.table->rules[i].gen += (__u32)add;
}

static enum verdict dpdk_frame(__u64 now_ns, void *frame, size_t *len, size_t room)
{
	struct env env = { .table = more.table, .hops = more.hops, .now_ns = now_ns };
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(more.pool);
	enum verdict verdict;
	__u32 port = 0;

	if (!mbuf)
		die("mbuf");
	/* Two bytes in, so that the IP header is on a 4-byte boundary. */
	mbuf->data_off += 2;
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)*len), frame, *len);
	env.counters = &more.table->counters[0].reasons;
	verdict = dpdk_packet(&env, &mbuf, &port);
	*len = rte_pktmbuf_data_len(mbuf);
	if (*len > room)
		die("frame grown beyond all bounds");
	memcpy(frame, rte_pktmbuf_mtod(mbuf, void *), *len);
	rte_pktmbuf_free(mbuf);
	return verdict;
}

static void dpdk_counters(struct reason_counters *counters)
{
	dpdk_table_counters(more.table, counters);
}

static const struct flow *dpdk_flows(void)
{
	return more.table->flows;
}

static void dpdk_stream(__u32 slot, __u32 ssrc, struct stream *stream)
{
	struct env env = { .table = more.table };
	const struct stream *found = env_stream(&env, slot, ssrc, 0);

	memset(stream, 0, sizeof(*stream));
	if (found)
		*stream = *found;
}

const struct vec_more vec_more = {
	.name = "dpdk",
	.open = dpdk_open,
	.reset = dpdk_reset,
	.busy = dpdk_busy,
	.frame = dpdk_frame,
	.counters = dpdk_counters,
	.flows = dpdk_flows,
	.stream = dpdk_stream,
};
