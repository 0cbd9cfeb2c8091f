/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of a table that deals with fans, private to it. */
#ifndef TANDEM_DATAPATH_TABLE_FAN_H
#define TANDEM_DATAPATH_TABLE_FAN_H

#include "userspace/datapath/table.h"

/*
 * Write the fan of a specification where no rule refers to it yet; *fan is its index, or
 * TANDEM_NO_FAN when spec is NULL. Legs of the fan `before` (TANDEM_NO_FAN: none) that
 * are in it too keep their counts. -EINVAL when it does not add up, -ENOSPC.
 */
int tandem_table_fan_write(struct tandem_table *t, const struct tandem_fan *spec, uint32_t before,
			   uint32_t *fan);

/* Index of the fan of the rule in a slot, or TANDEM_NO_FAN. */
uint32_t tandem_table_fan_of(const struct tandem_table *t, uint32_t slot);

/* Note the fan of a rule that is taken over. Errors as of tandem_fans_adopt. */
int tandem_table_fan_adopt(struct tandem_table *t, uint32_t slot);

#endif
