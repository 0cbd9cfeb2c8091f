/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the controller and every datapath agree on: flat, fixed-width, no
 * pointers. References between flows are slot numbers. A change here changes
 * TANDEM_ABI_VERSION, because pinned maps outlive the program that made them.
 *
 * Two arrays of equal length hold all there is to know of a flow, both indexed
 * by its slot: struct rule is written by the controller and only read by the
 * packet path; struct flow is the live state, written by the packet path.
 * The first locals_count * port_count slots belong to the media ports, one
 * each, so that a packet finds its slot by arithmetic. The slots behind them
 * are for further flows on a port that several remotes share; those are found
 * through a hash of the 5-tuple.
 */
#ifndef TANDEM_CORE_ABI_H
#define TANDEM_CORE_ABI_H

#include <linux/types.h>

#define TANDEM_ABI_VERSION 1
#define TANDEM_MAX_LOCALS  16
#define TANDEM_MAX_PTS	   8
#define TANDEM_NO_SLOT	   0xffffffffU

/* An IPv6 address, or an IPv4 address in its mapped form ::ffff:a.b.c.d. */
struct ip_addr {
	union {
		__u8 b[16];
		__be32 w[4];
		__u64 d[2];
	};
};

/* The exact 5-tuple (protocol is always UDP) that a flow's packets arrive with. */
struct flow_key {
	struct ip_addr remote;
	struct ip_addr local;
	__be16 remote_port;
	__be16 local_port;
	__u32 pad;
};

/* An SSRC as it arrives, and as it leaves; host byte order. */
struct ssrc_map {
	__u32 from;
	__u32 to;
};

enum egress_flag {
	EGRESS_F_ACTIVE = 1 << 0, /* there is an egress here at all */
	EGRESS_F_SSRC = 1 << 1,	  /* ssrc.from becomes ssrc.to */
	EGRESS_F_SEQ = 1 << 2,	  /* seq_offset is added to the sequence number */
	EGRESS_F_TS = 1 << 3,	  /* ts_offset is added to the RTP timestamp */
	EGRESS_F_PT = 1 << 4,	  /* pt becomes pt_out as struct pt_map says */
	EGRESS_F_DSCP = 1 << 5,	  /* dscp is set; else the packet's own is kept */
};

/*
 * Where and how a copy leaves. When EGRESS_F_SSRC is set, sequence and
 * timestamp offsets apply to that SSRC alone; otherwise to every SSRC.
 */
struct egress {
	struct ip_addr local;
	struct ip_addr remote;
	__be16 local_port;
	__be16 remote_port;
	__u16 flags;
	__u16 seq_offset;
	__u32 ts_offset;
	struct ssrc_map ssrc;
	__u8 dscp;
	__u8 pad[3];
};

/* One negotiated payload type; clock_hz 0 ends the list. */
struct pt_map {
	__u8 pt;
	__u8 pt_out;
	__u16 pad;
	__u32 clock_hz;
};

enum rule_flag {
	RULE_F_ACTIVE = 1 << 0,	   /* the slot is in use */
	RULE_F_SHARED = 1 << 1,	   /* further flows on this port: ask the hash */
	RULE_F_LEARN = 1 << 2,	   /* unknown sources are punted, not dropped */
	RULE_F_STRICT_PT = 1 << 3, /* a payload type not listed is dropped */
	RULE_F_MUTE = 1 << 4,	   /* RTP is counted and dropped; RTCP passes */
	RULE_F_RTCP = 1 << 5,	   /* an RTCP port of its own: no RTP expected */
	RULE_F_SRTP = 1 << 6,	   /* RFC 3711: only the first headers can be read */
};

#define EGRESS_RTP  0
#define EGRESS_RTCP 1

/*
 * The rule of one flow. egress[EGRESS_RTP] takes RTP. egress[EGRESS_RTCP]
 * takes RTCP; on an RTCP-only flow as well as on one with rtcp-mux.
 *
 * gen guards against a half-written rule: odd while the controller writes, never
 * going back while the slot lives, not even when the rule is removed. The packet
 * path reads it first, copies what it needs, and compares again before it acts.
 *
 * media is the slot of the flow whose streams the SRs arriving here describe
 * (the own slot with rtcp-mux), reverse the slot of the RTP flow in the other
 * direction, which the report blocks arriving here describe. peer is the SSRC
 * mapping to undo in those blocks: from is what that stream left with, to what
 * it arrived with; peer_seq_offset is what was added to its sequence numbers.
 */
struct rule {
	__u32 gen;
	__u32 flags;
	struct flow_key key;
	__u64 id; /* the controller's name for the flow; never 0 when active */

	__u32 media;
	__u32 reverse;
	struct ssrc_map peer;
	__u16 peer_seq_offset;
	__u16 pad;
	__u32 pad2;
	struct egress egress[2];

	struct pt_map pts[TANDEM_MAX_PTS];
};

/* The link-layer way to an egress address, as found and kept for a short time. */
struct nexthop {
	__u64 expires_ns;
	__u32 ifindex;
	__u16 mtu;	/* L3 bytes; 0: unknown */
	__u16 vlan_tci; /* 0: untagged */
	__u8 dmac[6];
	__u8 smac[6];
	__u32 gen; /* of the rule it was found for */
};

/*
 * One SSRC inside a flow: RFC 3550 A.1 sequence state, A.3 loss, A.8 jitter, and
 * what RTCP says of it. Times are nanoseconds of the monotonic clock.
 *
 * Cumulative loss is lost_prior plus the expected packets since base_seq
 * minus the distinct ones received since then. A duplicate is recognised
 * within the last 64 sequence numbers.
 */
struct stream {
	__u64 flow_id; /* the flow this entry belongs to; 0: the entry is free */
	__u32 ssrc;
	__u16 max_seq;
	__u8 pt;
	__u8 flags;
	__u32 cycles;	/* sequence wraps, shifted left by 16 */
	__u32 base_seq; /* first sequence number since start or restart */
	__u32 bad_seq;	/* last "bad" sequence number + 1, or 0x10001 */
	__u32 received; /* distinct packets since base_seq */
	__u64 window;	/* bit n: max_seq - n has been received */
	__u64 last_ns;
	__u32 last_ts;
	__u32 clock_hz;
	__u64 jitter_ns; /* A.8 estimate, scaled by 16 */

	__u64 packets;
	__u64 octets; /* RTP payload octets, padding excluded */
	__u64 first_ns;
	__u32 lost_prior; /* lost before the last restart of the sequence */
	__u32 gaps;	  /* times that one or more packets were missing */
	__u32 reordered;
	__u32 duplicates;
	__u32 restarts;
	__u32 jitter_max_ns;

	__u32 sr_lsr[2]; /* middle 32 bits of the NTP time of the last two SRs */
	__u64 sr_ns[2];	 /* when they passed the relay */
	__u32 sr_count;
	__u32 rr_count;	 /* report blocks seen about this stream */
	__s32 rr_lost;	 /* cumulative loss that the receiver reports */
	__u32 rr_jitter; /* in RTP timestamp units, as reported */
	__u32 rtt_ns;	 /* relay to receiver and back; 0: not known */
	__u32 rtt_min_ns;
	__u32 rtt_max_ns;
	__u8 rr_fraction; /* fraction lost, of 256 */
	__u8 bye;	  /* 1 after an RTCP BYE */
	__u8 pad[2];
	__u64 ns_per_tick; /* of the clock, scaled by 2^16 */
	__u64 reserved[2]; /* keeps entries on whole cache lines */
};

/* The live state of a flow. stream holds its first SSRC; others go to a table. */
struct flow {
	struct nexthop nexthop;
	__u64 last_ns;
	__u64 packets; /* forwarded, RTP and RTCP */
	__u64 octets;  /* forwarded, UDP payload */
	__u64 rtcp_packets;

	struct stream stream;

	__u64 dropped;	      /* dropped for any reason but the next */
	__u64 unknown_source; /* on this port from any other source */
	__u64 punted;
	__u32 extra_streams;   /* SSRCs that went to the table */
	__u32 last_reason;     /* of the last punt or drop: enum reason */
	__u8 unknown_addr[16]; /* the last unknown source */
	__be16 unknown_port;
	__u8 pad[6];
	__u64 reserved[1];
};

/* Key of the table that holds the second and later SSRCs of a flow. */
struct stream_key {
	__u32 slot;
	__u32 ssrc;
};

/* What the packet path needs to know of the relay as a whole. */
struct relay_config {
	__u32 abi_version;
	__u32 slots; /* length of the rule and flow arrays */
	__u32 locals_count;
	__u16 port_base; /* host byte order */
	__u16 pad;
	__u32 port_count;
	__u32 pad2;
	__u64 nexthop_age_ns; /* how long a next hop may be kept */
	struct ip_addr locals[TANDEM_MAX_LOCALS];
};

enum reason {
#define REASON(name, kind, help) REASON_##name,
#include "core/counters.def"
#undef REASON
	REASON_COUNT
};

/* What the pipeline says is to be done with a packet. */
enum verdict {
	VERDICT_FORWARD,
	VERDICT_DROP,
	VERDICT_PUNT,
};

struct reason_counters {
	__u64 packets[REASON_COUNT];
};

_Static_assert(sizeof(struct flow_key) == 40, "flow_key is ABI");
_Static_assert(sizeof(struct egress) == 56, "egress is ABI");
_Static_assert(sizeof(struct rule) == 256, "rule is ABI");
_Static_assert(sizeof(struct nexthop) == 32, "nexthop is ABI");
_Static_assert(sizeof(struct stream) == 192, "stream is ABI");
_Static_assert(sizeof(struct flow) == 320, "flow is ABI");
_Static_assert(sizeof(struct relay_config) == 288, "relay_config is ABI");

#endif
