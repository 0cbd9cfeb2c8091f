/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RTCP compound packets (RFC 3550 section 6): validity (A.2, reduced-size packets of
 * RFC 5506 allowed), reading of SR, report blocks and BYE, and translation of the
 * SSRCs wherever they stand (7.2; feedback of RFC 4585 and 5104, XR of RFC 3611).
 *
 * Two kinds of SSRC occur. Those of the sender's own side are mapped like its RTP, by
 * the egress; those of the other side, which it reports on, were mapped on their way to
 * it, and that is undone by rule.peer.
 */
#ifndef TANDEM_CORE_RTCP_H
#define TANDEM_CORE_RTCP_H

#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/env_api.h"
#include "core/headers.h"
#include "core/rtcp_job.h"
#include "core/stream.h"
#include "core/translate.h"

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205,
	RTCP_PSFB = 206,
	RTCP_XR = 207,
};

#define RTCP_COUNT_MASK	 0x1f
#define RTCP_PADDING	 0x20
#define RTCP_MAX	 2047 /* longest compound packet looked at */
#define RTCP_PACKETS_MAX 16   /* packets in a compound */
#define RTCP_STEPS_MAX	 128  /* elements in a compound: blocks, chunks, items, ... */

/* Elements of the packet that the walk has come to. */
enum rtcp_state {
	RTCP_AT_PACKET,	 /* a packet's header */
	RTCP_AT_BLOCK,	 /* report block of SR or RR */
	RTCP_AT_CHUNK,	 /* SDES chunk: an SSRC */
	RTCP_AT_ITEM,	 /* SDES item, or the end of a chunk */
	RTCP_AT_SOURCE,	 /* SSRC in a BYE */
	RTCP_AT_NACK,	 /* generic NACK entry, RFC 4585 6.2.1 */
	RTCP_AT_REQUEST, /* SSRC and 4 bytes: FIR, TMMBR and the like, RFC 5104 */
	RTCP_AT_XR,	 /* XR report block, RFC 3611 section 3 */
	RTCP_AT_DLRR,	 /* sub-block of XR DLRR, RFC 3611 4.5 */
};

/* Where the walk is. Offsets are from the start of the compound. */
struct rtcp_place {
	__u32 off;   /* of the element */
	__u32 stop;  /* end of the list that the element is in */
	__u32 next;  /* the following packet */
	__u32 block; /* XR: the following block */
	__u32 state; /* enum rtcp_state */
	__u32 pad;
};

/* One element in hand: the compound, and the place, copied in and out. */
struct rtcp_walk {
	char *payload;
	const void *end;
	__u32 len;
	__u32 off;
	__u32 stop;
	__u32 next;
	__u32 block;
	__u32 state;
	__u64 delta;
};

/*
 * size bytes at off, which must be within the compound. NULL when the packet
 * ends before. Masking is for the verifier; off is never above RTCP_MAX.
 */
static inline wire32 *rtcp_at(const struct rtcp_walk *w, __u32 off, __u32 size)
{
	char *p = w->payload + (off & RTCP_MAX);

	if (off + size > w->len || (const void *)(p + size) > w->end)
		return 0;
	return (wire32 *)p;
}

/* Words that a packet of this type and count has at least, its header included. */
static inline __u32 rtcp_min_words(__u32 type, __u32 count)
{
	switch (type) {
	case RTCP_SR:
		return 7 + 6 * count;
	case RTCP_RR:
		return 2 + 6 * count;
	case RTCP_SDES:
	case RTCP_BYE:
		return 1 + count;
	case RTCP_APP:
	case RTCP_RTPFB:
	case RTCP_PSFB:
		return 3;
	case RTCP_XR:
		return 2;
	default:
		return 1;
	}
}

/* The compound's last byte: bytes of padding, where there is padding. */
static inline __u32 rtcp_padding(const struct rtcp_walk *w)
{
	const __u8 *last = (const __u8 *)w->payload + ((w->len - 1) & RTCP_MAX);

	return (const void *)(last + 1) > w->end ? 0 : *last;
}

/* Is the padding of the last packet a multiple of 4 that leaves its header? */
static inline int rtcp_padding_ok(const struct rtcp_walk *w, __u32 words)
{
	__u32 padding = rtcp_padding(w);

	return padding != 0 && padding % 4 == 0 && padding / 4 < words;
}

/*
 * A.2: version 2 throughout, lengths that add up to the datagram, padding on the last
 * packet alone, no count that its packet has no room for. Called through
 * env_rtcp_check(). Returns REASON_NONE or REASON_bad_rtcp.
 */
static inline __u32 rtcp_check(struct env *env, void *payload, const void *end, __u32 len)
{
	struct rtcp_walk w = { .payload = payload, .end = end, .len = len };
	__u32 i, first, words, off = 0;
	const wire32 *p;

	if (len < 4 || len > RTCP_MAX)
		return REASON_bad_rtcp;
	for (i = 0; i < RTCP_PACKETS_MAX && off < len; i++) {
		p = rtcp_at(&w, off, 4);
		if (!p)
			return REASON_bad_rtcp;
		first = host32(p[0]);
		words = (first & 0xffff) + 1;
		if (first >> 30 != 2)
			return REASON_bad_rtcp;
		if (words < rtcp_min_words(first >> 16 & 0xff, first >> 24 & RTCP_COUNT_MASK))
			return REASON_bad_rtcp;
		off += words * 4;
		if (first >> 24 & RTCP_PADDING && (off != len || !rtcp_padding_ok(&w, words)))
			return REASON_bad_rtcp;
	}
	return off == len ? REASON_NONE : REASON_bad_rtcp;
}

/* SRTCP: only the first eight bytes are in the clear (RFC 3711 3.4). */
static inline __u32 srtcp_check(const void *payload, const void *end, __u32 len)
{
	const __u8 *p = payload;

	if (len < 8 || (const void *)(p + 8) > end || p[0] >> 6 != 2)
		return REASON_bad_rtcp;
	return REASON_NONE;
}

static inline void rtcp_set(struct rtcp_walk *w, const struct rtcp_job *job, wire32 *field,
			    __u32 value)
{
	if (job->mode & RTCP_TRANSLATE)
		wire_set32(field, value, &w->delta);
}

/* The stream of a flow that RTCP speaks of; NULL also when nothing is to be accounted. */
static inline struct stream_more *rtcp_stream(struct env *env, const struct rtcp_job *job,
					      __u32 slot, __u32 ssrc)
{
	return job->mode & RTCP_ACCOUNT ? stream_find(env, slot, ssrc) : 0;
}

/* An SSRC of the sender's own side. */
static inline void rtcp_map_own(struct rtcp_walk *w, const struct rtcp_job *job, wire32 *field)
{
	if (job->flags & EGRESS_F_SSRC && host32(*field) == job->own.from)
		rtcp_set(w, job, field, job->own.to);
}

/* An SSRC of the other side. Returns it as it was before our translation. */
static inline __u32 rtcp_map_peer(struct rtcp_walk *w, const struct rtcp_job *job, wire32 *field)
{
	__u32 ssrc = host32(*field);

	if (job->peer.from == job->peer.to || ssrc != job->peer.from)
		return ssrc;
	rtcp_set(w, job, field, job->peer.to);
	return job->peer.to;
}

/* Do sequence numbers about this SSRC (as it arrived) carry our offset? */
static inline int rtcp_peer_offset(const struct rtcp_job *job, __u32 ssrc)
{
	return job->peer_seq_offset && (job->peer.from == job->peer.to || ssrc == job->peer.from);
}

/* Is the timestamp of an SR from this SSRC to be translated? Like its RTP's. */
static inline int rtcp_ts_offset_applies(const struct rtcp_job *job, __u32 ssrc)
{
	return job->flags & EGRESS_F_TS && (!(job->flags & EGRESS_F_SSRC) || job->own.from == ssrc);
}

/* SR, 6.4.1: remember when which NTP time passed, for the round trip. */
static inline void rtcp_read_sr(struct env *env, const struct rtcp_job *job, const wire32 *p)
{
	struct stream_more *s;
	__u32 lsr = host32(p[2]) << 16 | host32(p[3]) >> 16;

	s = rtcp_stream(env, job, job->media, host32(p[1]));
	if (!s)
		return;
	if (lsr != s->sr_lsr[0]) {
		s->sr_lsr[1] = s->sr_lsr[0];
		s->sr_ns[1] = s->sr_ns[0];
		s->sr_lsr[0] = lsr;
		s->sr_ns[0] = job->now;
	}
	s->sr_count++;
}

/* Round trip between relay and receiver, 6.4.1: now - LSR - DLSR. */
static inline void rtcp_round_trip(struct stream_more *s, __u32 lsr, __u32 dlsr, __u64 now)
{
	__u64 delay = (dlsr * NS_PER_SEC) >> 16;
	__u64 sent, rtt;

	if (!lsr)
		return;
	if (lsr == s->sr_lsr[0])
		sent = s->sr_ns[0];
	else if (lsr == s->sr_lsr[1])
		sent = s->sr_ns[1];
	else
		return;
	if (now < sent + delay)
		return; /* the receiver's clock says it held the SR longer than it did */
	rtt = now - sent - delay;
	if (rtt > 0xffffffff)
		return;
	s->rtt_ns = (__u32)rtt;
	if (!s->rtt_min_ns || s->rtt_ns < s->rtt_min_ns)
		s->rtt_min_ns = s->rtt_ns;
	if (s->rtt_ns > s->rtt_max_ns)
		s->rtt_max_ns = s->rtt_ns;
}

/* What a receiver says of the stream ssrc, 6.4.1. */
static inline void rtcp_read_block(struct env *env, const struct rtcp_job *job, const wire32 *p,
				   __u32 ssrc)
{
	struct stream_more *s;
	__u32 lost = host32(p[1]);

	s = rtcp_stream(env, job, job->reverse, ssrc);
	if (!s)
		return;
	s->rr_count++;
	s->rr_fraction = (__u8)(lost >> 24);
	s->rr_lost = (__s32)(lost << 8) >> 8;
	s->rr_jitter = host32(p[3]);
	rtcp_round_trip(s, host32(p[4]), host32(p[5]), job->now);
}

/*
 * Extended highest sequence number less our offset. What the receiver counts as wraps
 * are those of the translated numbers; below the offset none has happened yet.
 */
static inline __u32 rtcp_ehsn(__u32 ehsn, __u16 offset)
{
	return ehsn >= offset ? ehsn - offset : (ehsn - offset) & 0xffff;
}

static inline void rtcp_step_block(struct env *env, struct rtcp_walk *w, const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 24);
	__u32 ssrc;
	int shifted;

	if (!p)
		return;
	shifted = rtcp_peer_offset(job, host32(p[0]));
	ssrc = rtcp_map_peer(w, job, &p[0]);
	rtcp_read_block(env, job, p, ssrc);
	if (shifted)
		rtcp_set(w, job, &p[2], rtcp_ehsn(host32(p[2]), job->peer_seq_offset));
	w->off += 24;
}

static inline void rtcp_step_chunk(struct rtcp_walk *w, const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 4);

	if (!p)
		return;
	rtcp_map_own(w, job, &p[0]);
	w->off += 4;
	w->state = RTCP_AT_ITEM;
}

/* SDES item: type, length, text; type 0 pads the chunk to the next word, 6.5. */
static inline void rtcp_step_item(struct rtcp_walk *w)
{
	const __u8 *p = (const void *)(w->payload + (w->off & RTCP_MAX));

	if ((const void *)(p + 2) > w->end)
		return;
	if (p[0] == 0) {
		w->off = (w->off + 4) & ~3U;
		w->state = RTCP_AT_CHUNK;
	} else {
		w->off += 2U + p[1];
	}
}

static inline void rtcp_step_source(struct env *env, struct rtcp_walk *w,
				    const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 4);
	struct stream_more *s;

	if (!p)
		return;
	s = rtcp_stream(env, job, job->media, host32(p[0]));
	if (s)
		s->bye = 1;
	rtcp_map_own(w, job, &p[0]);
	w->off += 4;
}

static inline void rtcp_step_nack(struct rtcp_walk *w, const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 4);
	__u32 entry;

	if (!p)
		return;
	entry = host32(p[0]);
	entry = (entry & 0xffff) | ((entry >> 16) - job->peer_seq_offset) << 16;
	rtcp_set(w, job, &p[0], entry);
	w->off += 4;
}

/* XR blocks that name a source in their second word: 1 to 3, 6, 7 (RFC 3611 section 4). */
static inline void rtcp_step_xr(struct rtcp_walk *w, const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 8);
	__u32 type;

	if (!p)
		return;
	type = host32(p[0]) >> 24;
	w->block = w->off + 4 + (host32(p[0]) & 0xffff) * 4;
	if (w->block > w->stop)
		w->block = w->stop;
	if (type == 5) {
		w->off += 4;
		w->state = RTCP_AT_DLRR;
		return;
	}
	if ((type >= 1 && type <= 3) || type == 6 || type == 7)
		rtcp_map_peer(w, job, &p[1]);
	w->off = w->block;
}

/* An SSRC followed by size - 4 bytes that are left as they are. */
static inline void rtcp_step_peer(struct rtcp_walk *w, const struct rtcp_job *job, __u32 size)
{
	wire32 *p = rtcp_at(w, w->off, 4);

	if (!p)
		return;
	rtcp_map_peer(w, job, &p[0]);
	w->off += size;
}

/* Feedback, RFC 4585 6.1: sender, media source, and what the format says. */
static inline void rtcp_open_feedback(struct rtcp_walk *w, const struct rtcp_job *job, __u32 type,
				      __u32 format)
{
	wire32 *p = rtcp_at(w, w->off, 12);
	int shifted;

	if (!p)
		return;
	shifted = rtcp_peer_offset(job, host32(p[2]));
	rtcp_map_peer(w, job, &p[2]);
	w->off += 12;
	if (type == RTCP_RTPFB && format == 1 && shifted)
		w->state = RTCP_AT_NACK;
	else if (type == RTCP_RTPFB && (format == 3 || format == 4))
		w->state = RTCP_AT_REQUEST; /* TMMBR, TMMBN */
	else if (type == RTCP_PSFB && format == 4)
		w->state = RTCP_AT_REQUEST; /* FIR */
	else
		w->off = w->stop;
}

/* A packet's header: note where it ends, and go to the first element of its list. */
static inline void rtcp_step_packet(struct env *env, struct rtcp_walk *w,
				    const struct rtcp_job *job)
{
	wire32 *p = rtcp_at(w, w->off, 4);
	__u32 first, type, count;

	if (!p)
		return;
	first = host32(p[0]);
	type = first >> 16 & 0xff;
	count = first >> 24 & RTCP_COUNT_MASK;
	w->next = w->off + ((first & 0xffff) + 1) * 4;
	w->stop = w->next - (first >> 24 & RTCP_PADDING ? rtcp_padding(w) : 0);

	if (type == RTCP_SDES || type == RTCP_BYE) {
		w->state = type == RTCP_SDES ? RTCP_AT_CHUNK : RTCP_AT_SOURCE;
		w->off += 4;
		if (type == RTCP_BYE)
			w->stop = w->off + count * 4;
		return;
	}
	if (type < RTCP_SR || type > RTCP_XR) {
		if (job->mode & RTCP_ACCOUNT)
			env_count(env, REASON_rtcp_unread);
		w->off = w->next;
		return;
	}

	p = rtcp_at(w, w->off, 8);
	if (!p)
		return;
	if (type == RTCP_SR) {
		p = rtcp_at(w, w->off, 28);
		if (!p)
			return;
		rtcp_read_sr(env, job, p);
		if (rtcp_ts_offset_applies(job, host32(p[1])))
			rtcp_set(w, job, &p[4], host32(p[4]) + job->ts_offset);
	}
	rtcp_map_own(w, job, &p[1]);

	if (type == RTCP_SR || type == RTCP_RR) {
		w->off += type == RTCP_SR ? 28 : 8;
		w->stop = w->off + count * 24;
		w->state = RTCP_AT_BLOCK;
	} else if (type == RTCP_RTPFB || type == RTCP_PSFB) {
		rtcp_open_feedback(w, job, type, count);
	} else if (type == RTCP_XR) {
		w->off += 8;
		w->state = RTCP_AT_XR;
	} else {
		w->off = w->next;
	}
}

static inline void rtcp_element(struct env *env, struct rtcp_walk *w, const struct rtcp_job *job)
{
	__u32 before = w->off;

	switch (w->state) {
	case RTCP_AT_PACKET:
		rtcp_step_packet(env, w, job);
		break;
	case RTCP_AT_BLOCK:
		rtcp_step_block(env, w, job);
		break;
	case RTCP_AT_CHUNK:
		rtcp_step_chunk(w, job);
		break;
	case RTCP_AT_ITEM:
		rtcp_step_item(w);
		break;
	case RTCP_AT_SOURCE:
		rtcp_step_source(env, w, job);
		break;
	case RTCP_AT_NACK:
		rtcp_step_nack(w, job);
		break;
	case RTCP_AT_REQUEST:
		rtcp_step_peer(w, job, 8);
		break;
	case RTCP_AT_XR:
		rtcp_step_xr(w, job);
		break;
	case RTCP_AT_DLRR:
		rtcp_step_peer(w, job, 12);
		break;
	}
	/* An element cut short ends its list. */
	if (w->off <= before)
		w->off = w->stop;
}

/*
 * One element. Returns 0 at the end of the compound. Called through env_rtcp_step();
 * what the verifier knew of the place is gone by then, so that one element looks to it
 * like any other.
 */
static inline __u32 rtcp_step(struct env *env, struct rtcp_job *job, struct rtcp_place *at,
			      void *payload, const void *end, __u32 len)
{
	struct rtcp_walk w = {
		.payload = payload,
		.end = end,
		.len = len,
		.off = at->off,
		.stop = at->stop,
		.next = at->next,
		.block = at->block,
		.state = at->state,
		.delta = job->delta,
	};

	if (w.state == RTCP_AT_DLRR && w.off >= w.block) {
		w.off = w.block;
		w.state = RTCP_AT_XR;
	}
	if (w.off >= w.stop) {
		w.off = w.next;
		w.stop = w.len;
		w.state = RTCP_AT_PACKET;
	}
	if (w.off >= w.len)
		return 0;

	rtcp_element(env, &w, job);
	at->off = w.off;
	at->stop = w.stop;
	at->next = w.next;
	at->block = w.block;
	at->state = w.state;
	job->delta = w.delta;
	return 1;
}

/*
 * Read and translate a compound that passed rtcp_check(): len bytes at payload. One loop
 * over elements of all kinds rather than loops in loops: its length is bounded for the
 * verifier, and for the time one packet may take. Called through env_rtcp_walk().
 * Returns REASON_NONE and sets job->delta, or REASON_bad_rtcp for a packet of more
 * elements than that; it may then be half translated.
 */
static inline __u32 rtcp_walk(struct env *env, struct rtcp_job *job, void *payload, const void *end,
			      __u32 len)
{
	struct rtcp_place at;
	__u32 i;

	__builtin_memset(&at, 0, sizeof(at));
	for (i = 0; i < RTCP_STEPS_MAX; i++) {
		if (!env_rtcp_step(env, job, &at, payload, end, len))
			return REASON_NONE;
	}
	return REASON_bad_rtcp;
}

#endif
