/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dpdk/copy.h"
#include "dpdk/env.h"
#include "dpdk/packet.h"
#include "dpdk/protect.h"
#include "dpdk/srtp.h"
#include "userspace/util/log.h"

#define MODULE	   "worker"
#define BURST	   DPDK_BURST
#define OUTBOX	   64	/* no less than a burst */
#define AHEAD	   4	/* frames whose flow is fetched before their turn, */
#define FAR_AHEAD  8	/* and those whose first line is */
#define IDLE_POLLS 1000 /* empty rounds before a worker sleeps, where it may */

/* Frames of one burst, by where they go; with each the leg that it is a copy for, if it is. */
struct outbox {
	struct rte_mbuf *frames[OUTBOX];
	uint32_t legs[OUTBOX];
	uint16_t count;
};

struct worker {
	struct dpdk_worker *self;
	struct dpdk_relay *relay;
	struct env env;
	struct dpdk_copier copier;
	struct outbox ports[DPDK_MAX_PORTS];
	struct outbox punts;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What a full transmit queue refuses is lost, and counted. */
static void send_port(struct worker *w, uint32_t n)
{
	struct outbox *box = &w->ports[n];
	uint16_t sent;

	dpdk_protect_finish(&w->env);
	sent = rte_eth_tx_burst(w->relay->ports.port[n].id, w->self->index, box->frames,
				box->count);
	for (uint16_t i = sent; i < box->count; i++) {
		if (box->legs[i] != TANDEM_NO_SLOT)
			dpdk_copy_failed(&w->env, box->legs[i]);
		else if (w->env.counters)
			w->env.counters->packets[REASON_send_failed]++;
		rte_pktmbuf_free(box->frames[i]);
	}
	box->count = 0;
}

/* A frame that came may become hundreds. */
static void port_add(struct worker *w, uint32_t n, struct rte_mbuf *mbuf, uint32_t leg)
{
	struct outbox *box = &w->ports[n];

	if (box->count == OUTBOX)
		send_port(w, n);
	box->frames[box->count] = mbuf;
	box->legs[box->count++] = leg;
}

static void copy_h(struct rte_mbuf *copy, uint32_t port, uint32_t leg, void *arg)
{
	port_add(arg, port, copy, leg);
}

static void send_punts(struct worker *w, struct dpdk_port *port)
{
	struct outbox *box = &w->punts;
	uint16_t sent = 0;

	if (box->count && port->exception != DPDK_NO_EXCEPTION) {
		rte_spinlock_lock(&port->exception_lock);
		sent = rte_eth_tx_burst(port->exception, 0, box->frames, box->count);
		rte_spinlock_unlock(&port->exception_lock);
	}
	for (uint16_t i = sent; i < box->count; i++)
		rte_pktmbuf_free(box->frames[i]);
	box->count = 0;
}

static void deliver(struct worker *w, struct rte_mbuf *mbuf, enum verdict verdict, uint32_t out)
{
	if (verdict == VERDICT_FORWARD && mbuf)
		port_add(w, out, mbuf, TANDEM_NO_SLOT);
	else if (verdict == VERDICT_PUNT)
		w->punts.frames[w->punts.count++] = mbuf;
	else
		rte_pktmbuf_free(mbuf);
}

static void relay_one(struct worker *w, struct rte_mbuf *mbuf)
{
	enum verdict verdict = VERDICT_PUNT;
	uint32_t out = 0;

	if (w->env.table)
		verdict = dpdk_packet_plain(&w->env, &mbuf, &out);
	deliver(w, mbuf, verdict, out);
}

static void protect_one(struct worker *w, struct rte_mbuf *mbuf)
{
	uint32_t out = 0;
	enum verdict verdict = dpdk_packet(&w->env, &mbuf, &out);

	deliver(w, mbuf, verdict, out);
}

static void fetch_flow(struct worker *w, const struct rte_mbuf *mbuf)
{
	if (w->env.table)
		dpdk_packet_ahead(&w->env, mbuf);
}

static void relay_plain(struct worker *w, struct rte_mbuf **burst, uint16_t n)
{
	for (uint16_t i = 0; i < RTE_MIN(n, (uint16_t)FAR_AHEAD); i++)
		rte_prefetch0(rte_pktmbuf_mtod(burst[i], void *));
	for (uint16_t i = 0; i < RTE_MIN(n, (uint16_t)AHEAD); i++)
		fetch_flow(w, burst[i]);
	for (uint16_t i = 0; i < n; i++) {
		if (i + FAR_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(burst[i + FAR_AHEAD], void *));
		if (i + AHEAD < n)
			fetch_flow(w, burst[i + AHEAD]);
		relay_one(w, burst[i]);
	}
}

/* Where there are keys, what is ahead is the whole burst. */
static void relay_protected(struct worker *w, struct rte_mbuf **burst, uint16_t n)
{
	if (w->env.protect)
		dpdk_protect_ahead(&w->env, burst, n);
	for (uint16_t i = 0; i < n; i++)
		protect_one(w, burst[i]);
	dpdk_protect_finish(&w->env);
}

static uint16_t relay_burst(struct worker *w, struct dpdk_port *port)
{
	struct rte_mbuf *burst[BURST];
	uint16_t n = rte_eth_rx_burst(port->id, w->self->index, burst, BURST);

	if (!n)
		return 0;
	w->env.now_ns = now_ns();
	if (w->env.table && dpdk_srtp_used(w->env.table))
		relay_protected(w, burst, n);
	else
		relay_plain(w, burst, n);
	for (uint32_t out = 0; out < w->relay->ports.count; out++) {
		if (w->ports[out].count)
			send_port(w, out);
	}
	send_punts(w, port);
	return n;
}

/* What the host's kernel itself sends on its device of a port. */
static uint16_t host_burst(struct worker *w, uint32_t n)
{
	struct dpdk_port *port = &w->relay->ports.port[n];
	struct outbox *box = &w->ports[n];

	if (port->exception == DPDK_NO_EXCEPTION)
		return 0;
	box->count = rte_eth_rx_burst(port->exception, 0, box->frames, BURST);
	if (!box->count)
		return 0;
	for (uint16_t i = 0; i < box->count; i++)
		box->legs[i] = TANDEM_NO_SLOT;
	send_port(w, n);
	return 1;
}

static uint16_t round_of(struct worker *w)
{
	uint64_t begin = rte_rdtsc();
	uint16_t frames = 0, host = 0;

	for (uint32_t n = 0; n < w->relay->ports.count; n++) {
		struct dpdk_port *port = &w->relay->ports.port[n];

		if (w->self->index < port->rx_queues)
			frames += relay_burst(w, port);
	}
	if (frames) {
		w->self->packets += frames;
		w->self->cycles += rte_rdtsc() - begin;
	}
	for (uint32_t n = 0; !w->self->index && n < w->relay->ports.count; n++)
		host += host_burst(w, n);
	return frames + host;
}

static void take_table(struct worker *w)
{
	struct dpdk_table *table = __atomic_load_n(&w->relay->table, __ATOMIC_ACQUIRE);

	w->env.table = table;
	w->env.counters = table ? &table->counters[w->self->index].reasons : NULL;
}

int dpdk_worker_run(void *arg)
{
	struct dpdk_worker *self = arg;
	struct dpdk_relay *relay = self->relay;
	struct worker w = {
		.self = self,
		.relay = relay,
		.env = { .hops = relay->hops, .copier = &w.copier },
		.copier = {
			.frames = relay->ports.pool,
			.clones = relay->ports.clones,
			.chain_min = relay->ports.chain_min,
			.copy_h = copy_h,
			.arg = &w,
		},
	};
	uint32_t empty = 0;

	w.env.protect = dpdk_protect_alloc();
	if (!w.env.protect)
		tandem_log(TANDEM_LOG_WARNING, MODULE, "worker %u: no memory for bursts of SRTP",
			   self->index);
	rte_rcu_qsbr_thread_register(relay->rcu, self->index);
	rte_rcu_qsbr_thread_online(relay->rcu, self->index);
	while (!__atomic_load_n(&relay->quit, __ATOMIC_RELAXED)) {
		take_table(&w);
		empty = round_of(&w) ? 0 : empty + 1;
		rte_rcu_qsbr_quiescent(relay->rcu, self->index);
		if (!relay->idle_us || empty <= IDLE_POLLS)
			continue;
		/* Asleep it looks at nothing, and need not be waited for. */
		rte_rcu_qsbr_thread_offline(relay->rcu, self->index);
		usleep(relay->idle_us);
		rte_rcu_qsbr_thread_online(relay->rcu, self->index);
	}
	rte_rcu_qsbr_thread_offline(relay->rcu, self->index);
	rte_rcu_qsbr_thread_unregister(relay->rcu, self->index);
	dpdk_protect_free(w.env.protect);
	return 0;
}
