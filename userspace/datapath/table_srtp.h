/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a table that deals with keys of SRTP, private to it: the datapath's own array of
 * them, which sets each flow has, and when an entry is written and wiped. An entry is written
 * under a gen of its own, before any rule names it, and wiped once none does.
 */
#ifndef TANDEM_DATAPATH_TABLE_SRTP_H
#define TANDEM_DATAPATH_TABLE_SRTP_H

#include "userspace/datapath/table.h"

/* A user more of the sets that a specification names. -EPROTONOSUPPORT: the table has none. */
int tandem_table_srtp_get(struct tandem_table *t, const struct tandem_flow_spec *spec,
			  struct tandem_slot_keys *keys);
void tandem_table_srtp_put(struct tandem_table *t, const struct tandem_slot_keys *keys);

/*
 * The same of one set, for a leg; *index is what its egress names. id 0: none, SRTP_NO_KEYS.
 * -EPROTONOSUPPORT also when the fan does not have it.
 */
int tandem_table_srtp_get_leg(struct tandem_table *t, const struct tandem_fan *fan, uint64_t id,
			      uint32_t *index);
void tandem_table_srtp_put_leg(struct tandem_table *t, uint32_t index);
/* A leg that an earlier run has left names the entry at index. -EINVAL: it cannot be. */
int tandem_table_srtp_adopt_leg(struct tandem_table *t, uint32_t index);

/* Those of the rule in a slot, noted in slot_keys. -EINVAL: they cannot be. */
int tandem_table_srtp_adopt(struct tandem_table *t, uint32_t slot);

/* Entries that an earlier run had, and no rule names. */
void tandem_table_srtp_sweep(struct tandem_table *t);

void tandem_table_srtp_clean(struct tandem_table *t);

#endif
