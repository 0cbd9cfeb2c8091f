/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/uring/worker.h"

/* The port that an egress leaves from. */
static int hold_egress(struct tandem_datapath *dp, struct uring_hold *hold,
		       const struct tandem_egress *eg)
{
	const struct flow_key key = { .local = eg->local, .local_port = eg->local_port };
	uint32_t index = tandem_slots_direct(dp->table.slots, &key);
	int err;

	if (index == TANDEM_NO_SLOT)
		return -EADDRNOTAVAIL;
	err = tandem_uring_port_get(dp, index);
	if (err)
		return err;
	hold->ports[hold->count++] = index;
	return tandem_ip_is_group(&eg->remote) ? tandem_uring_port_cast(dp, index) : 0;
}

/* Where it arrives. */
static int hold_arrival(struct tandem_datapath *dp, struct uring_hold *hold,
			const struct flow_key *key)
{
	uint32_t index = tandem_slots_direct(dp->table.slots, key);
	int err;

	if (index != TANDEM_NO_SLOT)
		err = tandem_uring_port_get(dp, index);
	else if (tandem_ip_is_group(&key->local))
		err = tandem_uring_group_get(dp, key, &hold->ifindex, &index);
	else
		err = -EADDRNOTAVAIL;
	if (!err)
		hold->ports[hold->count++] = index;
	return err;
}

int tandem_uring_hold_take(struct tandem_datapath *dp, const struct tandem_flow_spec *spec,
			   struct uring_hold *hold)
{
	uint32_t legs = spec->fan ? spec->fan->leg_count : 0;
	int err;

	*hold = (struct uring_hold){
		.ports = malloc((3 + (size_t)legs) * sizeof(*hold->ports)),
		.ifindex = spec->group_ifindex,
		.source = spec->key.remote,
	};
	if (!hold->ports)
		return -ENOMEM;
	err = hold_arrival(dp, hold, &spec->key);
	for (int i = 0; i < 2 && !err; i++) {
		if (spec->egress[i].flags & EGRESS_F_ACTIVE)
			err = hold_egress(dp, hold, &spec->egress[i]);
	}
	for (uint32_t i = 0; i < legs && !err; i++)
		err = hold_egress(dp, hold, &spec->fan->legs[i].leg.egress);
	if (err)
		tandem_uring_hold_drop(dp, hold);
	return err;
}

void tandem_uring_hold_drop(struct tandem_datapath *dp, struct uring_hold *hold)
{
	for (uint32_t i = 0; i < hold->count; i++) {
		if (hold->ports[i] >= dp->direct_count)
			tandem_uring_group_put(dp, hold->ports[i], hold->ifindex, &hold->source);
		else
			tandem_uring_port_put(dp, hold->ports[i]);
	}
	free(hold->ports);
	*hold = (struct uring_hold){ 0 };
}
