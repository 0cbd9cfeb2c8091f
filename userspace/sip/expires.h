/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Session timers (RFC 4028) as a proxy has them, section 8: which interval a refresh goes on with,
 * what the 2xx to it says, and until when the session is known to be alive.
 */
#ifndef TANDEM_SIP_EXPIRES_H
#define TANDEM_SIP_EXPIRES_H

#include "userspace/sip/tx.h"

/* What an INVITE or UPDATE goes on with, all in seconds. */
struct tandem_expires {
	uint32_t interval; /* Session-Expires; 0: as the request has it, if at all */
	uint32_t min;	   /* Min-SE; 0: as the request has it */
	bool too_small;	   /* it asks for less than is allowed here, and would understand a 422 */
	bool supported;	   /* its sender knows session timers */
};

/* Seconds of a Session-Expires or Min-SE value, parameters aside. False when it is none, or zero. */
bool tandem_expires_parse(const struct pl *val, uint32_t *seconds);

/* The plan for a request of any method; all zero where session timers are off or do not apply. */
struct tandem_expires tandem_expires_plan(const struct tandem_sip *ts, const struct sip_msg *msg);

/* Header lines of the request that goes on. flags gets the TANDEM_HEADER_DROP_* for what they replace. */
int tandem_expires_write_request(struct mbuf *mb, const struct tandem_tx *tx, unsigned int *flags);

/*
 * Header lines for msg, a response to the request of tx: the caller refreshes where the callee cannot
 * (section 8.2). 0 or ENOMEM.
 */
int tandem_expires_write_response(struct mbuf *mb, const struct tandem_tx *tx,
				  const struct sip_msg *msg);

/* msg is a 2xx that was sent on: its session lasts for as long as that says, or for good. */
void tandem_expires_accepted(const struct tandem_branch *b, const struct sip_msg *msg);

#endif
