/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module knows of one network namespace: the rule and flow arrays by slot, the
 * hash of further flows on shared ports, and the bounded table of second and later SSRCs.
 *
 * A table is written under the namespace's lock and read by packets under RCU. It never
 * changes its size; another configuration is another table. Packets allocate nothing.
 */
#ifndef TANDEM_KMOD_FLOW_TABLE_H
#define TANDEM_KMOD_FLOW_TABLE_H

#include <linux/rculist.h>
#include <linux/types.h>
#include <net/dst_cache.h>

#include "core/abi.h"

#define TABLE_SLOTS_MAX	  (1U << 22)
#define TABLE_STREAMS_MAX (1U << 22)
#define STREAM_PROBES	  16

/* A second or later SSRC. key 0: free; else slot + 1 and SSRC. */
struct stream_entry {
	u64 key;
	struct stream stream;
};

/* A further flow on a shared port. */
struct shared_flow {
	struct hlist_node node;
	struct rcu_head rcu;
	struct flow_key key;
	u32 slot;
};

struct tandem_table {
	struct relay_config config;
	u32 direct; /* slots that belong to ports; those behind are found through shared */
	u32 stream_capacity;
	struct rule *rules;
	struct flow *flows;
	struct dst_cache *routes; /* by slot; allocated with the first rule of the slot */
	struct hlist_head *shared;
	u32 shared_mask;
	u32 shared_seed;
	struct stream_entry *streams;
	u32 streams_mask;
	struct reason_counters __percpu *counters;
};

/* -EINVAL for a configuration that does not add up, -ENOMEM. */
int tandem_table_alloc(struct tandem_table **tablep, const struct relay_config *config,
		       u32 stream_capacity);

/* No packet may hold it any more. NULL is allowed. */
void tandem_table_free(struct tandem_table *table);

/*
 * Write the rule of a slot. Live state is kept while the rule's id stays; else it is
 * zeroed, or becomes state when that is not NULL. -EINVAL when slot and key do not belong
 * together, -EEXIST for a key that another slot behind the ports has, -ENOMEM.
 */
int tandem_table_set(struct tandem_table *table, u32 slot, const struct rule *rule,
		     const struct flow *state);

/* The slot has no rule any more. -EINVAL when there is no such slot. */
int tandem_table_del(struct tandem_table *table, u32 slot);

bool tandem_table_any_active(const struct tandem_table *table);

/* For packets: slot of exactly this key, or TANDEM_NO_SLOT. */
u32 tandem_table_shared(const struct tandem_table *table, const struct flow_key *key);

/* For packets: the entry of an SSRC, made when create is set; NULL: none, or no room. */
struct stream *tandem_table_stream(struct tandem_table *table, u32 slot, u32 ssrc, bool create);

#endif
