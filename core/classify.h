/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step 2: what a datagram on a media port is, by its first byte (RFC 7983
 * section 7), and RTP from RTCP by its second (RFC 5761 section 4).
 */
#ifndef TANDEM_CORE_CLASSIFY_H
#define TANDEM_CORE_CLASSIFY_H

#include "core/abi.h"

enum packet_class {
	CLASS_OTHER,
	CLASS_STUN,
	CLASS_DTLS,
	CLASS_RTP,
	CLASS_RTCP,
};

static inline enum packet_class classify(const void *payload, const void *end, __u32 len)
{
	const __u8 *p = payload;

	if (len < 1 || (const void *)(p + 1) > end)
		return CLASS_OTHER;
	if (p[0] <= 3)
		return CLASS_STUN;
	if (p[0] >= 20 && p[0] <= 63)
		return CLASS_DTLS;
	if (p[0] < 128 || p[0] > 191)
		return CLASS_OTHER;

	/* One lonely byte is a broken RTP packet; the RTP checks will say so. */
	if (len < 2 || (const void *)(p + 2) > end)
		return CLASS_RTP;
	return p[1] >= 192 && p[1] <= 223 ? CLASS_RTCP : CLASS_RTP;
}

#endif
