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

/*
 * For an environment that knows ahead what packets will come. Begin to fetch what RTP needs of the keys
 * at an index (0: none); and once that is there, what the keys lead to.
 */
static inline void env_srtp_touch_keys(struct env *env, __u32 index)
{
	const struct srtp_keys *keys = env_srtp_keys(env, index);

	if (!keys)
		return;
	__builtin_prefetch(keys);
	__builtin_prefetch((const char *)keys + 64);
}

static inline void env_srtp_touch_rest(struct env *env, __u32 index)
{
	const struct srtp_keys *keys = env_srtp_keys(env, index);
	const struct srtp_stream *stream;

	if (!keys)
		return;
	tandem_cipher_touch(ENV_CIPHERS(env), index, keys->suite);
	stream = env_srtp_stream(env, keys->first_stream);
	if (stream)
		__builtin_prefetch(stream, 1);
}

#endif
