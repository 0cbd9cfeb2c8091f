/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's environment in the kernel: a table of the namespace, and the linear part of
 * an skb from its IP header on. The packet is resized and routed by kmod/relay.c, between
 * the core's steps, so what is declared for whole frames alone is not here.
 */
#ifndef TANDEM_KMOD_ENV_H
#define TANDEM_KMOD_ENV_H

#include <linux/ktime.h>
#include <linux/percpu.h>

#include "kmod/flow_table.h"

#define ENV_CALL noinline

struct env {
	struct tandem_table *table;
	char *data; /* IP header */
	char *end;
	struct egress kept;
	struct rtcp_job rtcp_job;
	struct srtp_job srtp_job;
};

#define ENV_ARRAYS(env) ((env)->table)
#include "core/env_arrays.h"

#define ENV_SRTP(env) 1
#define env_srtp_able(env, keys, index, len)                                                       \
	tandem_srtp_able(&(env)->table->srtp, index, (keys)->suite)
#define env_srtp_ctr(env, job, payload, end)  tandem_srtp_ctr(&(env)->table->srtp, job, payload)
#define env_srtp_hmac(env, job, payload, end) tandem_srtp_hmac(&(env)->table->srtp, job, payload)
#define env_srtp_gcm(env, job, payload, end)  tandem_srtp_gcm(&(env)->table->srtp, job, payload, end)

static inline __u64 env_now(struct env *env)
{
	return ktime_get_ns();
}

/* What is captured goes through userspace: the controller gives the module no such rule. */
#define env_tap(env, plan, kind, eg, payload, len) ((void)(eg), (void)(payload))

/* The ways of legs are the kernel's routes, so that nothing has to be kept of them here. */
static inline struct fan_state *env_fan_state(struct env *env, __u32 index)
{
	return NULL;
}

static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	*slot = tandem_table_shared(env->table, key);
	return *slot != TANDEM_NO_SLOT;
}

static inline struct extra_stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
{
	return tandem_table_stream(env->table, slot, ssrc, create);
}

static inline void env_count(struct env *env, __u32 reason)
{
	this_cpu_inc(env->table->counters->packets[reason]);
}

/* Routes are looked up in kmod/emit.c, which needs no link-layer addresses. */
static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh)
{
	return REASON_no_route;
}

static inline void *env_data(struct env *env)
{
	return env->data;
}

static inline void *env_data_end(struct env *env)
{
	return env->end;
}

static inline __u32 env_size(struct env *env)
{
	return (__u32)(env->end - env->data);
}

static inline int env_resize(struct env *env, int delta)
{
	return -1;
}

/* Growth is kmod/relay.c's, which also has the skb end where this says. */
static inline int env_trim(struct env *env, int delta)
{
	if (delta > 0)
		return -1;
	env->end += delta;
	return 0;
}

static inline void env_read_barrier(void)
{
	smp_rmb();
}

#endif
