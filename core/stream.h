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
#define NO_BAD_SEQ   (SEQ_MOD + 1)
#define WINDOW_BITS  64

#define NS_PER_SEC   1000000000ULL
#define TICK_SHIFT   12
#define CLOCK_MIN_HZ 1000      /* no payload format has a slower clock */
#define TICKS_MAX    (1 << 26) /* keeps ticks * ns_per_tick within 63 bits */

/* Make s the empty entry of a new SSRC. */
static inline void stream_start(struct stream *s, __u64 flow_id, __u32 ssrc)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->flow_id = flow_id;
	s->ssrc = ssrc;
	s->bad_seq = NO_BAD_SEQ;
}

/* Packets that should have come since base_seq; A.3. */
static inline __u32 stream_expected(const struct stream *s)
{
	return s->packets ? s->cycles + s->max_seq - s->base_seq + 1 : 0;
}

/* Cumulative loss, A.3. Duplicates are not received twice, so it is never below 0. */
static inline __u32 stream_lost(const struct stream *s)
{
	return s->lost_prior + stream_expected(s) - s->received;
}

/* Count from seq on, of which before directly preceded it. */
static inline void stream_base(struct stream *s, __u16 seq, __u16 before)
{
	s->cycles = 0;
	s->max_seq = seq;
	s->base_seq = (__u32)seq - before;
	s->received = before + 1U;
	s->window = before ? 3 : 1;
	s->bad_seq = NO_BAD_SEQ;
}

/* A packet from at most MAX_MISORDER before the highest: late, or a duplicate. */
static inline void stream_late(struct stream *s, __u32 behind)
{
	__u32 seq = s->cycles + s->max_seq - behind;
	__u64 bit;

	if (behind < WINDOW_BITS) {
		bit = 1ULL << (behind & (WINDOW_BITS - 1));
		if (s->window & bit) {
			s->duplicates++;
			return;
		}
		s->window |= bit;
	}
	s->reordered++;
	s->received++;
	/* The first packets changed places: what came first was not the first. */
	if ((__s32)(seq - s->base_seq) < 0)
		s->base_seq = seq;
}

/* A packet ahead of the highest, by less than MAX_DROPOUT. */
static inline void stream_advance(struct stream *s, __u16 seq, __u32 ahead)
{
	if (seq < s->max_seq)
		s->cycles += SEQ_MOD;
	if (ahead > 1)
		s->gaps++;
	s->window = ahead < WINDOW_BITS ? s->window << (ahead & (WINDOW_BITS - 1)) : 0;
	s->window |= 1;
	s->max_seq = seq;
	s->received++;
	s->bad_seq = NO_BAD_SEQ;
}

enum seq_state {
	SEQ_START,  /* first packet, or first after a restart: no time to compare with */
	SEQ_NEXT,   /* belongs to the sequence so far */
	SEQ_ASTRAY, /* far off; a restart if the next one follows it */
};

/* Sequence state, A.1. */
static inline enum seq_state stream_sequence(struct stream *s, __u16 seq)
{
	__u32 ahead = (__u16)(seq - s->max_seq);

	if (s->packets == 0) {
		stream_base(s, seq, 0);
		return SEQ_START;
	}
	if (ahead == 0) {
		s->duplicates++;
	} else if (ahead < MAX_DROPOUT) {
		stream_advance(s, seq, ahead);
	} else if (ahead > SEQ_MOD - MAX_MISORDER) {
		stream_late(s, SEQ_MOD - ahead);
	} else if (seq == s->bad_seq) {
		/* Two in sequence after a large jump: the sender restarted. */
		s->lost_prior = stream_lost(s);
		s->restarts++;
		stream_base(s, seq, 1);
		return SEQ_START;
	} else {
		s->bad_seq = (__u16)(seq + 1);
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
static inline void stream_account(struct stream *s, const struct rtp_info *rtp, __u32 clock_hz,
				  __u64 now)
{
	enum seq_state state = stream_sequence(s, rtp->seq);

	if (s->packets == 0)
		s->first_ns = now;
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
 * The entry of an SSRC of the flow in slot, made when there is none. NULL when the
 * table has no room. An entry left by an earlier flow of the slot is started anew.
 */
static inline struct stream *stream_get(struct env *env, struct flow *flow, __u32 slot,
					__u64 flow_id, __u32 ssrc)
{
	struct stream *s = &flow->stream;

	if (s->flow_id != flow_id) {
		stream_start(s, flow_id, ssrc);
		return s;
	}
	if (s->ssrc == ssrc)
		return s;

	s = env_stream(env, slot, ssrc, 0);
	if (!s)
		s = env_stream(env, slot, ssrc, 1);
	if (s && s->flow_id != flow_id) {
		stream_start(s, flow_id, ssrc);
		flow->extra_streams++;
	}
	return s;
}

/* The entry of an SSRC that RTCP speaks of, in the flow of a slot; or NULL. */
static inline struct stream *stream_find(struct env *env, __u32 slot, __u32 ssrc)
{
	struct flow *flow = env_flow(env, slot);
	struct stream *s;
	__u64 flow_id;

	if (!flow)
		return 0;
	flow_id = flow->stream.flow_id;
	if (!flow_id)
		return 0;
	if (flow->stream.ssrc == ssrc)
		return &flow->stream;
	s = env_stream(env, slot, ssrc, 0);
	return s && s->flow_id == flow_id ? s : 0;
}

#endif
