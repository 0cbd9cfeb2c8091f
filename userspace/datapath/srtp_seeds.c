/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/srtp_seeds.h"

/* As core/srtp_window.h has it: blocks of 48 indices, with the block's number above their bits. */
#define BLOCK	   48
#define BLOCK_BITS ((1ULL << BLOCK) - 1)
#define INDEX_LAST ((1ULL << 48) - 1)
#define SRTCP_LAST 0x7fffffffU

static uint64_t read_once(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

bool tandem_srtp_seed_read(const struct srtp_stream *streams, uint32_t n,
			   struct tandem_srtp_seed *seed)
{
	seed->count = 0;
	seed->srtcp = 0;
	for (uint32_t i = 0; i < n && i < TANDEM_SRTP_SEED_STREAMS; i++) {
		uint64_t owner = read_once(&streams[i].owner);
		uint64_t srtcp = read_once(&streams[i].rtcp_top);

		if (owner & SRTP_CLOSED)
			return false;
		if (srtcp > seed->srtcp)
			seed->srtcp = srtcp;
		if (!owner)
			continue;
		seed->streams[seed->count++] = (struct tandem_srtp_counted){
			.ssrc = (uint32_t)owner,
			.rtp = read_once(&streams[i].top),
			.srtcp = srtcp,
		};
	}
	return true;
}

/* Everything up to top has been. */
static void fill_window(__u64 *window, uint64_t top)
{
	uint64_t block = top / BLOCK;

	for (int i = 0; i < SRTP_WINDOW_WORDS && block >= (uint64_t)i; i++)
		window[(block - i) % SRTP_WINDOW_WORDS] = (block - i) << BLOCK | BLOCK_BITS;
	window[block % SRTP_WINDOW_WORDS] = block << BLOCK | ((2ULL << (top % BLOCK)) - 1);
}

void tandem_srtp_seed_write(struct srtp_stream *streams, uint32_t n,
			    const struct tandem_srtp_seed *seed)
{
	/* also those of SSRCs yet to come: they may have come there in the meantime */
	for (uint32_t i = 0; i < n && seed->out; i++)
		streams[i].rtcp_top = seed->srtcp + TANDEM_SRTCP_STEP;
	for (uint32_t i = 0; i < n && i < seed->count; i++) {
		const struct tandem_srtp_counted *c = &seed->streams[i];

		/* nothing has been counted for who was only announced */
		if (c->rtp && c->rtp <= INDEX_LAST) {
			streams[i].top = c->rtp;
			fill_window(streams[i].window, c->rtp);
		}
		if (!seed->out && c->srtcp && c->srtcp <= SRTCP_LAST) {
			streams[i].rtcp_top = c->srtcp;
			fill_window(streams[i].rtcp_window, c->srtcp);
		}
		streams[i].owner = SRTP_OWNED | c->ssrc;
	}
}
