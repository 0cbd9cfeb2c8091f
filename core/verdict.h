/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a reason to what is done with the packet. */
#ifndef TANDEM_CORE_VERDICT_H
#define TANDEM_CORE_VERDICT_H

#include "core/abi.h"

/*
 * counters.def keeps the kinds together, so two comparisons do; a table would be
 * memory that the BPF verifier wants bounds for.
 */
#define REASON_VERDICT(reason)                                                                     \
	((reason) <= REASON_forwarded_dtls ? VERDICT_FORWARD                                       \
	 : (reason) <= REASON_no_headroom  ? VERDICT_PUNT                                          \
					   : VERDICT_DROP)

static inline enum verdict reason_verdict(__u32 reason)
{
	return REASON_VERDICT(reason);
}

/* The order of counters.def is what REASON_VERDICT() relies on. */
#define KIND_FORWARD(reason) (REASON_VERDICT(reason) == VERDICT_FORWARD)
#define KIND_PUNT(reason)    (REASON_VERDICT(reason) == VERDICT_PUNT)
#define KIND_DROP(reason)    (REASON_VERDICT(reason) == VERDICT_DROP && (reason) <= REASON_send_failed)
#define KIND_NOTE(reason)    ((reason) > REASON_send_failed)
#define REASON(name, kind, help)                                                                   \
	_Static_assert(KIND_##kind(REASON_##name), #name " is out of order in counters.def");
#include "core/counters.def"
#undef REASON
#undef KIND_FORWARD
#undef KIND_PUNT
#undef KIND_DROP
#undef KIND_NOTE

#endif
