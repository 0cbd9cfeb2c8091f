/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of a packet in hand, and what is to be done with it. */
#ifndef TANDEM_CORE_PLAN_TYPES_H
#define TANDEM_CORE_PLAN_TYPES_H

#include "core/abi.h"
#include "core/rtcp.h"
#include "core/rtp.h"

enum plan_srtp {
	PLAN_OPEN = 1 << 0, /* it has arrived protected, under the keys of the job in hand */
	PLAN_KEEP = 1 << 1, /* and is to be authenticated only */
	PLAN_SEAL = 1 << 2, /* it leaves protected, under the keys of its egress */
};

/*
 * What is to be done with one packet. egress is a copy of what the rule or a leg had at
 * the time, since the controller may change those at any moment. What is read of a leg
 * after that (its extension ids; with many egresses, all) is good only if
 * plan_legs_settled() says so when it has been read.
 */
struct plan {
	struct flow *flow;	     /* that the packet counts for; NULL: none */
	const struct rule *rule;     /* NULL: none is for the packet */
	const struct egress *egress; /* NULL: there are many, see copy.h */
	struct nexthop *cache;	     /* keeps the way to that egress; NULL: nothing does */
	__u64 now;		     /* 0: it was not asked for yet */
	__u64 flow_id;
	__u32 slot;  /* of flow */
	__u32 flags; /* enum rule_flag */
	__u32 gen;
	__u32 clock_hz;	     /* of the payload type; 0: not negotiated */
	__u32 leg;	     /* first of the packet's legs, or TANDEM_NO_SLOT */
	__u32 legs;	     /* how many */
	__u32 fan;	     /* index, when there are legs, */
	__u32 fan_gen;	     /* its gen, */
	struct rtp_info rtp; /* of RTP. What RTCP needs is in env_rtcp_job() */
	__u8 class;	     /* enum packet_class: RTP, RTCP, or DTLS that passes end to end */
	__u8 pt_index;	     /* in the rule's pts; TANDEM_MAX_PTS: not negotiated */
	__u8 srtp;	     /* enum plan_srtp */
	__u8 tail;	     /* bytes of room that it needs behind it */
	__u8 branch;	     /* which of the fan's branches its legs are of */
	__u8 legs_ip6;	     /* some of them send IPv6 */
	__u16 len;	     /* of the payload; see protect.h */
	__u8 reason;	     /* for a capture: why it went no further */
};

#endif
