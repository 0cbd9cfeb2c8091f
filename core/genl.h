/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The generic netlink family of the kernel module; docs/kmod.md describes it. What the
 * binary attributes hold are the structs of core/abi.h, byte for byte.
 */
#ifndef TANDEM_CORE_GENL_H
#define TANDEM_CORE_GENL_H

#define TANDEM_GENL_NAME    "tandem"
#define TANDEM_GENL_VERSION 1

enum tandem_genl_cmd {
	TANDEM_CMD_UNSPEC,
	TANDEM_CMD_CONFIG_SET,	 /* CONFIG, STREAM_CAPACITY */
	TANDEM_CMD_CONFIG_GET,	 /* answers both */
	TANDEM_CMD_FLOW_SET,	 /* SLOT, RULE, perhaps FLOW */
	TANDEM_CMD_FLOW_DEL,	 /* SLOT */
	TANDEM_CMD_FLOW_GET,	 /* SLOT; answers RULE and FLOW. Dump: every active slot */
	TANDEM_CMD_STREAMS_GET,	 /* dump of second and later SSRCs, with SLOT those of one slot */
	TANDEM_CMD_COUNTERS_GET, /* answers COUNTERS */
	TANDEM_CMD_RESET,	 /* forget configuration and flows, stop looking at packets */
};

enum tandem_genl_attr {
	TANDEM_ATTR_UNSPEC,
	TANDEM_ATTR_CONFIG,	     /* struct relay_config */
	TANDEM_ATTR_STREAM_CAPACITY, /* u32 */
	TANDEM_ATTR_SLOT,	     /* u32 */
	TANDEM_ATTR_RULE,	     /* struct rule; gen is not read */
	TANDEM_ATTR_FLOW,	     /* struct flow; in FLOW_SET: what its counts start from */
	TANDEM_ATTR_STREAM,	     /* struct stream */
	TANDEM_ATTR_COUNTERS,	     /* struct reason_counters, summed over all CPUs */
	TANDEM_ATTR_COUNT,
};

#endif
