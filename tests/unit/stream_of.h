/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TANDEM_TESTS_STREAM_OF_H
#define TANDEM_TESTS_STREAM_OF_H

#include "userspace/datapath/datapath.h"

/* A stream that saw the extended sequence numbers first..last, without those lost. */
static inline struct tandem_stream stream_of(uint32_t first, uint32_t last, uint32_t lost,
					     uint64_t first_ns, uint64_t last_ns)
{
	uint32_t base = first & 0xffff, max = base + (last - first);

	return (struct tandem_stream){ .flow_id = 1,
				       .ssrc = 1,
				       .base_seq = base,
				       .max_seq = (uint16_t)max,
				       .cycles = max & 0xffff0000U,
				       .received = last - first + 1 - lost,
				       .packets = last - first + 1 - lost,
				       .octets = 160,
				       .first_ns = first_ns,
				       .last_ns = last_ns };
}

#endif
