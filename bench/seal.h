/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the generator sends to relays that are to open SRTP: authentic packets, made ahead of each
 * trial, with keys that both sides of the benchmark know.
 */
#ifndef TANDEM_BENCH_SEAL_H
#define TANDEM_BENCH_SEAL_H

#include <stdint.h>

#include "bench/wire.h"
#include "userspace/datapath/datapath.h"

struct seal;

/* The key of flow i: fills in suite, key and salt. */
typedef void(bench_key_h)(uint32_t i, struct tandem_srtp *key, void *arg);

/* Which of a flow's keys: what it arrives with, or what it leaves with. */
enum bench_side { BENCH_IN, BENCH_OUT };

/* Keys of tandem's own flows: no two alike, and nothing secret. Sets all of *key. */
void tandem_bench_key(uint32_t i, enum bench_side side, uint8_t suite, struct tandem_srtp *key);

/* For flows flows with keys of one suite (enum srtp_suite). 0, -EINVAL (no such suite) or -ENOMEM. */
int tandem_seal_alloc(struct seal **sealp, uint32_t flows, uint8_t suite, bench_key_h *keyh,
		      void *arg);

/* NULL is fine. */
void tandem_seal_free(struct seal *seal);

/* Octets that a packet has more when it is sealed. */
uint32_t tandem_seal_trailer(const struct seal *seal);

/*
 * Packet seq of a flow, size octets of RTP with silence in it, and sealed: its index is seq (RFC 3711
 * 3.3.1), and its header as wire.bpf.c writes it. size and the trailer are no more than
 * WIRE_SEALED_MAX. 0 or -EIO.
 */
int tandem_seal_packet(struct seal *seal, uint32_t flow, uint32_t seq, uint32_t size,
		       struct wire_sealed *out);

/* Rings of packets, length of them for each of count flows, one behind the other. */
struct seal_rings {
	struct wire_sealed *packets;
	const struct wire_flow *flows; /* whose seq are the next to be sent */
	uint32_t length, count;
	uint32_t size; /* of the packets, before they are sealed */
	uint32_t lane; /* number of the keys: of what was made with others nothing stays */
};

/* Make the next length packets of each flow; those that are there still stay. 0 or -EIO. */
int tandem_seal_rings(struct seal *seal, const struct seal_rings *rings);

#endif
