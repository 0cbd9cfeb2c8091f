/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What controller and DPDK worker say to each other over a Unix SOCK_SEQPACKET socket:
 * one request, one reply, each one of the structs below, in the host's byte order. A request
 * is as long as its op needs, and so is its reply. A client need not wait for one reply before
 * it asks again, but for no more than TANDEM_DPDK_WINDOW. Both ends are on one host, but may
 * be of different builds: the hello tells.
 *
 * Any client may ask hello and counters. The first to send its configuration owns the
 * rules until its connection ends; the rules themselves do not end with it.
 *
 * A message has room for a part of the legs that a flow may have. They are sent in parts,
 * one after the other, before the set that takes them; -EPROTO says that some are missing.
 *
 * Key sets of SRTP are sent once, with session keys that are derived already, at the index and with the
 * range of streams that the controller has for them (srtp_sets.h). Flows name them by id. A set is there until
 * it is dropped, and a flow that has it was changed or removed. The array of streams is one memory: its
 * descriptor comes with the answer to the configuration (dpdk_streams.h). A controller that has
 * one already, because the worker is another now, sends it with its configuration.
 */
#ifndef TANDEM_DATAPATH_DPDK_WIRE_H
#define TANDEM_DATAPATH_DPDK_WIRE_H

#include <stddef.h>

#include "core/abi.h"
#include "userspace/datapath/datapath.h"

#define TANDEM_DPDK_MAGIC    0x746e646dU
#define TANDEM_DPDK_PROTOCOL 4
#define TANDEM_DPDK_WINDOW   32	 /* requests on their way at once, of those with short replies */
#define TANDEM_DPDK_BATCH    8	 /* flows in one reply of a list */
#define TANDEM_DPDK_LEGS     128 /* legs in one request */
#define TANDEM_DPDK_STATS    64	 /* legs in one reply */
#define TANDEM_DPDK_SETS     16	 /* key sets in one reply */
#define TANDEM_DPDK_USES     128 /* flows in one reply, with the key sets that they have */
#define TANDEM_DPDK_FAN	     (TANDEM_MAX_BRANCHES * TANDEM_MAX_LEGS) /* most legs of a flow */

enum tandem_dpdk_op {
	TANDEM_DPDK_HELLO,
	TANDEM_DPDK_CONFIG, /* take over what is there if it fits, else begin anew */
	TANDEM_DPDK_SET,
	TANDEM_DPDK_REMOVE,
	TANDEM_DPDK_READ,
	TANDEM_DPDK_LIST,
	TANDEM_DPDK_COUNTERS,
	TANDEM_DPDK_RESET,     /* forget every rule */
	TANDEM_DPDK_LEGS_SET,  /* legs of the flow that will be set next */
	TANDEM_DPDK_LEGS_READ, /* state of a flow's legs */
	TANDEM_DPDK_SRTP_SET,  /* a key set */
	TANDEM_DPDK_SRTP_DROP, /* the same, by index: no flow has it any more */
	TANDEM_DPDK_SRTP_LIST, /* key sets that are there */
	TANDEM_DPDK_SRTP_USES, /* which flows have which */
};

struct tandem_dpdk_hello {
	uint32_t protocol;
	uint32_t abi_version;
	/* of a request, a reply, struct tandem_flow_spec, tandem_flow_state, tandem_fan_leg */
	uint32_t sizes[5];
};

struct tandem_dpdk_config {
	struct relay_config relay;
	uint32_t stream_capacity;
	uint32_t fresh;
};

/* The key sets of a flow that are not its legs'. */
enum tandem_dpdk_use {
	TANDEM_DPDK_USE_IN,
	TANDEM_DPDK_USE_OLD,
	TANDEM_DPDK_USE_OUT,
	TANDEM_DPDK_USE_LEGS, /* from here on */
};

/*
 * Pointers of spec mean nothing on the wire: with fan set, branches and the legs sent before
 * are the fan, and the key sets are those with these ids, or none: 0. Legs name theirs.
 */
struct tandem_dpdk_set {
	struct tandem_flow_spec spec;
	uint64_t srtp[TANDEM_DPDK_USE_LEGS];
	uint32_t fan;
	uint32_t branch_count;
	uint32_t leg_count;
	struct branch branches[TANDEM_MAX_BRANCHES];
};

/* Legs number first and on; a part with first 0 begins anew. */
struct tandem_dpdk_legs {
	uint32_t first;
	uint32_t count;
	struct tandem_fan_leg legs[TANDEM_DPDK_LEGS];
};

struct tandem_dpdk_srtp {
	uint32_t index; /* not 0 */
	uint32_t pad;
	struct srtp_keys keys; /* gen and next are each side's own */
};

/* A flow has a key set; a line for each, and the lines of a flow one after the other. */
struct tandem_dpdk_uses {
	uint64_t id;
	uint32_t index; /* of the set */
	uint32_t pad;
};

/* Where a list of such lines goes on; both 0 at first, and at the end. */
struct tandem_dpdk_place {
	uint32_t slot;
	uint32_t use; /* enum tandem_dpdk_use, or that of a leg */
};

struct tandem_dpdk_request {
	uint32_t magic;
	uint32_t op; /* enum tandem_dpdk_op */
	union {
		struct tandem_dpdk_hello hello;
		struct tandem_dpdk_config config;
		struct tandem_dpdk_set set;
		uint64_t id;	 /* remove, read */
		uint32_t cursor; /* lists: slot or index to go on at, 0 first */
		uint32_t index;	 /* drop of a key set */
		struct tandem_dpdk_place place;
		struct tandem_dpdk_srtp srtp;
		struct tandem_dpdk_legs part;
		struct {
			uint64_t id;
			uint32_t first;
		} legs; /* read of legs */
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
			struct tandem_flow_state flow;
			uint32_t count;
			struct tandem_stream streams[TANDEM_MAX_STREAMS];
		} read;
		struct {
			uint32_t next; /* cursor for the next question; 0: that was all */
			uint32_t count;
			struct tandem_flow_spec specs[TANDEM_DPDK_BATCH];
		} list;
		struct {
			uint32_t total; /* legs of the flow */
			uint32_t count; /* those from the first asked for on that are here */
			struct tandem_leg_stats legs[TANDEM_DPDK_STATS];
		} legs;
		struct {
			uint32_t next; /* as of list */
			uint32_t count;
			struct tandem_dpdk_srtp sets[TANDEM_DPDK_SETS];
		} srtp;
		struct {
			struct tandem_dpdk_place next;
			uint32_t count;
			struct tandem_dpdk_uses lines[TANDEM_DPDK_USES];
		} uses;
		struct reason_counters counters;
	};
};

/* Bytes of a request up to and with the member that its op uses; 0: there is no such op. */
static inline size_t tandem_dpdk_request_size(const struct tandem_dpdk_request *request)
{
#define SIZE_WITH(member) (offsetof(struct tandem_dpdk_request, member) + sizeof(request->member))
	switch (request->op) {
	case TANDEM_DPDK_HELLO:
		return SIZE_WITH(hello);
	case TANDEM_DPDK_CONFIG:
		return SIZE_WITH(config);
	case TANDEM_DPDK_SET:
		return SIZE_WITH(set);
	case TANDEM_DPDK_REMOVE:
	case TANDEM_DPDK_READ:
		return SIZE_WITH(id);
	case TANDEM_DPDK_LIST:
	case TANDEM_DPDK_SRTP_LIST:
		return SIZE_WITH(cursor);
	case TANDEM_DPDK_SRTP_USES:
		return SIZE_WITH(place);
	case TANDEM_DPDK_SRTP_SET:
		return SIZE_WITH(srtp);
	case TANDEM_DPDK_SRTP_DROP:
		return SIZE_WITH(index);
	case TANDEM_DPDK_COUNTERS:
	case TANDEM_DPDK_RESET:
		return SIZE_WITH(op);
	case TANDEM_DPDK_LEGS_SET:
		return request->part.count > TANDEM_DPDK_LEGS
			       ? 0
			       : offsetof(struct tandem_dpdk_request, part.legs) +
					 request->part.count * sizeof(struct tandem_fan_leg);
	case TANDEM_DPDK_LEGS_READ:
		return SIZE_WITH(legs);
	default:
		return 0;
	}
#undef SIZE_WITH
}

/* Bytes of the reply to a request with this op. */
static inline size_t tandem_dpdk_reply_size(uint32_t op)
{
#define SIZE_WITH(member)                                                                          \
	(offsetof(struct tandem_dpdk_reply, member) +                                              \
	 sizeof(((struct tandem_dpdk_reply *)0)->member))
	switch (op) {
	case TANDEM_DPDK_HELLO:
		return SIZE_WITH(describe);
	case TANDEM_DPDK_CONFIG:
		return SIZE_WITH(flows);
	case TANDEM_DPDK_READ:
		return SIZE_WITH(read);
	case TANDEM_DPDK_LIST:
		return SIZE_WITH(list);
	case TANDEM_DPDK_LEGS_READ:
		return SIZE_WITH(legs);
	case TANDEM_DPDK_SRTP_LIST:
		return SIZE_WITH(srtp);
	case TANDEM_DPDK_SRTP_USES:
		return SIZE_WITH(uses);
	case TANDEM_DPDK_COUNTERS:
		return SIZE_WITH(counters);
	default:
		return SIZE_WITH(result);
	}
#undef SIZE_WITH
}

/* What this build says in a hello. */
static inline struct tandem_dpdk_hello tandem_dpdk_hello_own(void)
{
	return (struct tandem_dpdk_hello){
		.protocol = TANDEM_DPDK_PROTOCOL,
		.abi_version = TANDEM_ABI_VERSION,
		.sizes = { sizeof(struct tandem_dpdk_request), sizeof(struct tandem_dpdk_reply),
			   sizeof(struct tandem_flow_spec), sizeof(struct tandem_flow_state),
			   sizeof(struct tandem_fan_leg) },
	};
}

#endif
