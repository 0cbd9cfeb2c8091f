/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What generator and sink agree on: the mark that every packet carries behind its RTP
 * header, and the tables that the two BPF programs (wire.bpf.c) share with userspace.
 */
#ifndef TANDEM_BENCH_WIRE_H
#define TANDEM_BENCH_WIRE_H

#include <linux/types.h>

#include "bench/hist.h"
#include "bench/seq.h"

#define WIRE_MAGIC	    0x7462656eU /* "tben" */
#define WIRE_RTP_LEN	    12
#define WIRE_HEAD	    (14 + 20 + 8 + WIRE_RTP_LEN) /* Ethernet to RTP */
#define WIRE_MAX_CPUS	    64
#define WIRE_SILENCE	    0xd5 /* of the payload behind the mark */
#define WIRE_SSRC_BASE	    0x74000000
#define WIRE_SEALED_MAX	    244 /* octets of a packet of SRTP that can be sent */
#define WIRE_SPARE	    8	/* octets of a frame of SRTP that the generator takes away */
#define WIRE_TIMESTAMP_STEP 160 /* 20 ms of an 8 kHz clock */
#define WIRE_TICK_SHIFT	    8	/* pacing counts in 1/256 ns */

/* Host byte order: both ends are on one host, with one monotonic clock. */
struct wire_mark {
	__u32 magic;
	__u32 trial;
	__u32 flow;
	__u32 seq;
	__u64 sent_ns;
} __attribute__((packed));

/* What the headers of one flow's packets need. Sums are of 16-bit words as in memory. */
struct wire_flow {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u16 ip_check;
	__u16 pad;
	__u32 udp_sum; /* of all that does not change from packet to packet */
	__u32 seq;     /* of the next packet; goes on from trial to trial */
};

/* A packet of SRTP, ready to be sent; there is a ring of them for each flow. */
struct wire_sealed {
	__u32 seq;  /* whose packet it is; of wire_flow, not of RTP */
	__u32 lane; /* 1 + the lane whose keys it is made with; 0: there is none yet */
	__u32 sum;  /* of the packet, as 16-bit words in memory */
	__u8 data[WIRE_SEALED_MAX];
};

/* One generator, on one CPU. */
struct wire_gen {
	__u64 interval;			/* between packets, in ticks; 0: as fast as it goes */
	__u64 due;			/* of the next packet, in ticks */
	__u64 end_ns;			/* nothing is sent after this */
	__u32 first, count, stride, at; /* its flows, and the walk through them */
	__u32 lane;			/* index into the devices to send by */
	__u32 trial;
	__u64 sent;
	__u64 late;	  /* packets given up, since their time had passed */
	__u32 ring;	  /* packets of SRTP for each flow; 0: RTP is sent */
	__u32 sealed_len; /* and their octets */
	__u64 dry;	  /* packets that had not been made */
	__u8 head[WIRE_HEAD];
	__u8 pad[10];
};

/* Counts of the sink, one set for each CPU. */
struct wire_sink {
	__u64 received;
	__u64 octets;  /* of frames */
	__u64 stale;   /* of an earlier trial */
	__u64 overdue; /* too late to count */
	__u64 strange; /* flow number out of range */
	struct hist latency;
};

#endif
