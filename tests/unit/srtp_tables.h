/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys, streams and ciphers for what drives core/srtp.h by itself: tests, fuzzer, bench. Who
 * includes it defines KEYS, how many sets, of which index 0 is none, and SSRCS, the room under
 * each.
 */
#ifndef TANDEM_TEST_SRTP_TABLES_H
#define TANDEM_TEST_SRTP_TABLES_H

#include <stdlib.h>
#include <string.h>

#include "core/env_api.h"
#include "core/rtp.h"
#include "core/srtp.h"
#include "userspace/srtp/kdf.h"

/* What a datapath has. */
static struct srtp_tables {
	struct srtp_keys keys[KEYS];
	struct srtp_stream streams[KEYS * SSRCS];
	struct env_tables arrays;
	struct env env;
} __attribute__((aligned(4096))) tables;

/* As after start; backend NULL: the fastest. 0 or -ENOMEM. */
static inline int tables_init(const struct tandem_cipher_backend *backend)
{
	memset(&tables, 0, sizeof(tables));
	tables.arrays.config.srtps = KEYS;
	tables.arrays.config.srtp_streams = KEYS * SSRCS;
	tables.arrays.srtp_keys = tables.keys;
	tables.arrays.srtp_streams = tables.streams;
	tables.env.tables = &tables.arrays;
	return tandem_ciphers_alloc(&tables.arrays.ciphers, KEYS, backend);
}

static inline void tables_clean(void)
{
	tandem_ciphers_free(tables.arrays.ciphers);
}

/* A master key and salt for tests: octets that follow from seed. */
struct master {
	uint8_t key[SRTP_KEY_MAX];
	uint8_t salt[SRTP_SALT_MAX];
};

static inline struct master master_of(uint8_t seed)
{
	struct master m;

	for (size_t i = 0; i < sizeof(m.key); i++)
		m.key[i] = (uint8_t)(seed * 31 + i * 7);
	for (size_t i = 0; i < sizeof(m.salt); i++)
		m.salt[i] = (uint8_t)(seed * 17 + i * 5 + 1);
	return m;
}

/* As if the keys had never been used. */
static inline void keys_forget(uint32_t index)
{
	memset(&tables.streams[index * SSRCS], 0, SSRCS * sizeof(tables.streams[0]));
}

/* Keys by their session keys, for vectors that give those. */
static inline struct srtp_keys *keys_begin(uint32_t index)
{
	struct srtp_keys *k = &tables.keys[index];

	memset(k, 0, sizeof(*k));
	keys_forget(index);
	k->gen = 2;
	k->first_stream = index * SSRCS;
	k->stream_count = SSRCS;
	return k;
}

static inline void keys_end(uint32_t index)
{
	if (tandem_ciphers_set(tables.arrays.ciphers, index, &tables.keys[index]))
		abort();
}

/* Set keys index up for a suite and master keys that follow from seed. */
static inline struct srtp_keys *keys_set(uint32_t index, uint8_t suite, uint8_t seed)
{
	struct srtp_keys *k = keys_begin(index);
	struct master m = master_of(seed);

	if (tandem_srtp_derive(k, suite, m.key, m.salt))
		abort();
	keys_end(index);
	return k;
}

#endif
