/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's environment in userspace: rules and flows in plain arrays, the two hashes
 * as open addressing with a bounded probe. Found as "env.h" through -Iuserspace/uring.
 *
 * One struct env per worker; rules, flows and tables are shared by all of them. Control
 * writes rules (with their gen) and the shared-port table, workers write flows and
 * streams. Nothing here allocates or locks.
 */
#ifndef TANDEM_URING_ENV_H
#define TANDEM_URING_ENV_H

#include <stddef.h>
#include <string.h>

#include "core/abi.h"
#include "core/rtcp_job.h"
#include "core/srtp_job.h"
#include "core/tap_abi.h"

#define ENV_CALL   inline
#define ENV_PROBES 16

/* A further flow on a shared port. slot is TANDEM_NO_SLOT when the entry is free. */
struct env_shared {
	__u32 slot;
	struct flow_key key;
};

/* A second or later SSRC. key 0: free; else slot + 1 and SSRC. */
struct env_stream {
	__u64 key;
	struct extra_stream extra;
};

struct tandem_ciphers;

/* What all workers share. The table sizes are powers of two. */
struct env_tables {
	struct relay_config config;
	struct entry *entries;
	struct rule_more *rules_more;
	struct flow_more *flows_more;
	struct fan *fans;
	struct fan_state *fan_states;
	struct leg *legs;
	struct leg_state *leg_states;
	struct srtp_keys *srtp_keys;
	struct srtp_stream *srtp_streams;
	struct tandem_ciphers *ciphers; /* of as many entries as there are keys */
	struct env_shared *shared;
	__u32 shared_size;
	struct env_stream *streams;
	__u32 streams_size;
};

/* A whole frame, for environments that have such: the io_uring datapath does not. */
struct env_frame {
	char *buffer; /* start of the headroom */
	char *data;
	char *end;
	char *limit; /* end of the room behind it */
};

/* Takes what env_tap() gives. */
struct env_tap;
typedef void(env_tap_h)(struct env_tap *tap, const struct tap_record *record,
			const struct egress *eg, const void *payload);

/* The tap of a worker, while there is a capture; key, payload, len and tos are of what came. */
struct env_tap {
	env_tap_h *h;
	const struct flow_key *key;
	const void *payload;
	__u32 len;
	__u8 tos;
	__u64 ns; /* when it came: no two packets of a batch have the same */
};

/* Answers env_nexthop(); returns a reason. */
typedef __u32(env_nexthop_h)(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg);

struct env {
	struct env_tables *tables;
	struct reason_counters counters;
	__u64 now_ns; /* monotonic; set by the worker for each batch */

	struct egress kept;
	struct rtcp_job rtcp_job;
	struct srtp_job srtp_job;
	struct env_frame frame; /* frames only */
	env_nexthop_h *nexthop; /* frames only */
	void *nexthop_arg;
	struct env_tap *tap; /* NULL: nobody captures */
};

#define ENV_ARRAYS(env)	 ((env)->tables)
#define ENV_SRTP(env)	 1
#define ENV_CIPHERS(env) ((env)->tables->ciphers)
#include "core/env_arrays.h"
#include "userspace/srtp/hooks.h"

static inline __u64 env_now(struct env *env)
{
	return env->now_ns;
}

static inline struct fan_state *env_fan_state(struct env *env, __u32 index)
{
	return index < env->tables->config.fans ? &env->tables->fan_states[index] : NULL;
}

/* Finalizer of MurmurHash3, for keys that are already words. */
static inline __u32 env_mix(__u64 h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return (__u32)(h ^ h >> 33);
}

static inline __u32 env_key_hash(const struct flow_key *key)
{
	__u64 ports = (__u64)key->remote_port << 16 | key->local_port;

	return env_mix(key->remote.d[0] ^ env_mix(key->remote.d[1]) ^
		       ((__u64)env_mix(key->local.d[0] + ports) << 32) ^ env_mix(key->local.d[1]));
}

/*
 * Entry for key in the shared-port table: the one that has it, else with create the
 * first free one of its probe, else NULL. For control, under its own lock: fill in the
 * key first, then store slot with release order. To remove, store TANDEM_NO_SLOT.
 */
static inline struct env_shared *env_shared_entry(struct env_tables *t, const struct flow_key *key,
						  int create)
{
	struct env_shared *e, *free_entry = NULL;
	__u32 hash = env_key_hash(key), i;

	if (!t->shared_size)
		return NULL;
	for (i = 0; i < ENV_PROBES; i++) {
		e = &t->shared[(hash + i) & (t->shared_size - 1)];
		if (__atomic_load_n(&e->slot, __ATOMIC_ACQUIRE) == TANDEM_NO_SLOT) {
			if (!free_entry)
				free_entry = e;
			continue;
		}
		if (!memcmp(&e->key, key, sizeof(*key)))
			return e;
	}
	return create ? free_entry : NULL;
}

/*
 * An entry may change while it is read; the core compares the rule's own key before it
 * believes the slot, so the worst that comes of it is a packet of an unknown source.
 */
static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	struct env_shared *e = env_shared_entry(env->tables, key, 0);

	if (!e)
		return 0;
	*slot = __atomic_load_n(&e->slot, __ATOMIC_RELAXED);
	return *slot != TANDEM_NO_SLOT;
}

static inline __u64 env_stream_word(__u32 slot, __u32 ssrc)
{
	return ((__u64)slot + 1) << 32 | ssrc;
}

static inline struct extra_stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create)
{
	struct env_tables *t = env->tables;
	struct env_stream *e;
	__u64 key = env_stream_word(slot, ssrc), found;
	__u32 hash = env_mix(key), i;

	if (!t->streams_size)
		return NULL;
	for (i = 0; i < ENV_PROBES; i++) {
		e = &t->streams[(hash + i) & (t->streams_size - 1)];
		if (__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) == key)
			return &e->extra;
	}
	for (i = 0; create && i < ENV_PROBES; i++) {
		e = &t->streams[(hash + i) & (t->streams_size - 1)];
		found = 0;
		/* A free entry's stream is all zero; see env_streams_forget(). */
		if (__atomic_compare_exchange_n(&e->key, &found, key, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return &e->extra;
	}
	return NULL;
}

/* For control, when a flow is gone: free the entries of its slot. Walks the table. */
static inline void env_streams_forget(struct env_tables *t, __u32 slot)
{
	__u32 i;

	for (i = 0; i < t->streams_size; i++) {
		struct env_stream *e = &t->streams[i];

		if (__atomic_load_n(&e->key, __ATOMIC_RELAXED) >> 32 != (__u64)slot + 1)
			continue;
		memset(&e->extra, 0, sizeof(e->extra));
		__atomic_store_n(&e->key, 0, __ATOMIC_RELEASE);
	}
}

static inline void env_count(struct env *env, __u32 reason)
{
	env->counters.packets[reason]++;
}

static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh)
{
	return env->nexthop ? env->nexthop(eg, l3_len, nh, env->nexthop_arg)
			    : (__u32)REASON_no_route;
}

static inline void *env_data(struct env *env)
{
	return env->frame.data;
}

static inline void *env_data_end(struct env *env)
{
	return env->frame.end;
}

static inline __u32 env_size(struct env *env)
{
	return (__u32)(env->frame.end - env->frame.data);
}

static inline int env_resize(struct env *env, int delta)
{
	if (delta > env->frame.data - env->frame.buffer)
		return -1;
	if (env->frame.end - (env->frame.data - delta) < 14)
		return -1;
	env->frame.data -= delta;
	return 0;
}

static inline int env_trim(struct env *env, int delta)
{
	if (delta > env->frame.limit - env->frame.end)
		return -1;
	if (env->frame.end + delta - env->frame.data < 14)
		return -1;
	env->frame.end += delta;
	return 0;
}

/* What arrives, for a tap that there may be. */
static inline void env_tap_came(struct env *env, const struct flow_key *key, const void *payload,
				__u32 len, __u8 tos)
{
	struct env_tap *tap = __atomic_load_n(&env->tap, __ATOMIC_ACQUIRE);

	if (!tap)
		return;
	tap->key = key;
	tap->payload = payload;
	tap->len = len;
	tap->tos = tos;
	tap->ns = env_now(env) > tap->ns ? env_now(env) : tap->ns + 1;
}

/* A packet as it came is the one that the tap has. */
static inline void env_tap_give(struct env *env, struct tap_record *record, __u32 slot,
				const struct egress *eg, __u32 leg, const void *payload)
{
	const struct entry *entry = record->flow_id ? NULL : env_entry(env, slot);
	const struct leg_state *state = env_leg_state(env, leg);

	if (state)
		record->leg = state->id;

	if (entry)
		record->flow_id = entry->rule.id;
	record->ns = env->tap->ns;
	env->tap->h(env->tap, record, eg, payload ? payload : env->tap->payload);
}

#define env_tap(env, plan, k, eg, payload, len)                                                    \
	do {                                                                                       \
		struct tap_record record_ = { .payload_len = (__u16)(len), .kind = (__u8)(k) };    \
                                                                                                   \
		if (record_.kind == TAP_REFUSED)                                                   \
			record_.reason = (plan)->reason;                                           \
		else                                                                               \
			record_.flow_id = (plan)->flow_id;                                         \
		if ((env)->tap)                                                                    \
			env_tap_give(env, &record_, (plan)->slot, eg,                              \
				     (plan)->legs && (eg) ? (eg)->state : TANDEM_NO_SLOT,          \
				     payload);                                                     \
	} while (0)

static inline void env_read_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

#endif
