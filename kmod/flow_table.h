/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module knows of one network namespace: the rule and flow arrays by slot, the
 * arrays of fans and legs, the hash of further flows on shared ports and of those from
 * groups, and the bounded table of second and later SSRCs.
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
#include "core/genl.h"
#include "kmod/srtp.h"

#define TABLE_SLOTS_MAX	  (1U << 22)
#define TABLE_FANS_MAX	  (1U << 22)
#define TABLE_LEGS_MAX	  (1U << 22)
#define TABLE_STREAMS_MAX (1U << 22)
#define STREAM_PROBES	  16

/* A second or later SSRC. key 0: free; else slot + 1 and SSRC. */
struct stream_entry {
	u64 key;
	struct extra_stream extra;
};

/* The route of a leg; the stamp is another one with each time that the leg is written. */
struct leg_route {
	struct dst_cache cache;
	u32 stamp;
	u32 fan; /* whose leg it was last written as */
};

/* The legs of a fan. */
struct leg_range {
	u32 first;
	u32 count;
};

/* A further flow on a shared port, or one from a group. */
struct shared_flow {
	struct hlist_node node;
	struct rcu_head rcu;
	struct flow_key key;
	u32 slot;
};

struct tandem_table {
	struct relay_config config;
	u32 number; /* by which BPF programs name it */
	u32 direct; /* slots that belong to ports; those behind are found through shared */
	u32 stream_capacity;
	struct entry *entries;
	struct rule_more *rules_more;
	struct flow_more *flows_more;
	struct dst_cache *routes; /* by slot; allocated with the first rule of the slot */
	struct fan *fans;
	struct leg_range *ranges; /* by fan */
	struct leg *legs;
	struct leg_state *leg_states;
	struct srtp_keys *srtp_keys; /* these two are srtp's */
	struct srtp_stream *srtp_streams;
	struct leg_route *leg_routes; /* a cache is allocated when its leg is first written */
	u32 leg_stamp;
	struct hlist_head *shared;
	u32 shared_mask;
	u32 shared_seed;
	struct stream_entry *streams;
	u32 streams_mask;
	struct tandem_srtp srtp;
	struct reason_counters __percpu *counters;
};

/*
 * -EINVAL for a configuration that does not add up, -ENOMEM; or what tandem_srtp_open() says. One
 * without slots has neither addresses, ports nor fans, but keys of SRTP, which it is for.
 */
int tandem_table_alloc(struct tandem_table **tablep, const struct relay_config *config,
		       u32 stream_capacity);

/* No packet may hold it any more. NULL is allowed. */
void tandem_table_free(struct tandem_table *table);

/* A rule to be written. */
struct rule_spec {
	struct rule rule;
	struct rule_more more;
};

/* Live state to begin with. */
struct flow_state {
	struct flow flow;
	struct flow_more more;
};

/* A fan to be written, and all of its legs. */
struct fan_spec {
	struct fan fan;
	struct leg_range range;
	struct genl_leg *legs; /* range.count of them */
};

/*
 * Write the rule of a slot, and with RULE_F_FAN its fan. Live state is kept while the
 * rule's id stays; else it is zeroed, or becomes state when that is not NULL. -EINVAL when
 * slot and key do not belong together, or the fan lies outside of what there is; -EEXIST
 * for a key that another slot behind the ports has, -ENOMEM. -EINVAL also when rule or legs name
 * SRTP keys outside of the array.
 */
int tandem_table_set(struct tandem_table *table, u32 slot, const struct rule_spec *spec,
		     const struct flow_state *state, const struct fan_spec *fan);

/* The slot has no rule any more. -EINVAL when there is no such slot. */
int tandem_table_del(struct tandem_table *table, u32 slot);

/* Is there a flow; in a table without slots, are there keys? */
bool tandem_table_any_active(const struct tandem_table *table);

/* The legs of the flow in a slot. */
struct leg_range tandem_table_legs(const struct tandem_table *table, u32 slot);

/* For packets: slot of exactly this key, or TANDEM_NO_SLOT. */
u32 tandem_table_shared(const struct tandem_table *table, const struct flow_key *key);

/* For packets: the entry of an SSRC, made when create is set; NULL: none, or no room. */
struct extra_stream *tandem_table_stream(struct tandem_table *table, u32 slot, u32 ssrc,
					 bool create);

/* Is there such an index of SRTP keys, or is it none? */
static inline bool tandem_table_has_keys(const struct tandem_table *table, u32 index)
{
	return index == SRTP_NO_KEYS || index < table->srtp.count;
}

/* ---- fan_table.c: the part about fans, for flow_table.c alone ---- */

/* The arrays of a table with its config. -ENOMEM. */
int tandem_fan_table_init(struct tandem_table *table);
void tandem_fan_table_clean(struct tandem_table *table);

/* Does spec (NULL: none) suit the rule? 0 or -EINVAL. */
int tandem_fan_check(const struct tandem_table *table, const struct rule *rule,
		     const struct fan_spec *spec);

/* All that can fail, before tandem_fan_write(). -ENOMEM. */
int tandem_fan_prepare(struct tandem_table *table, const struct fan_spec *spec);

/* While old, which rule is to replace, is odd. */
void tandem_fan_write(struct tandem_table *table, const struct rule *old, const struct rule *rule,
		      const struct fan_spec *spec);

#endif
