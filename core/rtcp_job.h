/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One RTCP packet in the hands of rtcp.h. */
#ifndef TANDEM_CORE_RTCP_JOB_H
#define TANDEM_CORE_RTCP_JOB_H

#include "core/abi.h"

enum rtcp_mode {
	RTCP_ACCOUNT = 1 << 0,	 /* take what the packet says into the statistics */
	RTCP_TRANSLATE = 1 << 1, /* change the packet */
};

/* What the walk is told by the rule, and its result. */
struct rtcp_job {
	__u32 media; /* slots */
	__u32 reverse;
	struct ssrc_map own;
	struct ssrc_map peer;
	__u32 ts_offset;
	__u16 flags; /* enum egress_flag; what own and ts_offset hold for */
	__u16 peer_seq_offset;
	__u32 mode; /* enum rtcp_mode */
	__u32 pad;
	__u64 now;
	__u64 delta; /* out: checksum delta of the payload */
};

#endif
