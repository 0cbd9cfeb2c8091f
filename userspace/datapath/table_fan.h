/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of a table that deals with fans, private to it. */
#ifndef TANDEM_DATAPATH_TABLE_FAN_H
#define TANDEM_DATAPATH_TABLE_FAN_H

#include "userspace/datapath/table.h"

/* Room for what fans need besides the arrays. -ENOMEM. */
int tandem_table_fans_init(struct tandem_table *t);
void tandem_table_fans_clean(struct tandem_table *t);

/*
 * Write the fan of a specification where no rule refers to it yet; *fan is its index, or
 * TANDEM_NO_FAN when spec is NULL. Legs of the fan `before` (TANDEM_NO_FAN: none) that
 * are in it too share their states with those. To be followed by tandem_table_fan_attach().
 * -EINVAL when it does not add up, -ENOSPC, and the errors of the keys of its legs.
 */
int tandem_table_fan_write(struct tandem_table *t, const struct tandem_fan *spec, uint32_t before,
			   uint32_t *fan);

/* The fan is complete, and belongs to this rule, which is about to be written to the slot. */
void tandem_table_fan_attach(struct tandem_table *t, uint32_t fan, uint32_t slot,
			     const struct rule *rule, const struct pt_list *pts);

/*
 * No rule leads to the fan any more (TANDEM_NO_FAN: to none). Unless the datapath is asked
 * for its leave, the fan rests as it is until its place is wanted: copies may be under way.
 */
void tandem_table_fan_retire(struct tandem_table *t, uint32_t fan);

/* Index of the fan of the rule in a slot, or TANDEM_NO_FAN. */
uint32_t tandem_table_fan_of(const struct tandem_table *t, uint32_t slot);

/* Note the fan of a rule that is taken over. Errors as of tandem_fans_adopt. */
int tandem_table_fan_adopt(struct tandem_table *t, uint32_t slot);

#endif
