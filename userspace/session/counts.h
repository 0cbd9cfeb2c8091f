/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts of flows and streams as the local API shows them; docs/api.md gives the fields. */
#ifndef TANDEM_SESSION_COUNTS_H
#define TANDEM_SESSION_COUNTS_H

#include "userspace/session/model.h"

/*
 * Lost, distinct and expected packets of a stream over its whole life (RFC 3550
 * A.3). Loss is negative when more came than were expected.
 */
struct tandem_stream_loss {
	int64_t lost;
	int64_t expected;
	double percent; /* 0 to 100 */
};
void tandem_stream_loss(const struct tandem_stream *st, struct tandem_stream_loss *loss);

/* The name of a reason in core/counters.def; NULL when there is none of that number. */
const char *tandem_reason_name(uint32_t reason);

/* An address as the packet path has it, by tandem_json_endpoint(). */
json_t *tandem_json_addr(const struct ip_addr *ip, __be16 port);

/* Two decimals are all that a reader can use. */
json_t *tandem_json_rounded(double value);

/* Add the counts of a flow, or of a stream, to an object. Nonzero on no memory. */
int tandem_json_flow_counts(json_t *js, const struct tandem_flow_stats *stats);
int tandem_json_stream_counts(json_t *js, const struct tandem_stream *st);

#endif
