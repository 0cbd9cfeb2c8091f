/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which flow has which slot of the rule and flow arrays (core/abi.h).
 *
 * The first flow on a media port takes the slot that belongs to the port, its
 * direct slot. A further flow on the same port takes a slot behind the direct
 * ones, and is found through a hash of its key. So does a flow that arrives on a
 * multicast group, whatever its port; its key may be without a source. Every operation is O(1);
 * memory is touched in proportion to the flows there are, not to the capacity.
 */
#ifndef TANDEM_DATAPATH_SLOTS_H
#define TANDEM_DATAPATH_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"

struct tandem_slots;

/* relay is copied. Returns 0 or -ENOMEM. */
int tandem_slots_alloc(struct tandem_slots **slotsp, const struct relay_config *relay);
void tandem_slots_free(struct tandem_slots *slots);

/* Slot that belongs to the local address and port of key, or TANDEM_NO_SLOT. */
uint32_t tandem_slots_direct(const struct tandem_slots *slots, const struct flow_key *key);

/* True when slot belongs to a media port. */
bool tandem_slots_is_direct(const struct tandem_slots *slots, uint32_t slot);

/*
 * Find a slot for a new flow.
 * -EADDRNOTAVAIL: not a media address and port of the relay;
 * -EEXIST: id is known already, or another flow has the same key;
 * -EADDRINUSE: the key has no source, and the port has a flow already (only the
 *   flow in the direct slot can be the one that a new source is learned for);
 * -ENOSPC: every slot behind the direct ones is taken; -ENOMEM.
 */
int tandem_slots_take(struct tandem_slots *slots, uint64_t id, const struct flow_key *key,
		      uint32_t *slot);

/*
 * Note a flow that is in its slot already; before any is taken, and in rising
 * order of slots. -EEXIST, -EINVAL for an impossible slot, -ENOMEM.
 */
int tandem_slots_adopt(struct tandem_slots *slots, uint64_t id, const struct flow_key *key,
		       uint32_t slot);

/*
 * The flow in slot gets another remote on the same local port.
 * Errors as of tandem_slots_take; -EINVAL when the local port is another.
 */
int tandem_slots_rekey(struct tandem_slots *slots, uint32_t slot, const struct flow_key *key);

void tandem_slots_release(struct tandem_slots *slots, uint32_t slot);

/* TANDEM_NO_SLOT when unknown. */
uint32_t tandem_slots_find(const struct tandem_slots *slots, uint64_t id);

/* Slot behind the direct ones that holds exactly this key, or TANDEM_NO_SLOT. */
uint32_t tandem_slots_lookup_shared(const struct tandem_slots *slots, const struct flow_key *key);

/* Flow in slot; 0 when it is free. */
uint64_t tandem_slots_id(const struct tandem_slots *slots, uint32_t slot);

/* Number of flows behind the direct slot of a port. */
uint32_t tandem_slots_sharing(const struct tandem_slots *slots, uint32_t direct);

/* Number of flows on the port of a direct slot, in it and behind it. */
uint32_t tandem_slots_on_port(const struct tandem_slots *slots, uint32_t direct);

/* Number of flows. */
uint32_t tandem_slots_count(const struct tandem_slots *slots);

#endif
