/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the feed (fan_wire.bpf.c) sends and its sink expects. A packet is numbered; a copy
 * of it says by its UDP destination port which leg it is for, and by its source port of
 * which generation of the rule: all else in it must be what that leg of that generation
 * has. So a copy that went the wrong way, or is of two rules, is recognised alone.
 *
 * Payload of RTP: header, an extension with two elements of three bytes, the mark.
 */
#ifndef TANDEM_TEST_FAN_WIRE_H
#define TANDEM_TEST_FAN_WIRE_H

#include <linux/types.h>

#define FAN_LEGS     256
#define FAN_NUMBERS  65536 /* packets told apart, by the low bits of their number */
#define FAN_PORT     6100  /* of leg 0 */
#define FAN_FROM     40000 /* source port of leg 0 in generation 0 */
#define FAN_GENS     8
#define FAN_GEN_STEP 1000
#define FAN_SSRC     0x51000000
#define FAN_MAGIC    0x7a5d1e02
#define FAN_PLAIN    6004 /* where packets of one-to-one flows go */
#define FAN_FRAME    160  /* length of the frames of the feed */

/* Of leg n in generation g. */
#define FAN_LEG_SSRC(n, g) (FAN_SSRC + ((g) << 16) + (n))
#define FAN_LEG_PT(n, g)   (96 + ((n) + (g)) % 32)
#define FAN_LEG_SEQ(n, g)  (1000 * (n) + 7 + 13 * (g))
#define FAN_LEG_TS(n, g)   (100000 * (n) + 3 * (g))
#define FAN_LEG_DSCP(n, g) (((n) + 7 * (g)) % 64)
#define FAN_LEG_EXT1(n)	   (1 + (n) % 14)
#define FAN_LEG_EXT3(n)	   ((n) % 2 ? 0 : 1 + ((n) + 5) % 14) /* 0: removed */

/* The extension as it is sent: ids 1 and 3. */
#define FAN_EXT_HEAD 0xbede0002
#define FAN_EXT_1    0x12a1a2a3
#define FAN_EXT_3    0x32b1b2b3

/* What the sink has seen of a leg. */
struct fan_seen {
	__u64 packets;
	__u64 wrong; /* something in it is not the leg's */
	__u64 twice; /* a number that was seen before */
	__u64 rtcp;
	__u64 numbers[FAN_NUMBERS / 64];
};

/* A frame of the feed; where number is not 0, a running number is entered. */
struct fan_frame {
	__u32 udp_off;
	__u32 number;
	__u8 bytes[FAN_FRAME];
};

#endif
