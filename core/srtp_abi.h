/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SRTP (RFC 3711) in the ABI: two arrays that flows without it do not touch.
 *
 * srtp_keys[] is written by the controller: session keys, derived already. Index 0 stands
 * for none. A rule names the keys of what arrives, an egress those that it protects with.
 *
 * srtp_streams[] is written by the packet path: one entry for each SSRC under one set of
 * keys, in a range that the keys name. There is one such array on a host, for the fast path
 * and for the io_uring datapath that what it punts comes to, so that no index is used twice.
 * An entry is never given to another SSRC: who begins an SSRC again at index 0 under the
 * same key uses the same keystream twice.
 */
#ifndef TANDEM_CORE_SRTP_ABI_H
#define TANDEM_CORE_SRTP_ABI_H

#include <linux/types.h>

#define SRTP_NO_KEYS	 0
#define SRTP_KEY_MAX	 32
#define SRTP_SALT_MAX	 16
#define SRTP_MKI_MAX	 16
#define SRTP_TAG_MAX	 16
#define SRTP_WORD	 4 /* E flag and index of SRTCP */
#define SRTP_TRAILER_MAX (SRTP_WORD + SRTP_MKI_MAX + SRTP_TAG_MAX)
#define SRTP_SSRCS_MAX	 16 /* under one set of keys */
#define SRTP_SHA1_WORDS	 5

/* What a packet is protected with. The last two are AEAD (RFC 7714). */
enum srtp_suite {
	SRTP_SUITE_NONE,	      /* the entry is not in use */
	SRTP_NULL_HMAC_SHA1_80,	      /* authentication alone (RFC 3711 4.1.3), for tests */
	SRTP_AES_CM_128_HMAC_SHA1_80, /* RFC 4568 6.2 */
	SRTP_AES_CM_128_HMAC_SHA1_32, /* the same; the tag of its SRTCP has 80 bits too */
	SRTP_AES_256_CM_HMAC_SHA1_80, /* RFC 6188 */
	SRTP_AES_256_CM_HMAC_SHA1_32,
	SRTP_AEAD_AES_128_GCM,
	SRTP_AEAD_AES_256_GCM,
	SRTP_SUITES,
};

/*
 * Session keys of RTP or of RTCP. The salt has 14 octets, 12 with AEAD; zeros follow. inner
 * and outer are the states of SHA-1 behind the first block of the two hashes of HMAC, the
 * padded key (RFC 2104), each word in host order.
 */
struct srtp_session {
	__u32 inner[SRTP_SHA1_WORDS];
	__u32 outer[SRTP_SHA1_WORDS];
	__u8 salt[SRTP_SALT_MAX];
	__u8 key[SRTP_KEY_MAX];
};

#define SRTP_RTP  0
#define SRTP_RTCP 1

/*
 * A set of keys, for one direction. gen is odd while the controller writes; otherwise it is
 * as struct rule's.
 */
struct srtp_keys {
	__u32 gen;
	__u32 next;	    /* keys to try when these do not fit: the old ones, or 0 */
	__u32 first_stream; /* of srtp_streams, */
	__u32 stream_count; /* and how many; at most SRTP_SSRCS_MAX */
	__u8 suite;	    /* enum srtp_suite */
	__u8 mki_len;	    /* octets of MKI in each packet; 0: none */
	__u8 tag_len[2];    /* of RTP and RTCP */
	__u8 mki[SRTP_MKI_MAX];
	__u32 pad;
	struct srtp_session session[2]; /* SRTP_RTP, SRTP_RTCP */
	__u64 id;			/* the controller's name for the set */
	__u64 reserved[4];
};

#define SRTP_WINDOW_WORDS 4

/*
 * One SSRC under one set of keys. owner is SRTP_OWNED | SSRC; 0: the entry is free, and all of
 * it is zero. top is the highest index (ROC << 16 | sequence number, RFC 3711 3.3.1) that was
 * received or sent; window tells which of those up to it were, see srtp_window.h. For SRTCP
 * the receiver keeps the same, the sender the index of its next packet.
 *
 * RTP touches the first half alone. All words are changed by atomic operations: RTP and RTCP
 * may be on two CPUs, and the fast path beside the io_uring datapath.
 */
struct srtp_stream {
	__u64 owner;
	__u64 top;
	__u64 window[SRTP_WINDOW_WORDS];
	__u64 reserved;
	__u64 rtcp_top;
	__u64 rtcp_window[SRTP_WINDOW_WORDS];
	__u64 reserved2[3];
	__u64 array; /* of the first entry: the controller's name for the array, or 0 */
};

#define SRTP_OWNED  (1ULL << 32)
#define SRTP_CLOSED (1ULL << 33) /* an owner that no SSRC is: nobody gets the entry */

_Static_assert(sizeof(struct srtp_session) == 88, "srtp_session is ABI");
_Static_assert(sizeof(struct srtp_keys) == 256, "srtp_keys is ABI");
_Static_assert(sizeof(struct srtp_stream) == 128, "srtp_stream is ABI");

#endif
