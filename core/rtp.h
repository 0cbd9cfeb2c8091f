/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RTP header (RFC 3550 5.1) and its validity checks (A.1). */
#ifndef TANDEM_CORE_RTP_H
#define TANDEM_CORE_RTP_H

#include "core/byteorder.h"
#include "core/headers.h"
#include "core/parse.h"

#define RTP_PADDING   0x20
#define RTP_EXTENSION 0x10
#define RTP_CC_MASK   0x0f
#define RTP_PT_MASK   0x7f

/* What accounting and translation need; host byte order. */
struct rtp_info {
	__u32 ssrc;
	__u32 ts;
	__u32 octets; /* payload without header, extension and padding */
	__u32 head;   /* bytes before the payload */
	__u32 ext;    /* bytes of header extension behind its own four; they end at head */
	__u16 seq;
	__u8 pt;
};

/*
 * Check and read the header. Payload types 64 to 95 never get here, classify() took them
 * for RTCP. Whether the payload type is one of the negotiated is the rule's affair. With
 * srtp the padding count is encrypted, and the last byte not it (RFC 3711 3.1). Returns
 * REASON_NONE or REASON_bad_rtp.
 */
static inline enum reason rtp_parse(const void *payload, const void *end, __u32 len, int srtp,
				    struct rtp_info *info)
{
	const struct rtp_hdr *rtp = payload;
	const __be16 *ext;
	const __u8 *last;
	__u32 head = sizeof(*rtp), padding = 0, extension = 0;

	if (len < head || len > PAYLOAD_MAX || (const void *)(rtp + 1) > end)
		return REASON_bad_rtp;
	if (rtp->vpxcc >> 6 != 2)
		return REASON_bad_rtp;

	head += (rtp->vpxcc & RTP_CC_MASK) * 4;
	if (rtp->vpxcc & RTP_EXTENSION) {
		ext = (const void *)((const char *)payload + head);
		head += 4;
		if (head > len || (const void *)(ext + 2) > end)
			return REASON_bad_rtp;
		extension = (__u32)host16(ext[1]) * 4;
		head += extension;
	}
	if (head > len)
		return REASON_bad_rtp;

	if (rtp->vpxcc & RTP_PADDING && !srtp) {
		last = (const __u8 *)payload + (len - 1);
		if ((const void *)(last + 1) > end)
			return REASON_bad_rtp;
		padding = *last;
		if (padding == 0 || head + padding > len)
			return REASON_bad_rtp;
	}

	info->ssrc = host32(rtp->ssrc);
	info->ts = host32(rtp->ts);
	info->seq = host16(rtp->seq);
	info->pt = rtp->mpt & RTP_PT_MASK;
	info->octets = len - head - padding;
	info->head = head;
	info->ext = extension;
	return REASON_NONE;
}

#endif
