/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Accounting of one SSRC: sequence numbers (RFC 3550 A.1), loss (A.3), jitter (A.8).
 *
 * A.1 keeps a new source on probation until two packets came in sequence. Here every
 * packet counts from the very first: the flow's exact source is the proof
 * that A.1 looks for, and forwarding never waits for statistics.
 *
 * State is changed without locks or atomics. The NIC's hash (RSS) keeps a 5-tuple
 * on one CPU, so a stream normally has one writer. Should two CPUs meet, a count
 * may miss a packet and a sample may be odd; nothing else comes of it.
 */
#ifndef TANDEM_CORE_STREAM_H
#define TANDEM_CORE_STREAM_H

#include "core/env_api.h"
#include "core/rtp.h"

#define SEQ_MOD	     (1 << 16)
#define MAX_DROPOUT  3000
#define MAX_MISORDER 100
#define WINDOW_BITS  64

#define NS_PER_SEC   1000000000ULL
#define TICK_SHIFT   12
#define CLOCK_MIN_HZ 1000      /* no payload format has a slower clock */
#define TICKS_MAX    (1 << 26) /* keeps ticks * ns_per_tick within 63 bits */

/* Both halves of what is known of an SSRC. */
struct stream_at {
	struct stream *s;
	struct stream_more *more; /* seldom looked at: it is not in the cache */
};

/* Make it the empty entry of a new SSRC. */
static inline void stream_start(struct stream *s, struct stream_more *more, __u64 flow_id,
				__u32 ssrc)
{
	__builtin_memset(s, 0, sizeof(*s));
	__builtin_memset(more, 0, sizeof(*more));
	s->ssrc = ssrc;
	s->pt_index = PT_INDEX_UNKNOWN;
	more->flow_id = flow_id;
}

/* Packets that should have come since base_seq; A.3. */
static inline __u32 stream_expected(const struct stream *s, const struct stream_more *more)
{
	return s->packets ? more->cycles + s->max_seq - more->base_seq + 1 : 0;
}

/* Cumulative loss, A.3. Duplicates are not received twice, so it is never below 0. */
static inline __u32 stream_lost(const struct stream *s, const struct stream_more *more)
{
	return more->lost_prior + stream_expected(s, more) - s->received;
}

/* Count from seq on, of which before directly preceded it. */
static inline void stream_base(struct stream_at at, __u16 seq, __u16 before)
{
	at.more->cycles = 0;
	at.s->max_seq = seq;
	at.more->base_seq = (__u32)seq - before;
	at.s->received = before + 1U;
	at.s->window = before ? 3 : 1;
	at.s->bad = 0;
}

/* A packet from at most MAX_MISORDER before the highest: late, or a duplicate. */
static inline void stream_late(struct stream_at at, __u32 behind)
{
	__u32 seq = at.more->cycles + at.s->max_seq - behind;
	__u64 bit;

	if (behind < WINDOW_BITS) {
		bit = 1ULL << (behind & (WINDOW_BITS - 1));
		if (at.s->window & bit) {
			at.more->duplicates++;
			return;
		}
		at.s->window |= bit;
	}
	at.more->reordered++;
	at.s->received++;
	/* The first packets changed places: what came first was not the first. */
	if ((__s32)(seq - at.more->base_seq) < 0)
		at.more->base_seq = seq;
}

/* A packet ahead of the highest, by less than MAX_DROPOUT. */
static inline void stream_advance(struct stream_at at, __u16 seq, __u32 ahead)
{
	struct stream *s = at.s;

	if (seq < s->max_seq)
		at.more->cycles += SEQ_MOD;
	if (ahead > 1)
		at.more->gaps++;
	s->window = ahead < WINDOW_BITS ? s->window << (ahead & (WINDOW_BITS - 1)) : 0;
	s->window |= 1;
	s->max_seq = seq;
	s->received++;
	s->bad = 0;
}

enum seq_state {
	SEQ_START,  /* first packet, or first after a restart: no time to compare with */
	SEQ_NEXT,   /* belongs to the sequence so far */
	SEQ_ASTRAY, /* far off; a restart if the next one follows it */
};

/* Sequence state, A.1. */
static inline enum seq_state stream_sequence(struct stream_at at, __u16 seq)
{
	struct stream *s = at.s;
	__u32 ahead = (__u16)(seq - s->max_seq);

	if (s->packets == 0) {
		stream_base(at, seq, 0);
		return SEQ_START;
	}
	if (ahead == 0) {
		at.more->duplicates++;
	} else if (ahead < MAX_DROPOUT) {
		stream_advance(at, seq, ahead);
	} else if (ahead > SEQ_MOD - MAX_MISORDER) {
		stream_late(at, SEQ_MOD - ahead);
	} else if (s->bad && seq == s->bad_seq) {
		/* Two in sequence after a large jump: the sender restarted. */
		at.more->lost_prior = stream_lost(s, at.more);
		at.more->restarts++;
		stream_base(at, seq, 1);
		return SEQ_START;
	} else {
		s->bad_seq = (__u16)(seq + 1);
		s->bad = 1;
		return SEQ_ASTRAY;
	}
	return SEQ_NEXT;
}

/*
 * Interarrival jitter, A.8, over every packet in order of arrival, late ones and
 * duplicates included: that is what the RFC's formula says, and what tshark does. In
 * nanoseconds scaled by 16, since at 8 kHz a timestamp unit is 125 us.
 */
static inline void stream_jitter(struct stream *s, __u32 ts, __u64 now)
{
	__s64 ticks = (__s32)(ts - s->last_ts);
	__s64 d;
	__u64 jitter;

	if (ticks > TICKS_MAX)
		ticks = TICKS_MAX;
	if (ticks < -TICKS_MAX)
		ticks = -TICKS_MAX;
	d = (__s64)(now - s->last_ns) - ((ticks * (__s64)s->ns_per_tick) >> TICK_SHIFT);
	if (d < 0)
		d = -d;
	s->jitter_ns += (__u64)d - ((s->jitter_ns + 8) >> 4);

	jitter = s->jitter_ns >> 4;
	if (jitter > s->jitter_max_ns)
		s->jitter_max_ns = jitter > 0xffffffff ? 0xffffffff : (__u32)jitter;
}

/* A payload type with another clock: from here on timestamps mean something else. */
static inline void stream_set_clock(struct stream *s, __u32 clock_hz)
{
	s->clock_hz = clock_hz;
	/* The one division, here and not on every packet. */
	s->ns_per_tick = (__u32)((NS_PER_SEC << TICK_SHIFT) / clock_hz);
}

/*
 * Take one RTP packet into account. clock_hz is the clock of its payload type, 0 when
 * that is not known: then it adds nothing to the jitter.
 */
static inline void stream_account(struct stream_at at, const struct rtp_info *rtp, __u32 clock_hz,
				  __u64 now)
{
	enum seq_state state = stream_sequence(at, rtp->seq);
	struct stream *s = at.s;

	if (s->packets == 0)
		at.more->first_ns = now;
	s->packets++;
	s->octets += rtp->octets;
	s->pt = rtp->pt;
	if (state == SEQ_ASTRAY)
		return;

	if (clock_hz >= CLOCK_MIN_HZ && clock_hz != s->clock_hz)
		stream_set_clock(s, clock_hz);
	else if (clock_hz >= CLOCK_MIN_HZ && state == SEQ_NEXT)
		stream_jitter(s, rtp->ts, now);
	s->last_ts = rtp->ts;
	s->last_ns = now;
}

/*
 * What the flow in slot keeps is of another generation of its rule, or of another flow that
 * had the slot: begin to keep it for this one.
 */
static ENV_CALL void flow_renew(struct env *env, struct flow *flow, __u32 slot, __u64 flow_id,
				__u32 gen)
{
	struct flow_more *more = env_flow_more(env, slot);

	if (more && more->stream.flow_id != flow_id)
		stream_start(&flow->stream, &more->stream, flow_id, 0);
	flow->stream.pt_index = PT_INDEX_UNKNOWN;
	flow->nexthop.expires_ns = 0;
	flow->nexthop.gen = gen;
}

/*
 * The entry of an SSRC of the flow in slot, which has been renewed; made when there is none.
 * Returns 0 when the table has no room. An entry left by an earlier flow of the slot is
 * started anew.
 */
static inline int stream_get(struct env *env, struct flow *flow, __u32 slot, __u64 flow_id,
			     __u32 ssrc, struct stream_at *at)
{
	struct flow_more *more = env_flow_more(env, slot);
	struct extra_stream *extra;

	if (!more)
		return 0;
	at->s = &flow->stream;
	at->more = &more->stream;
	if (flow->stream.packets == 0)
		flow->stream.ssrc = ssrc;
	if (flow->stream.ssrc == ssrc)
		return 1;

	extra = env_stream(env, slot, ssrc, 0);
	if (!extra)
		extra = env_stream(env, slot, ssrc, 1);
	if (!extra)
		return 0;
	if (extra->more.flow_id != flow_id) {
		stream_start(&extra->stream, &extra->more, flow_id, ssrc);
		more->extra_streams++;
	}
	at->s = &extra->stream;
	at->more = &extra->more;
	return 1;
}

/* What is known of an SSRC that RTCP speaks of, in the flow of a slot; or NULL. */
static inline struct stream_more *stream_find(struct env *env, __u32 slot, __u32 ssrc)
{
	struct flow_more *more = env_flow_more(env, slot);
	struct entry *entry = env_entry(env, slot);
	struct extra_stream *extra;

	if (!entry || !more || !more->stream.flow_id || !entry->flow.stream.packets)
		return 0;
	if (entry->flow.stream.ssrc == ssrc)
		return &more->stream;
	extra = env_stream(env, slot, ssrc, 0);
	return extra && extra->more.flow_id == more->stream.flow_id ? &extra->more : 0;
}

#endif
