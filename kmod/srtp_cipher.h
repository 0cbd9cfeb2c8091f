/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's ciphers as SRTP uses them, synchronous ones alone: a packet does not wait. What
 * is called here has been the same from 5.15 to 6.18; lib/crypto has not.
 */
#ifndef TANDEM_KMOD_SRTP_CIPHER_H
#define TANDEM_KMOD_SRTP_CIPHER_H

#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/workqueue.h>

#include "core/srtp_abi.h"

#define SRTP_REQUEST_ROOM 2048 /* bytes of an AEAD request */

/* For RTP or RTCP of one set of keys; what the suite does not use is NULL. */
struct srtp_cipher {
	struct crypto_sync_skcipher *ctr;
	struct crypto_aead *gcm;
};

struct srtp_context {
	struct rcu_work free;
	u8 suite;
	struct srtp_cipher cipher[2]; /* SRTP_RTP, SRTP_RTCP */
};

/*
 * An ERR_PTR(): -EPROTONOSUPPORT: this kernel has no such cipher; -EOPNOTSUPP: its requests are
 * longer than the room; -ENOMEM.
 */
struct srtp_context *tandem_srtp_context_alloc(const struct srtp_keys *keys);

/* May sleep. */
void tandem_srtp_context_free(struct srtp_context *context);

/* SHA-1 that goes on from the states of struct srtp_session; tried out. An ERR_PTR(). */
struct crypto_shash *tandem_srtp_sha1(void);

#endif
