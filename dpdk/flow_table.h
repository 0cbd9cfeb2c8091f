/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules, flows and streams of the DPDK worker. The control thread writes rules through the
 * table of userspace/datapath/table.h, under the generation protocol of core/abi.h; the
 * packet workers read them and write flows and streams. Nothing here is locked: what a
 * worker may still look at is given back only after every worker has passed a quiescent
 * state (rte_rcu_qsbr). That is not waited for, as a rule: what was left is noted, and looked
 * at again with the changes that follow.
 */
#ifndef TANDEM_DPDK_FLOW_TABLE_H
#define TANDEM_DPDK_FLOW_TABLE_H

#include <rte_common.h>
#include <rte_hash.h>
#include <rte_rcu_qsbr.h>

#include "core/abi.h"
#include "userspace/datapath/dpdk_streams.h"
#include "userspace/datapath/table.h"

#define DPDK_MAX_WORKERS 64
#define DPDK_LEFT	 1024 /* a power of two */

/* A second or later SSRC. key 0: free; else slot + 1 and SSRC. */
struct dpdk_stream {
	uint64_t key;
	struct extra_stream extra;
};

/* One worker's counters, on cache lines of their own. */
struct dpdk_counters {
	struct reason_counters reasons;
} __rte_cache_aligned;

/* What no rule leads to any more: a slot or a fan; the other is none. */
struct dpdk_left {
	uint64_t token; /* of rte_rcu_qsbr_start() */
	uint32_t slot;
	uint32_t fan;
};

struct dpdk_table {
	struct relay_config config;
	struct entry *entries;
	struct rule_more *rules_more;
	struct flow_more *flows_more;
	struct fan *fans;
	struct fan_state *fan_states;
	struct leg *legs;
	struct leg_state *leg_states;
	struct srtp_keys *srtp_keys;
	struct srtp_stream *srtp_streams; /* in streams_memory */
	struct tandem_ciphers *ciphers;	  /* of as many entries as there are keys */
	struct rte_hash *shared;	  /* flow_key -> slot, behind the direct slots */
	struct dpdk_stream *streams;
	uint32_t streams_size; /* a power of two */
	uint32_t srtp_count;   /* sets of keys that are there */
	struct dpdk_counters counters[DPDK_MAX_WORKERS];

	/* of the control thread */
	struct tandem_table book;
	struct tandem_dpdk_streams streams_memory;
	struct tandem_srtp_sets *srtp_sets;
	bool *srtp_told; /* by index: the controller has said what it is */
	struct rte_rcu_qsbr *rcu;
	uint32_t stream_capacity;
	struct dpdk_left left[DPDK_LEFT]; /* oldest first, as a ring */
	uint32_t left_first;
	uint32_t left_count;
};

/*
 * A table for the relay that config describes, with room for stream_capacity further
 * SSRCs. rcu outlives it, and knows every worker that reads it. 0, -ENOMEM, or a
 * negative errno of rte_hash.
 */
int dpdk_table_alloc(struct dpdk_table **tablep, const struct relay_config *config,
		     uint32_t stream_capacity, struct rte_rcu_qsbr *rcu);
/* No worker may look at it any more. table may be NULL. */
void dpdk_table_free(struct dpdk_table *table);

/* A tandem_shared_h, with the table as arg. */
int dpdk_table_share(const struct flow_key *key, uint32_t slot, void *arg);

/* As tandem_table_set() and tandem_table_remove(); streams of a slot left are freed in time. */
int dpdk_table_set(struct dpdk_table *table, const struct tandem_flow_spec *spec);
int dpdk_table_remove(struct dpdk_table *table, uint64_t id);

/* Give back what every worker has let go of. To be called now and then. */
void dpdk_table_reclaim(struct dpdk_table *table);

/* Live state and streams of a flow, and nothing else of stats. -ENOENT: it is not installed. */
int dpdk_table_read(const struct dpdk_table *table, uint64_t id, struct tandem_flow_stats *stats);

/* Sum of all workers' counters. */
void dpdk_table_counters(const struct dpdk_table *table, struct reason_counters *sum);

#endif
