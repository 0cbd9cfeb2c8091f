/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's environment in the DPDK worker: frames are mbufs, tables are those of
 * flow_table.h, the next hop comes from the cache of nexthop.h. Found as "env.h" through
 * -Idpdk. One struct env per worker; nothing here allocates, blocks or locks.
 */
#ifndef TANDEM_DPDK_ENV_H
#define TANDEM_DPDK_ENV_H

#include <rte_mbuf.h>

#include "core/addr.h"
#include "core/rtcp_job.h"
#include "core/srtp_job.h"
#include "dpdk/copy.h"
#include "dpdk/flow_table.h"
#include "dpdk/nexthop.h"
#include "dpdk/protect.h"

#define ENV_CALL   inline
#define ENV_PROBES 16

struct env {
	struct dpdk_table *table;
	struct dpdk_hops *hops;
	struct reason_counters *counters; /* this worker's, in table */
	struct rte_mbuf *mbuf;		  /* the frame; headers are in its first segment */
	struct egress kept;
	struct rtcp_job rtcp_job;
	struct srtp_job srtp_job;
	__u64 now_ns; /* monotonic; set for each burst */
	const struct dpdk_copier *copier;
	struct dpdk_protect *protect; /* NULL: each packet is hashed by itself */
};

#define ENV_ARRAYS(env) ((env)->table)
#ifndef ENV_SRTP
#define ENV_SRTP(env) 1
#endif
#define ENV_CIPHERS(env) ((env)->table->ciphers)
#include "core/env_arrays.h"
#include "userspace/srtp/hooks.h"

#undef env_srtp_hmac
#define env_srtp_hmac(env, job, payload, end) dpdk_protect_hmac(env, job, payload)

static inline __u64 env_now(struct env *env)
{
	return env->now_ns;
}

/* What is captured goes through io_uring: the controller gives the worker no such rule. */
#define env_tap(env, plan, kind, eg, payload, len) ((void)(eg), (void)(payload))

static inline struct fan_state *env_fan_state(struct env *env, __u32 index)
{
	return index < env->table->config.fans ? &env->table->fan_states[index] : NULL;
}

static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	void *data;

	if (rte_hash_lookup_data(env->table->shared, key, &data) < 0)
		return 0;
	*slot = (__u32)(uintptr_t)data;
	return 1;
}

/*
 * Open addressing with a bounded probe. Several workers may enter streams at once, each of
 * another flow; the control thread frees entries once no worker can see their flow.
 */
static inline struct extra_stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
{
	struct dpdk_table *t = env->table;
	__u64 key = ((__u64)slot + 1) << 32 | ssrc, found;
	__u32 hash = (__u32)((key * 0x9e3779b97f4a7c15ULL) >> 32), i;
	struct dpdk_stream *e;

	for (i = 0; i < ENV_PROBES; i++) {
		e = &t->streams[(hash + i) & (t->streams_size - 1)];
		if (__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) == key)
			return &e->extra;
	}
	for (i = 0; create && i < ENV_PROBES; i++) {
		e = &t->streams[(hash + i) & (t->streams_size - 1)];
		found = 0;
		/* A free entry's stream is all zero. */
		if (__atomic_compare_exchange_n(&e->key, &found, key, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return &e->extra;
	}
	return NULL;
}

static inline void env_count(struct env *env, __u32 reason)
{
	env->counters->packets[reason]++;
}

static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh)
{
	const struct ip_addr *locals = env->table->config.locals;

	return dpdk_hops_get(env->hops, &eg->remote, &locals[eg->local & (TANDEM_MAX_LOCALS - 1)],
			     l3_len, nh, env->now_ns);
}

static inline void *env_data(struct env *env)
{
	return rte_pktmbuf_mtod(env->mbuf, void *);
}

static inline void *env_data_end(struct env *env)
{
	return rte_pktmbuf_mtod_offset(env->mbuf, void *, rte_pktmbuf_data_len(env->mbuf));
}

static inline __u32 env_size(struct env *env)
{
	return rte_pktmbuf_data_len(env->mbuf);
}

static inline int env_resize(struct env *env, int delta)
{
	if (delta >= 0)
		return rte_pktmbuf_prepend(env->mbuf, (uint16_t)delta) == NULL;
	if (rte_pktmbuf_data_len(env->mbuf) + delta < 14)
		return -1;
	return rte_pktmbuf_adj(env->mbuf, (uint16_t)-delta) == NULL;
}

static inline int env_trim(struct env *env, int delta)
{
	if (delta >= 0)
		return rte_pktmbuf_append(env->mbuf, (uint16_t)delta) == NULL;
	return rte_pktmbuf_trim(env->mbuf, (uint16_t)-delta);
}

static inline void env_read_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

#endif
