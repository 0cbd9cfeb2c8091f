/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A token bucket for each source address, in a table of fixed size: who has not been
 * heard of for longest makes room. An IPv6 source is its /64, of which one host has all.
 */
#ifndef TANDEM_SIP_AUTH_LIMIT_H
#define TANDEM_SIP_AUTH_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

struct tandem_limit;

/* Times are milliseconds of a clock that only goes forward. */
struct tandem_limit_config {
	uint32_t burst;	    /* tokens of a full bucket */
	uint32_t per_s_num; /* tokens that come back: per_s_num in per_s_den seconds */
	uint32_t per_s_den;
	uint32_t block_ms; /* who has emptied the bucket gets nothing for so long; may be 0 */
};

/* NULL on no memory. */
struct tandem_limit *tandem_limit_alloc(const struct tandem_limit_config *cfg);
void tandem_limit_free(struct tandem_limit *l);

enum tandem_limit_verdict {
	TANDEM_LIMIT_OK,
	TANDEM_LIMIT_EMPTIED, /* that was the last token: from now on */
	TANDEM_LIMIT_EMPTY,
};

/* Take a token of ip's. */
enum tandem_limit_verdict tandem_limit_take(struct tandem_limit *l, const struct ip_addr *ip,
					    uint64_t now_ms);

/* True while ip is blocked; takes nothing. */
bool tandem_limit_blocked(const struct tandem_limit *l, const struct ip_addr *ip, uint64_t now_ms);

#endif
