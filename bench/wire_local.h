/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the wire: what its set-up (wirerun.c) and its trials (wire_trial.c) share. */
#ifndef TANDEM_BENCH_WIRE_LOCAL_H
#define TANDEM_BENCH_WIRE_LOCAL_H

#include "bench/seal.h"
#include "bench/wirerun.h"
#include "bench/xsk.h"
#include "wire.skel.h"

struct wire {
	struct wire_bpf *bpf;
	struct wire_flow *flows;    /* of the generator, memory-mapped */
	struct seq_state *seqs;	    /* of the sink */
	struct wire_sealed *sealed; /* rings of SRTP, memory-mapped; NULL: none */
	struct seal *seal;	    /* what the flows' packets are sealed with; NULL: RTP is sent */
	uint32_t sealed_by;	    /* 1 + the lane whose keys those are */
	uint32_t ring, size, sealed_len;
	uint32_t capacity, count;
	size_t lane;
	uint32_t *kept[LAB_MAX_LANES]; /* sequence numbers of lanes that it is not the turn of */
	size_t frame_len;
	int cpus;
	struct wire_sink *sinks; /* one for each CPU, as the map has them */
	uint64_t began_ns, ended_ns;
	uint32_t taken_before; /* by the device, before the trial */
	unsigned int cpu;
	int links[2 * LAB_MAX_LANES]; /* the two ends of each lane */
	size_t links_count;
	struct xsk *xsk; /* NULL: live frames are sent */
	uint8_t head[WIRE_HEAD];
};

#endif
