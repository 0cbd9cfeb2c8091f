/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the SIP front end: the way to who is registered at another node, see shared.h. */
#ifndef TANDEM_SIP_REMOTE_H
#define TANDEM_SIP_REMOTE_H

#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/sip/token.h"

/* Has the address come to this node that a binding of another was made at? */
bool tandem_remote_is_here(const struct tandem_sip *ts, const struct tandem_binding *b);

/* Can its node be sent a request? */
bool tandem_remote_is_alive(const struct tandem_sip *ts, const struct tandem_binding *b);

/* The user part of the Route to the node that has binding number. -ENOKEY: there is no key yet. */
int tandem_remote_write(char buf[TANDEM_TOKEN_SIZE], const struct tandem_sip *ts,
			const struct pl *call_id, uint64_t number);

/* And what it says here; 0: it is not of a node of the cluster, or not of this call. */
uint64_t tandem_remote_read(const struct tandem_sip *ts, const struct pl *call_id,
			    const struct pl *token);

#endif
