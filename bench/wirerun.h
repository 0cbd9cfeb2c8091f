/* SPDX-License-Identifier: GPL-2.0-only */
/* The wire's two ends in userspace: programs loaded, flows written, packets sent and counted. */
#ifndef TANDEM_BENCH_WIRERUN_H
#define TANDEM_BENCH_WIRERUN_H

#include <stdbool.h>

#include "bench/lab.h"
#include "bench/wire.h"

#define WIRE_SIZE_MIN 60
#define WIRE_SIZE_MAX 1400 /* octets of UDP payload */

struct seal; /* seal.h */
struct wire;

/*
 * Load both programs for up to flows flows, with room for packets of SRTP if sealed; attach the sink to every lane there is, and
 * `pass` to the devices of the relays in plain lanes. Leaves the caller in the source's
 * namespace. 0 or a negative errno; says what failed.
 */
int tandem_wire_open(struct wire **wirep, const struct lab *lab, uint32_t flows, bool sealed);
void tandem_wire_close(struct wire *wire);

/* XDP_PASS in front of the stack of a lane whose relay has no XDP program. */
int tandem_wire_pass(struct wire *wire, const struct lab *lab, size_t lane);

/*
 * From now on packets are written here and sent by an AF_XDP socket on the first lane's device, in
 * place of the program that writes live frames. 0 or a negative errno; says what failed.
 */
int tandem_wire_by_socket(struct wire *wire, const struct lab *lab);

/* Choose where the next trials go: flows of the lane, by ways[i], size octets of UDP payload. */
int tandem_wire_aim(struct wire *wire, const struct lab *lab, size_t lane,
		    const struct lab_way *ways, uint32_t flows, uint32_t size);

/*
 * Behind tandem_wire_aim(): what is sent there is SRTP by seal; NULL: RTP, as it is without this call.
 * On the direct lane seal is that of the lane before, and the same packets are sent again. seal is the
 * caller's, who keeps it until the next aim. 0 or -EINVAL: too many flows, or too large packets.
 */
int tandem_wire_seal(struct wire *wire, struct seal *seal);

/* All relays are new, and sequence numbers begin again. */
void tandem_wire_forget(struct wire *wire);

struct wire_load {
	double rate; /* packets/s; 0: as fast as it goes */
	double seconds;
	unsigned int cpu;   /* to generate on */
	unsigned int batch; /* frames in flight at a time, 1 to 64; 0: fit for the rate */
	bool sleep;	    /* sleep between bursts instead of spinning: for counting CPU time */
};

/* One trial's packets as they were counted at both ends. */
struct wire_count {
	double seconds; /* that the generator ran */
	uint64_t sent, late;
	uint64_t taken; /* by the device at the relay; the rest found its ring full. 0: not known */
	uint64_t received, lost, duplicates, reordered, stale, overdue;
	uint64_t frame_octets;
	uint64_t latency_p50, latency_p99, latency_p999, latency_max; /* ns */
	double jitter_mean, jitter_max; /* ns; RFC 3550 A.8, over the flows */
};

/* Forget the trial before. */
int tandem_wire_reset(struct wire *wire);

/* Send as load says. 0, -EINTR when a signal came, or a negative errno. */
int tandem_wire_send(struct wire *wire, const struct wire_load *load);

/*
 * Wait until nothing more arrives, for 2 s at most: what is still in the sockets of a relay that was
 * flooded would be in the way of the next trial.
 */
void tandem_wire_drain(struct wire *wire);

/*
 * Add the counts of the sinks and of the flows to count, where sent is already. 0 or -ENOMEM.
 */
int tandem_wire_sum(struct wire_count *count, const struct wire_sink *sinks, size_t sinks_count,
		    const struct seq_state *seqs, uint32_t flows);

/* What both ends counted. */
int tandem_wire_collect(struct wire *wire, struct wire_count *count);

#endif
