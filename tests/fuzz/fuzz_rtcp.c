/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RTCP compounds through the walk, with translation told by the first bytes of the input.
 * Checked: nothing outside the datagram is touched (sanitizers), only SSRCs, timestamps
 * and sequence numbers of a valid compound change, and the checksum delta is exact.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/forward.h"

struct setup {
	uint8_t from, to, peer_from, peer_to; /* SSRCs, small so that they are met */
	uint16_t flags;
	uint16_t peer_seq_offset;
	uint32_t ts_offset;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

/* One's complement sum of the words as they lie in memory. */
static uint32_t sum(const uint8_t *b, size_t n)
{
	uint32_t total = 0;
	uint16_t w;
	size_t i;

	for (i = 0; i + 1 < n; i += 2) {
		memcpy(&w, b + i, 2);
		total += w;
	}
	return total;
}

/* Types, counts, lengths and versions must stand as they stood. */
static void check_headers(const uint8_t *before, const uint8_t *after, size_t n)
{
	size_t off = 0;

	while (off < n) {
		check(!memcmp(before + off, after + off, 4));
		off += 4U * (((size_t)before[off + 2] << 8 | before[off + 3]) + 1);
	}
	check(off == n);
}

static void run(struct env *env, struct rtcp_job *job, const uint8_t *data, size_t size)
{
	uint8_t *packet = malloc(size ? size : 1);
	uint32_t want, got;

	check(packet != NULL);
	memcpy(packet, data, size);
	if (rtcp_check(env, packet, packet + size, (__u32)size) != REASON_NONE)
		goto out;
	check(size % 4 == 0 && size >= 4);
	job->delta = 0;
	if (rtcp_walk(env, job, packet, packet + size, (__u32)size) != REASON_NONE)
		goto out;
	check_headers(data, packet, size);
	want = sum(packet, size) % 0xffff;
	got = (uint32_t)((sum(data, size) + (uint64_t)csum_fold16(job->delta)) % 0xffff);
	check(want == got);
out:
	free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct env_stream streams[4];
	struct entry entries[1];
	struct flow_more flows_more[1];
	struct env_tables tables = { .entries = entries,
				     .flows_more = flows_more,
				     .streams = streams,
				     .streams_size = 4,
				     .config.slots = 1 };
	struct env env = { .tables = &tables };
	struct rtcp_job job;
	struct setup s;

	if (size < sizeof(s))
		return 0;
	memcpy(&s, data, sizeof(s));
	memset(streams, 0, sizeof(streams));
	memset(entries, 0, sizeof(entries));
	memset(flows_more, 0, sizeof(flows_more));
	flows_more[0].stream.flow_id = 1;
	entries[0].flow.stream.packets = 1;
	entries[0].flow.stream.ssrc = s.from;
	memset(&job, 0, sizeof(job));
	job.own = (struct ssrc_map){ s.from, s.to };
	job.peer = (struct ssrc_map){ s.peer_from, s.peer_to };
	job.ts_offset = s.ts_offset;
	job.flags = s.flags;
	job.peer_seq_offset = s.peer_seq_offset;
	job.now = 1000000000;
	run(&env, &job, data + sizeof(s), size - sizeof(s));
	return 0;
}
