/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to be sent: the RTP of a capture, in memory, in order of time. */
#ifndef TANDEM_REPLAY_SCRIPT_H
#define TANDEM_REPLAY_SCRIPT_H

#include <stddef.h>

#include "userspace/replay/options.h"

#define TANDEM_RTP_FIXED 12 /* octets of the fixed header */

struct tandem_script_packet {
	uint64_t at_ns; /* since the first one */
	uint8_t *data;
	uint64_t sum;  /* csum_bytes() of what is behind the fixed header */
	uint32_t flow; /* number of its source */
	uint16_t len;
	bool rtcp;
};

/* A source: where its packets were from, and where they went. */
struct tandem_script_flow {
	struct tandem_endpoint src, dst;
};

struct tandem_script {
	struct tandem_script_packet *packets;
	size_t count, room;
	struct tandem_script_flow *list;
	uint32_t flows;	  /* in list */
	uint32_t streams; /* SSRCs in them */
};

/*
 * Read what o->file has of the streams that o selects, with their RTCP (RFC 5761) where it is not cloned.
 * Returns 0, or a negative errno having said why: the file is damaged, has no such stream, or
 * not all of a packet.
 */
int tandem_script_load(struct tandem_script *s, const struct tandem_replay_options *o);
void tandem_script_free(struct tandem_script *s);

/* Number flow i as map[i] from now on, or drop its packets: TANDEM_SCRIPT_DROP. list is of no use then. */
#define TANDEM_SCRIPT_DROP 0xffffffffU
void tandem_script_renumber(struct tandem_script *s, const uint32_t *map);

#endif
