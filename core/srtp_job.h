/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One packet in the hands of srtp.h, and what srtp.h asks of the environment for it.
 *
 * The environment gives, besides the arrays, one struct srtp_job for the packet in hand and
 * three ciphers. Each takes the packet as (payload, end) and all else from the job, so that
 * where the arguments of a function are few, and no pointer into the packet may be one of
 * them, it can be a function of a context, a job and an offset.
 */
#ifndef TANDEM_CORE_SRTP_JOB_H
#define TANDEM_CORE_SRTP_JOB_H

#include "core/abi.h"
#include "core/srtp_abi.h"

enum srtp_job_flag {
	SRTP_J_RTCP = 1 << 0,
	SRTP_J_SEAL = 1 << 1, /* a packet is being protected; else one has arrived protected */
	SRTP_J_KEEP = 1 << 2, /* of one that has arrived: authenticate it and leave it as it is */
};

/*
 * The layout of a packet, with the members that say how long each part is (all offsets are
 * from the start of the RTP or RTCP packet):
 *
 *              head       body
 *   RTP, HMAC  | header  | payload |                      MKI | tag |
 *   RTCP, HMAC | 8 bytes | rest    | E flag, index |      MKI | tag |
 *   RTP, AEAD  | header  | payload | tag |                MKI |
 *   RTCP, AEAD | 8 bytes | rest    | tag | E flag, index | MKI |
 *
 * head stays in the clear, body is ciphered. Of SRTCP whose E flag is 0, all is head.
 */
struct srtp_job {
	/* set by the caller */
	__u32 keys;  /* index; what comes of it are the keys that fit */
	__u32 flags; /* enum srtp_job_flag */
	__u32 len;   /* of the packet as it is, and then as it has become */
	__u32 head;  /* of RTP: header with CSRCs and extension. Else set by srtp.h */

	/* set by srtp.h; in host order, but for word */
	__u32 ssrc;
	__u32 seq; /* of RTP */
	__u32 body;
	__u32 stream; /* index of the SSRC's entry; TANDEM_NO_SLOT: it has none yet */
	__u32 next;   /* keys to try next, or 0 */
	__u32 gen;    /* of the keys */
	__u64 index;  /* 48 bits: ROC << 16 | sequence number; of SRTCP 31 bits */
	__be32 word;  /* of SRTCP: E flag and index, as in the packet. Of RTP: the ROC */
	__u8 suite;
	__u8 tag_len;
	__u8 mki_len;
	__u8 pad;
	__u8 iv[16];  /* AES-CM: the first counter block. AEAD: 12 octets */
	__u8 tag[20]; /* HMAC: what env_srtp_hmac() came to, all of it */
	__u32 blame;  /* why the keys that were tried first did not fit: enum reason */
};

/*
 * Functions or macros:
 *
 * env_srtp_able(env, keys, index, len)
 *	Can packets of up to len bytes be protected here with these keys, and the other way
 *	round? Asked before anything is changed; 0 is a punt. keys is env_srtp_keys() of index.
 *
 * env_srtp_ctr(env, job, payload, end)
 *	AES in counter mode (RFC 3711 4.1.1): XOR job->body bytes at job->head with the
 *	keystream that begins with the counter block job->iv, under the key of session
 *	srtp_session_of(job->flags) of job->keys. The counter is the last 16 bits, and they are
 *	0 in iv.
 *
 * env_srtp_hmac(env, job, payload, end)
 *	HMAC-SHA1 with inner and outer of the same session over the first srtp_auth_len(job)
 *	bytes and, of RTP alone, over the four bytes of job->word behind them; into job->tag.
 *
 * env_srtp_gcm(env, job, payload, end)
 *	AES-GCM with nonce job->iv. Associated data: the first job->head bytes, and of RTCP
 *	job->word behind them. Text: job->body bytes behind job->head, in place. With
 *	SRTP_J_SEAL encrypt, and write the tag of 16 octets behind the text. Without, compare
 *	that tag, in constant time; if it fits, decrypt, unless there is SRTP_J_KEEP. If it
 *	does not fit, the packet stays as it is.
 *
 * The ciphers return 0; or nonzero: it cannot be done, or the tag of AEAD does not fit. The
 * payload has room for what is written.
 */

/* Which session of the keys a job is of. */
static inline __u32 srtp_session_of(__u32 flags)
{
	return flags & SRTP_J_RTCP ? SRTP_RTCP : SRTP_RTP;
}

/* Bytes of the packet that HMAC covers: all in front of the MKI (RFC 3711 3.1, 3.4). */
static inline __u32 srtp_auth_len(const struct srtp_job *job)
{
	return job->head + job->body + (job->flags & SRTP_J_RTCP ? SRTP_WORD : 0);
}

_Static_assert(sizeof(struct srtp_job) == 96, "srtp_job has no holes");

#endif
