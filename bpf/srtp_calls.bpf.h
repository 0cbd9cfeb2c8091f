/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions that srtp.bpf.h declares, for the one source file of a program. Each is
 * looked at by the verifier once and by itself, so none takes a pointer into the packet:
 * off is where the RTP or RTCP packet, or a part of it, begins in the frame.
 */
#ifndef TANDEM_BPF_SRTP_CALLS_H
#define TANDEM_BPF_SRTP_CALLS_H

#include "core/srtp.h"

#define SRTP_CALL     __attribute__((noinline))
#define SRTP_OFF_MASK 0x7f   /* of a packet, as OFF_MASK of relay.bpf.c */
#define SRTP_AT_MASK  0x1fff /* of a part of one */
#define SRTP_GROUP    (AES_BLOCK * AES_BLOCKS)
#define SRTP_LENGTH   9 /* octets of SHA-1's padding at least: 0x80 and the length */

static inline void *srtp_packet(struct env *env, __u64 off)
{
	return (char *)env_data(env) + (off & SRTP_OFF_MASK);
}

static inline struct srtp_work *srtp_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&srtp_works, &zero);
}

SRTP_CALL __u32 tandem_srtp_open(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_changed;
	return srtp_open(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_srtp_seal(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_changed;
	return srtp_seal(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_srtp_admit_keys(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_busy;
	return srtp_admit_keys(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_srtp_accept(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_changed;
	return srtp_accept(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_srtp_begin(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_changed;
	return srtp_begin(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_srtp_finish(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };

	if (!job)
		return REASON_rule_changed;
	return srtp_finish(&env, job, srtp_packet(&env, off), env_data_end(&env));
}

SRTP_CALL __u32 tandem_aes_blocks(struct aes_ctr *ctr, const struct aes_schedule *schedule, __u32 n)
{
	if (!ctr || !schedule)
		return 1;
	aes_ctr_blocks(ctr, schedule, n);
	return 0;
}

/* XOR up to SRTP_GROUP bytes of the frame with ctr->stream. Returns nonzero if they are not there. */
SRTP_CALL __u32 tandem_srtp_xor(struct xdp_md *ctx, const struct aes_ctr *ctr, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };
	__u8 *at = (__u8 *)env_data(&env) + (off & SRTP_AT_MASK);
	const void *end = env_data_end(&env);
	__u32 i, words = len / sizeof(__u64);

	if (!ctr)
		return 1;
	if (len >= SRTP_GROUP) {
		if ((void *)(at + SRTP_GROUP) > end)
			return 1;
		for (i = 0; i < AES_PLANES; i++)
			((__u64 *)at)[i] ^= ctr->stream[i];
		return 0;
	}
	for (i = 0; i < AES_PLANES && i < words; i++, at += sizeof(__u64)) {
		if ((void *)(at + sizeof(__u64)) > end)
			return 1;
		*(__u64 *)at ^= ctr->stream[i];
	}
	for (i = words * sizeof(__u64); i < SRTP_GROUP && i < len; i++, at++) {
		if ((void *)(at + 1) > end)
			return 1;
		*at ^= ((const __u8 *)ctr->stream)[env_forget(&env, i, SRTP_GROUP - 1)];
	}
	return 0;
}

SRTP_CALL __u32 tandem_srtp_ctr(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	const struct aes_schedule *schedule;
	struct srtp_work *work = srtp_work();
	__u32 n, index;

	if (!job || !work)
		return 1;
	index = 2 * job->keys + srtp_session_of(job->flags);
	schedule = bpf_map_lookup_elem(&srtp_schedules, &index);
	if (!schedule || !aes_ctr_begin(&work->ctr, schedule, (const __u64 *)job->iv))
		return 1;
	off += job->head;
	for (n = 0; n < SRTP_PACKET_MAX / SRTP_GROUP && n * SRTP_GROUP < job->body; n++) {
		if (tandem_aes_blocks(&work->ctr, schedule, n) ||
		    tandem_srtp_xor(ctx, &work->ctr, off + n * SRTP_GROUP,
				    job->body - n * SRTP_GROUP))
			return 1;
	}
	return n * SRTP_GROUP < job->body;
}

SRTP_CALL __u32 tandem_sha1(struct sha1 *sha)
{
	if (!sha)
		return 1;
	sha1_schedule(sha);
	return 0;
}

/* Whole blocks of the frame into the hash. */
static inline int srtp_hash(struct env *env, struct sha1 *sha, __u64 off, __u32 blocks)
{
	const wire32 *block;
	__u32 i, n;

	for (n = 0; n < SRTP_PACKET_MAX / SHA1_BLOCK && n < blocks; n++) {
		block = (const void *)((char *)env_data(env) +
				       ((off + n * SHA1_BLOCK) & SRTP_AT_MASK));
		if ((const void *)(block + SHA1_WORDS) > env_data_end(env))
			return 0;
		for (i = 0; i < SHA1_WORDS; i++)
			sha->w[i] = host32(block[i]);
		tandem_sha1(sha);
	}
	return n == blocks;
}

/* Take len bytes of the frame, less than a block, into tail; zeros follow. */
SRTP_CALL __u32 tandem_srtp_tail(struct xdp_md *ctx, union srtp_tail *tail, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };
	const __u8 *at = (__u8 *)env_data(&env) + (off & SRTP_AT_MASK);
	const void *end = env_data_end(&env);
	__u32 i, words = len / sizeof(__u64);

	if (!tail)
		return 1;
	for (i = 0; i < sizeof(tail->d) / sizeof(tail->d[0]); i++)
		tail->d[i] = 0;
	for (i = 0; i < SHA1_BLOCK / sizeof(__u64) && i < words; i++, at += sizeof(__u64)) {
		if ((const void *)(at + sizeof(__u64)) > end)
			return 1;
		tail->d[i] = *(const __u64 *)at;
	}
	for (i = words * sizeof(__u64); i < SHA1_BLOCK && i < len; i++, at++) {
		if ((const void *)(at + 1) > end)
			return 1;
		tail->b[env_forget(&env, i, SHA1_BLOCK - 1)] = *at;
	}
	return 0;
}

/*
 * What of len bytes the whole blocks have left, the ROC where there is one, and the padding,
 * which tells the length of all with the padded key in front.
 */
static inline int srtp_hash_end(struct srtp_job *job, struct srtp_work *work, __u32 len)
{
	const __u32 roc = job->flags & SRTP_J_RTCP ? 0 : sizeof(job->word);
	const __u8 *word = (const __u8 *)&job->word;
	__u32 at = len % SHA1_BLOCK, i, n, blocks;

	for (i = 0; i < roc; i++, at++)
		work->tail.b[at & 0x7f] = word[i & 3];
	work->tail.b[at & 0x7f] = 0x80;
	blocks = at + SRTP_LENGTH > SHA1_BLOCK ? 2 : 1;
	work->tail.w[(blocks * SHA1_WORDS - 1) & 0x1f] = net32((SHA1_BLOCK + len + roc) * 8);
	for (n = 0; n < 2 && n < blocks; n++) {
		for (i = 0; i < SHA1_WORDS; i++)
			work->sha.w[i] = host32(work->tail.w[n * SHA1_WORDS + i]);
		tandem_sha1(&work->sha);
	}
	return 1;
}

SRTP_CALL __u32 tandem_srtp_hmac(struct xdp_md *ctx, struct srtp_job *job, __u64 off)
{
	struct env env = { .ctx = ctx };
	struct srtp_work *work = srtp_work();
	const struct srtp_session *session;
	const struct srtp_keys *keys;
	__u32 i, len;

	if (!job || !work)
		return 1;
	keys = env_srtp_keys(&env, job->keys);
	if (!keys)
		return 1;
	session = &keys->session[srtp_session_of(job->flags)];
	len = srtp_auth_len(job);
	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		work->sha.h[i] = session->inner[i];
	if (!srtp_hash(&env, &work->sha, off, len / SHA1_BLOCK) ||
	    tandem_srtp_tail(ctx, &work->tail, off + len / SHA1_BLOCK * SHA1_BLOCK,
			     len % SHA1_BLOCK))
		return 1;
	srtp_hash_end(job, work, len);
	sha1_outer_words(&work->sha, session->outer);
	tandem_sha1(&work->sha);
	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		((wire32 *)job->tag)[i] = net32(work->sha.h[i]);
	return 0;
}

/*
 * Make the frame longer where its buffer ends with it, as that of veth does now and then: all of it
 * moves to the front. Returns nonzero, and the frame is as it was, when there is no room there.
 */
SRTP_CALL __u32 tandem_grow(struct xdp_md *ctx, __u32 by)
{
	const __u64 size = ctx->data_end - ctx->data;
	struct env env = { .ctx = ctx };
	const __u8 *from;
	const void *end;
	__u32 i;
	__u8 *to;

	if (by > SRTP_TRAILER_MAX || size > SRTP_PACKET_MAX || bpf_xdp_adjust_head(ctx, -(int)by))
		return 1;
	to = env_data(&env);
	end = env_data_end(&env);
	from = to + env_forget(&env, by, SRTP_GROUP - 1);
	for (i = 0; i < SRTP_PACKET_MAX / sizeof(__u64); i++) {
		if ((const void *)(from + sizeof(__u64)) > end ||
		    (void *)(to + sizeof(__u64)) > end)
			break;
		*(__u64 *)to = *(const __u64 *)from;
		from += sizeof(__u64);
		to += sizeof(__u64);
	}
	for (i = 0; i < sizeof(__u64); i++) {
		if ((const void *)(from + 1) > end || (void *)(to + 1) > end)
			break;
		*to++ = *from++;
	}
	return 0;
}

/* csum_bytes() of a part of the frame, which the kernel has a function for. */
SRTP_CALL __u64 tandem_sum(struct xdp_md *ctx, __u64 off, __u32 len)
{
	struct env env = { .ctx = ctx };
	const void *end = env_data_end(&env);
	const __u8 *at = srtp_packet(&env, off);
	__u32 i, n, sum = 0;
	__u64 total;

	for (n = 0; n < SRTP_PACKET_MAX / SHA1_BLOCK && n < len / SHA1_BLOCK; n++) {
		if ((const void *)(at + SHA1_BLOCK) > end)
			return 0;
		sum = (__u32)bpf_csum_diff(0, 0, (__be32 *)at, SHA1_BLOCK, sum);
		at += SHA1_BLOCK;
	}
	total = sum;
	for (i = 0; i < SHA1_BLOCK / sizeof(__u32) && i < len % SHA1_BLOCK / sizeof(__u32);
	     i++, at += sizeof(__u32)) {
		if ((const void *)(at + sizeof(__u32)) > end)
			return 0;
		total += *(const __u32 *)at;
	}
	for (i = 0; i < sizeof(__u32) && i < len % sizeof(__u32); i++, at++) {
		if ((const void *)(at + 1) > end)
			return 0;
		total += net16(i & 1 ? *at : (__u32)*at << 8);
	}
	return total;
}

#endif
