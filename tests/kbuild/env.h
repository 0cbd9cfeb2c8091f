/* SPDX-License-Identifier: GPL-2.0-only */
/* The core's environment in a kernel, as far as compiling goes: a linear buffer and one flow. */
#ifndef TANDEM_KBUILD_ENV_H
#define TANDEM_KBUILD_ENV_H

#include <linux/ktime.h>
#include <linux/types.h>

#define ENV_CALL noinline

struct env {
	struct relay_config config;
	struct rule rule;
	struct flow flow;
	struct stream stream;
	__u64 counters[REASON_COUNT];
	char *data;
	char *end;
};

static inline __u64 env_now(struct env *env)
{
	return ktime_get_ns();
}

static inline const struct relay_config *env_config(struct env *env)
{
	return &env->config;
}

static inline const struct rule *env_rule(struct env *env, __u32 slot)
{
	return slot ? NULL : &env->rule;
}

static inline struct flow *env_flow(struct env *env, __u32 slot)
{
	return slot ? NULL : &env->flow;
}

static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	return 0;
}

static inline struct stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
{
	return create ? &env->stream : NULL;
}

static inline void env_count(struct env *env, __u32 reason)
{
	env->counters[reason]++;
}

static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh)
{
	nh->ifindex = 1;
	return REASON_COUNT;
}

static inline void *env_data(struct env *env)
{
	return env->data;
}

static inline void *env_data_end(struct env *env)
{
	return env->end;
}

static inline int env_resize(struct env *env, int delta)
{
	env->data -= delta;
	return 0;
}

static inline __u32 env_forget(struct env *env, __u32 value, __u32 mask)
{
	return value;
}

#define env_rtcp_check rtcp_check
#define env_rtcp_walk  rtcp_walk
#define env_rtcp_step  rtcp_step

static inline void env_read_barrier(void)
{
	smp_rmb();
}

#endif
