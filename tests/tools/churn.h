/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the churn test is made of: its flows, what was done to each and when, what arrived,
 * and the judgement of it all when traffic has ended.
 */
#ifndef TANDEM_TESTS_CHURN_H
#define TANDEM_TESTS_CHURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/plane.h"

enum {
	NOWHERE = 0, /* no rule */
	DEST_A = 1,
	DEST_B = 2,
	DEST_BOTH = DEST_A | DEST_B, /* a copy to each */
	PAYLOAD_SIZE = 172,
	MAGIC = 0x63687572,
};

#define SSRC_FLOW(ssrc) ((ssrc)&0xffffff)
#define SSRC_DEST(ssrc) ((ssrc) >> 24)

/* A flow goes to dest from the moment that this was asked for until the next step was done. */
struct step {
	uint64_t asked_ns, done_ns;
	int dest;
};

struct churn_flow {
	uint32_t number; /* from 1; the SSRC it arrives with */
	bool permanent;
	uint16_t in_port;     /* of the relay */
	uint16_t out_port[3]; /* of the relay, by destination */
	uint16_t to_port[3];  /* of the receiver */
	bool ip6[3];	      /* is that destination an IPv6 one? */
	int fd;		      /* it sends from here */
	uint32_t sent, first; /* sequence numbers: the next one, and the first that counts */
	uint64_t packets;     /* that the datapath had forwarded when counting began */
	struct step *steps;
	size_t n_steps, max_steps;
};

struct arrival {
	uint64_t sent_ns, seen_ns;
	uint32_t seq;
	uint16_t flow;
	uint8_t dest, crossed; /* crossed: it bears marks of more than one rule */
};

struct verdicts {
	uint64_t arrived, crossed, stale, twice, unknown;
	uint64_t permanent_arrived, permanent_sent;
	unsigned int starved; /* flows of which some destination heard nothing */
};

enum {
	PORT_MIN = 20000,
	PORT_COUNT = 1024,
	SEND_PORT = 40000,
	TO_PORT = 30000, /* two a flow: A, B */
	BATCH = 32,	 /* changes handed over at once, of different flows */
	BURST = 64,	 /* packets to catch up with after a delay */
	BUFFERS = 4096,	 /* of io_uring, at most */
	SETTLE_S = 15,
	QUIET_MS = 300,
	PATIENCE = 3, /* times as long as planned, then it is over */
	ENOUGH = 50,  /* as that part of the changes planned, on a machine with other work */
};

#define FAN_SIZE (sizeof(struct tandem_fan) + 2 * sizeof(struct tandem_fan_leg))

struct options {
	const char *datapath, *send_ns, *receive_ns, *bpf_dir, *dpdk_socket;
	const char *interfaces[8];
	unsigned int n_interfaces;
	bool plain;
	unsigned long seconds, rate, pps, flows, permanent, guests, rss_kb, watch;
};

struct churn {
	struct options o;
	struct tandem_plane *plane;
	_Alignas(struct tandem_fan) char fans[BATCH * FAN_SIZE]; /* of the changes handed over */
	struct ip_addr from, in, out[2], to[2];			 /* [1]: IPv6 */
	struct churn_flow *flows;
	size_t n_flows;
	struct arrival *arrived;
	size_t max_arrived;
	_Atomic size_t n_arrived;
	_Atomic uint64_t sent, unknown;
	_Atomic bool paused, idle, stop_sending, stop_receiving;
	int tap;
	struct churn_flow *hot; /* changed in every batch, and gets three packets of four */
	size_t cursor;
	uint32_t random;
	uint64_t changes, failed;
	double achieved; /* changes a second */
};

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static inline void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static inline uint8_t mark_pt(int dest)
{
	return dest == DEST_A ? 8 : 18;
}

static inline bool step_add(struct churn_flow *f, int dest, uint64_t asked, uint64_t done)
{
	if (f->n_steps == f->max_steps)
		return false;
	f->steps[f->n_steps++] = (struct step){ asked, done, dest };
	return true;
}

/*
 * Was there a rule to dest at any time between sending and arrival? Steps are in order of
 * time, so those that were over before the packet was sent are skipped by halving.
 */
static inline bool was_allowed(const struct churn_flow *f, const struct arrival *a)
{
	size_t low = 0, high = f->n_steps;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (mid + 1 < f->n_steps && f->steps[mid + 1].done_ns < a->sent_ns)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < f->n_steps && f->steps[low].asked_ns <= a->seen_ns; low++) {
		if (f->steps[low].dest & a->dest)
			return true;
	}
	return false;
}

static inline int by_packet(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (int)x->dest - (int)y->dest;
}

static inline void judge_one(const struct churn_flow *f, const struct arrival *a,
			     struct verdicts *v)
{
	if (a->crossed)
		v->crossed++;
	else if (!was_allowed(f, a))
		v->stale++;
	if (f->permanent && a->seq >= f->first)
		v->permanent_arrived++;
}

/* flows is indexed by number - 1. Sorts what arrived. */
static inline void judge(const struct churn_flow *flows, size_t n_flows, struct arrival *arrived,
			 size_t n, struct verdicts *v)
{
	unsigned char *heard = calloc(n_flows, 4);

	memset(v, 0, sizeof(*v));
	v->arrived = n;
	qsort(arrived, n, sizeof(*arrived), by_packet);
	for (size_t i = 0; i < n; i++) {
		const struct arrival *a = &arrived[i];

		if (i && by_packet(a, a - 1) == 0) {
			v->twice++;
			continue;
		}
		judge_one(&flows[a->flow - 1], a, v);
		if (heard)
			heard[(a->flow - 1) * 4 + a->dest] = 1;
	}
	for (size_t i = 0; i < n_flows; i++) {
		const struct churn_flow *f = &flows[i];

		if (f->permanent)
			v->permanent_sent += f->sent - f->first;
		if (!heard || !heard[i * 4 + DEST_A] || !(f->permanent || heard[i * 4 + DEST_B]))
			v->starved++;
	}
	free(heard);
}

#endif
