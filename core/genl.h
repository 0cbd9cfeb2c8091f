/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The generic netlink family of the kernel module; docs/kmod.md describes it. What the
 * binary attributes hold are the structs of core/abi.h, byte for byte.
 */
#ifndef TANDEM_CORE_GENL_H
#define TANDEM_CORE_GENL_H

#include "core/abi.h"

#define TANDEM_GENL_NAME    "tandem"
#define TANDEM_GENL_VERSION 4

enum tandem_genl_cmd {
	TANDEM_CMD_UNSPEC,
	TANDEM_CMD_CONFIG_SET, /* CONFIG, STREAM_CAPACITY */
	TANDEM_CMD_CONFIG_GET, /* answers both, and TABLE */
	/* SLOT, RULE, RULE_MORE, perhaps FLOW, FLOW_MORE; of a fan also FAN, LEG_INDEX, LEGS */
	TANDEM_CMD_FLOW_SET,
	TANDEM_CMD_FLOW_DEL,	 /* SLOT */
	TANDEM_CMD_FLOW_GET,	 /* SLOT; answers the same but LEGS. Dump: every active slot */
	TANDEM_CMD_STREAMS_GET,	 /* dump of second and later SSRCs, with SLOT those of one slot */
	TANDEM_CMD_COUNTERS_GET, /* answers COUNTERS */
	TANDEM_CMD_RESET,	 /* forget configuration and flows, stop looking at packets */
	TANDEM_CMD_LEGS_GET,	 /* SLOT; dump of its legs, each LEG_INDEX, LEG, LEG_STATE */
	TANDEM_CMD_SRTP_SET,	 /* SRTP_INDEX, SRTP_KEYS; without SRTP_KEYS they are wiped */
	TANDEM_CMD_SRTP_GET,	 /* dump of the sets of keys that there are, each the same */
};

enum tandem_genl_attr {
	TANDEM_ATTR_UNSPEC,
	TANDEM_ATTR_CONFIG,	     /* struct relay_config */
	TANDEM_ATTR_STREAM_CAPACITY, /* u32 */
	TANDEM_ATTR_SLOT,	     /* u32 */
	TANDEM_ATTR_RULE,	     /* struct rule; gen is not read */
	TANDEM_ATTR_FLOW,	     /* struct flow; in FLOW_SET: what its counts start from */
	TANDEM_ATTR_STREAM,	     /* struct extra_stream */
	TANDEM_ATTR_COUNTERS,	     /* struct reason_counters, summed over all CPUs */
	TANDEM_ATTR_FAN,	     /* struct fan; its place is what the rule says */
	TANDEM_ATTR_LEG_INDEX,	     /* u32; in FLOW_SET that of the first of LEGS */
	TANDEM_ATTR_LEGS,	     /* array of struct genl_leg; may come several times */
	TANDEM_ATTR_LEG,	     /* struct leg */
	TANDEM_ATTR_LEG_STATE,	     /* struct leg_state */
	TANDEM_ATTR_RULE_MORE,	     /* struct rule_more; goes with RULE */
	TANDEM_ATTR_FLOW_MORE,	     /* struct flow_more; goes with FLOW */
	TANDEM_ATTR_SRTP_INDEX,	     /* u32; never SRTP_NO_KEYS */
	TANDEM_ATTR_SRTP_KEYS,	     /* struct srtp_keys; in SRTP_SET gen is not read */
	TANDEM_ATTR_TABLE,	     /* u32; number by which BPF programs name it (kmod/kfuncs.h) */
	TANDEM_ATTR_COUNT,
};

#define TANDEM_GENL_LEGS 256 /* most in one LEGS attribute */

/* A leg on its way down. It keeps the counts of the leg that had its id in the same flow. */
struct genl_leg {
	__u32 id;
	__u32 pad;
	struct leg leg;
};

_Static_assert(sizeof(struct genl_leg) == 136, "genl_leg is ABI");

#endif
