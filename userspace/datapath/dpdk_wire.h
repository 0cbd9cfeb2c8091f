/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What controller and DPDK worker say to each other over a Unix SOCK_SEQPACKET socket:
 * one request, one reply, each one of the structs below, in the host's byte order. Both
 * ends are on one host, but may be of different builds: the hello tells.
 *
 * Any client may ask hello and counters. The first to send its configuration owns the
 * rules until its connection ends; the rules themselves do not end with it.
 */
#ifndef TANDEM_DATAPATH_DPDK_WIRE_H
#define TANDEM_DATAPATH_DPDK_WIRE_H

#include "core/abi.h"
#include "userspace/datapath/datapath.h"

#define TANDEM_DPDK_MAGIC 0x746e646dU
#define TANDEM_DPDK_BATCH 8 /* flows in one reply of a list */

enum tandem_dpdk_op {
	TANDEM_DPDK_HELLO,
	TANDEM_DPDK_CONFIG, /* take over what is there if it fits, else begin anew */
	TANDEM_DPDK_SET,
	TANDEM_DPDK_REMOVE,
	TANDEM_DPDK_READ,
	TANDEM_DPDK_LIST,
	TANDEM_DPDK_COUNTERS,
	TANDEM_DPDK_RESET, /* forget every rule */
};

struct tandem_dpdk_hello {
	uint32_t abi_version;
	uint32_t sizes[4]; /* of a request, a reply, struct tandem_flow_spec, struct flow */
};

struct tandem_dpdk_config {
	struct relay_config relay;
	uint32_t stream_capacity;
	uint32_t fresh;
};

struct tandem_dpdk_request {
	uint32_t magic;
	uint32_t op; /* enum tandem_dpdk_op */
	union {
		struct tandem_dpdk_hello hello;
		struct tandem_dpdk_config config;
		struct tandem_flow_spec spec; /* set */
		uint64_t id;		      /* remove, read */
		uint32_t cursor;	      /* list: slot to go on at, 0 first */
	};
};

struct tandem_dpdk_reply {
	uint32_t magic;
	int32_t result; /* 0 or a negative errno */
	union {
		struct {
			struct tandem_dpdk_hello hello;
			char describe[128];
		};
		uint32_t flows; /* config: how many were taken over */
		struct {
			struct flow flow;
			uint32_t count;
			struct stream streams[TANDEM_MAX_STREAMS];
		} read;
		struct {
			uint32_t next; /* cursor for the next question; 0: that was all */
			uint32_t count;
			struct tandem_flow_spec specs[TANDEM_DPDK_BATCH];
		} list;
		struct reason_counters counters;
	};
};

/* What this build says in a hello. */
static inline struct tandem_dpdk_hello tandem_dpdk_hello_own(void)
{
	return (struct tandem_dpdk_hello){
		.abi_version = TANDEM_ABI_VERSION,
		.sizes = { sizeof(struct tandem_dpdk_request), sizeof(struct tandem_dpdk_reply),
			   sizeof(struct tandem_flow_spec), sizeof(struct flow) },
	};
}

#endif
