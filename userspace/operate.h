/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operating a relay that runs: taking it out of service, and blocking sources. The calls of
 * the local API for that:
 *
 *   block.add     "network": NET, "seconds": N   {"blocked": NET}; without seconds for good
 *   block.list                                   {"blocks": [...]}
 *   block.remove  "network": NET                 {"removed": NET}
 *   drain.start   "timeout_s": N                 as drain.show; without timeout_s as configured
 *   drain.stop                                   as drain.show
 *   drain.show                                   {"draining", "sessions", "transactions", "left_s"}
 */
#ifndef TANDEM_OPERATE_H
#define TANDEM_OPERATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct tandem_sessions;
struct tandem_sip;

struct tandem_operate {
	struct tandem_sip *sip;
	struct tandem_sessions *sessions;
	uint32_t drain_timeout_s; /* as configured */
	bool draining;
	uint64_t drain_until_ms; /* on the monotonic clock */
};

/* Of the shape of struct tandem_api's more; arg is a struct tandem_operate. */
int tandem_operate_call(const char *call, const json_t *params, json_t **result, char *why,
			size_t why_size, void *arg);

/*
 * True when a drain is done, and the process is to end: no call is left, or its time is over.
 * To be called about once a second.
 */
bool tandem_operate_done(struct tandem_operate *op);

#endif
