/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an environment must give the core. Each has a header named env.h on its
 * include path, found from here and from nowhere else. It defines struct env,
 * the context of one CPU or worker, and the functions declared below; being
 * declared here first, the compiler holds every environment to the same
 * signatures.
 *
 * The core promises in return: no allocation, no blocking, no libc, and no
 * access to a packet that was not compared with its end just before, in a form
 * that the BPF verifier can follow.
 *
 * Frames must lie so that the layer-3 header is on a 4-byte boundary, unless
 * the machine does not care; a datagram handed to relay_datagram() likewise.
 */
#ifndef TANDEM_CORE_ENV_API_H
#define TANDEM_CORE_ENV_API_H

#include "core/abi.h"
#include "core/rtcp_job.h"
#include "core/srtp_job.h"

struct env;
struct plan;

/*
 * env.h also defines ENV_CALL, put in front of the few functions that should stay calls
 * where the stack is small: noinline, or inline.
 */

/*
 * And ENV_SRTP(env): 1, or 0 where packets that would have to be opened or sealed are not for
 * this environment, and end with srtp_suite. Constant, so that nothing is left of SRTP there.
 */

/* Monotonic clock, nanoseconds. */
static inline __u64 env_now(struct env *env);

/* The relay's configuration; NULL only if the environment is not set up. */
static inline const struct relay_config *env_config(struct env *env);

/* Rule and flow of a slot, and the rest of each; NULL when the slot is out of range. */
static inline struct entry *env_entry(struct env *env, __u32 slot);
static inline const struct rule_more *env_rule_more(struct env *env, __u32 slot);
static inline struct flow_more *env_flow_more(struct env *env, __u32 slot);

/* Ask memory for all of an entry, without waiting for any of it. */
static inline void env_touch(const struct entry *entry);

/* Fan, leg and their states; NULL when the index is out of range. */
static inline const struct fan *env_fan(struct env *env, __u32 index);
static inline struct fan_state *env_fan_state(struct env *env, __u32 index);
static inline const struct leg *env_leg(struct env *env, __u32 index);
static inline struct leg_state *env_leg_state(struct env *env, __u32 index);

/* Room for one egress while a packet is in hand; NULL only if the environment is not set up. */
static inline struct egress *env_keep(struct env *env);

/* The same for a job of rtcp.h. */
static inline struct rtcp_job *env_rtcp_job(struct env *env);

/*
 * Slot of a further flow on a shared port, or of one that arrives on a group. Returns 1
 * and sets *slot, or 0.
 */
static inline int env_shared_slot(struct env *env, const struct flow_key *key, __u32 *slot);

/*
 * Entry of a second or later SSRC of a flow. With create, an entry is made when
 * there is none, all zero. NULL when there is none or no room.
 */
static inline struct extra_stream *env_stream(struct env *env, __u32 slot, __u32 ssrc, int create);

/* Add one to the counter of a reason. */
static inline void env_count(struct env *env, __u32 reason);

/*
 * Way to eg->remote for a packet of l3_len bytes from its IP header on: fills
 * ifindex, mtu, vlan_tci, dmac and smac of nh. To a group the way is the device that has
 * the local address of eg, with group_mac() for dmac. Returns REASON_NONE or one of no_route,
 * no_neighbour, no_egress_port, too_big. Frames only.
 */
static inline __u32 env_nexthop(struct env *env, const struct egress *eg, __u32 l3_len,
				struct nexthop *nh);

/*
 * Does a next hop that was found nexthop_age_ns before expires_ns still hold? Up to then, as a
 * rule; before, when the environment knows of a change since, and after, when it knows of
 * none. Never with expires_ns 0.
 */
static inline int env_way_holds(struct env *env, __u64 expires_ns, __u64 now);

/*
 * Can a frame be copied n times towards a device (0: towards several)? Asked now and then,
 * not for each packet. Frames only.
 */
static inline int env_can_copy(struct env *env, __u32 ifindex, __u32 n);

/* First byte of the frame and the one behind its last. Frames only. */
static inline void *env_data(struct env *env);
static inline void *env_data_end(struct env *env);

/* Bytes from the one to the other. */
static inline __u32 env_size(struct env *env);

/*
 * Move the start of the frame: delta > 0 grows it at the front, delta < 0
 * shrinks it. Pointers taken before are void. 0, or nonzero and nothing changed.
 */
static inline int env_resize(struct env *env, int delta);

/*
 * Move the end of the frame: delta > 0 grows it, delta < 0 shrinks it, which is always
 * possible. Pointers taken before are void. 0, or nonzero and nothing changed.
 */
static inline int env_trim(struct env *env, int delta);

/* SRTP keys and stream by index; NULL when it is out of range (keys 0 are). */
static inline const struct srtp_keys *env_srtp_keys(struct env *env, __u32 index);
static inline struct srtp_stream *env_srtp_stream(struct env *env, __u32 index);

/* Room for one job while a packet is in hand; NULL only if the environment is not set up. */
static inline struct srtp_job *env_srtp_job(struct env *env);

/*
 * Returns value, which is known to be at most mask, a power of two less one. An
 * environment with a verifier makes it forget the exact value here, so that the
 * program behind is checked once and not once for each header layout.
 */
static inline __u32 env_forget(struct env *env, __u32 value, __u32 mask);

/* Loads before it are done before those behind it; see rule_settled(). */
static inline void env_read_barrier(void);

/*
 * Functions or macros more, which do no more than call the core's, with the same
 * parameters. An environment with a verifier has these checked on their own, apart from
 * all that can lie before them.
 *   env_nexthop_find(env, eg, cache, l3_len, hop)		nexthop_find(); frames only
 *   env_flow_renew(env, flow, slot, flow_id, gen)		flow_renew()
 *   env_stream_account(env, at, rtp, clock_hz, now)		stream_account(), without env
 *   env_fan_find(env, fan, rtcp, ssrc, branch)			fan_find(), without env
 *   env_rtp_translate(env, payload, end, eg, leg, rtp, pt_index, delta)	rtp_translate()
 *   env_rtcp_check(env, payload, end, len)			rtcp_check()
 *   env_rtcp_walk(env, job, payload, end, len)			rtcp_walk()
 *   env_rtcp_step(env, job, at, payload, end, len)		rtcp_step()
 *   env_ext_translate(env, payload, end, off, len, leg)	ext_translate()
 *   env_ext_byte(env, at, payload, end)			ext_byte()
 *   env_g711(env, payload, end, off, octets, to)		g711_translate(), without env
 *   env_silence(env, payload, end, off, octets, act)		silence_fill(), without env
 *   env_fan_resolve(env, job)					fan_resolve(); frames only
 *   env_fan_leg(env, index, gen, way)				fan_resolve_leg(); frames only
 *   env_rewrite_frame(env, f, eg, hop, out, len, delta)	rewrite_frame(); frames only
 *   env_sum(env, payload, end, len)				csum_bytes(), without env and end
 *   env_srtp_admit(env, job, payload, end)			srtp_admit()
 *   env_srtp_open(env, job, payload, end)			srtp_open()
 *   env_srtp_seal(env, job, payload, end)			srtp_seal()
 *   env_srtp_admit_keys(env, job, payload, end)		srtp_admit_keys()
 *   env_srtp_accept(env, job, payload, end)			srtp_accept()
 *   env_srtp_begin(env, job, payload, end)			srtp_begin()
 *   env_srtp_finish(env, job, payload, end)			srtp_finish()
 *
 * And the ciphers of SRTP, see srtp_job.h: env_srtp_able(), env_srtp_ctr(), env_srtp_hmac(),
 * env_srtp_gcm().
 */

/*
 * Give captures a copy: enum tap_kind kind of the packet in hand, whose UDP payload has len bytes
 * at payload (NULL with TAP_REFUSED, which is of the packet as it came). eg is where TAP_OUT
 * leaves. Of the plan, flow_id (but not with TAP_REFUSED), slot, legs, now and reason are read.
 * A copy that cannot be handed over is counted, apart from the packets.
 *   env_tap(env, plan, kind, eg, payload, len)
 */

/* A pipeline step that found nothing to end the packet with. */
#define REASON_NONE REASON_COUNT

#include "env.h"

#endif
