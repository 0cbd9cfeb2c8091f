/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The part of an env.h that is the same in all environments where the arrays of
 * core/abi.h lie in memory and no verifier looks. ENV_ARRAYS(env) is what holds them: a
 * pointer to a struct with members config, entries, rules_more, flows_more, fans, legs,
 * leg_states, srtp_keys and srtp_streams. In struct env itself it wants a struct egress kept,
 * a struct rtcp_job rtcp_job and a struct srtp_job srtp_job.
 */
#ifndef TANDEM_CORE_ENV_ARRAYS_H
#define TANDEM_CORE_ENV_ARRAYS_H

static inline const struct relay_config *env_config(struct env *env)
{
	return &ENV_ARRAYS(env)->config;
}

static inline struct entry *env_entry(struct env *env, __u32 slot)
{
	return slot < ENV_ARRAYS(env)->config.slots ? &ENV_ARRAYS(env)->entries[slot] : 0;
}

static inline const struct rule_more *env_rule_more(struct env *env, __u32 slot)
{
	return slot < ENV_ARRAYS(env)->config.slots ? &ENV_ARRAYS(env)->rules_more[slot] : 0;
}

static inline struct flow_more *env_flow_more(struct env *env, __u32 slot)
{
	return slot < ENV_ARRAYS(env)->config.slots ? &ENV_ARRAYS(env)->flows_more[slot] : 0;
}

static inline void env_touch(const struct entry *entry)
{
	const char *line = (const char *)entry;

	__builtin_prefetch(line);
	__builtin_prefetch(line + 64);
	__builtin_prefetch(line + 128, 1);
	__builtin_prefetch(line + 192, 1);
}

static inline const struct fan *env_fan(struct env *env, __u32 index)
{
	return index < ENV_ARRAYS(env)->config.fans ? &ENV_ARRAYS(env)->fans[index] : 0;
}

static inline const struct leg *env_leg(struct env *env, __u32 index)
{
	return index < ENV_ARRAYS(env)->config.legs ? &ENV_ARRAYS(env)->legs[index] : 0;
}

static inline struct leg_state *env_leg_state(struct env *env, __u32 index)
{
	return index < ENV_ARRAYS(env)->config.legs ? &ENV_ARRAYS(env)->leg_states[index] : 0;
}

static inline int env_way_holds(struct env *env, __u64 expires_ns, __u64 now)
{
	return now < expires_ns;
}

static inline const struct srtp_keys *env_srtp_keys(struct env *env, __u32 index)
{
	return index != SRTP_NO_KEYS && index < ENV_ARRAYS(env)->config.srtps
		       ? &ENV_ARRAYS(env)->srtp_keys[index]
		       : 0;
}

static inline struct srtp_stream *env_srtp_stream(struct env *env, __u32 index)
{
	return index < ENV_ARRAYS(env)->config.srtp_streams ? &ENV_ARRAYS(env)->srtp_streams[index]
							    : 0;
}

static inline struct srtp_job *env_srtp_job(struct env *env)
{
	return &env->srtp_job;
}

static inline struct rtcp_job *env_rtcp_job(struct env *env)
{
	return &env->rtcp_job;
}

static inline struct egress *env_keep(struct env *env)
{
	return &env->kept;
}

static inline int env_can_copy(struct env *env, __u32 ifindex, __u32 n)
{
	return 1;
}

static inline __u32 env_forget(struct env *env, __u32 value, __u32 mask)
{
	return value & mask;
}

#define env_nexthop_find			     nexthop_find
#define env_flow_renew				     flow_renew
#define env_stream_account(env, at, rtp, hz, now)    stream_account(at, rtp, hz, now)
#define env_fan_find(env, fan, rtcp, ssrc, branch)   fan_find(fan, rtcp, ssrc, branch)
#define env_rtp_translate			     rtp_translate
#define env_rewrite_frame			     rewrite_frame
#define env_rtcp_check				     rtcp_check
#define env_rtcp_walk				     rtcp_walk
#define env_rtcp_step				     rtcp_step
#define env_ext_translate			     ext_translate
#define env_ext_byte				     ext_byte
#define env_g711(env, payload, end, off, octets, to) g711_translate(payload, end, off, octets, to)
#define env_silence(env, p, end, off, octets, act)   silence_fill(p, end, off, octets, act)
#define env_fan_resolve				     fan_resolve
#define env_fan_leg				     fan_resolve_leg
#define env_sum(env, payload, end, len)		     csum_bytes(payload, len)
#define env_srtp_admit				     srtp_admit
#define env_srtp_open				     srtp_open
#define env_srtp_seal				     srtp_seal
#define env_srtp_admit_keys			     srtp_admit_keys
#define env_srtp_accept				     srtp_accept
#define env_srtp_begin				     srtp_begin
#define env_srtp_finish				     srtp_finish

#endif
