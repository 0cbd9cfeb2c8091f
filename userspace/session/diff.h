/* SPDX-License-Identifier: GPL-2.0-only */
/* What has to be done to get from the flows that are installed to those wanted. */
#ifndef TANDEM_SESSION_DIFF_H
#define TANDEM_SESSION_DIFF_H

#include "userspace/datapath/datapath.h"

/* The same, fan included, but for the flags that are the datapath's own. */
bool tandem_spec_equal(const struct tandem_flow_spec *a, const struct tandem_flow_spec *b);

/*
 * Write the changes that lead from `installed` to `wanted`, removals first, since
 * they free ports. changes has room for installed_count + wanted_count. Flows that
 * are as wanted are not touched. Returns the number of changes.
 */
size_t tandem_diff(const struct tandem_flow_spec *installed, size_t installed_count,
		   const struct tandem_flow_spec *wanted, size_t wanted_count,
		   struct tandem_change *changes);

#endif
