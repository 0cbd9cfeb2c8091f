/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loss, duplicates, reordering and jitter of one flow, by sequence number. Compiled
 * into the sink's BPF program too.
 */
#ifndef TANDEM_BENCH_SEQ_H
#define TANDEM_BENCH_SEQ_H

#include <linux/types.h>

#define SEQ_WINDOW 64

struct seq_state {
	__u32 next; /* one above the highest seen; at first, what is expected first */
	__u32 duplicates;
	__u64 window;	 /* bit n: next - 1 - n has been received */
	__u64 received;	 /* duplicates included */
	__u32 reordered; /* arrived after a higher one */
	__u32 ancient;	 /* further back than the window: counted as duplicates too */
	__s64 transit_ns;
	__u64 jitter; /* RFC 3550 A.8 in ns, scaled by 16 */
	__u64 pad;
};

static inline void seq_reset(struct seq_state *s, __u32 first)
{
	*s = (struct seq_state){ .next = first, .window = ~0ULL };
}

/* The interarrival jitter of RFC 3550 6.4.1 and A.8, with nanoseconds for clock. */
static inline void seq_jitter(struct seq_state *s, __s64 transit_ns)
{
	__s64 d = transit_ns - s->transit_ns;

	s->transit_ns = transit_ns;
	if (!s->received)
		return;
	if (d < 0)
		d = -d;
	s->jitter += d - ((s->jitter + 8) >> 4);
}

static inline void seq_late(struct seq_state *s, __u32 behind)
{
	__u64 bit;

	if (behind >= SEQ_WINDOW) {
		s->ancient++;
		s->duplicates++;
		return;
	}
	bit = 1ULL << (behind & (SEQ_WINDOW - 1));
	if (s->window & bit) {
		s->duplicates++;
		return;
	}
	s->window |= bit;
	s->reordered++;
}

/* A packet has arrived that was transit_ns on its way. */
static inline void seq_count(struct seq_state *s, __u32 seq, __s64 transit_ns)
{
	__s32 ahead = (__s32)(seq - s->next);

	seq_jitter(s, transit_ns);
	s->received++;
	if (ahead < 0) {
		seq_late(s, (__u32)(-ahead - 1));
		return;
	}
	s->window = ahead + 1 < SEQ_WINDOW ? s->window << ((ahead + 1) & (SEQ_WINDOW - 1)) | 1 : 1;
	s->next = seq + 1;
}

/* Packets that came at all, each counted once. */
static inline __u64 seq_unique(const struct seq_state *s)
{
	return s->received - s->duplicates;
}

static inline __u64 seq_jitter_ns(const struct seq_state *s)
{
	return s->jitter >> 4;
}

#endif
