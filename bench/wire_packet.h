/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The next packet of a generator: when it is due, of which flow it is, and its octets. */
#ifndef TANDEM_BENCH_WIRE_PACKET_H
#define TANDEM_BENCH_WIRE_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include "bench/wire.h"
#include "core/byteorder.h"

#define WIRE_LATE_NS 1000000 /* a pause longer than this is not made up for */

struct wire_packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__be16 rtp_first, rtp_seq;
	__be32 rtp_ts, rtp_ssrc;
	struct wire_mark mark;
} __attribute__((packed));

static inline __u32 wire_words(__u32 v)
{
	return (v & 0xffff) + (v >> 16);
}

static inline __u16 wire_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum ? (__u16)~sum : 0xffff;
}

/* True when a packet is to be sent now. */
static inline int wire_due(struct wire_gen *g, __u64 now)
{
	__u64 ticks = now << WIRE_TICK_SHIFT;

	if (now >= g->end_ns)
		return 0;
	if (!g->interval)
		return 1;
	if (ticks < g->due)
		return 0;
	if (ticks - g->due > (__u64)WIRE_LATE_NS << WIRE_TICK_SHIFT) {
		g->late += (ticks - g->due) / g->interval;
		g->due = ticks;
	}
	g->due += g->interval;
	return 1;
}

static inline void wire_write_head(struct wire_packet *p, const struct wire_gen *g,
				   const struct wire_flow *f)
{
	__builtin_memcpy(p, g->head, WIRE_HEAD);
	p->ip.saddr = f->saddr;
	p->ip.daddr = f->daddr;
	p->ip.check = f->ip_check;
	p->udp.source = f->sport;
	p->udp.dest = f->dport;
}

static inline void wire_write(struct wire_packet *p, struct wire_gen *g, __u32 index,
			      struct wire_flow *f, __u64 now)
{
	__u32 seq = f->seq++, sum = f->udp_sum;

	wire_write_head(p, g, f);
	p->rtp_seq = net16((__u16)seq);
	p->rtp_ts = net32(seq * WIRE_TIMESTAMP_STEP);
	p->rtp_ssrc = net32(WIRE_SSRC_BASE + index);
	p->mark.magic = WIRE_MAGIC;
	p->mark.trial = g->trial;
	p->mark.flow = index;
	p->mark.seq = seq;
	p->mark.sent_ns = now;
	sum += p->rtp_seq + wire_words(p->rtp_ts) + wire_words(p->rtp_ssrc) + wire_words(g->trial) +
	       wire_words(index) + wire_words(seq) + wire_words((__u32)now) + wire_words(now >> 32);
	p->udp.check = wire_fold(sum);
}

/* The flow whose turn it is. */
static inline __u32 wire_next(struct wire_gen *g)
{
	const __u32 index = g->first + g->at;

	g->at += g->stride;
	if (g->at >= g->count)
		g->at -= g->count;
	return index;
}

#endif
