/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the suites of SRTP differ in (RFC 4568 6.2, RFC 6188, RFC 7714). */
#ifndef TANDEM_CORE_SRTP_SUITE_H
#define TANDEM_CORE_SRTP_SUITE_H

#include "core/srtp_abi.h"

static inline int srtp_is_aead(__u32 suite)
{
	return suite >= SRTP_AEAD_AES_128_GCM;
}

/* Octets of the cipher key, master and session. */
static inline __u32 srtp_key_len(__u32 suite)
{
	switch (suite) {
	case SRTP_AES_256_CM_HMAC_SHA1_80:
	case SRTP_AES_256_CM_HMAC_SHA1_32:
	case SRTP_AEAD_AES_256_GCM:
		return 32;
	default:
		return 16;
	}
}

static inline __u32 srtp_salt_len(__u32 suite)
{
	return srtp_is_aead(suite) ? 12 : 14;
}

/* Octets of the tag; rtcp is SRTP_RTP or SRTP_RTCP. The short tags are for RTP alone. */
static inline __u32 srtp_tag_len(__u32 suite, __u32 rtcp)
{
	if (srtp_is_aead(suite))
		return 16;
	if (rtcp == SRTP_RTP &&
	    (suite == SRTP_AES_CM_128_HMAC_SHA1_32 || suite == SRTP_AES_256_CM_HMAC_SHA1_32))
		return 4;
	return 10;
}

#endif
