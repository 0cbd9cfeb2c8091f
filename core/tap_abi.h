/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The copy of a packet that a capture gets: this record, and behind it the packet. Which packets
 * of a flow are copied the flags of its rule say (RULE_F_TAP_IN and those behind).
 */
#ifndef TANDEM_CORE_TAP_ABI_H
#define TANDEM_CORE_TAP_ABI_H

#include <linux/types.h>

enum tap_kind {
	TAP_IN,	     /* as it came, before anything is changed; what became of it follows */
	TAP_OUT,     /* as it leaves, for one leg */
	TAP_CLEAR,   /* what came, authentic and deciphered, before it is translated */
	TAP_REFUSED, /* as it came; it went no further than the reason says */
};

/*
 * A packet that is refused late has a TAP_IN too, just before in the same ring, with the same ns.
 *
 * payload_off and payload_len say where in what follows the UDP payload lies; of a frame of TAP_CLEAR
 * all else is worth nothing. With TAP_F_ADDRESSES there are
 * two struct tap_address in front, of the source and the destination, and then the payload alone;
 * else it is a frame, from its Ethernet header on. size may be less than the packet had.
 */
struct tap_record {
	__u64 ns; /* of the monotonic clock */
	__u64 flow_id;
	__u32 leg; /* of TAP_OUT: the controller's name of the leg, 0: the one; of TAP_CLEAR: the slot */
	__u16 size; /* bytes that follow */
	__u16 payload_off;
	__u16 payload_len;
	__u8 kind;   /* enum tap_kind */
	__u8 reason; /* enum reason, of TAP_REFUSED */
	__u8 flags;  /* enum tap_flag */
	__u8 pad[3];
};

enum tap_flag {
	TAP_F_ADDRESSES = 1 << 0,
};

struct tap_address {
	__u8 ip[16]; /* IPv4 in its mapped form */
	__be16 port;
	__u8 tos;
	__u8 pad;
};

_Static_assert(sizeof(struct tap_record) == 32, "tap_record is ABI");
_Static_assert(sizeof(struct tap_address) == 20, "tap_address is ABI");

#endif
