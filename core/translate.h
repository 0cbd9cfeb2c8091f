/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a translator (RFC 3550 section 7.1) changes in an RTP packet: SSRC, sequence
 * number, timestamp, payload type; ids of header extension elements; the payload, where
 * a payload translation or silence is asked for. Every change goes into the checksum delta.
 */
#ifndef TANDEM_CORE_TRANSLATE_H
#define TANDEM_CORE_TRANSLATE_H

#include "core/abi.h"
#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/extension.h"
#include "core/g711.h"
#include "core/headers.h"
#include "core/rtp.h"
#include "core/silence.h"

#define EGRESS_F_TRANSLATE (EGRESS_F_SSRC | EGRESS_F_SEQ | EGRESS_F_TS | EGRESS_F_PT)

/* Do the sequence and timestamp offsets of eg apply to this SSRC? */
static inline int egress_offsets_apply(const struct egress *eg, __u32 ssrc)
{
	return !(eg->flags & EGRESS_F_SSRC) || eg->ssrc.from == ssrc;
}

static inline void wire_set32(wire32 *field, __u32 value, __u64 *delta)
{
	csum_change32(delta, *field, net32(value));
	*field = net32(value);
}

/* Which of the two laws a packet's payload is to become, by the place of its type; or -1. */
static inline int egress_law(const struct egress *eg, __u32 pt_index)
{
	if (!(eg->to_alaw | eg->to_ulaw) || pt_index >= TANDEM_MAX_PTS)
		return -1;
	if (eg->to_alaw >> pt_index & 1)
		return G711_TO_ALAW;
	return eg->to_ulaw >> pt_index & 1 ? G711_TO_ULAW : -1;
}

/* Is the packet short enough for what eg asks for? */
static inline int rtp_translatable(const struct egress *eg, const struct rtp_info *rtp,
				   __u32 pt_index)
{
	if (eg->flags & EGRESS_F_EXT && rtp->ext > EXT_MAX)
		return 0;
	if (egress_act(eg, pt_index) > ACT_BLOCK && rtp->octets > SILENCE_MAX)
		return 0;
	return egress_law(eg, pt_index) < 0 || rtp->octets <= G711_MAX;
}

/* The fixed header. It must already have been checked by rtp_parse(). */
static inline void rtp_translate_header(struct env *env, void *payload, const void *end,
					const struct egress *eg, __u32 pt_index, __u64 *delta)
{
	struct rtp_hdr *rtp = payload;
	wire32 *words = payload;
	__u32 ssrc, first;

	if (!(eg->flags & EGRESS_F_TRANSLATE) || (const void *)(rtp + 1) > end)
		return;
	ssrc = host32(rtp->ssrc);
	first = host32(words[0]);
	if (eg->flags & EGRESS_F_PT && pt_index < TANDEM_MAX_PTS)
		first = (first & ~0x7f0000U) |
			(__u32)(eg->pt_out[env_forget(env, pt_index, TANDEM_MAX_PTS - 1)] &
				RTP_PT_MASK)
				<< 16;
	if (eg->flags & EGRESS_F_SEQ && egress_offsets_apply(eg, ssrc))
		first = (first & ~0xffffU) | ((first + eg->seq_offset) & 0xffff);
	wire_set32(&words[0], first, delta);

	if (eg->flags & EGRESS_F_TS && egress_offsets_apply(eg, ssrc))
		wire_set32(&words[1], host32(words[1]) + eg->ts_offset, delta);
	if (eg->flags & EGRESS_F_SSRC && eg->ssrc.from == ssrc)
		wire_set32(&words[2], eg->ssrc.to, delta);
}

/* Silence is of the codec that arrives; G.711 of either law becomes that of the other. */
static inline void rtp_silence(struct env *env, void *payload, const void *end,
			       const struct rtp_info *rtp, __u32 act, __u64 *delta)
{
	env_count(env, REASON_silenced);
	if (rtp->octets)
		*delta += env_silence(env, payload, end, rtp->head, rtp->octets, act);
}

/*
 * All of the packet, as eg says; leg is the one that eg is of, where it has an extension
 * map. The packet must have passed rtp_parse() and rtp_translatable().
 */
static inline void rtp_translate(struct env *env, void *payload, const void *end,
				 const struct egress *eg, __u32 leg, const struct rtp_info *rtp,
				 __u32 pt_index, __u64 *delta)
{
	const __u32 act = egress_act(eg, pt_index);
	int law;

	rtp_translate_header(env, payload, end, eg, pt_index, delta);
	if (eg->flags & EGRESS_F_EXT && rtp->ext)
		*delta += env_ext_translate(env, payload, end, rtp->head - rtp->ext, rtp->ext, leg);
	if (act > ACT_BLOCK)
		rtp_silence(env, payload, end, rtp, act, delta);
	law = egress_law(eg, pt_index);
	if (law >= 0 && rtp->octets)
		*delta += env_g711(env, payload, end, rtp->head, rtp->octets, (__u32)law);
}

#endif
