/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers of the last seconds: a request that comes once more, because its answer was late or lost,
 * must get the same one and not be carried out again.
 */
#ifndef TANDEM_NG_RECENT_H
#define TANDEM_NG_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

#define TANDEM_NG_RECENT_MAX  16384
#define TANDEM_NG_RECENT_MS   30000		  /* clients have given up by then */
#define TANDEM_NG_RECENT_SIZE (32U * 1024 * 1024) /* octets of answers; the oldest go first */

struct tandem_ng_recent;

int tandem_ng_recent_alloc(struct tandem_ng_recent **recentp);
void tandem_ng_recent_free(struct tandem_ng_recent *recent);

/* The answer that peer's request with this cookie got, *len octets; NULL: none is known. */
const char *tandem_ng_recent_find(const struct tandem_ng_recent *recent,
				  const struct tandem_endpoint *peer, const char *cookie,
				  size_t cookie_len, uint64_t now_ms, size_t *len);

/* Keep an answer, and with it text, which is returned. NULL on no memory: then it is freed. */
const char *tandem_ng_recent_add(struct tandem_ng_recent *recent,
				 const struct tandem_endpoint *peer, const char *cookie,
				 size_t cookie_len, uint64_t now_ms, char *text, size_t len);

#endif
