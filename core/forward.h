/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pipeline, from a packet to a verdict:
 *
 *   parse > classify > look up > validate > SSRC demux > SRTP keys, replay > next hop >
 *   resize > authenticate, decipher > account > translate > protect > rewrite > count
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

#include "core/nexthop.h"
#include "core/plan.h"
#include "core/rewrite.h"
#include "core/stream.h"
#include "core/tap.h"
#include "core/verdict.h"

/* RTP statistics, where there is room for them. */
static inline void account_rtp(struct env *env, const struct plan *plan)
{
	struct flow *flow = plan->flow;
	struct stream_at at;

	if (!flow)
		return;
	if (!plan->clock_hz)
		env_count(env, REASON_unknown_payload_type);
	if (!stream_get(env, flow, plan->slot, plan->flow_id, plan->rtp.ssrc, &at)) {
		env_count(env, REASON_stream_table_full);
		return;
	}
	env_stream_account(env, at, &plan->rtp, plan->clock_hz, plan->now);
	/* What plan_payload_type() need not look up again. */
	if (at.s == &flow->stream && flow->nexthop.gen == plan->gen)
		at.s->pt_index = !plan->clock_hz || at.s->clock_hz == plan->clock_hz
					 ? plan->pt_index
					 : PT_INDEX_UNKNOWN;
}

/* Read RTCP, and translate it if mode says so. */
static inline enum reason commit_rtcp(struct env *env, struct plan *plan, void *payload,
				      const void *end, __u32 len, __u32 mode, __u64 *delta)
{
	struct rtcp_job *job = env_rtcp_job(env);
	enum reason reason;

	if (!job || plan->flags & RULE_F_SRTP) {
		env_count(env, REASON_rtcp_unread);
		return REASON_forwarded_rtcp;
	}
	job->now = plan->now;
	job->mode = mode;
	reason = env_rtcp_walk(env, job, payload, end, len);
	*delta = job->delta;
	return reason == REASON_NONE ? REASON_forwarded_rtcp : reason;
}

/* Account for a plain packet with one egress, and translate it. */
static inline enum reason commit_clear(struct env *env, struct plan *plan, void *payload,
				       const void *end, __u64 *delta)
{
	if (plan->class == CLASS_DTLS)
		return REASON_forwarded_dtls;
	if (plan->class == CLASS_RTCP)
		return commit_rtcp(env, plan, payload, end, plan->len,
				   RTCP_ACCOUNT | RTCP_TRANSLATE, delta);
	account_rtp(env, plan);
	env_rtp_translate(env, payload, end, plan->egress, plan->leg, &plan->rtp, plan->pt_index,
			  delta);
	return REASON_forwarded_rtp;
}

/*
 * Account for a packet with one egress, and make it what leaves; from here on there is no
 * punt. It has len bytes, and then plan->len, up to end there is room for plan->tail more.
 * *delta is the checksum delta of the payload. Returns the reason to count it with.
 */
static inline enum reason relay_commit(struct env *env, struct plan *plan, void *payload,
				       const void *end, __u32 len, __u64 *delta)
{
	const int changes = protect_changes(env, plan);
	enum reason reason = REASON_NONE, sealed;
	__u16 before = 0;

	*delta = 0;
	plan->len = (__u16)len;
	if (changes)
		before = csum_fold16(env_sum(env, payload, end, len));
	if (protect_opens(env, plan))
		reason = protect_open(env, plan, payload, end);
	if (reason != REASON_NONE)
		return reason;
	tap_clear(env, plan, payload);
	reason = commit_clear(env, plan, payload, end, delta);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return reason;
	sealed = protect_seals(env, plan) ? protect_seal(env, plan, plan->egress, payload, end)
					  : REASON_NONE;
	if (sealed != REASON_NONE)
		return sealed;
	if (changes)
		*delta = (__u16)~before + env_sum(env, payload, end, plan->len);
	return reason;
}

/*
 * Same for one with many: each copy is translated and protected on its own, later. *delta is
 * that between what came and the plain packet of plan->len bytes.
 */
static inline enum reason relay_commit_many(struct env *env, struct plan *plan, void *payload,
					    const void *end, __u32 len, __u64 *delta)
{
	const int changes = protect_changes(env, plan);
	enum reason reason = REASON_NONE;
	__u16 before = 0;
	__u64 ignored;

	*delta = 0;
	plan->len = (__u16)len;
	if (changes)
		before = csum_fold16(env_sum(env, payload, end, len));
	if (protect_opens(env, plan))
		reason = protect_open(env, plan, payload, end);
	if (reason != REASON_NONE)
		return reason;
	tap_clear(env, plan, payload);
	if (changes)
		*delta = (__u16)~before + env_sum(env, payload, end, plan->len);
	if (plan->class == CLASS_RTCP)
		return commit_rtcp(env, plan, payload, end, plan->len, RTCP_ACCOUNT, &ignored);
	account_rtp(env, plan);
	return REASON_forwarded_rtp;
}

/* One that ends here by the rule: it counts in the statistics, if it is authentic. */
static inline enum reason relay_commit_muted(struct env *env, struct plan *plan, void *payload,
					     const void *end, __u32 len)
{
	enum reason reason = REASON_NONE;

	plan->len = (__u16)len;
	if (protect_opens(env, plan))
		reason = protect_open(env, plan, payload, end);
	if (reason != REASON_NONE)
		return reason;
	account_rtp(env, plan);
	return plan_blocked(plan) ? REASON_blocked : REASON_muted;
}

/* Count a packet that ends here or is punted. */
static inline void relay_count_end(struct env *env, const struct plan *plan, enum reason reason)
{
	struct flow_more *more = env_flow_more(env, plan->slot);

	if (!more)
		return;
	more->last_reason = reason;
	if (reason == REASON_unknown_source)
		more->unknown_source++;
	else if (reason_verdict(reason) == VERDICT_PUNT)
		more->punted++;
	else
		more->dropped++;
	if (reason == REASON_srtp_no_room)
		more->no_room++;
}

/* Count the packet, once, whatever became of it. Returns reason. */
static inline enum reason relay_count(struct env *env, struct plan *plan, enum reason reason,
				      __u32 len)
{
	struct flow *flow = plan->flow;
	struct flow_more *more;

	env_count(env, reason);
	if (!flow)
		return reason;
	if (reason_verdict(reason) != VERDICT_FORWARD) {
		relay_count_end(env, plan, reason);
		tap_end(env, plan, reason);
		return reason;
	}
	flow->packets++;
	flow->octets += len;
	flow->last_ns = plan->now;
	more = reason == REASON_forwarded_rtcp ? env_flow_more(env, plan->slot) : 0;
	if (more)
		more->rtcp_packets++;
	return reason;
}

/* The one leg of a packet that has just been sent. */
static inline void relay_count_leg(struct env *env, const struct plan *plan, __u32 len)
{
	struct leg_state *state;

	if (plan->legs != 1)
		return;
	state = env_leg_state(env, plan->egress->state);
	if (!state)
		return;
	state->packets++;
	state->octets += len;
}

/* Is there a way for every copy? Then account for the packet; the copies are made by others. */
static inline enum reason relay_parsed_many(struct env *env, struct frame *f, struct plan *plan)
{
	const struct fan_job job = {
		.now = plan->now,
		.first = plan->leg,
		.legs = plan->legs,
		.gen = plan_way_gen(plan),
		.fan = plan->fan,
		.branch = plan->branch,
		.ip6 = f->v6,
	};
	char *data = env_data(env);
	enum reason reason;
	__u64 delta;

	reason = rewrite_possible(env, f, plan->legs_ip6);
	if (reason == REASON_NONE)
		reason = fan_ready(env, &job, f->payload_len);
	if (reason != REASON_NONE)
		return reason;
	reason = relay_commit_many(env, plan,
				   data + (f->udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr),
				   env_data_end(env), f->payload_len, &delta);
	if (reason_verdict(reason) == VERDICT_FORWARD && protect_changes(env, plan) &&
	    rewrite_shorten(env, f, plan->len, delta) != REASON_NONE)
		return REASON_bad_header;
	return reason;
}

/* Steps behind the plan, for a frame with one egress. */
static inline enum reason relay_parsed_one(struct env *env, const struct frame *f,
					   struct plan *plan, __u32 *ifindex)
{
	struct layout out;
	enum reason reason;
	struct hop hop;
	__u64 delta;

	reason = rewrite_possible(env, f, !ip_addr_is_v4(&plan->egress->remote));
	if (reason != REASON_NONE)
		return reason;
	reason = nexthop_get(env, plan->egress, plan->cache, plan_way_gen(plan),
			     egress_l3_len(plan->len, plan->egress), plan->now, &hop);
	if (reason != REASON_NONE)
		return reason;
	reason = rewrite_resize(env, f, plan->egress, &hop, plan->tail, &out);
	if (reason != REASON_NONE)
		return reason;

	reason = relay_commit(env, plan,
			      (char *)env_data(env) + (out.udp_off & UDP_OFF_MASK) +
				      sizeof(struct udp_hdr),
			      env_data_end(env), f->payload_len, &delta);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return reason;
	*ifindex = hop.ifindex;
	if (env_rewrite_frame(env, f, plan->egress, &hop, &out, plan->len, delta) != REASON_NONE)
		return REASON_bad_header;
	if (protect_changes(env, plan))
		rewrite_trim(env, out.udp_off, plan->len);
	if (plan->egress->flags & EGRESS_F_EXT && !plan_legs_settled(env, plan))
		return REASON_rule_changed;
	tap_out(env, plan, plan->egress,
		(char *)env_data(env) + (out.udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr));
	relay_count_leg(env, plan, plan->len);
	return reason;
}

static inline void *frame_payload(struct env *env, const struct frame *f)
{
	return (char *)env_data(env) + (f->udp_off & UDP_OFF_MASK) + sizeof(struct udp_hdr);
}

/* Steps of relay_frame() behind parsing. */
static inline enum reason relay_parsed(struct env *env, struct frame *f, struct plan *plan,
				       __u32 *ifindex)
{
	enum reason reason;

	reason = relay_decide(env, &f->key, frame_payload(env, f), env_data_end(env),
			      f->payload_len, plan);
	if (reason != REASON_NONE)
		return reason;
	plan->now = env_now(env);
	tap_in(env, plan, frame_payload(env, f), f->payload_len);
	if (plan_muted(plan))
		return relay_commit_muted(env, plan, frame_payload(env, f), env_data_end(env),
					  f->payload_len);
	return plan_many(plan) ? relay_parsed_many(env, f, plan)
			       : relay_parsed_one(env, f, plan, ifindex);
}

/*
 * relay_frame() but for the packet being counted, which relay_count() does. Where that is put
 * off, a packet that is punted may be taken through the pipeline once more, by another
 * environment.
 */
static inline enum reason relay_frame_uncounted(struct env *env, struct frame *f, struct plan *plan,
						__u32 *ifindex)
{
	enum reason reason;

	plan->flow = 0;
	plan->now = 0;
	plan->legs = 0;
	f->payload_len = 0;
	reason = parse_frame(env, f);
	f->came_len = f->payload_len;
	return reason == REASON_NONE ? relay_parsed(env, f, plan, ifindex) : reason;
}

/*
 * Take the frame in env through the whole pipeline. What is to be done with it is
 * reason_verdict() of the reason returned: drop; punt (the frame is as it came); forward:
 * the frame is rewritten and goes to *ifindex; or, if plan_many(plan), it is as it came,
 * but in the clear, and the environment sends a copy for each leg, made by relay_copy().
 * Everything is counted. f and plan are filled in.
 */
static inline enum reason relay_frame(struct env *env, struct frame *f, struct plan *plan,
				      __u32 *ifindex)
{
	enum reason reason = relay_frame_uncounted(env, f, plan, ifindex);

	return relay_count(env, plan, reason, f->came_len);
}

/*
 * Same for a datagram as it came from a socket: len bytes at payload, with room for
 * SRTP_TRAILER_MAX more behind them, and key its exact 5-tuple (pad 0). On a forward verdict
 * with one egress the payload has been changed in place, and has plan->len bytes: send it as
 * plan->egress says, with egress_tos() of the TOS it came with; should that fail, say so with
 * relay_send_failed(). With plan_many(plan), make the copies by relay_copy_datagram(). On a
 * punt plan->slot is the port's, if plan->flow is set; reasons up to not_media_port have none.
 */
static inline enum reason relay_datagram(struct env *env, const struct flow_key *key, void *payload,
					 __u32 len, struct plan *plan)
{
	const char *end = (const char *)payload + len;
	enum reason reason;
	__u64 delta;

	plan->now = env_now(env);
	reason = relay_decide(env, key, payload, end, len, plan);
	if (reason == REASON_NONE)
		tap_in(env, plan, payload, len);
	if (reason == REASON_NONE && plan_muted(plan)) {
		reason = relay_commit_muted(env, plan, payload, end, len);
	} else if (reason == REASON_NONE && plan_many(plan)) {
		reason = relay_commit_many(env, plan, payload, end, len, &delta);
	} else if (reason == REASON_NONE) {
		reason = relay_commit(env, plan, payload, end + plan->tail, len, &delta);
		if (reason_verdict(reason) == VERDICT_FORWARD) {
			tap_out(env, plan, plan->egress, payload);
			relay_count_leg(env, plan, plan->len);
		}
	}
	return relay_count(env, plan, reason, len);
}

/* Likewise, of what the leg with this state got. */
static inline void leg_send_failed(struct env *env, __u32 index)
{
	struct leg_state *state = env_leg_state(env, index);

	if (!state)
		return;
	state->lost++;
	state->last_reason = REASON_send_failed;
}

/* A datagram counted as forwarded could not be sent after all. */
static inline void relay_send_failed(struct env *env, const struct plan *plan)
{
	struct flow_more *more = plan->flow ? env_flow_more(env, plan->slot) : 0;

	env_count(env, REASON_send_failed);
	if (plan->legs == 1)
		leg_send_failed(env, plan->egress->state);
	if (!more)
		return;
	more->dropped++;
	more->last_reason = REASON_send_failed;
}

#endif
