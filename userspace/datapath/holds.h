/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Key sets that stay while changes are carried out. What a set has counted ends with its last
 * flow, but where one flow with it goes and another comes, it goes on.
 */
#ifndef TANDEM_DATAPATH_HOLDS_H
#define TANDEM_DATAPATH_HOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/srtp_sets.h"

/* Zeroed it is empty, and can be used again and again. */
struct tandem_holds {
	uint32_t *index;
	size_t count;
	size_t room;
};

/* One more user of each set that a change wants and that is in use. 0, or -ENOMEM with none held. */
int tandem_holds_take(struct tandem_holds *holds, struct tandem_srtp_sets *sets,
		      const struct tandem_change *changes, size_t n);

/* The changes are carried out. */
void tandem_holds_release(struct tandem_holds *holds, struct tandem_srtp_sets *sets);

/* Nothing is held any more, and its memory is free. */
void tandem_holds_clean(struct tandem_holds *holds);

#endif
