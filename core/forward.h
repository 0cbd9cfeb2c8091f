/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pipeline, from a packet to a verdict:
 *
 *   parse > classify > look up > validate > next hop > resize >
 *   account > translate > rewrite > count
 *
 * Everything that can end in a punt stands before the first change to packet or
 * statistics: a punted packet is as it came, and whoever forwards it instead
 * accounts for it. Statistics never decide over forwarding.
 *
 * relay_frame() takes whole frames, relay_datagram() the payload of a UDP socket. What
 * they share is in relay_decide() and relay_commit().
 */
#ifndef TANDEM_CORE_FORWARD_H
#define TANDEM_CORE_FORWARD_H

#include "core/classify.h"
#include "core/env_api.h"
#include "core/lookup.h"
#include "core/nexthop.h"
#include "core/parse.h"
#include "core/rewrite.h"
#include "core/rtcp.h"
#include "core/rtp.h"
#include "core/stream.h"
#include "core/translate.h"
#include "core/verdict.h"

/*
 * What is to be done with one packet: a copy of all that is needed of its rule, which
 * the controller may change at any moment.
 */
struct plan {
	struct flow *flow; /* that the packet counts for; NULL: none */
	__u64 now;
	__u64 flow_id;
	__u32 slot;  /* of flow */
	__u32 flags; /* enum rule_flag */
	__u32 gen;
	__u32 clock_hz; /* of the payload type; 0: not negotiated */
	struct egress egress;
	union {
		struct rtp_info rtp;
		struct rtcp_job rtcp; /* of RTCP */
	};
	__u8 class; /* enum packet_class: RTP, RTCP, or DTLS that passes end to end */
	__u8 pt_out;
	__u8 cache_hop; /* the flow's cached next hop is the way to this egress */
};

static inline void plan_copy_rtcp(struct plan *plan, const struct rule *rule)
{
	const struct egress *rtp = &rule->egress[EGRESS_RTP];
	const struct egress *rtcp = &rule->egress[EGRESS_RTCP];

	plan->egress = *rtcp;
	plan->cache_hop = !(rtp->flags & EGRESS_F_ACTIVE) ||
			  ip_addr_equal(&rtp->remote, &rtcp->remote);
	__builtin_memset(&plan->rtcp, 0, sizeof(plan->rtcp));
	plan->rtcp.flags = rtcp->flags;
	plan->rtcp.own = rtcp->ssrc;
	plan->rtcp.ts_offset = rtcp->ts_offset;
	plan->rtcp.media = rule->media;
	plan->rtcp.reverse = rule->reverse;
	plan->rtcp.peer = rule->peer;
	plan->rtcp.peer_seq_offset = rule->peer_seq_offset;
}

/* Clock and outgoing number of the payload type; both stay as they are if unknown. */
static inline void plan_copy_rtp(struct plan *plan, const struct rule *rule)
{
	__u32 i;

	plan->egress = rule->egress[EGRESS_RTP];
	plan->cache_hop = 1;
	plan->clock_hz = 0;
	plan->pt_out = plan->rtp.pt;
	for (i = 0; i < TANDEM_MAX_PTS && rule->pts[i].clock_hz; i++) {
		if (rule->pts[i].pt != plan->rtp.pt)
			continue;
		plan->clock_hz = rule->pts[i].clock_hz;
		plan->pt_out = rule->pts[i].pt_out & RTP_PT_MASK;
		break;
	}
}

/* A handshake between the two ends (RFC 5764): it goes where the flow's media goes. */
static inline enum reason plan_copy_dtls(struct plan *plan, const struct rule *rule)
{
	plan->egress = rule->egress[plan->flags & RULE_F_RTCP ? EGRESS_RTCP : EGRESS_RTP];
	plan->cache_hop = 1;
	return plan->egress.flags & EGRESS_F_ACTIVE ? REASON_NONE : REASON_dtls;
}

/* An unexpected source on a media port: note who. */
static inline enum reason unknown_source(struct plan *plan, const struct flow_key *key)
{
	struct flow *flow = plan->flow;

	if (flow) {
		__builtin_memcpy(flow->unknown_addr, &key->remote, sizeof(flow->unknown_addr));
		flow->unknown_port = key->remote_port;
	}
	return plan->flags & RULE_F_LEARN ? REASON_learning : REASON_unknown_source;
}

/* RTP, RTCP or DTLS of a known source: check its headers and copy what the rule says of it. */
static inline enum reason plan_media(struct env *env, struct plan *plan, const struct rule *rule,
				     void *payload, const void *end, __u32 len)
{
	enum reason reason;

	if (plan->class == CLASS_DTLS)
		return plan_copy_dtls(plan, rule);
	if (plan->class == CLASS_RTCP) {
		reason = plan->flags & RULE_F_SRTP ? srtcp_check(payload, end, len)
						   : env_rtcp_check(env, payload, end, len);
		if (reason != REASON_NONE)
			return reason;
		plan_copy_rtcp(plan, rule);
		return plan->egress.flags & EGRESS_F_ACTIVE ? REASON_NONE : REASON_rtcp_refused;
	}

	if (plan->flags & RULE_F_RTCP)
		return REASON_unclassified;
	reason = rtp_parse(payload, end, len, plan->flags & RULE_F_SRTP, &plan->rtp);
	if (reason != REASON_NONE)
		return reason;
	plan_copy_rtp(plan, rule);
	if (!plan->clock_hz && plan->flags & RULE_F_STRICT_PT)
		return REASON_payload_type;
	return REASON_NONE;
}

/*
 * Does a packet of this class end here? STUN does, from any source: ICE decides on it. So
 * does DTLS, but for a handshake that passes end to end, like the SRTP it is for.
 */
static inline enum reason plan_class(const struct plan *plan, const struct rule *rule)
{
	switch (plan->class) {
	case CLASS_STUN:
		return REASON_stun;
	case CLASS_DTLS:
		return rule && plan->flags & RULE_F_SRTP ? REASON_NONE : REASON_dtls;
	case CLASS_OTHER:
		return rule ? REASON_unclassified : REASON_NONE;
	default:
		return REASON_NONE;
	}
}

/* The rule of a packet, with plan made the one for its flow. */
static inline enum reason plan_lookup(struct env *env, const struct flow_key *key,
				      struct plan *plan, const struct rule **rulep)
{
	const struct rule *port_rule, *rule;
	enum reason reason;

	plan->flow = 0;
	reason = port_slot(env, key, &plan->slot);
	if (reason != REASON_NONE)
		return reason;
	port_rule = env_rule(env, plan->slot);
	if (!port_rule)
		return REASON_not_media_port;

	plan->gen = rule_open(port_rule);
	plan->flags = port_rule->flags;
	if (plan->flags & RULE_F_ACTIVE)
		plan->flow = env_flow(env, plan->slot);
	if (plan->gen & 1)
		return REASON_rule_busy;
	if (!(plan->flags & (RULE_F_ACTIVE | RULE_F_SHARED)))
		return REASON_idle_port;

	rule = rule_find(env, port_rule, key, &plan->slot, &plan->gen);
	*rulep = rule;
	if (!rule && !rule_settled(port_rule, plan->gen))
		return REASON_rule_busy;
	if (rule && rule != port_rule) {
		plan->flags = rule->flags;
		plan->flow = env_flow(env, plan->slot);
	}
	return REASON_NONE;
}

/*
 * Steps up to the copy of the rule: nothing is changed but for the note about an unknown
 * source. REASON_NONE: the plan holds. Any other reason ends the packet; plan->flow is
 * what it counts for.
 */
static inline enum reason relay_decide(struct env *env, const struct flow_key *key, void *payload,
				       const void *end, __u32 len, struct plan *plan)
{
	const struct rule *rule = 0;
	enum reason reason;

	plan->class = classify(payload, end, len);
	reason = plan_lookup(env, key, plan, &rule);
	if (reason == REASON_NONE)
		reason = plan_class(plan, rule);
	if (reason != REASON_NONE)
		return reason;
	if (!rule)
		return unknown_source(plan, key);

	plan->flow_id = rule->id;
	reason = plan_media(env, plan, rule, payload, end, len);
	if (!rule_settled(rule, plan->gen))
		return REASON_rule_busy;
	return reason;
}

/* RTP statistics, where there is room for them. */
static inline void account_rtp(struct env *env, const struct plan *plan)
{
	struct stream *s;

	if (!plan->flow)
		return;
	if (!plan->clock_hz)
		env_count(env, REASON_unknown_payload_type);
	s = stream_get(env, plan->flow, plan->slot, plan->flow_id, plan->rtp.ssrc);
	if (s)
		stream_account(s, &plan->rtp, plan->clock_hz, plan->now);
	else
		env_count(env, REASON_stream_table_full);
}

/* Does the rule let this packet through only as far as the statistics? */
static inline int plan_muted(const struct plan *plan)
{
	return plan->class == CLASS_RTP &&
	       (plan->flags & RULE_F_MUTE || !(plan->egress.flags & EGRESS_F_ACTIVE));
}

static inline enum reason commit_rtcp(struct env *env, struct plan *plan, void *payload,
				      const void *end, __u32 len, __u64 *delta)
{
	enum reason reason;

	if (plan->flags & RULE_F_SRTP) {
		env_count(env, REASON_rtcp_unread);
		return REASON_forwarded_rtcp;
	}
	plan->rtcp.now = plan->now;
	reason = env_rtcp_walk(env, &plan->rtcp, payload, end, len);
	*delta = plan->rtcp.delta;
	return reason == REASON_NONE ? REASON_forwarded_rtcp : reason;
}

/*
 * Account and translate; from here on there is no punt. *delta is the checksum delta of
 * the payload. Returns the reason to count the packet with.
 */
static inline enum reason relay_commit(struct env *env, struct plan *plan, void *payload,
				       const void *end, __u32 len, __u64 *delta)
{
	*delta = 0;
	if (plan->class == CLASS_DTLS)
		return REASON_forwarded_dtls;
	if (plan->class == CLASS_RTCP)
		return commit_rtcp(env, plan, payload, end, len, delta);
	account_rtp(env, plan);
	rtp_translate(payload, end, &plan->egress, plan->pt_out, delta);
	return REASON_forwarded_rtp;
}

/* Count the packet, once, whatever became of it. Returns reason. */
static inline enum reason relay_count(struct env *env, const struct plan *plan, enum reason reason,
				      __u32 len)
{
	struct flow *flow = plan->flow;

	env_count(env, reason);
	if (!flow)
		return reason;
	if (reason_verdict(reason) == VERDICT_FORWARD) {
		flow->packets++;
		flow->octets += len;
		flow->last_ns = plan->now;
		if (reason == REASON_forwarded_rtcp)
			flow->rtcp_packets++;
		return reason;
	}
	flow->last_reason = reason;
	if (reason == REASON_unknown_source)
		flow->unknown_source++;
	else if (reason_verdict(reason) == VERDICT_PUNT)
		flow->punted++;
	else
		flow->dropped++;
	return reason;
}

/* Steps of relay_frame() behind parsing. */
static inline enum reason relay_parsed(struct env *env, const struct frame *f, struct plan *plan,
				       __u32 *ifindex)
{
	char *data = env_data(env);
	struct layout out;
	enum reason reason;
	struct hop hop;
	__u64 delta;

	reason = relay_decide(env, &f->key,
			      data + (f->udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr),
			      env_data_end(env), f->payload_len, plan);
	if (reason != REASON_NONE)
		return reason;
	plan->now = env_now(env);
	if (plan_muted(plan)) {
		account_rtp(env, plan);
		return REASON_muted;
	}

	reason = rewrite_possible(env, f, &plan->egress);
	if (reason != REASON_NONE)
		return reason;
	reason = nexthop_get(env, &plan->egress,
			     plan->cache_hop && plan->flow ? &plan->flow->nexthop : 0, plan->gen,
			     egress_l3_len(f, &plan->egress), plan->now, &hop);
	if (reason != REASON_NONE)
		return reason;
	reason = rewrite_resize(env, f, &plan->egress, &hop, &out);
	if (reason != REASON_NONE)
		return reason;

	data = env_data(env);
	reason = relay_commit(env, plan,
			      data + (out.udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr),
			      env_data_end(env), f->payload_len, &delta);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return reason;
	*ifindex = hop.ifindex;
	if (rewrite_frame(env, f, &plan->egress, &hop, &out, delta) != REASON_NONE)
		return REASON_bad_header;
	return reason;
}

/*
 * Take the frame in env through the whole pipeline. What is to be done with it is
 * reason_verdict() of the reason returned: forward (the frame is rewritten, *ifindex is
 * where it goes), drop, or punt (the frame is as it came). Everything is counted.
 */
static inline enum reason relay_frame(struct env *env, __u32 *ifindex)
{
	struct frame f;
	struct plan plan;
	enum reason reason;

	plan.flow = 0;
	f.payload_len = 0;
	reason = parse_frame(env, &f);
	if (reason == REASON_NONE)
		reason = relay_parsed(env, &f, &plan, ifindex);
	return relay_count(env, &plan, reason, f.payload_len);
}

/*
 * Same for a datagram as it came from a socket: len bytes at payload, changed in place,
 * with key its exact 5-tuple (pad 0). On a forward verdict send it from
 * plan->egress.local to plan->egress.remote, with egress_tos() of the TOS it came with;
 * should that fail, say so with relay_send_failed(). On a punt plan->slot is the port's,
 * if plan->flow is set; reasons up to not_media_port have none.
 */
static inline enum reason relay_datagram(struct env *env, const struct flow_key *key, void *payload,
					 __u32 len, struct plan *plan)
{
	const char *end = (const char *)payload + len;
	enum reason reason;
	__u64 delta;

	plan->now = env_now(env);
	reason = relay_decide(env, key, payload, end, len, plan);
	if (reason == REASON_NONE && plan_muted(plan)) {
		account_rtp(env, plan);
		reason = REASON_muted;
	}
	if (reason == REASON_NONE)
		reason = relay_commit(env, plan, payload, end, len, &delta);
	return relay_count(env, plan, reason, len);
}

/* A datagram counted as forwarded could not be sent after all. */
static inline void relay_send_failed(struct env *env, const struct plan *plan)
{
	env_count(env, REASON_send_failed);
	if (!plan->flow)
		return;
	plan->flow->dropped++;
	plan->flow->last_reason = REASON_send_failed;
}

#endif
