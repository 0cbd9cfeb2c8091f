/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows that the fast path has refused for a reason that may pass (it is full, an interface
 * is in the wrong mode), kept to be offered again: soon at first, then ever less often.
 */
#ifndef TANDEM_DATAPATH_RETRIES_H
#define TANDEM_DATAPATH_RETRIES_H

#include "userspace/datapath/datapath.h"

#define TANDEM_RETRIES_MAX 1024 /* flows kept; more are not offered again */

struct tandem_retry {
	struct tandem_flow_spec spec; /* with a fan of its own, or none */
	struct tandem_srtp *keys;     /* that spec points to; NULL: none */
	struct tandem_srtp *leg_keys; /* the same of the fan */
	uint64_t due;		      /* turn */
	uint32_t wait;		      /* turns, doubled each time */
};

/* Zeroed it is empty. */
struct tandem_retries {
	struct tandem_retry *v;
	size_t n;
	size_t room;
	uint64_t turn;
};

void tandem_retries_clean(struct tandem_retries *r);

/* Keep a copy of a flow in place of an earlier one; for want of memory or room it is let go. */
void tandem_retries_add(struct tandem_retries *r, const struct tandem_flow_spec *spec);
void tandem_retries_forget(struct tandem_retries *r, uint64_t id);

/* A new turn; the flows that are due from here on come from tandem_retries_next(). */
void tandem_retries_turn(struct tandem_retries *r);

/* A flow that is due, which is put off till later; NULL when none is. Valid until the next call. */
const struct tandem_flow_spec *tandem_retries_next(struct tandem_retries *r);

#endif
