/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came back against what should have. A relay may give a stream another SSRC, other payload types,
 * and add something to sequence numbers and timestamps: a stream that came is that of the
 * script with its SSRC, or else the one that its payload is found in, and has to differ from it
 * by the same mapping from first to last.
 */
#ifndef TANDEM_REPLAY_COMPARE_H
#define TANDEM_REPLAY_COMPARE_H

#include "userspace/replay/listen.h"
#include "userspace/replay/script.h"

struct tandem_compared {
	uint32_t ssrc, came_as; /* of the expected stream, and of what came */
	bool came;		/* else nothing of it did, and all are missing */
	uint64_t expected, received;
	uint64_t missing, duplicates, disordered, unexpected;
	uint64_t altered; /* with another payload or marker */
	uint64_t
		unmapped; /* with another offset of the timestamp, or another payload type, than the first */
	uint16_t seq_offset;
	uint32_t ts_offset;
	uint8_t pt_from, pt_to; /* of the first one */
};

struct tandem_comparison {
	struct tandem_compared *streams;
	size_t count;
	uint64_t strangers; /* datagrams that are RTP of no stream in the script */
	bool same;
};

/*
 * Compare count datagrams with the expected script, of which copies should have come of each stream.
 * 0 or -ENOMEM.
 */
int tandem_compare(struct tandem_comparison *c, const struct tandem_script *expected,
		   const struct tandem_heard *heard, size_t count, unsigned int copies);
void tandem_comparison_clean(struct tandem_comparison *c);

#endif
