/* SPDX-License-Identifier: GPL-2.0-only */
/* Apart from limits.c, for the core's headers and those of ethdev name the same structures. */
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/dpdk/limits.h"
#include "dpdk/env.h"
#include "bench/steps.h"

#define BURST	32
#define WINDOWS 100
#define ROUNDS	10000 /* frames of a window */
#define LAST	(STEP_COUNT + 1)

struct job {
	const struct dpdk_limits *limits;
	struct env env;
	struct rte_mbuf *mbuf;
	uint8_t frame[42 + 12]; /* headers of the first flow */
	uint16_t *seqs;
	uint32_t seed;
	uint64_t failed;
};

/* The headers of a flow drawn at random, into the one frame there is. */
static inline void draw(struct job *j)
{
	uint32_t flow;
	uint8_t *p = rte_pktmbuf_mtod(j->mbuf, uint8_t *);
	uint16_t port, seq;

	j->seed = j->seed * 1664525 + 1013904223;
	flow = (uint32_t)(((uint64_t)j->seed * j->limits->flows) >> 32);
	port = net16((uint16_t)(j->limits->port_base + flow));
	seq = net16(++j->seqs[flow]);
	memcpy(p, j->frame, sizeof(j->frame));
	memcpy(p + 36, &port, 2);
	memcpy(p + 44, &seq, 2);
}

static inline __attribute__((always_inline)) double loop(struct job *j, const int last)
{
	uint64_t begin = rte_rdtsc();

	for (int i = 0; i < ROUNDS; i++) {
		__u32 ifindex = 0;
		struct plan plan;
		struct frame f;

		draw(j);
		if (i % BURST == 0) {
			struct timespec ts;

			clock_gettime(CLOCK_MONOTONIC, &ts);
			j->env.now_ns = (__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec;
		}
		j->env.mbuf = j->mbuf;
		if (last != STEP_NONE)
			j->failed += steps_frame(&j->env, &f, &plan, &ifindex,
						 (enum bench_step)last) != REASON_NONE;
	}
	return dpdk_elapsed_ns(begin) / ROUNDS;
}

#define LOOP(name, last)                                                                           \
	static __attribute__((noinline)) double name(struct job *j)                                \
	{                                                                                          \
		return loop(j, last);                                                              \
	}

LOOP(loop_none, STEP_NONE)
LOOP(loop_parse, STEP_PARSE)
LOOP(loop_look_up, STEP_LOOKUP)
LOOP(loop_plan, STEP_PLAN)
LOOP(loop_nexthop, STEP_NEXTHOP)
LOOP(loop_account, STEP_ACCOUNT)
LOOP(loop_translate, STEP_TRANSLATE)
LOOP(loop_rewrite, STEP_REWRITE)
LOOP(loop_count, STEP_COUNT)

static double (*const loops[LAST])(struct job *j) = {
	loop_none,    loop_parse,     loop_look_up, loop_plan,	loop_nexthop,
	loop_account, loop_translate, loop_rewrite, loop_count,
};

/* Each window has all steps, one after the other. What a step adds is the difference of figures. */
static void take_steps(struct job *j)
{
	static const char *const names[] = BENCH_STEP_NAMES;
	static double ns[LAST][WINDOWS];
	struct dpdk_figure before = { 0 };

	for (int w = -1; w < WINDOWS; w++) { /* the first warms up */
		for (int k = 0; k < LAST; k++)
			ns[k][w < 0 ? 0 : w] = loops[k](j);
	}
	for (int k = 0; k < LAST; k++) {
		struct dpdk_figure f = dpdk_figure(ns[k], WINDOWS), own = f;

		own.best -= before.best;
		own.median -= before.median;
		own.worst -= before.worst;
		dpdk_row(k ? names[k] : "mill", own, 1);
		before = f;
	}
}

bool dpdk_steps(const struct dpdk_limits *limits, struct rte_mbuf *mbuf)
{
	struct dpdk_table *table = limits->relay->table;
	struct job j = {
		.limits = limits,
		.mbuf = mbuf,
		.seed = 1,
		.env = { .table = table,
			 .hops = limits->relay->hops,
			 .counters = &table->counters[0].reasons },
		.seqs = calloc(limits->flows, sizeof(*j.seqs)),
	};

	if (!j.seqs)
		return false;
	memcpy(j.frame, rte_pktmbuf_mtod(mbuf, void *), sizeof(j.frame));
	take_steps(&j);
	memcpy(rte_pktmbuf_mtod(mbuf, void *), j.frame, sizeof(j.frame));
	free(j.seqs);
	return !j.failed;
}
