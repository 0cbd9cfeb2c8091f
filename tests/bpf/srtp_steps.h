/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a test and its XDP program tell each other of one packet. */
#ifndef TANDEM_TEST_SRTP_STEPS_H
#define TANDEM_TEST_SRTP_STEPS_H

#include <linux/types.h>

#define SRTP_STEP_OFF 42 /* of the RTP or RTCP packet in the frame: Ethernet, IPv4, UDP */

struct srtp_step {
	__u32 keys;
	__u32 flags;
	__u32 len;
	__u32 head;
	__u32 reason;
	__u32 out_len;
};

#endif
