/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a table that writes rules under the eyes of packets, private to it. The packet
 * path reads gen, then the rule, then gen again; a rule is odd while it is written.
 */
#ifndef TANDEM_DATAPATH_TABLE_RULE_H
#define TANDEM_DATAPATH_TABLE_RULE_H

#include "userspace/datapath/table.h"

struct rule *tandem_table_rule(const struct tandem_table *t, uint32_t slot);

/* The key of the rule in a slot. */
struct flow_key tandem_table_rule_key(const struct tandem_table *t, uint32_t slot);

/* Make it odd, ahead of what is written next; until one of the others is called for it. */
void tandem_table_rule_begin(struct rule *rule);

/* Write everything behind gen. */
void tandem_table_rule_fill(struct tandem_table *t, uint32_t slot, const struct rule *from,
			    const struct rule_more *more);

/* Write the slot of the flow that it refers to as kind. */
void tandem_table_rule_set_ref(struct tandem_table *t, uint32_t slot, enum tandem_ref_kind kind,
			       uint32_t target);

/* What a direct slot holds when it has no flow of its own: nothing, or the placeholder. */
void tandem_table_rule_vacate(struct tandem_table *t, uint32_t slot, const struct flow_key *key);

/* After the number of flows behind a direct slot changed; TANDEM_NO_SLOT: that of a group. */
void tandem_table_rule_refresh(struct tandem_table *t, uint32_t direct, const struct flow_key *key);

#endif
