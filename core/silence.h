/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Silence in place of an RTP payload, of the same length and in the same codec, so that sequence
 * numbers, timestamps and packet rate stay as they are. It is a pattern of ten octets over and
 * over, from the start of each payload:
 *
 *   G.711	0xff (u-law), 0xd5 (A-law): the code of 0, or the smallest there is
 *   L16	0
 *   G.722	a small positive and a small negative step in turn. One alone would make the predictors
 *		settle on a tone or an offset
 *   CN		0x7f: noise at -127 dBov, reflection coefficients 0 (RFC 3389 section 3)
 *   G.729	a frame of the lowest gains; a SID frame behind the last one has the lowest energy
 *   Opus	a TOC octet of CELT alone (RFC 6716 section 3.1), then 0xff: a frame that begins so has
 *		its silence flag set (section 4.3)
 */
#ifndef TANDEM_CORE_SILENCE_H
#define TANDEM_CORE_SILENCE_H

#include "core/abi.h"
#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/headers.h"
#include "core/parse.h"

#define SILENCE_MAX 2048 /* longest payload that is replaced */

/* What eg says of the payload type with this place in the rule's list. */
static inline __u32 egress_act(const struct egress *eg, __u32 pt_index)
{
	if (!(eg->flags & EGRESS_F_ACTS))
		return ACT_PASS;
	return pt_index < TANDEM_MAX_PTS ? eg->acts >> 4 * pt_index & 0xf : eg->act_rest;
}

#define SILENCE_ROW 16 /* of which ten octets are used */

/* clang-format off */
static const __u8 silence_rows[16 * SILENCE_ROW] = {
	[ACT_ULAW * SILENCE_ROW] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	[ACT_ALAW * SILENCE_ROW] = 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5,
	[ACT_G722 * SILENCE_ROW] = 0xfa, 0xfc, 0xfa, 0xfc, 0xfa, 0xfc, 0xfa, 0xfc, 0xfa, 0xfc,
	[ACT_CN * SILENCE_ROW] = 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
	[ACT_OPUS * SILENCE_ROW] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	[ACT_G729 * SILENCE_ROW] = 0x78, 0x52, 0x80, 0xa0, 0x00, 0xfa, 0xc2, 0x00, 0x07, 0xd6,
};
/* clang-format on */

/*
 * The TOC octet of one CELT frame that lasts as long as the packet did, or 20 ms, which is the
 * longest there is; what is beyond a receiver conceals with more of the same.
 */
static inline __u8 silence_opus_toc(__u8 toc)
{
	const __u32 config = toc >> 3, frames = toc & 3;
	__u32 size; /* 0 to 3: 2.5, 5, 10, 20 ms */

	if (config < 12)
		size = config & 3 ? 3 : 2;
	else if (config < 16)
		size = 2 + (config & 1);
	else
		size = config & 3;
	if (frames)
		size = frames == 3 || size == 3 ? 3 : size + 1;
	return (__u8)(0xe0 | size << 3);
}

/* One octet at an even place of the payload. */
static inline void silence_set(__u8 *p, __u8 octet, __u64 *delta)
{
	csum_change16(delta, net16((__u32)*p << 8), net16((__u32)octet << 8));
	*p = octet;
}

static inline __u8 *silence_at(void *payload, __u32 off)
{
	return (__u8 *)payload + (off & PAYLOAD_MAX);
}

/* What breaks the pattern; toc is the first octet as it was. */
static inline void silence_frames(void *payload, const void *end, __u32 off, __u32 octets,
				  __u32 act, __u8 toc, __u64 *delta)
{
	__u8 *p;

	if (act == ACT_OPUS) {
		p = silence_at(payload, off);
		if ((const void *)(p + 1) <= end)
			silence_set(p, silence_opus_toc(toc), delta);
	} else if (act == ACT_G729 && octets % 10 == 2) {
		p = silence_at(payload, off + octets - 2);
		if ((const void *)(p + 2) > end)
			return;
		csum_change16(delta, *(wire16 *)p, 0);
		*(wire16 *)p = 0;
	}
}

/*
 * Overwrite octets bytes at off of an RTP packet, at least one, which start at a 4-byte boundary.
 * Called through env_silence(). Returns the checksum delta.
 */
static inline __u64 silence_fill(void *payload, const void *end, __u32 off, __u32 octets, __u32 act)
{
	const __u8 *row = silence_rows + (act & 0xf) * SILENCE_ROW;
	__u8 *p = silence_at(payload, off), toc;
	__u32 i, at = 0;
	__u64 delta = 0;
	__be16 before;
	wire16 *word;

	if ((const void *)(p + 1) > end)
		return 0;
	toc = *p;
	for (i = 0; i < SILENCE_MAX / 2 && 2 * i + 1 < octets; i++, p += 2) {
		if ((const void *)(p + 2) > end)
			return delta;
		word = (wire16 *)p;
		before = *word;
		p[0] = row[at & 0xe];
		p[1] = row[(at & 0xe) + 1];
		csum_change16(&delta, before, *word);
		at = at == 8 ? 0 : at + 2;
	}
	if (octets & 1 && (const void *)(p + 1) <= end)
		silence_set(p, row[at & 0xe], &delta);
	silence_frames(payload, end, off, octets, act, toc, &delta);
	return delta;
}

#endif
