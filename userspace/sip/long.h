/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that are too long for UDP, and the memory of who does not have them by TCP: RFC 3261
 * section 18.1.1.
 */
#ifndef TANDEM_SIP_LONG_H
#define TANDEM_SIP_LONG_H

#include "userspace/sip/local.h"

/*
 * True when a request of so many octets has to go to dst by a transport with congestion control:
 * it is longer than 1300 octets, or within 200 of an MTU on the way that is known.
 */
bool tandem_long_is(size_t octets, const struct sa *dst);

/* True when a request from src to dst may go by TCP in place of UDP: we have it, and so may they. */
bool tandem_long_may_change(const struct tandem_sip *ts, const struct sa *src,
			    const struct sa *dst);

/* The peer at dst did not take one by TCP: for the next minutes all go over UDP. */
void tandem_long_refused(struct tandem_sip *ts, const struct sa *dst);

#endif
