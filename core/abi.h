/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the controller and every datapath agree on: flat, fixed-width, no
 * pointers. References between flows are slot numbers. A change here changes
 * TANDEM_ABI_VERSION, because pinned maps outlive the program that made them.
 *
 * Three arrays of equal length hold all there is to know of a flow, all indexed by its
 * slot. struct entry is all that an RTP packet of an established one-to-one flow touches: a
 * packet waits for memory longer than it computes, so this is four cache lines of one page,
 * which can be asked for at once. Its rule is written by the controller and only read by the
 * packet path; its flow is the live state, written by the packet path. What is needed less
 * often is in struct rule_more and struct flow_more, written by the same two.
 * The first locals_count * port_count slots belong to the media ports, one
 * each, so that a packet finds its slot by arithmetic. The slots behind them
 * are for further flows on a port that several remotes share, and for flows that
 * arrive on a multicast group; those are found through a hash of the 5-tuple.
 *
 * A flow that is more than one-to-one has a struct fan besides, which names ranges
 * of the array of legs. struct leg and struct fan are written by the controller, before
 * a rule leads to them and never while one does: a change is another fan, with other legs.
 * The one before stays as it is until its place is wanted, so that copies under way are
 * made as they were meant to be; its own gen tells when that was too long. struct leg_state
 * and struct fan_state are written by the packet path; a leg that stays keeps its state.
 */
#ifndef TANDEM_CORE_ABI_H
#define TANDEM_CORE_ABI_H

#include <linux/types.h>

#include "core/srtp_abi.h"

#define TANDEM_ABI_VERSION  6
#define TANDEM_MAX_LOCALS   16
#define TANDEM_MAX_PTS	    8
#define TANDEM_MAX_BRANCHES 16
#define TANDEM_MAX_LEGS	    256 /* of one branch; a datapath may take fewer */
#define TANDEM_EXT_IDS	    64	/* header extension ids that can be mapped: 1 to 63 */
#define TANDEM_NO_SLOT	    0xffffffffU
#define TANDEM_NO_LOCAL	    0xff

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
	EGRESS_F_PT = 1 << 4,	  /* pts.pt[i] of the rule becomes pt_out[i] */
	EGRESS_F_DSCP = 1 << 5,	  /* dscp is set; else the packet's own is kept */
	EGRESS_F_EXT = 1 << 6,	  /* of a leg: header extension ids are mapped by ext_id */
	EGRESS_F_ACTS = 1 << 7,	  /* acts and act_rest are looked at */
};

/* What becomes of RTP with a payload type; from ACT_ULAW on, silence of which codec it becomes. */
enum egress_act {
	ACT_PASS,
	ACT_BLOCK, /* accounted, then dropped */
	ACT_ULAW,
	ACT_ALAW,
	ACT_LINEAR, /* L16 (RFC 3551) */
	ACT_G722,
	ACT_CN, /* comfort noise (RFC 3389) */
	ACT_OPUS,
	ACT_G729,
	ACT_COUNT
};

/*
 * Where and how a copy leaves. When EGRESS_F_SSRC is set, sequence and
 * timestamp offsets apply to that SSRC alone; otherwise to every SSRC.
 *
 * Bit i of to_alaw and to_ulaw: the payload of the rule's pts.pt[i] is G.711 u-law
 * (A-law) and leaves as A-law (u-law). remote may be a multicast group; the copy then
 * leaves by the device that has the local address.
 *
 * With EGRESS_F_ACTS, bits 4i to 4i + 3 of acts are the enum egress_act of pts.pt[i], by what
 * arrives; act_rest is that of every other payload type. RTCP goes on in any case.
 */
struct egress {
	struct ip_addr remote;
	__be16 remote_port;
	__be16 local_port;
	__u16 flags;
	__u16 seq_offset;
	__u32 ts_offset;
	struct ssrc_map ssrc;
	__u8 dscp;
	__u8 ttl; /* TTL or hop limit; 0: 64 */
	__u8 to_alaw;
	__u8 to_ulaw;
	__u8 pt_out[TANDEM_MAX_PTS];
	__u8 local; /* index in relay_config.locals */
	__u8 act_rest;
	__u8 pad[2];
	__u32 srtp;  /* index of the keys to protect with; 0: none */
	__u32 state; /* of a leg: index of its struct leg_state */
	__u32 acts;
};

/* The negotiated payload types and their clocks; clock_hz 0 ends the list. */
struct pt_list {
	__u32 clock_hz[TANDEM_MAX_PTS];
	__u8 pt[TANDEM_MAX_PTS];
};

enum rule_flag {
	RULE_F_ACTIVE = 1 << 0,	   /* the slot is in use */
	RULE_F_SHARED = 1 << 1,	   /* further flows on this port: ask the hash */
	RULE_F_LEARN = 1 << 2,	   /* unknown sources are punted, not dropped */
	RULE_F_STRICT_PT = 1 << 3, /* a payload type not listed is dropped */
	RULE_F_MUTE = 1 << 4,	   /* RTP is counted and dropped; RTCP passes */
	RULE_F_RTCP = 1 << 5,	   /* an RTCP port of its own: no RTP expected */
	RULE_F_SRTP = 1 << 6,	   /* RFC 3711, and it passes: only the first headers are read */
	RULE_F_FAN = 1 << 7,	   /* rule.fan says where RTP goes */
	RULE_F_GROUP = 1 << 8,	   /* key.local is a multicast group (RFC 4607, RFC 1112) */
	RULE_F_ICE = 1 << 9,	   /* STUN on its port is for the controller */
	RULE_F_DTLS = 1 << 10,	   /* DTLS from its source ends here, also with RULE_F_SRTP */
	RULE_F_TAP_IN = 1 << 11,   /* captures get a copy of what arrives, and why it is refused, */
	RULE_F_TAP_OUT = 1 << 12,  /* of what leaves, */
	RULE_F_TAP_CLEAR = 1 << 13, /* of what has arrived, in the clear; see tap_abi.h */
};

#define RULE_F_TAPS (RULE_F_TAP_IN | RULE_F_TAP_OUT | RULE_F_TAP_CLEAR)

/*
 * The rule of one flow: what is read for each RTP packet. Packets come from remote and
 * remote_port, to local_port at the address with the index local; or at a multicast group,
 * with RULE_F_GROUP: then local is TANDEM_NO_LOCAL, rule_more.group the group, remote_port 0
 * stands for any source port, and remote :: for any source (any-source multicast).
 *
 * egress takes RTP. With RULE_F_FAN, RTP goes where the fan says and egress is not looked at.
 *
 * gen guards against a half-written rule, together with its rule_more: odd while the
 * controller writes, never going back while the slot lives, not even when the rule is
 * removed. The packet path reads it first, copies what it needs, and compares again before
 * it acts.
 */
struct rule {
	__u32 gen;
	__u32 flags;
	__u64 id; /* the controller's name for the flow; never 0 when active */
	struct ip_addr remote;
	__be16 remote_port;
	__be16 local_port;
	__u8 local; /* index in relay_config.locals */
	__u8 pad[3];
	__u32 fan;  /* index of the struct fan, with RULE_F_FAN */
	__u32 srtp; /* index of the keys of what arrives; 0: none */
	__u64 reserved[2];

	struct egress egress;
};

/*
 * The rest of a rule: what RTCP reads, and the first packets of a stream.
 *
 * rtcp takes RTCP, on an RTCP-only flow as well as on one with rtcp-mux, unless the flow's
 * fan has a branch for it.
 *
 * media is the slot of the flow whose streams the SRs arriving here describe
 * (the own slot with rtcp-mux), reverse the slot of the RTP flow in the other
 * direction, which the report blocks arriving here describe. peer is the SSRC
 * mapping to undo in those blocks: from is what that stream left with, to what
 * it arrived with; peer_seq_offset is what was added to its sequence numbers.
 */
struct rule_more {
	struct egress rtcp;

	struct pt_list pts;
	__u32 media;
	__u32 reverse;
	struct ssrc_map peer;
	__u16 peer_seq_offset;
	__u16 pad[3];
	struct ip_addr group; /* with RULE_F_GROUP */
};

/*
 * One of many egresses. ext_id[n] is what header extension elements with id n leave
 * with (RFC 8285); 0: the element is removed. Higher ids are left alone.
 */
struct leg {
	struct egress egress;
	__u8 ext_id[TANDEM_EXT_IDS];
};

enum branch_flag {
	BRANCH_F_ANY = 1 << 0,	/* for every SSRC that no other branch names */
	BRANCH_F_RTCP = 1 << 1, /* for RTCP; ssrc is not looked at */
	BRANCH_F_IP6 = 1 << 2,	/* some of its legs send IPv6 */
};

/* What is done with one SSRC: legs first to first + count - 1 get a copy; none: muted. */
struct branch {
	__u32 ssrc; /* host byte order */
	__u32 first;
	__u16 count;
	__u16 flags;
};

/*
 * A flow's SSRC demux. A packet whose SSRC no branch takes is punted. What copies need of
 * the rule stands here as well: by the time that they are made it may be another.
 */
struct fan {
	__u32 branch_count;
	__u32 gen;   /* odd: not in use, or being written */
	__u32 slot;  /* of the rule */
	__u32 flags; /* enum rule_flag */
	struct branch branch[TANDEM_MAX_BRANCHES];
	__u64 id; /* of the rule */
	struct pt_list pts;
};

/* The link-layer way to an egress address, as found and kept for a short time. */
struct nexthop {
	__u64 expires_ns;
	__u32 ifindex;
	__u16 mtu;	/* L3 bytes; 0: unknown */
	__u16 vlan_tci; /* 0: untagged */
	__u8 dmac[6];
	__u8 smac[6];
	__u32 gen; /* plan_way_gen() of what it was found for */
};

/*
 * One SSRC inside a flow: RFC 3550 A.1 sequence state, A.3 loss, A.8 jitter, and in its
 * stream_more what RTCP says of it. Times are nanoseconds of the monotonic clock. Here is
 * what is touched for each packet in sequence.
 *
 * Cumulative loss is lost_prior plus the expected packets since base_seq
 * minus the distinct ones received since then. A duplicate is recognised
 * within the last 64 sequence numbers.
 */
struct stream {
	__u32 ssrc;
	__u16 max_seq;
	__u16 bad_seq; /* last "bad" sequence number + 1, */
	__u8 bad;      /* if there is one */
	__u8 pt;
	__u8 pt_index; /* of pt in the rule's pts, or PT_INDEX_UNKNOWN; of a flow's first SSRC */
	__u8 pad;
	__u32 received; /* distinct packets since base_seq */
	__u64 window;	/* bit n: max_seq - n has been received */
	__u64 last_ns;
	__u64 jitter_ns; /* A.8 estimate, scaled by 16 */
	__u32 jitter_max_ns;
	__u32 last_ts;
	__u32 ns_per_tick; /* of the clock, scaled by 2^12 */
	__u32 clock_hz;
	__u64 packets; /* 0: there is none yet, and ssrc means nothing */
	__u64 octets;  /* RTP payload octets, padding excluded */
};

#define PT_INDEX_UNKNOWN 0xff

struct stream_more {
	__u64 flow_id; /* the flow that this is of; 0: none */
	__u64 first_ns;
	__u32 cycles;	  /* sequence wraps, shifted left by 16 */
	__u32 base_seq;	  /* first sequence number since start or restart */
	__u32 lost_prior; /* lost before the last restart of the sequence */
	__u32 gaps;	  /* times that one or more packets were missing */
	__u32 reordered;
	__u32 duplicates;
	__u32 restarts;

	__u32 sr_lsr[2]; /* middle 32 bits of the NTP time of the last two SRs */
	__u32 sr_count;
	__u64 sr_ns[2];	 /* when they passed the relay */
	__u32 rr_count;	 /* report blocks seen about this stream */
	__s32 rr_lost;	 /* cumulative loss that the receiver reports */
	__u32 rr_jitter; /* in RTP timestamp units, as reported */
	__u32 rtt_ns;	 /* relay to receiver and back; 0: not known */
	__u32 rtt_min_ns;
	__u32 rtt_max_ns;
	__u8 rr_fraction; /* fraction lost, of 256 */
	__u8 bye;	  /* 1 after an RTCP BYE */
	__u8 pad[6];
};

/*
 * The live state of a flow: what is written for each RTP packet. stream is its first SSRC;
 * others go to a table. What is kept under nexthop.gen is the way as well as the stream's
 * pt_index.
 */
struct flow {
	struct nexthop nexthop;
	__u64 last_ns;
	__u64 packets; /* forwarded, RTP and RTCP; one, whatever the number of copies */
	__u64 octets;  /* forwarded, UDP payload */

	struct stream stream;
};

/* The rest of it. */
struct flow_more {
	struct stream_more stream;

	__u64 rtcp_packets;
	__u64 dropped;	      /* dropped for any reason but the next */
	__u64 unknown_source; /* on this port from any other source */
	__u64 punted;
	__u32 extra_streams;   /* SSRCs that went to the table */
	__u32 last_reason;     /* of the last punt or drop: enum reason */
	__u8 unknown_addr[16]; /* the last unknown source */
	__be16 unknown_port;
	__u8 pad[2];
	__u32 no_room; /* of those dropped: for want of room under a key of SRTP */
};

/* All that an RTP packet of an established one-to-one flow touches. */
struct entry {
	struct rule rule;
	struct flow flow;
};

/* An SSRC that is not its flow's first. */
struct extra_stream {
	struct stream stream;
	struct stream_more more;
};

/* The live state of a leg. */
struct leg_state {
	struct nexthop nexthop; /* ifindex 0: there was no way when last asked */
	__u64 packets;		/* copies sent */
	__u64 octets;		/* of UDP payload */
	__u64 lost;		/* copies that could not be sent */
	__u32 last_reason;	/* of the last lost one: enum reason */
	__u32 id;		/* the controller's name for the leg */
};

/* The ways of all legs of a branch together, as last asked for. Frames only. */
struct branch_state {
	__u64 expires_ns;
	__u64 waiting_ns; /* since when some leg has had no way; 0: all have one */
	__u32 gen;	  /* plan_way_gen() */
	__u32 ifindex;	  /* by which all copies leave; 0: by several */
	__u32 payload_max;
	__u32 failed; /* why packets are to be punted; REASON_COUNT: they are not */
};

struct fan_state {
	struct branch_state branch[TANDEM_MAX_BRANCHES];
};

/* Key of the table that holds the second and later SSRCs of a flow. */
struct stream_key {
	__u32 slot;
	__u32 ssrc;
};

/* What the packet path needs to know of the relay as a whole. */
struct relay_config {
	__u32 abi_version;
	__u32 slots; /* length of the arrays of flows */
	__u32 fans;  /* of the fan arrays */
	__u32 legs;  /* of the leg arrays */
	__u32 locals_count;
	__u16 port_base; /* host byte order */
	__u16 pad;
	__u32 port_count;
	__u32 srtps;	    /* of the array of SRTP keys */
	__u32 srtp_streams; /* of the array of SRTP streams */
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
_Static_assert(sizeof(struct egress) == 64, "egress is ABI");
_Static_assert(sizeof(struct rule) == 128, "rule is ABI");
_Static_assert(sizeof(struct rule_more) == 144, "rule_more is ABI");
_Static_assert(sizeof(struct leg) == 128, "leg is ABI");
_Static_assert(sizeof(struct fan) == 256, "fan is ABI");
_Static_assert(sizeof(struct nexthop) == 32, "nexthop is ABI");
_Static_assert(sizeof(struct stream) == 72, "stream is ABI");
_Static_assert(sizeof(struct flow) == 128, "flow is ABI");
_Static_assert(sizeof(struct flow_more) == 168, "flow_more is ABI");
_Static_assert(sizeof(struct entry) == 256, "entry is ABI");
_Static_assert(sizeof(struct extra_stream) == 176, "extra_stream is ABI");
_Static_assert(sizeof(struct leg_state) == 64, "leg_state is ABI");
_Static_assert(sizeof(struct fan_state) == 512, "fan_state is ABI");
_Static_assert(sizeof(struct relay_config) == 304, "relay_config is ABI");

#endif
