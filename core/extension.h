/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RTP header extension (RFC 3550 5.3.1) with the elements of RFC 8285. Their ids are
 * agreed on for each transport, so a translator between two maps them. An element that
 * the other side has no id for becomes padding.
 */
#ifndef TANDEM_CORE_EXTENSION_H
#define TANDEM_CORE_EXTENSION_H

#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/env_api.h"
#include "core/headers.h"
#include "core/parse.h"

#define EXT_MAX		  512	 /* longest extension looked into */
#define EXT_ONE_BYTE	  0xbede /* RFC 8285 4.2 */
#define EXT_TWO_BYTE	  0x1000 /* 4.3; the lower four bits are the application's */
#define EXT_TWO_BYTE_MASK 0xfff0
#define EXT_ONE_BYTE_STOP 15 /* an id that ends the list, 4.2; so does 0 with a length */

/* Where the walk over the bytes of the elements is. */
struct ext_place {
	__u64 delta; /* of the checksum */
	__u32 off;   /* of the byte, from the start of the RTP packet */
	__u32 left;  /* bytes that still belong to the current element */
	__u32 leg;   /* whose ext_id is used */
	__u8 two;    /* two-byte form */
	__u8 wipe;   /* the current element is being removed */
	__u8 length; /* this byte is an element's length (two-byte form) */
	__u8 done;   /* nothing behind it is an element */
};

/* What the first byte of an element becomes; 0 is padding in both forms. */
static inline __u8 ext_head(struct ext_place *at, __u8 byte, const struct leg *leg)
{
	__u32 id = at->two ? byte : (__u32)(byte >> 4);

	at->wipe = 0;
	if (byte == 0)
		return 0;
	if (!at->two && (id == 0 || id == EXT_ONE_BYTE_STOP)) {
		at->done = 1;
		return byte;
	}
	at->length = at->two;
	at->left = at->two ? 0 : (byte & 0xfU) + 1;
	if (id >= TANDEM_EXT_IDS)
		return byte;
	id = leg->ext_id[id & (TANDEM_EXT_IDS - 1)];
	if (id == 0 || (!at->two && id >= EXT_ONE_BYTE_STOP)) {
		at->wipe = 1;
		return 0;
	}
	return at->two ? (__u8)id : (__u8)(id << 4 | (byte & 0xf));
}

/*
 * One byte, and with it what is kept of its element. Called through env_ext_byte(), so that
 * one byte looks to a verifier like any other. Returns 0 at the end of what can be read.
 */
static inline __u32 ext_byte(struct env *env, struct ext_place *at, void *payload, const void *end)
{
	__u8 *p = (__u8 *)payload + (at->off & PAYLOAD_MAX);
	const struct leg *leg = env_leg(env, at->leg);
	__u32 shift = at->off & 1 ? 0 : 8;
	__u8 before, after;

	if (!leg || (const void *)(p + 1) > end || at->done)
		return 0;
	before = *p;
	after = at->wipe ? 0 : before;
	if (at->length) {
		at->left = before;
		at->length = 0;
	} else if (at->left) {
		at->left--;
	} else {
		after = ext_head(at, before, leg);
	}
	if (after != before) {
		csum_change16(&at->delta, net16((__u32)before << shift),
			      net16((__u32)after << shift));
		*p = after;
	}
	at->off++;
	if (!at->wipe) {
		at->off += at->left;
		at->left = 0;
	}
	return 1;
}

/*
 * Map the ids of all elements in the len bytes at off, in front of which stand the four
 * of the extension's own header. Returns the checksum delta.
 */
static inline __u64 ext_translate(struct env *env, void *payload, const void *end, __u32 off,
				  __u32 len, __u32 leg)
{
	const wire16 *profile = (void *)((char *)payload + ((off - 4) & PAYLOAD_MAX));
	struct ext_place at;
	__u32 i, kind;

	if ((const void *)(profile + 1) > end)
		return 0;
	kind = host16(*profile);
	__builtin_memset(&at, 0, sizeof(at));
	at.off = off;
	at.leg = leg;
	at.two = (kind & EXT_TWO_BYTE_MASK) == EXT_TWO_BYTE;
	if (!at.two && kind != EXT_ONE_BYTE)
		return 0;
	for (i = 0; i < EXT_MAX && at.off < off + len; i++) {
		if (!env_ext_byte(env, &at, payload, end))
			break;
	}
	return at.delta;
}

#endif
