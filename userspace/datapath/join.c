/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/join.h"

#include <string.h>

#define SEQ_MOD 0x10000

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Smaller of two where 0 means not known. */
static uint32_t min_known(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

static int64_t extended_max(const struct tandem_stream *s)
{
	return (int64_t)s->cycles + s->max_seq;
}

/* The base may lie just before 0, where the wrap to it was not seen. */
static int64_t base_of(const struct tandem_stream *s)
{
	return (int32_t)s->base_seq;
}

/*
 * Each path counts wraps from its own first packet, so the range of the one is
 * first moved by whole cycles to where it meets the range of the other: at its
 * start if it was there earlier, else at its end.
 */
static void join_sequence(struct tandem_stream *a, const struct tandem_stream *b)
{
	const struct tandem_stream *big = a->received >= b->received ? a : b;
	const struct tandem_stream *small = big == a ? b : a;
	int64_t base = base_of(big), max = extended_max(big);
	int64_t length = extended_max(small) - base_of(small);
	int64_t small_base, small_max;

	if (small->first_ns < big->first_ns) {
		small_base = base + (int16_t)(uint16_t)(small->base_seq - big->base_seq);
		small_max = small_base + length;
	} else {
		small_max = max + (int16_t)(uint16_t)(small->max_seq - big->max_seq);
		small_base = small_max - length;
	}
	if (small_base < base)
		base = small_base;
	if (small_max > max)
		max = small_max;
	if (base < 0) {
		base += SEQ_MOD;
		max += SEQ_MOD;
	}
	a->base_seq = (uint32_t)base;
	a->max_seq = (uint16_t)max;
	a->cycles = (uint32_t)max & ~(uint32_t)(SEQ_MOD - 1);
	a->received += b->received;
	/* What both have seen would make the loss negative. */
	if (a->received > max - base + 1)
		a->received = (uint32_t)(max - base + 1);
}

static void join_reports(struct tandem_stream *a, const struct tandem_stream *b,
			 const struct tandem_stream *latest)
{
	const struct tandem_stream *rr = latest->rr_count ? latest : a->rr_count ? a : b;
	const struct tandem_stream *sr =
		max_u64(a->sr_ns[0], a->sr_ns[1]) >= max_u64(b->sr_ns[0], b->sr_ns[1]) ? a : b;
	struct tandem_stream from_rr = *rr, from_sr = *sr;

	a->rr_lost = from_rr.rr_lost;
	a->rr_jitter = from_rr.rr_jitter;
	a->rr_fraction = from_rr.rr_fraction;
	a->rtt_ns = from_rr.rtt_ns ? from_rr.rtt_ns : a->rtt_ns ? a->rtt_ns : b->rtt_ns;
	memcpy(a->sr_lsr, from_sr.sr_lsr, sizeof(a->sr_lsr));
	memcpy(a->sr_ns, from_sr.sr_ns, sizeof(a->sr_ns));
	a->sr_count += b->sr_count;
	a->rr_count += b->rr_count;
	a->rtt_min_ns = min_known(a->rtt_min_ns, b->rtt_min_ns);
	a->rtt_max_ns = max_u32(a->rtt_max_ns, b->rtt_max_ns);
	a->bye |= b->bye;
}

/* What the path knows best that saw the latest packet. */
static void take_latest(struct tandem_stream *a, const struct tandem_stream *latest)
{
	a->pt = latest->pt;
	a->window = latest->window;
	a->last_ns = latest->last_ns;
	a->last_ts = latest->last_ts;
	a->clock_hz = latest->clock_hz;
	a->jitter_ns = latest->jitter_ns;
}

void tandem_stream_join(struct tandem_stream *a, const struct tandem_stream *b)
{
	struct tandem_stream latest = b->last_ns > a->last_ns ? *b : *a;

	join_reports(a, b, &latest);
	/* An entry may be there for its RTCP alone: it has no sequence yet. */
	if (!b->packets)
		return;
	if (!a->packets) {
		a->base_seq = b->base_seq;
		a->max_seq = b->max_seq;
		a->cycles = b->cycles;
		a->received = b->received;
		a->first_ns = b->first_ns;
		latest = *b;
	} else {
		join_sequence(a, b);
		if (b->first_ns < a->first_ns)
			a->first_ns = b->first_ns;
	}
	take_latest(a, &latest);
	a->packets += b->packets;
	a->octets += b->octets;
	a->lost_prior += b->lost_prior;
	a->gaps += b->gaps;
	a->reordered += b->reordered;
	a->duplicates += b->duplicates;
	a->restarts += b->restarts;
	a->jitter_max_ns = max_u32(a->jitter_max_ns, b->jitter_max_ns);
}

static struct tandem_stream *find_stream(struct tandem_flow_stats *stats, uint32_t ssrc)
{
	for (size_t i = 0; i < stats->stream_count; i++) {
		if (stats->streams[i].ssrc == ssrc)
			return &stats->streams[i];
	}
	return NULL;
}

static void join_flow(struct tandem_flow_state *a, const struct tandem_flow_state *b)
{
	/* Forwarding on the one path says nothing of why the other did not. */
	if (!a->last_reason || (b->last_reason && b->last_ns > a->last_ns))
		a->last_reason = b->last_reason;
	a->last_ns = max_u64(a->last_ns, b->last_ns);
	if (b->unknown_source > a->unknown_source || !a->unknown_port) {
		memcpy(a->unknown_addr, b->unknown_addr, sizeof(a->unknown_addr));
		a->unknown_port = b->unknown_port;
	}
	a->packets += b->packets;
	a->octets += b->octets;
	a->rtcp_packets += b->rtcp_packets;
	a->dropped += b->dropped;
	a->no_room += b->no_room;
	a->unknown_source += b->unknown_source;
	a->punted += b->punted;
	a->extra_streams = max_u32(a->extra_streams, b->extra_streams);
}

void tandem_stats_join(struct tandem_flow_stats *a, const struct tandem_flow_stats *b)
{
	join_flow(&a->flow, &b->flow);
	for (size_t i = 0; i < b->stream_count; i++) {
		struct tandem_stream *s = find_stream(a, b->streams[i].ssrc);

		if (s)
			tandem_stream_join(s, &b->streams[i]);
		else if (a->stream_count < TANDEM_MAX_STREAMS)
			a->streams[a->stream_count++] = b->streams[i];
	}
	if (a->stream_count)
		a->flow.stream = a->streams[0];
}

static void join_leg(struct tandem_leg_stats *a, const struct tandem_leg_stats *b)
{
	if (!a->lost)
		a->last_reason = b->last_reason;
	a->packets += b->packets;
	a->octets += b->octets;
	a->lost += b->lost;
}

void tandem_legs_join(struct tandem_leg_stats *a, size_t *n, size_t max,
		      const struct tandem_leg_stats *b, size_t b_count)
{
	for (size_t i = 0; i < b_count; i++) {
		size_t k = i < *n && a[i].id == b[i].id ? i : 0; /* most often in the same order */

		while (k < *n && a[k].id != b[i].id)
			k++;
		if (k < *n)
			join_leg(&a[k], &b[i]);
		else if (*n < max)
			a[(*n)++] = b[i];
	}
}
