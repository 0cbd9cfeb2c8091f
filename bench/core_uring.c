/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core as the io_uring datapath has it: datagrams in memory, step by step. Beside it what
 * the sockets alone cost, in a loop of recvmmsg and sendmmsg over the loopback device.
 */
#include "core/copy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/core.h"
#include "bench/core_flows.h"
#include "bench/steps.h"
#include "userspace/util/sparse.h"

#define BUFFERS 64 /* datagrams lie in so many places, as those of a receive ring do */
#define ROOM	256
#define BURST	32
#define BATCH	64 /* packets between two looks at the clock, as the worker takes them */
#define STREAMS 1024

struct bench {
	struct env env;
	struct env_tables tables;
	struct tandem_table table;
	struct tandem_table_memory memory;
	uint32_t flows, copies, packets, seed;
	uint16_t *seqs;
	uint8_t data[BUFFERS][ROOM];
	uint8_t copy[ROOM];
	uint64_t failed;
};

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e9 * (double)ts.tv_sec + (double)ts.tv_nsec;
}

/* The next datagram, of a flow drawn at random. */
static inline uint8_t *draw(struct bench *b, struct flow_key *key)
{
	uint32_t flow;
	uint16_t seq;
	uint8_t *rtp;

	b->seed = b->seed * 1664525 + 1013904223;
	flow = (uint32_t)(((uint64_t)b->seed * b->flows) >> 32);
	rtp = b->data[b->seed & (BUFFERS - 1)];
	seq = ++b->seqs[flow];
	key->local.w[3] = htonl(CORE_LOCAL + flow / CORE_PORTS);
	key->local_port = htons((uint16_t)(CORE_PORT_BASE + flow % CORE_PORTS));
	rtp[0] = 0x80;
	rtp[1] = 0;
	rtp[2] = (uint8_t)(seq >> 8);
	rtp[3] = (uint8_t)seq;
	rtp[11] = 1;
	return rtp;
}

static inline bool one(struct bench *b, const struct flow_key *key, uint8_t *rtp, int last)
{
	const struct egress *egress;
	struct plan plan;

	if (last == STEP_NONE)
		return true;
	if (last != STEP_ALL)
		return steps_datagram(&b->env, key, rtp, CORE_RTP_LEN, &plan,
				      (enum bench_step)last) == REASON_NONE;
	if (relay_datagram(&b->env, key, rtp, CORE_RTP_LEN, &plan) != REASON_forwarded_rtp)
		return false;
	for (uint32_t n = 0; plan_many(&plan) && n < plan.legs; n++) {
		memcpy(b->copy, rtp, CORE_RTP_LEN);
		if (relay_copy_datagram(&b->env, &plan, n, b->copy, CORE_RTP_LEN, &egress) !=
		    REASON_NONE)
			return false;
	}
	return true;
}

/* A loop for each step: inlined with `last` a constant. */
static inline __attribute__((always_inline)) double loop(struct bench *b, const int last)
{
	struct flow_key key = { .remote = tandem_core_mapped(CORE_REMOTE),
				.local = tandem_core_mapped(CORE_LOCAL),
				.remote_port = htons(CORE_CALLER) };
	double began = now_ns();

	for (uint32_t i = 0; i < b->packets; i++) {
		uint8_t *rtp = draw(b, &key);

		if (i % BATCH == 0)
			b->env.now_ns = (uint64_t)now_ns();
		b->failed += !one(b, &key, rtp, last);
	}
	return (now_ns() - began) / b->packets;
}

#define LOOP(name, last)                                                                           \
	static __attribute__((noinline)) double name(struct bench *b)                              \
	{                                                                                          \
		return loop(b, last);                                                              \
	}

LOOP(loop_none, STEP_NONE)
LOOP(loop_look_up, STEP_LOOKUP)
LOOP(loop_plan, STEP_PLAN)
LOOP(loop_account, STEP_ACCOUNT)
LOOP(loop_translate, STEP_TRANSLATE)
LOOP(loop_count, STEP_COUNT)
LOOP(loop_all, STEP_ALL)

/* ---- sockets ---- */

static int bound_socket(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)at, len) && !getsockname(fd, (struct sockaddr *)at, &len))
		return fd;
	close(fd);
	return -errno;
}

struct burst {
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	uint8_t data[BURST][ROOM];
};

static void burst_init(struct burst *m, struct sockaddr_in *to)
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < BURST; i++) {
		m->iov[i] = (struct iovec){ m->data[i], CORE_RTP_LEN };
		m->msgs[i].msg_hdr = (struct msghdr){ .msg_name = to,
						      .msg_namelen = to ? sizeof(*to) : 0,
						      .msg_iov = &m->iov[i],
						      .msg_iovlen = 1 };
	}
}

/* 32 packets come, 32 are passed on; only that is timed. Empties the sink besides. */
static double relay_bursts(const int fd[3], struct burst m[3], uint32_t packets)
{
	uint32_t relayed = 0;
	double ns = 0;

	while (relayed < packets) {
		int n = sendmmsg(fd[2], m[0].msgs, BURST, 0);
		double began = now_ns();

		n = n > 0 ? recvmmsg(fd[0], m[1].msgs, BURST, MSG_DONTWAIT, NULL) : n;
		for (int i = 0; i < n; i++) {
			m[1].msgs[i].msg_hdr.msg_name = m[2].msgs[i].msg_hdr.msg_name;
			m[1].msgs[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
		}
		n = n > 0 ? sendmmsg(fd[0], m[1].msgs, (unsigned int)n, 0) : n;
		ns += now_ns() - began;
		if (n <= 0)
			return 0;
		relayed += (uint32_t)n;
		for (int i = 0; i < BURST; i++)
			m[1].msgs[i].msg_hdr.msg_name = NULL;
		while (recvmmsg(fd[1], m[1].msgs, BURST, MSG_DONTWAIT, NULL) > 0)
			;
	}
	return ns / relayed;
}

static int sockets(double *ns, int rounds, uint32_t packets)
{
	struct burst *m = calloc(3, sizeof(*m));
	int fd[3] = { -1, -1, -1 }, err = m ? 0 : -ENOMEM;
	struct sockaddr_in at[3];

	for (int i = 0; i < 3 && !err; i++) {
		fd[i] = bound_socket(&at[i]);
		err = fd[i] < 0 ? fd[i] : 0;
	}
	if (!err) {
		burst_init(&m[0], &at[0]);
		burst_init(&m[1], NULL);
		burst_init(&m[2], &at[1]);
	}
	for (int i = 0; i < rounds && !err; i++) {
		ns[i] = relay_bursts(fd, m, packets / 4);
		err = ns[i] > 0 ? 0 : -EIO;
	}
	for (int i = 0; i < 3; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
	free(m);
	return err;
}

/* ---- all together ---- */

static int tables_alloc(struct bench *b)
{
	struct env_tables *t = &b->tables;
	struct relay_config *cfg = &t->config;

	tandem_core_config(cfg, b->flows, b->copies);
	t->entries = b->memory.entries = tandem_sparse_alloc(cfg->slots, sizeof(struct entry));
	t->rules_more = b->memory.rules_more = tandem_sparse_alloc(cfg->slots,
								   sizeof(struct rule_more));
	t->flows_more = b->memory.flows_more = tandem_sparse_alloc(cfg->slots,
								   sizeof(struct flow_more));
	t->fans = b->memory.fans = tandem_sparse_alloc(cfg->fans, sizeof(struct fan));
	t->fan_states = tandem_sparse_alloc(cfg->fans, sizeof(struct fan_state));
	t->legs = b->memory.legs = tandem_sparse_alloc(cfg->legs, sizeof(struct leg));
	t->leg_states = b->memory.leg_states = tandem_sparse_alloc(cfg->legs,
								   sizeof(struct leg_state));
	t->streams = tandem_sparse_alloc(STREAMS, sizeof(struct env_stream));
	t->streams_size = STREAMS;
	b->seqs = calloc(b->flows, sizeof(*b->seqs));
	b->env.tables = t;
	if (!t->entries || !t->rules_more || !t->flows_more || !t->fans || !t->fan_states ||
	    !t->legs || !t->leg_states || !t->streams || !b->seqs)
		return -ENOMEM;
	return tandem_table_init(&b->table, cfg, &b->memory, NULL, NULL);
}

static void clean(struct bench *b)
{
	struct env_tables *t = &b->tables;
	const struct relay_config *cfg = &t->config;

	tandem_table_clean(&b->table);
	tandem_sparse_free(t->entries, cfg->slots, sizeof(struct entry));
	tandem_sparse_free(t->rules_more, cfg->slots, sizeof(struct rule_more));
	tandem_sparse_free(t->flows_more, cfg->slots, sizeof(struct flow_more));
	tandem_sparse_free(t->fans, cfg->fans, sizeof(struct fan));
	tandem_sparse_free(t->fan_states, cfg->fans, sizeof(struct fan_state));
	tandem_sparse_free(t->legs, cfg->legs, sizeof(struct leg));
	tandem_sparse_free(t->leg_states, cfg->legs, sizeof(struct leg_state));
	tandem_sparse_free(t->streams, STREAMS, sizeof(struct env_stream));
	free(b->seqs);
	free(b);
}

static const struct {
	const char *what;
	double (*loop)(struct bench *b);
} steps[] = {
	{ "mill", loop_none },	     { "classify, look up", loop_look_up }, { "plan", loop_plan },
	{ "account", loop_account }, { "translate", loop_translate },	    { "count", loop_count },
	{ "rest", loop_all },
};
#define STEPS_TIMED (sizeof(steps) / sizeof(steps[0]))

static int one_to_one(struct bench *b, const struct core_options *opts, struct core_report *report)
{
	struct core_row row = { .datapath = "uring", .unit = "ns", .flows = b->flows, .copies = 1 };
	double ns[STEPS_TIMED][CORE_MAX_ROUNDS], own[CORE_MAX_ROUNDS];
	struct figure figures[STEPS_TIMED], nothing = { 0 };
	int err = 0;

	for (int i = -1; i < opts->rounds; i++) { /* the first round warms up */
		for (size_t k = 0; k < STEPS_TIMED; k++)
			ns[k][i < 0 ? 0 : i] = steps[k].loop(b);
	}
	for (size_t k = 0; k < STEPS_TIMED && !err; k++) {
		figures[k] = tandem_figure(ns[k], (size_t)opts->rounds);
		snprintf(row.what, sizeof(row.what), "%s", steps[k].what);
		err = tandem_core_between(report, &row, k ? &figures[k - 1] : &nothing,
					  &figures[k]);
	}
	strcpy(row.what, "whole");
	if (!err)
		err = tandem_core_between(report, &row, &figures[0], &figures[STEPS_TIMED - 1]);
	strcpy(row.what, "recvmmsg, sendmmsg");
	if (!err)
		err = sockets(own, opts->rounds, opts->packets);
	return err ? err : tandem_core_add(report, &row, own, (size_t)opts->rounds);
}

static int with_copies(struct bench *b, const struct core_options *opts, struct core_report *report)
{
	struct core_row row = { .datapath = "uring",
				.what = "whole",
				.unit = "ns",
				.flows = b->flows,
				.copies = b->copies };
	double ns[CORE_MAX_ROUNDS];

	b->packets /= b->copies;
	for (int i = -1; i < opts->rounds; i++) {
		double none = loop_none(b);

		ns[i < 0 ? 0 : i] = (loop_all(b) - none) / b->copies;
	}
	return tandem_core_add(report, &row, ns, (size_t)opts->rounds);
}

static int measure(const struct core_options *opts, uint32_t flows, uint32_t copies,
		   struct core_report *report, void *arg)
{
	struct bench *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->flows = flows;
	b->copies = copies;
	b->packets = opts->packets;
	b->seed = 1;
	err = tables_alloc(b);
	if (!err)
		err = tandem_core_install(&b->table, flows, copies);
	if (!err)
		err = copies > 1 ? with_copies(b, opts, report) : one_to_one(b, opts, report);
	if (!err && b->failed) /* or the figures mean nothing */
		err = -EPROTO;
	if (err)
		fprintf(stderr, "bench: io_uring's core with %u flows: %s\n", flows,
			strerror(-err));
	clean(b);
	return err;
}

const struct core_datapath tandem_core_uring = { "uring", NULL, NULL, measure };
