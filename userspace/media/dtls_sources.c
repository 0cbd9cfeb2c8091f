/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/media/dtls.h"

int tandem_dtls_sources_init(struct tandem_dtls_sources *sources, uint32_t max)
{
	for (size_t i = 0; i < TANDEM_DTLS_SOURCES; i++)
		sources->quota[i] = (struct tandem_dtls_quota){ .max = max };
	return getrandom(&sources->seed, sizeof(sources->seed), 0) == sizeof(sources->seed) ? 0
											    : -EIO;
}

/* Finalizer of MurmurHash3. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

struct tandem_dtls_quota *tandem_dtls_sources_quota(struct tandem_dtls_sources *sources,
						    const struct ip_addr *ip)
{
	uint64_t low = tandem_ip_is_v4(ip) ? ip->d[1] : 0;
	uint64_t h = mix(mix(ip->d[0] ^ sources->seed) ^ low);

	return &sources->quota[h % TANDEM_DTLS_SOURCES];
}
