/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a translator (RFC 3550 section 7.1) changes in an RTP header: SSRC, sequence
 * number, timestamp, payload type. Every change goes into the checksum delta.
 */
#ifndef TANDEM_CORE_TRANSLATE_H
#define TANDEM_CORE_TRANSLATE_H

#include "core/abi.h"
#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/headers.h"

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

/* The header must already have been checked by rtp_parse(). */
static inline void rtp_translate(void *payload, const void *end, const struct egress *eg,
				 __u8 pt_out, __u64 *delta)
{
	struct rtp_hdr *rtp = payload;
	wire32 *words = payload;
	__u32 ssrc, first;

	if (!(eg->flags & EGRESS_F_TRANSLATE) || (const void *)(rtp + 1) > end)
		return;
	ssrc = host32(rtp->ssrc);
	first = host32(words[0]);
	if (eg->flags & EGRESS_F_PT)
		first = (first & ~0x7f0000U) | (__u32)pt_out << 16;
	if (eg->flags & EGRESS_F_SEQ && egress_offsets_apply(eg, ssrc))
		first = (first & ~0xffffU) | ((first + eg->seq_offset) & 0xffff);
	wire_set32(&words[0], first, delta);

	if (eg->flags & EGRESS_F_TS && egress_offsets_apply(eg, ssrc))
		wire_set32(&words[1], host32(words[1]) + eg->ts_offset, delta);
	if (eg->flags & EGRESS_F_SSRC && eg->ssrc.from == ssrc)
		wire_set32(&words[2], eg->ssrc.to, delta);
}

#endif
