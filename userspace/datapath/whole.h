/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules and live state in one piece. In the arrays of core/abi.h what each packet reads lies
 * apart from what is read seldom, and addresses of the relay are indices; the controller
 * has no need for that. A rule is split when it is written, and the halves of live state are
 * joined when they are read. Fields that are not explained here are those of core/abi.h.
 */
#ifndef TANDEM_DATAPATH_WHOLE_H
#define TANDEM_DATAPATH_WHOLE_H

#include "core/abi.h"

/* struct egress, with the address that it sends from. */
struct tandem_egress {
	struct ip_addr local;
	struct ip_addr remote;
	__be16 local_port;
	__be16 remote_port;
	__u16 flags;
	__u16 seq_offset;
	__u32 ts_offset;
	struct ssrc_map ssrc;
	__u8 dscp;
	__u8 ttl;
	__u8 to_alaw;
	__u8 to_ulaw;
	__u8 pt_out[TANDEM_MAX_PTS];
	__u32 acts;
	__u8 act_rest;
	__u8 pad[3];
};

/* struct leg. */
struct tandem_leg_spec {
	struct tandem_egress egress;
	__u8 ext_id[TANDEM_EXT_IDS];
};

#define EGRESS_RTP  0
#define EGRESS_RTCP 1

/* struct rule and rule_more. key.local is the group, where it is one. */
struct tandem_rule {
	__u32 gen;
	__u32 flags;
	struct flow_key key;
	__u64 id;
	__u32 fan;
	struct tandem_egress egress[2];
	struct pt_list pts;
	__u32 media;
	__u32 reverse;
	struct ssrc_map peer;
	__u16 peer_seq_offset;
};

/* struct stream and stream_more. */
struct tandem_stream {
	__u64 flow_id; /* 0: there is none */
	__u32 ssrc;
	__u16 max_seq;
	__u8 pt;
	__u32 cycles;
	__u32 base_seq;
	__u32 received;
	__u64 window;
	__u64 last_ns;
	__u64 jitter_ns;
	__u32 last_ts;
	__u32 clock_hz;
	__u64 packets;
	__u64 octets;
	__u32 jitter_max_ns;
	__u32 lost_prior;
	__u64 first_ns;
	__u32 gaps;
	__u32 reordered;
	__u32 duplicates;
	__u32 restarts;
	__u32 sr_lsr[2];
	__u64 sr_ns[2];
	__u32 sr_count;
	__u32 rr_count;
	__s32 rr_lost;
	__u32 rr_jitter;
	__u32 rtt_ns;
	__u32 rtt_min_ns;
	__u32 rtt_max_ns;
	__u8 rr_fraction;
	__u8 bye;
};

/* struct flow and flow_more, but for the next hop. */
struct tandem_flow_state {
	__u64 last_ns;
	__u64 packets;
	__u64 octets;
	__u64 rtcp_packets;
	struct tandem_stream stream; /* the first; flow_id 0: there is none */
	__u64 dropped;
	__u64 unknown_source;
	__u64 punted;
	__u32 extra_streams;
	__u32 last_reason;
	__u32 no_room;
	__u8 unknown_addr[16];
	__be16 unknown_port;
};

/* Index of an address among those of the relay, or TANDEM_NO_LOCAL. */
__u8 tandem_local_index(const struct relay_config *relay, const struct ip_addr *ip);

/*
 * An egress as packets see it. -EADDRNOTAVAIL: it is active, and sends from an address that
 * is none of the relay's.
 */
int tandem_egress_split(const struct relay_config *relay, const struct tandem_egress *from,
			struct egress *to);
void tandem_egress_join(const struct relay_config *relay, const struct egress *from,
			struct tandem_egress *to);

/* -EADDRNOTAVAIL also when its key is for no address of the relay's, unless it is inactive. */
int tandem_rule_split(const struct relay_config *relay, const struct tandem_rule *from,
		      struct rule *rule, struct rule_more *more);
void tandem_rule_join(const struct relay_config *relay, const struct rule *rule,
		      const struct rule_more *more, struct tandem_rule *to);

void tandem_stream_whole(const struct stream *s, const struct stream_more *more,
			 struct tandem_stream *to);
void tandem_flow_whole(const struct flow *flow, const struct flow_more *more,
		       struct tandem_flow_state *to);

#endif
