/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ciphers of SRTP for the datapaths in userspace: what core/srtp_job.h asks an environment
 * for, by a library (backend.h). A datapath holds one struct tandem_ciphers beside its array
 * of srtp_keys, with an entry for each index, made ready when the keys are set. Nothing is
 * allocated for a packet, and any number of workers may use an entry at once.
 */
#ifndef TANDEM_SRTP_CIPHER_H
#define TANDEM_SRTP_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/srtp_abi.h"

struct srtp_job;
struct tandem_cipher_backend;
struct tandem_ciphers;

/* Room for keys 0 to count - 1, none of them set. backend NULL: the fastest. 0 or -ENOMEM. */
int tandem_ciphers_alloc(struct tandem_ciphers **ciphersp, uint32_t count,
			 const struct tandem_cipher_backend *backend);

/* NULL is fine. What is left of keys is wiped. */
void tandem_ciphers_free(struct tandem_ciphers *ciphers);

/*
 * Make entry index ready for keys, or wipe it: keys NULL. No worker may be at the entry
 * meanwhile: no rule names it, and none that did is still being followed. 0; -EINVAL: no such
 * index or suite; -ENOMEM: the entry is wiped then.
 */
int tandem_ciphers_set(struct tandem_ciphers *ciphers, uint32_t index,
		       const struct srtp_keys *keys);

/* Begin to fetch what packets of RTP of this suite will need of the entry. Only a hint. */
void tandem_cipher_touch(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite);

/* Is the entry ready for packets of this suite? What they need begins to be fetched. */
bool tandem_cipher_able(const struct tandem_ciphers *ciphers, uint32_t index, uint8_t suite);

/* env_srtp_ctr(), env_srtp_hmac() and env_srtp_gcm() of core/srtp_job.h; keys are the job's. */
int tandem_cipher_ctr(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload);
int tandem_cipher_hmac(const struct srtp_keys *keys, struct srtp_job *job, const void *payload);
int tandem_cipher_gcm(struct tandem_ciphers *ciphers, const struct srtp_job *job, void *payload);

#endif
