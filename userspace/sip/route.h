/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a request goes: RFC 3261 sections 16.4 (Route), 16.5 (targets), 16.6 steps 6 and 7. */
#ifndef TANDEM_SIP_ROUTE_H
#define TANDEM_SIP_ROUTE_H

#include "userspace/sip/local.h"
#include "userspace/sip/token.h"

#define TANDEM_ROUTES_MAX 32
#define TANDEM_HOPS_MAX	  2

/* Where to send to, and from where. */
struct tandem_hop {
	char *uri;
	struct sa local; /* our address to send from; not set: as the host's routes say */
};

/* The decision for one request. Clean with tandem_target_clean(). */
struct tandem_target {
	char *ruri;   /* Request-URI to send */
	char *routes; /* whole Route header lines to send, or "" */
	struct tandem_hop
		hops[TANDEM_HOPS_MAX]; /* the second is for when the first fails at once */
	size_t hops_count;
	bool local;   /* for this host itself, nothing to forward */
	bool trusted; /* within a dialog that passed through us */
};

/*
 * Decide about msg. Returns 0, a SIP status code to refuse it with, or a negative
 * errno. In any case *target is to be cleaned afterwards.
 */
int tandem_target_resolve(struct tandem_target *target, const struct tandem_sip *ts,
			  const struct sip_msg *msg);
void tandem_target_clean(struct tandem_target *target);

#endif
