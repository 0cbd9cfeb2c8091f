/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule and flow arrays as the controller sees them: carries out changes by
 * writing rules, in whatever memory the datapath keeps the arrays.
 *
 * A rule is written under its gen: odd while it is written. Live state is
 * zeroed before a rule with a new id becomes active, and kept while the id
 * stays. References between flows are resolved whenever their target appears,
 * and taken back when it goes, so the order of changes does not matter.
 *
 * When the flow in a direct slot is removed while others share its port, the
 * slot stays active with a rule that has no source (TANDEM_PLACEHOLDER_ID), for
 * it is the direct slot that says where the others are found.
 */
#ifndef TANDEM_DATAPATH_TABLE_H
#define TANDEM_DATAPATH_TABLE_H

#include "core/abi.h"
#include "core/srtp_abi.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/fans.h"
#include "userspace/datapath/refs.h"
#include "userspace/datapath/slots.h"

#define TANDEM_PLACEHOLDER_ID 0xffffffffffffffffULL
#define TANDEM_TABLE_SLOTS                                                                         \
	(1U << 24) /* most flows that a slot number has bits for, in a copy's stamp */

/* Enter key into the datapath's shared hash with this slot, or (TANDEM_NO_SLOT) remove it. */
typedef int(tandem_shared_h)(const struct flow_key *key, uint32_t slot, void *arg);

/*
 * The rule in this slot has changed. For a datapath whose packet path has rules of its own
 * to be brought in line with those of the table.
 */
typedef void(tandem_written_h)(uint32_t slot, void *arg);

/*
 * For a datapath whose packet path may be in the middle of a rule as it was: a flow is about
 * to begin in this slot.
 */
typedef void(tandem_enter_h)(uint32_t slot, void *arg);

/*
 * Likewise: no rule leads to this fan any more (TANDEM_NO_FAN: to none). To be given to
 * tandem_table_fan_release() once nobody looks at it.
 */
typedef void(tandem_retire_h)(uint32_t fan, void *arg);

/*
 * Keys are being written at an index of srtp_keys, whose gen is odd meanwhile; NULL: wiped. For
 * a datapath that keeps more than the keys. An error refuses the flow that the keys are for.
 */
typedef int(tandem_srtp_h)(uint32_t index, const struct srtp_keys *keys, void *arg);

/* Keys at an index have others to try next; for one that does not share its array with the packets. */
typedef void(tandem_srtp_next_h)(uint32_t index, void *arg);

/* The arrays, owned by the datapath: relay.slots, relay.fans and relay.legs long. */
struct tandem_table_memory {
	struct entry *entries;
	struct rule_more *rules_more;
	struct flow_more *flows_more;
	struct fan *fans;
	struct leg *legs;
	struct leg_state *leg_states;
	struct srtp_keys *srtp_keys;	  /* relay.srtps long; index 0 is none */
	struct srtp_stream *srtp_streams; /* relay.srtp_streams long */
};

/* The key sets of a flow, by index; 0: none. */
struct tandem_slot_keys {
	uint32_t in;
	uint32_t old; /* what arrives may for a while still be protected with these */
	uint32_t out;
};

struct tandem_table {
	struct relay_config relay;
	struct entry *entries;
	struct rule_more *rules_more;
	struct flow_more *flows_more;
	struct fan *fans;
	struct leg *legs;
	struct leg_state *leg_states;
	struct tandem_slots *slots;
	struct tandem_refs refs;
	struct tandem_fans ranges; /* of legs, by fan */
	uint32_t *leg_uses;	   /* by struct leg_state: legs that have it */
	uint32_t leg_last;	   /* the last state that was taken */
	uint32_t *resting;	   /* ring of fans that have been left, as many as there are fans */
	uint32_t resting_first;
	uint32_t resting_count;
	bool *fan_keyed;	   /* by fan: its legs are users of their keys */
	tandem_shared_h *shared_h; /* NULL: the datapath asks tandem_slots_lookup_shared */
	tandem_written_h
		*written_h;	   /* NULL: the packet path reads rules as they are; else set after
				      * tandem_table_init */
	tandem_enter_h *enter_h;   /* NULL, or set after tandem_table_init */
	tandem_retire_h *retire_h; /* NULL: fans rest; else likewise */
	struct srtp_keys *srtp_keys;
	struct tandem_srtp_sets *sets; /* NULL: flows with SRTP are refused */
	struct tandem_table_key *key_users;
	struct tandem_slot_keys *slot_keys; /* sparse */
	tandem_srtp_h *srtp_h;
	tandem_srtp_next_h *srtp_next_h; /* NULL, or set after tandem_table_srtp_open() */
	void *arg;
};

/*
 * The relay_config that a datapath configuration asks for. -EINVAL when it does
 * not add up; why then tells what.
 */
int tandem_table_config(struct relay_config *relay, const struct tandem_datapath_config *cfg,
			char *why, size_t why_size);

/* The arrays are zeroed or, if they are taken over, read by tandem_table_adopt. */
int tandem_table_init(struct tandem_table *t, const struct relay_config *relay,
		      const struct tandem_table_memory *memory, tandem_shared_h *shared_h,
		      void *arg);
void tandem_table_clean(struct tandem_table *t);

/*
 * Take flows with SRTP, with keys in this array, of the sets that datapaths share; after
 * tandem_table_init, before tandem_table_adopt. h may be NULL. -EINVAL: the table was
 * initialised for another number of keys; -ENOMEM.
 */
int tandem_table_srtp_open(struct tandem_table *t, struct srtp_keys *keys,
			   struct tandem_srtp_sets *sets, tandem_srtp_h *h);

/*
 * Take over the rules that are in the array. A rule that its writer did not
 * live to finish is cleared. 0 or -ENOMEM.
 */
int tandem_table_adopt(struct tandem_table *t);

/*
 * Install or change a flow. Errors as of tandem_slots_take; -EADDRNOTAVAIL also when an egress
 * sends from an address that is none of the relay's; -EINVAL for an id that is not
 * allowed, a fan that does not add up, or a group with a source port but no source;
 * -ENOSPC also without room for its legs or keys; -EPROTONOSUPPORT: SRTP, which the datapath
 * does not do. A flow
 * that moves to another local port keeps its counts, and so does a leg that keeps its id.
 */
int tandem_table_set(struct tandem_table *t, const struct tandem_flow_spec *spec);

/* -ENOENT when there is no such flow. */
int tandem_table_remove(struct tandem_table *t, uint64_t id);

/* Slot of a flow, or TANDEM_NO_SLOT. */
uint32_t tandem_table_find(const struct tandem_table *t, uint64_t id);

/*
 * The specification of the flow in a slot, read back from its rule, without its fan (and
 * the interface of a group, which no rule knows). -ENOENT when free.
 */
int tandem_table_spec(const struct tandem_table *t, uint32_t slot, struct tandem_flow_spec *spec);

/* The live state of the flow in a slot, and its first stream if there is one. */
void tandem_table_read(const struct tandem_table *t, uint32_t slot,
		       struct tandem_flow_stats *stats);

/* Add a further stream, if there is room. */
void tandem_table_add_stream(const struct extra_stream *extra, struct tandem_flow_stats *stats);

/* The fan of the flow in a slot; NULL without one, or without memory. For the caller to free. */
struct tandem_fan *tandem_table_fan(const struct tandem_table *t, uint32_t slot);

/* A fan that nobody looks at any more, or that was never attached (TANDEM_NO_FAN: none). */
void tandem_table_fan_release(struct tandem_table *t, uint32_t fan);

/* Index of the state of the leg so named in the flow in a slot, or TANDEM_NO_SLOT. */
uint32_t tandem_table_find_leg(const struct tandem_table *t, uint32_t slot, uint32_t id);

/* Counts of the legs of the flow in a slot, as read_legs() of the interface gives them. */
void tandem_table_read_legs(const struct tandem_table *t, uint32_t slot,
			    struct tandem_leg_stats *legs, size_t max, size_t *n);

/* Every flow, by rising slot. */
void tandem_table_list(const struct tandem_table *t, tandem_installed_h *h, void *arg);

#endif
