/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SRTP and SRTCP (RFC 3711; AEAD: RFC 7714) around one packet: which keys, which index, where
 * the parts are, what is authenticated and what is ciphered, in which order. The ciphers are
 * the environment's, see srtp_job.h.
 *
 * A packet that arrives goes through two steps. srtp_admit() only looks; all that can end in
 * a punt is there. srtp_open() authenticates, then enters the index, then deciphers; what
 * fails leaves no trace. A packet that leaves goes through srtp_seal().
 */
#ifndef TANDEM_CORE_SRTP_H
#define TANDEM_CORE_SRTP_H

#include "core/env_api.h"
#include "core/headers.h"
#include "core/parse.h"
#include "core/srtp_job.h"
#include "core/srtp_suite.h"
#include "core/srtp_window.h"

#define SRTCP_HEAD   8
#define SRTCP_E_FLAG 0x80000000U

/* Octets behind a packet that these keys protect. */
static inline __u32 srtp_trailer(const struct srtp_keys *keys, __u32 flags)
{
	return keys->tag_len[srtp_session_of(flags)] + keys->mki_len +
	       (flags & SRTP_J_RTCP ? SRTP_WORD : 0);
}

/* Where the parts behind the body are. */
static inline __u32 srtp_word_off(const struct srtp_job *job)
{
	return job->head + job->body + (srtp_is_aead(job->suite) ? job->tag_len : 0);
}

static inline __u32 srtp_mki_off(const struct srtp_job *job)
{
	return srtp_word_off(job) + (job->flags & SRTP_J_RTCP ? SRTP_WORD : 0);
}

static inline __u32 srtp_tag_off(const struct srtp_job *job)
{
	return srtp_mki_off(job) + job->mki_len;
}

/* One byte of the packet, or NULL. Masking is for the verifier; off is never above it. */
static inline __u8 *srtp_at(void *payload, const void *end, __u32 off)
{
	__u8 *p = (__u8 *)payload + (off & PAYLOAD_MAX);

	return (const void *)(p + 1) > end ? 0 : p;
}

/* Is the MKI in the packet the one of the keys? */
static inline int srtp_mki_fits(const struct srtp_job *job, const struct srtp_keys *keys,
				void *payload, const void *end)
{
	const __u32 off = srtp_mki_off(job);
	const __u8 *p;
	__u32 i;

	for (i = 0; i < SRTP_MKI_MAX && i < job->mki_len; i++) {
		p = srtp_at(payload, end, off + i);
		if (!p || *p != keys->mki[i])
			return 0;
	}
	return 1;
}

static inline int srtp_mki_write(const struct srtp_job *job, const struct srtp_keys *keys,
				 void *payload, const void *end)
{
	const __u32 off = srtp_mki_off(job);
	__u8 *p;
	__u32 i;

	for (i = 0; i < SRTP_MKI_MAX && i < job->mki_len; i++) {
		p = srtp_at(payload, end, off + i);
		if (!p)
			return 0;
		*p = keys->mki[i];
	}
	return 1;
}

/* Is the tag in the packet job->tag? The time that this takes does not tell where it is not. */
static inline int srtp_tag_fits(const struct srtp_job *job, void *payload, const void *end)
{
	const __u32 off = srtp_tag_off(job);
	__u32 wrong = 0, i;
	const __u8 *p;

	for (i = 0; i < SRTP_TAG_MAX && i < job->tag_len; i++) {
		p = srtp_at(payload, end, off + i);
		if (!p)
			return 0;
		wrong |= *p ^ job->tag[i];
	}
	return wrong == 0;
}

static inline int srtp_tag_write(const struct srtp_job *job, void *payload, const void *end)
{
	const __u32 off = srtp_tag_off(job);
	__u8 *p;
	__u32 i;

	for (i = 0; i < SRTP_TAG_MAX && i < job->tag_len; i++) {
		p = srtp_at(payload, end, off + i);
		if (!p)
			return 0;
		*p = job->tag[i];
	}
	return 1;
}

/* The word with E flag and index. It may stand at any offset. */
static inline int srtp_word_read(struct srtp_job *job, __u32 off, void *payload, const void *end)
{
	const __u8 *p = (const __u8 *)payload + (off & PAYLOAD_MAX);

	if ((const void *)(p + SRTP_WORD) > end)
		return 0;
	__builtin_memcpy(&job->word, p, SRTP_WORD);
	return 1;
}

static inline int srtp_word_write(const struct srtp_job *job, void *payload, const void *end)
{
	__u8 *p = (__u8 *)payload + (srtp_word_off(job) & PAYLOAD_MAX);

	if ((const void *)(p + SRTP_WORD) > end)
		return 0;
	__builtin_memcpy(p, &job->word, SRTP_WORD);
	return 1;
}

/* XOR SSRC and index into the salt in iv; first is the 16-bit word that the SSRC begins at. */
static inline void srtp_iv_mix(struct srtp_job *job, wire16 *iv, __u32 first)
{
	iv[first] ^= net16(job->ssrc >> 16);
	iv[first + 1] ^= net16(job->ssrc);
	iv[first + 2] ^= net16(job->index >> 32);
	iv[first + 3] ^= net16(job->index >> 16);
	iv[first + 4] ^= net16(job->index);
}

/* RFC 3711 4.1.1; RFC 7714 8.1 and 9.1, where an SRTCP index leaves its upper bits 0. */
static inline void srtp_iv(struct srtp_job *job, const struct srtp_session *session)
{
	wire16 *iv = (wire16 *)job->iv;

	__builtin_memcpy(job->iv, session->salt, sizeof(job->iv));
	if (srtp_is_aead(job->suite))
		srtp_iv_mix(job, iv, 1);
	else
		srtp_iv_mix(job, iv, 2);
}

/* What is left once the index is known: the word that goes with it, and the IV. */
static inline void srtp_index_set(struct srtp_job *job, const struct srtp_keys *keys, __u64 index)
{
	job->index = index;
	if (!(job->flags & SRTP_J_RTCP))
		job->word = net32(index >> 16);
	srtp_iv(job, &keys->session[srtp_session_of(job->flags)]);
}

/* Take from the keys what the job needs of them. Returns NULL when they are being changed. */
static inline const struct srtp_keys *srtp_keys_take(struct env *env, struct srtp_job *job)
{
	const struct srtp_keys *keys = env_srtp_keys(env, job->keys);

	if (!keys)
		return 0;
	job->gen = *(const volatile __u32 *)&keys->gen;
	env_read_barrier();
	if (job->gen & 1 || keys->suite == SRTP_SUITE_NONE)
		return 0;
	job->suite = keys->suite;
	job->mki_len = keys->mki_len;
	job->tag_len = keys->tag_len[srtp_session_of(job->flags)];
	return keys;
}

static inline int srtp_keys_settled(const struct srtp_job *job, const struct srtp_keys *keys)
{
	env_read_barrier();
	return *(const volatile __u32 *)&keys->gen == job->gen;
}

/* SSRC and sequence number, as they are in the clear. */
static inline int srtp_names(struct srtp_job *job, const void *payload, const void *end)
{
	const wire32 *words = payload;

	if (job->flags & SRTP_J_RTCP) {
		if ((const void *)(words + 2) > end)
			return 0;
		job->ssrc = host32(words[1]);
		return 1;
	}
	if ((const void *)(words + 3) > end)
		return 0;
	job->seq = host32(words[0]) & 0xffff;
	job->ssrc = host32(words[2]);
	return 1;
}

/* Can these keys, and those to try when they do not fit, be used here for such a length? */
static inline int srtp_able(struct env *env, const struct srtp_keys *keys, __u32 index, __u32 len)
{
	const struct srtp_keys *next;

	if (!env_srtp_able(env, keys, index, len))
		return 0;
	next = keys->next ? env_srtp_keys(env, keys->next) : 0;
	return !next || env_srtp_able(env, next, keys->next, len);
}

/* How a packet that arrives is divided. Returns 0 when it is too short for that. */
static inline int srtp_divide(struct srtp_job *job, const struct srtp_keys *keys, void *payload,
			      const void *end)
{
	const __u32 trailer = srtp_trailer(keys, job->flags);
	__u32 word_off;

	if (job->flags & SRTP_J_RTCP)
		job->head = SRTCP_HEAD;
	if (job->len < job->head + trailer || job->len > PAYLOAD_MAX)
		return 0;
	job->body = job->len - job->head - trailer;
	if (!(job->flags & SRTP_J_RTCP))
		return 1;
	word_off = srtp_word_off(job);
	if (!srtp_word_read(job, word_off, payload, end))
		return 0;
	if (!(job->word & net32(SRTCP_E_FLAG))) {
		job->head += job->body;
		job->body = 0;
	}
	return 1;
}

/* srtp_admit() for one set of keys. */
static inline enum reason srtp_admit_keys(struct env *env, struct srtp_job *job, void *payload,
					  const void *end)
{
	const struct srtp_keys *keys = srtp_keys_take(env, job);
	const int rtcp = job->flags & SRTP_J_RTCP;
	struct srtp_stream *s;
	__u64 index, top = 0;

	if (!keys)
		return REASON_rule_busy;
	job->next = keys->next;
	if (!srtp_able(env, keys, job->keys, job->len))
		return REASON_srtp_suite;
	if (!srtp_names(job, payload, end) || !srtp_divide(job, keys, payload, end))
		return REASON_srtp_short;
	if (!srtp_mki_fits(job, keys, payload, end))
		return REASON_srtp_auth;

	job->stream = srtp_stream_of(env, keys, job->ssrc, 0);
	s = job->stream != TANDEM_NO_SLOT ? env_srtp_stream(env, job->stream) : 0;
	if (s)
		top = srtp_read(rtcp ? &s->rtcp_top : &s->top);
	index = rtcp ? host32(job->word) & SRTCP_LAST : srtp_index_guess(top, job->seq);
	if (index >= SRTP_INDEX_LIMIT)
		return REASON_srtp_no_room;
	if (s && !srtp_window_open(rtcp ? s->rtcp_window : s->window, top, index))
		return REASON_srtp_replay;
	srtp_index_set(job, keys, index);
	return srtp_keys_settled(job, keys) ? REASON_NONE : REASON_rule_busy;
}

/*
 * Look for the keys that a packet which has arrived may be protected with: job->keys, else
 * the ones to try next. The caller has set keys, flags, len, and of RTP head. Nothing is
 * changed but the job. REASON_NONE: srtp_open() can go on; srtp_suite, rule_busy: punt; else
 * the packet ends here.
 */
static inline enum reason srtp_admit(struct env *env, struct srtp_job *job, void *payload,
				     const void *end)
{
	enum reason first, reason;

	job->blame = REASON_NONE;
	first = env_srtp_admit_keys(env, job, payload, end);
	if (first == REASON_NONE || first == REASON_srtp_suite || first == REASON_rule_busy ||
	    !job->next)
		return first;
	job->blame = first;
	job->keys = job->next;
	reason = env_srtp_admit_keys(env, job, payload, end);
	job->next = SRTP_NO_KEYS;
	return reason == REASON_NONE || reason == REASON_rule_busy ? reason : first;
}

/* Enter the index of a packet that is authentic, and the SSRC, where it is new. */
static inline enum reason srtp_enter(struct env *env, struct srtp_job *job,
				     const struct srtp_keys *keys)
{
	struct srtp_stream *s;

	if (job->stream == TANDEM_NO_SLOT)
		job->stream = srtp_stream_of(env, keys, job->ssrc, 1);
	s = job->stream != TANDEM_NO_SLOT ? env_srtp_stream(env, job->stream) : 0;
	if (!s)
		return REASON_srtp_no_room;
	if (job->flags & SRTP_J_RTCP)
		return srtp_window_enter(s->rtcp_window, &s->rtcp_top, job->index)
			       ? REASON_NONE
			       : REASON_srtp_replay;
	return srtp_window_enter(s->window, &s->top, job->index) ? REASON_NONE : REASON_srtp_replay;
}

/*
 * The part of srtp_open() that notes something: behind env_srtp_hmac(), or env_srtp_gcm(), which
 * has looked at the tag itself.
 */
static inline enum reason srtp_accept(struct env *env, struct srtp_job *job, void *payload,
				      const void *end)
{
	const struct srtp_keys *keys = env_srtp_keys(env, job->keys);

	if (!keys || !srtp_keys_settled(job, keys))
		return REASON_rule_changed;
	if (!srtp_is_aead(job->suite) && !srtp_tag_fits(job, payload, end))
		return REASON_srtp_auth;
	return srtp_enter(env, job, keys);
}

/* Is there something that env_srtp_ctr() is for? */
static inline int srtp_has_ctr(const struct srtp_job *job)
{
	return !srtp_is_aead(job->suite) && job->suite != SRTP_NULL_HMAC_SHA1_80 && job->body;
}

/* srtp_open() for the keys that the packet was admitted with. */
static inline enum reason srtp_open_keys(struct env *env, struct srtp_job *job, void *payload,
					 const void *end)
{
	enum reason reason;

	if (srtp_is_aead(job->suite) ? env_srtp_gcm(env, job, payload, end)
				     : env_srtp_hmac(env, job, payload, end))
		return REASON_srtp_auth;
	reason = env_srtp_accept(env, job, payload, end);
	if (reason != REASON_NONE || job->flags & SRTP_J_KEEP)
		return reason;
	if (srtp_has_ctr(job) && env_srtp_ctr(env, job, payload, end))
		return REASON_rule_changed;
	job->len = job->head + job->body;
	return REASON_NONE;
}

/*
 * Authenticate a packet that srtp_admit() has let through, and decipher it in place; the
 * first job->len bytes are then the RTP or RTCP packet. With SRTP_J_KEEP it stays as it is.
 * REASON_NONE, or why the packet ends here: nothing has been noted of it then, and what is
 * left of it is of no use.
 */
static inline enum reason srtp_open(struct env *env, struct srtp_job *job, void *payload,
				    const void *end)
{
	enum reason first = srtp_open_keys(env, job, payload, end), reason;

	if (first == REASON_srtp_auth && job->next) {
		job->keys = job->next;
		reason = env_srtp_admit_keys(env, job, payload, end);
		if (reason == REASON_NONE)
			reason = srtp_open_keys(env, job, payload, end);
		return reason == REASON_NONE ? reason : first;
	}
	return first != REASON_NONE && job->blame != REASON_NONE ? (enum reason)job->blame : first;
}

/* Is the tag that of the keys in hand? With AEAD the packet is deciphered by this. */
static inline int srtp_fits(struct env *env, struct srtp_job *job, void *payload, const void *end)
{
	if (srtp_is_aead(job->suite))
		return !env_srtp_gcm(env, job, payload, end);
	return !env_srtp_hmac(env, job, payload, end) && srtp_tag_fits(job, payload, end);
}

/*
 * srtp_open() as far as the question whether a packet is authentic: nothing is noted of it. What
 * is left of it is of no use.
 */
static inline int srtp_is_authentic(struct env *env, struct srtp_job *job, void *payload,
				    const void *end)
{
	if (srtp_fits(env, job, payload, end))
		return 1;
	if (!job->next)
		return 0;
	job->keys = job->next;
	return env_srtp_admit_keys(env, job, payload, end) == REASON_NONE &&
	       srtp_fits(env, job, payload, end);
}

/* An index that no packet of this SSRC has been protected with. */
static inline enum reason srtp_next_index(struct env *env, struct srtp_job *job,
					  const struct srtp_keys *keys)
{
	struct srtp_stream *s;
	__u64 index;

	job->stream = srtp_stream_of(env, keys, job->ssrc, 1);
	s = job->stream != TANDEM_NO_SLOT ? env_srtp_stream(env, job->stream) : 0;
	if (!s)
		return REASON_srtp_no_room;
	if (job->flags & SRTP_J_RTCP) {
		index = __sync_fetch_and_add(&s->rtcp_top, 1);
		if (index > SRTCP_LAST)
			return REASON_srtp_no_room;
		job->word = net32(index | (job->body ? SRTCP_E_FLAG : 0));
	} else {
		index = srtp_index_guess(srtp_read(&s->top), job->seq);
		if (index >= SRTP_INDEX_LIMIT)
			return REASON_srtp_no_room;
		if (!srtp_window_enter(s->window, &s->top, index))
			return REASON_srtp_replay;
	}
	srtp_index_set(job, keys, index);
	return REASON_NONE;
}

/* srtp_seal() up to the ciphers: the index, and what stands in the clear behind the body. */
static inline enum reason srtp_begin(struct env *env, struct srtp_job *job, void *payload,
				     const void *end)
{
	const struct srtp_keys *keys = srtp_keys_take(env, job);
	enum reason reason;

	if (!keys)
		return REASON_rule_changed;
	if (job->flags & SRTP_J_RTCP)
		job->head = SRTCP_HEAD;
	if (!srtp_names(job, payload, end) || job->len < job->head)
		return REASON_srtp_short;
	if (job->len + SRTP_TRAILER_MAX > PAYLOAD_MAX)
		return REASON_payload_size;
	job->body = job->len - job->head;
	if (job->flags & SRTP_J_RTCP && job->suite == SRTP_NULL_HMAC_SHA1_80) {
		job->head = job->len;
		job->body = 0;
	}
	reason = srtp_next_index(env, job, keys);
	if (reason != REASON_NONE)
		return reason;
	if ((job->flags & SRTP_J_RTCP && !srtp_word_write(job, payload, end)) ||
	    !srtp_mki_write(job, keys, payload, end))
		return REASON_rule_changed;
	return REASON_NONE;
}

/* srtp_seal() behind the ciphers. */
static inline enum reason srtp_finish(struct env *env, struct srtp_job *job, void *payload,
				      const void *end)
{
	const struct srtp_keys *keys = env_srtp_keys(env, job->keys);

	if (!srtp_is_aead(job->suite) && !srtp_tag_write(job, payload, end))
		return REASON_rule_changed;
	if (!keys || !srtp_keys_settled(job, keys))
		return REASON_rule_changed;
	job->len += srtp_trailer(keys, job->flags);
	return REASON_NONE;
}

/*
 * Protect a packet: len bytes, with room for srtp_trailer() more up to end; job->len is then
 * the length of all. The caller has set keys, flags, len, and of RTP head; it has asked
 * srtp_able() before. REASON_NONE, or why the packet ends here.
 */
static inline enum reason srtp_seal(struct env *env, struct srtp_job *job, void *payload,
				    const void *end)
{
	enum reason reason = env_srtp_begin(env, job, payload, end);

	if (reason != REASON_NONE)
		return reason;
	if (srtp_is_aead(job->suite)) {
		if (env_srtp_gcm(env, job, payload, end))
			return REASON_rule_changed;
	} else if ((srtp_has_ctr(job) && env_srtp_ctr(env, job, payload, end)) ||
		   env_srtp_hmac(env, job, payload, end)) {
		return REASON_rule_changed;
	}
	return env_srtp_finish(env, job, payload, end);
}

#endif
