/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HMAC-SHA1 (RFC 2104) from the states that its padded keys leave SHA-1 in, by OpenSSL's
 * block function, which uses what the processor has for it.
 */
#ifndef TANDEM_SRTP_SHA1_H
#define TANDEM_SRTP_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "core/srtp_abi.h"

/* The states for a key of up to 64 octets. */
void tandem_hmac_states(uint32_t inner[SRTP_SHA1_WORDS], uint32_t outer[SRTP_SHA1_WORDS],
			const uint8_t *key, size_t len);

/*
 * HMAC-SHA1 over len octets at data and then more_len (at most 4) at more, all 20 octets of it
 * into out.
 */
void tandem_hmac(uint8_t out[20], const struct srtp_session *session, const uint8_t *data,
		 size_t len, const void *more, size_t more_len);

#endif
