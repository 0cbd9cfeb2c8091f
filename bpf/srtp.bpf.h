/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What core/srtp_job.h asks an environment for, inside XDP. No kernel before 6.10 lends its
 * ciphers to BPF, and since then only where a driver for the processor's instructions is
 * loaded are they faster than ours: core/aes.h and core/sha1.h, which need nothing of the
 * kernel. There is no AES-GCM.
 */
#ifndef TANDEM_BPF_SRTP_H
#define TANDEM_BPF_SRTP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/aes.h"
#include "core/sha1.h"
#include "core/srtp_job.h"
#include "core/srtp_suite.h"

/* Keystream and hash go this far; so do frames, which are in one piece. */
#define SRTP_PACKET_MAX (64 * 64)

/* The end of what is hashed: what does not fill a block, the ROC, padding and length. */
union srtp_tail {
	__u64 d[16];
	__u32 w[32];
	__u8 b[128];
};

struct srtp_work {
	struct aes_ctr ctr;
	struct sha1 sha;
	union srtp_tail tail;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct srtp_keys);
} srtp_keys SEC(".maps");

/*
 * Round keys, at twice the index of the keys, and one more for RTCP. The loader writes them
 * when the keys are written.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aes_schedule);
} srtp_schedules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct srtp_stream);
} srtp_streams SEC(".maps");

/* For the packet in hand; the stack has no room for them. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct srtp_job);
} srtp_jobs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct srtp_work);
} srtp_works SEC(".maps");

static inline const struct srtp_keys *env_srtp_keys(struct env *env, __u32 index)
{
	return index == SRTP_NO_KEYS ? 0 : bpf_map_lookup_elem(&srtp_keys, &index);
}

static inline struct srtp_stream *env_srtp_stream(struct env *env, __u32 index)
{
	return bpf_map_lookup_elem(&srtp_streams, &index);
}

static inline struct srtp_job *env_srtp_job(struct env *env)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&srtp_jobs, &zero);
}

/*
 * Round keys are eleven cache lines, far away when there are many streams. They are asked for all
 * at once, long before the first is needed: waiting for one behind the other, in the rounds, is
 * a tenth of a packet's time.
 */
static inline void srtp_touch(__u32 index)
{
	const volatile struct aes_schedule *schedule;
	__u32 i, at = 2 * index + SRTP_RTP;

	schedule = bpf_map_lookup_elem(&srtp_schedules, &at);
	for (i = 0; schedule && i <= AES_ROUNDS_MIN; i++)
		(void)schedule->key[i][0];
}

static inline int env_srtp_able(struct env *env, const struct srtp_keys *keys, __u32 index,
				__u32 len)
{
	if (env->srtp != SRTP_BY_MODULE)
		srtp_touch(index);
	if (env->srtp != SRTP_BY_MODULE && srtp_is_aead(keys->suite))
		return 0;
	return len + SRTP_TRAILER_MAX <= SRTP_PACKET_MAX;
}

/* Global functions, as those of env.h are; in srtp_calls.bpf.h. */
__u32 tandem_srtp_open(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_seal(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_admit_keys(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_accept(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_begin(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_finish(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_ctr(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_hmac(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_srtp_xor(struct xdp_md *ctx, const struct aes_ctr *ctr, __u64 off, __u32 len);
__u32 tandem_srtp_tail(struct xdp_md *ctx, union srtp_tail *tail, __u64 off, __u32 len);
__u32 tandem_aes_blocks(struct aes_ctr *ctr, const struct aes_schedule *schedule, __u32 n);
__u32 tandem_sha1(struct sha1 *sha);
__u64 tandem_sum(struct xdp_md *ctx, __u64 off, __u32 len);

/* Of programs whose SRTP is the module's; in relay_module.bpf.c. */
__u32 tandem_module_admit(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_module_open(struct xdp_md *ctx, struct srtp_job *job, __u64 off);
__u32 tandem_module_seal(struct xdp_md *ctx, struct srtp_job *job, __u64 off);

#define env_srtp_admit(env, job, payload, end)                                                     \
	((env)->srtp == SRTP_BY_MODULE                                                             \
		 ? (enum reason)tandem_module_admit((env)->ctx, job, env_offset(env, payload))     \
		 : srtp_admit(env, job, payload, end))
#define env_srtp_open(env, job, payload, end)                                                      \
	((env)->srtp == SRTP_BY_MODULE                                                             \
		 ? tandem_module_open((env)->ctx, job, env_offset(env, payload))                   \
		 : tandem_srtp_open((env)->ctx, job, env_offset(env, payload)))
#define env_srtp_seal(env, job, payload, end)                                                      \
	((env)->srtp == SRTP_BY_MODULE                                                             \
		 ? tandem_module_seal((env)->ctx, job, env_offset(env, payload))                   \
		 : tandem_srtp_seal((env)->ctx, job, env_offset(env, payload)))
#define env_srtp_admit_keys(env, job, payload, end)                                                \
	tandem_srtp_admit_keys((env)->ctx, job, env_offset(env, payload))
#define env_srtp_accept(env, job, payload, end)                                                    \
	tandem_srtp_accept((env)->ctx, job, env_offset(env, payload))
#define env_srtp_begin(env, job, payload, end)                                                     \
	tandem_srtp_begin((env)->ctx, job, env_offset(env, payload))
#define env_srtp_finish(env, job, payload, end)                                                    \
	tandem_srtp_finish((env)->ctx, job, env_offset(env, payload))
#define env_srtp_ctr(env, job, payload, end)                                                       \
	tandem_srtp_ctr((env)->ctx, job, env_offset(env, payload))
#define env_srtp_hmac(env, job, payload, end)                                                      \
	tandem_srtp_hmac((env)->ctx, job, env_offset(env, payload))
#define env_sum(env, payload, end, len)	     tandem_sum((env)->ctx, env_offset(env, payload), len)
#define env_srtp_gcm(env, job, payload, end) 1

#endif
