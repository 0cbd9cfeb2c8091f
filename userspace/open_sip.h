/* SPDX-License-Identifier: GPL-2.0-only */
/* The SIP side of the relay, as the configuration wants it. */
#ifndef TANDEM_OPEN_SIP_H
#define TANDEM_OPEN_SIP_H

#include <stddef.h>

#include "userspace/config/resolve.h"

struct tandem_cdr;
struct tandem_sessions;
struct tandem_sip;
struct tandem_store;

/* What it is made of; all is borrowed. cdr may be NULL. */
struct tandem_open_sip {
	const struct tandem_config *cfg;
	const struct tandem_resolved *resolved;
	struct tandem_cdr *cdr;
	struct tandem_sessions *sessions;
	struct tandem_store *store;
};

/* Open it. 0, or a negative errno, for which why may have words. */
int tandem_open_sip(struct tandem_sip **sipp, const struct tandem_open_sip *parts, char *why,
		    size_t why_size);

#endif
