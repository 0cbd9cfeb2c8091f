/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <sys/random.h>

#include "userspace/media/dtls.h"

int tandem_dtls_sources_init(struct tandem_dtls_sources *sources, uint32_t max)
{
	for (size_t i = 0; i < TANDEM_DTLS_SOURCES; i++)
		sources->quota[i] = (struct tandem_dtls_quota){ .max = max };
	return getrandom(&sources->seed, sizeof(sources->seed), 0) == sizeof(sources->seed) ? 0
											    : -EIO;
}

struct tandem_dtls_quota *tandem_dtls_sources_quota(struct tandem_dtls_sources *sources,
						    const struct ip_addr *ip)
{
	const uint64_t key[2] = { sources->seed, 0 };
	struct ip_addr net = tandem_ip_network(ip);

	return &sources->quota[tandem_ip_hash(&net, key) % TANDEM_DTLS_SOURCES];
}
