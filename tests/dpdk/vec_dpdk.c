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

#define FRAMES	256
#define STREAMS 64
#define ROOM	4096 /* some cases have frames longer than any of a NIC with 1,500 octets */

static struct {
	struct rte_mempool *pool;
	struct rte_mempool *clones;
	struct rte_rcu_qsbr *rcu;
	struct dpdk_hops *hops;
	struct dpdk_table *table;
	struct dpdk_protect *protect;
	__u64 asked; /* a time for the kernel's answers: each is asked for anew */
	unsigned int frames;
} more;

/* Whom to tell of copies. */
struct leaving {
	struct env *env;
	vec_frame_h *h;
	void *arg;
};

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

static void dpdk_open(const struct vec_devices *devices)
{
	static char *args[] = {
		"vectors", "--no-huge", "--no-pci",	"--no-shconf",	     "--no-telemetry",
		"-m",	   "64",	"--lcores=0@0", "--log-level=error", "--iova-mode=va"
	};

	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		die("EAL");
	more.pool = rte_pktmbuf_pool_create("frames", FRAMES, 0, 0, ROOM, SOCKET_ID_ANY);
	more.clones = rte_pktmbuf_pool_create("clones", FRAMES, 0, 0, 0, SOCKET_ID_ANY);
	more.rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	more.protect = dpdk_protect_alloc();
	if (!more.pool || !more.clones || !more.protect || !more.rcu ||
	    rte_rcu_qsbr_init(more.rcu, 1))
		die("memory");
	/* Groups leave by the device that has the address they are sent from. */
	if (system("ip addr add 10.0.0.1/32 dev v0 && ip addr add fd00::1/128 dev v0 nodad"))
		die("media addresses");
	if (dpdk_hops_alloc(&more.hops))
		die("netlink");
	/* A next hop's interface is the one that XDP's has, for comparison. */
	if (dpdk_hops_link(more.hops, (int)devices->v0, devices->v0 - 1, 0) ||
	    dpdk_hops_link(more.hops, (int)devices->v4, devices->v4 - 1, 0) ||
	    dpdk_hops_link(more.hops, (int)devices->vlan, devices->v0 - 1, 7))
		die("links");
}

static void resolve(const struct egress *eg)
{
	if (eg->flags & EGRESS_F_ACTIVE)
		dpdk_hops_resolve(more.hops, &eg->remote, &more.table->config.locals[eg->local],
				  more.asked);
}

static void dpdk_network(void)
{
	const struct dpdk_table *t = more.table;

	more.asked += 2000000000; /* what was said earlier is old */
	for (__u32 i = 0; i < t->config.slots; i++) {
		resolve(&t->entries[i].rule.egress);
		resolve(&t->rules_more[i].rtcp);
	}
	for (__u32 i = 0; i < t->config.legs; i++)
		resolve(&t->legs[i].egress);
}

static void dpdk_reset(const struct vec_tables *tables)
{
	const struct relay_config *config = tables->config;

	dpdk_table_free(more.table);
	more.table = NULL;
	more.frames = 0;
	if (dpdk_table_alloc(&more.table, config, STREAMS * 16, more.rcu))
		die("table");
	memcpy(more.table->entries, tables->entries, config->slots * sizeof(*tables->entries));
	memcpy(more.table->rules_more, tables->rules_more,
	       config->slots * sizeof(*tables->rules_more));
	memcpy(more.table->fans, tables->fans, config->fans * sizeof(*tables->fans));
	memcpy(more.table->legs, tables->legs, config->legs * sizeof(*tables->legs));
	for (size_t i = 0; i < tables->shared_count; i++) {
		if (dpdk_table_share(&tables->shared[i], tables->shared_slot[i], more.table))
			die("shared port");
	}
	memcpy(more.table->srtp_keys, tables->srtp_keys,
	       config->srtps * sizeof(*tables->srtp_keys));
	for (__u32 i = 1; i < config->srtps; i++) {
		if (tables->srtp_keys[i].suite != SRTP_SUITE_NONE &&
		    tandem_ciphers_set(more.table->ciphers, i, &tables->srtp_keys[i]))
			die("keys");
	}
	dpdk_network();
}

static void dpdk_busy(int add)
{
	for (__u32 i = 0; i < more.table->config.slots; i++)
		more.table->entries[i].rule.gen += (__u32)add;
}

static void frame_tell(const struct rte_mbuf *mbuf, vec_frame_h *h, void *arg)
{
	static __u8 frame[ROOM];
	const void *data = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame);

	if (!data)
		die("a frame that is shorter than its length");
	h(data, mbuf->pkt_len, arg);
}

static void copy_h(struct rte_mbuf *copy, uint32_t port, uint32_t leg, void *arg)
{
	struct leaving *to = arg;

	if (port + 1 != more.table->leg_states[leg].nexthop.ifindex)
		die("a copy goes to another port than it is said to");
	dpdk_protect_finish(to->env);
	frame_tell(copy, to->h, to->arg);
	rte_pktmbuf_free(copy);
}

static enum verdict dpdk_frame(__u64 now_ns, const void *frame, size_t len, vec_frame_h *h,
			       void *arg)
{
	struct env env;
	struct leaving to = { &env, h, arg };
	/* By turns copies refer to the payload and are copies of it. */
	struct dpdk_copier copier = {
		.frames = more.pool,
		.clones = more.clones,
		.chain_min = more.frames++ & 1 ? UINT32_MAX : 0,
		.copy_h = copy_h,
		.arg = &to,
	};
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(more.pool);
	enum verdict verdict;
	__u32 port = 0;

	if (!mbuf)
		die("mbuf");
	/* Two bytes in, so that the IP header is on a 4-byte boundary. */
	mbuf->data_off += 2;
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), frame, len);
	memset(rte_pktmbuf_mtod_offset(mbuf, void *, len), 0, rte_pktmbuf_tailroom(mbuf));
	env = (struct env){
		.table = more.table,
		.hops = more.hops,
		.now_ns = now_ns,
		.copier = &copier,
		.counters = &more.table->counters[0].reasons,
		.protect = more.protect,
	};
	dpdk_protect_ahead(&env, &mbuf, 1);
	verdict = dpdk_packet(&env, &mbuf, &port);
	dpdk_protect_finish(&env);
	if (mbuf)
		frame_tell(mbuf, h, arg);
	rte_pktmbuf_free(mbuf);
	if (rte_mempool_in_use_count(more.pool) || rte_mempool_in_use_count(more.clones))
		die("an mbuf was not given back");
	return verdict;
}

static void dpdk_counters(struct reason_counters *counters)
{
	dpdk_table_counters(more.table, counters);
}

static const struct entry *dpdk_entries(void)
{
	return more.table->entries;
}

static const struct flow_more *dpdk_flows_more(void)
{
	return more.table->flows_more;
}

static const struct fan_state *dpdk_fan_states(void)
{
	return more.table->fan_states;
}

static const struct leg_state *dpdk_leg_states(void)
{
	return more.table->leg_states;
}

static void dpdk_stream(__u32 slot, __u32 ssrc, struct extra_stream *stream)
{
	struct env env = { .table = more.table };
	const struct extra_stream *found = env_stream(&env, slot, ssrc, 0);

	memset(stream, 0, sizeof(*stream));
	if (found)
		*stream = *found;
}

static const struct srtp_stream *dpdk_srtp_streams(void)
{
	return more.table->srtp_streams;
}

const struct vec_more vec_more = {
	.name = "dpdk",
	.open = dpdk_open,
	.reset = dpdk_reset,
	.busy = dpdk_busy,
	.network = dpdk_network,
	.frame = dpdk_frame,
	.counters = dpdk_counters,
	.entries = dpdk_entries,
	.flows_more = dpdk_flows_more,
	.fan_states = dpdk_fan_states,
	.leg_states = dpdk_leg_states,
	.stream = dpdk_stream,
	.srtp_streams = dpdk_srtp_streams,
};
