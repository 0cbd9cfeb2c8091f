/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A library that enciphers. There are two: OpenSSL, always, and Intel's ipsec-mb, where it is
 * found at build time and runs on the processor.
 */
#ifndef TANDEM_SRTP_BACKEND_H
#define TANDEM_SRTP_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "core/srtp_abi.h"
#include "core/srtp_job.h"

#define GCM_TAG 16
#define GCM_MAX 16384 /* no packet is longer */

#define CACHE_LINE 64

#define AES_BLOCK      16
#define AES_ROUND_KEYS 15 /* of 256-bit keys; 128-bit ones have 11 */

/*
 * What one set of keys needs. A backend keeps what is short in round_keys, where it is found
 * by arithmetic: for RTP in the first three lines, or four with 256 bits. What is not short is
 * in own.
 */
struct tandem_cipher {
	void *own;
	uint8_t suite; /* enum srtp_suite; 0: not set */
	uint8_t pad[7];
	uint8_t round_keys[2][AES_ROUND_KEYS * AES_BLOCK]; /* SRTP_RTP, SRTP_RTCP */
	uint8_t pad2[16];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct tandem_cipher) == 512, "no holes");

/*
 * set() fills in own and round_keys of a cipher that is all zero; 0 or -ENOMEM. clear() gives
 * back own, wiped. A backend with room has neither to allocate nor to wipe: own is then
 * that many zeroed bytes, whole cache lines. ctr() and gcm() do a job, as core/srtp_job.h
 * says; any number of threads at once. touch() begins to fetch what gcm() will want of own
 * for a short packet of RTP. None is called with the NULL cipher.
 */
struct tandem_cipher_backend {
	const char *name;
	size_t room;
	int (*set)(struct tandem_cipher *c, const struct srtp_keys *keys);
	void (*clear)(struct tandem_cipher *c); /* NULL: it has room */
	int (*ctr)(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *text);
	int (*gcm)(struct tandem_cipher *c, const struct srtp_job *job, uint8_t *packet);
	void (*touch)(const void *own); /* NULL: it does not know */
};

struct tandem_hmac_job; /* hmacs.h */

/* HMAC in the lanes of a vector unit; worth its while from so many jobs on. */
struct tandem_lanes_backend {
	uint32_t worth;
	void *(*alloc)(void); /* for one thread; NULL: no memory */
	void (*free)(void *lanes);
	void (*run)(void *lanes, struct tandem_hmac_job *jobs, uint32_t n);
};

extern const struct tandem_cipher_backend tandem_openssl;

/* NULL: not built in, or the processor lacks something. */
const struct tandem_cipher_backend *tandem_ipsec_mb(void);

/* The same; and the processor's lanes are faster than its SHA instructions. */
const struct tandem_lanes_backend *tandem_ipsec_mb_lanes(void);

#endif
