/* SPDX-License-Identifier: GPL-2.0-only */
/* From the master key of SRTP to session keys (RFC 3711 section 4.3). */
#ifndef TANDEM_SRTP_KDF_H
#define TANDEM_SRTP_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "core/srtp_abi.h"

/*
 * Derive the session keys of suite (enum srtp_suite) for RTP and RTCP: key has srtp_key_len()
 * octets, salt srtp_salt_len() (core/srtp_suite.h). The key derivation rate is 0, so this is
 * done once for a master key; the pseudo-random function is AES in counter mode with a key
 * of the suite's length (RFC 6188 section 3, RFC 7714 section 11).
 *
 * Sets suite, tag_len and session of *keys, and leaves the rest alone. 0; -EINVAL: no such
 * suite; -ENOMEM. *keys is untouched on error.
 */
int tandem_srtp_derive(struct srtp_keys *keys, uint8_t suite, const uint8_t *key,
		       const uint8_t *salt);

/* The octets that key and salt give under one label (RFC 3711 section 4.3.1): size at out. */
int tandem_srtp_prf(uint8_t *out, size_t size, uint8_t label, uint8_t suite, const uint8_t *key,
		    const uint8_t *salt);

#endif
