/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of an env.h in userspace that is for SRTP. ENV_CIPHERS(env) is its struct
 * tandem_ciphers, of as many entries as there are keys.
 */
#ifndef TANDEM_SRTP_HOOKS_H
#define TANDEM_SRTP_HOOKS_H

#include "userspace/srtp/cipher.h"

#define env_srtp_able(env, keys, index, len)                                                       \
	tandem_cipher_able(ENV_CIPHERS(env), index, (keys)->suite)
#define env_srtp_ctr(env, job, payload, end) tandem_cipher_ctr(ENV_CIPHERS(env), job, payload)
#define env_srtp_hmac(env, job, payload, end)                                                      \
	tandem_cipher_hmac(env_srtp_keys(env, (job)->keys), job, payload)
#define env_srtp_gcm(env, job, payload, end) tandem_cipher_gcm(ENV_CIPHERS(env), job, payload)

#endif
