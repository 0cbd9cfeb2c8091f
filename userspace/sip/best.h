/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing among the final responses of branches: RFC 3261 section 16.7 steps 6 and 7. */
#ifndef TANDEM_SIP_BEST_H
#define TANDEM_SIP_BEST_H

#include "userspace/sip/libre.h"

struct tandem_best {
	uint16_t code;		 /* 0: none so far */
	struct sip_msg *msg;	 /* NULL: a response of our own */
	char *headers;		 /* lines of that, or NULL */
	struct mbuf *challenges; /* of all 401 and 407, as header lines */
};

void tandem_best_clean(struct tandem_best *best);

/*
 * Take another final response, other than 2xx, into account: 6xx before all, else the lowest
 * class, and in it what the caller can do most about. msg NULL: our own, with headers or NULL.
 */
void tandem_best_add(struct tandem_best *best, uint16_t code, const struct sip_msg *msg,
		     const char *headers);

#endif
