/* SPDX-License-Identifier: GPL-2.0-only */
/* From a SIP URI to addresses and transports: RFC 3263 section 4. */
#ifndef TANDEM_SIP_LOCATE_H
#define TANDEM_SIP_LOCATE_H

#include "userspace/sip/facts.h"
#include "userspace/sip/local.h"

#define TANDEM_DESTS_MAX 8

/* A place to send to; the address has its port. */
struct tandem_dest {
	enum sip_transp tp;
	struct sa addr;
};

/*
 * Where a request for uri is sent: dests in the order in which they are to be tried, by
 * transports that we have, none that a stranger may not make us talk to. *seed chooses among equal
 * weights and stays the same through the passes of one search.
 *
 * 0 with *count of at least one; -EINPROGRESS: call again when facts has more; -EINVAL no
 * SIP URI; -EPROTONOSUPPORT no transport of ours; -ENOENT no such name, or not a SIP host;
 * -EACCES only addresses that are denied; -EIO name servers failed.
 */
int tandem_locate(struct tandem_facts *facts, const struct tandem_sip *ts, const struct pl *uri,
		  uint64_t seed, struct tandem_dest dests[TANDEM_DESTS_MAX], size_t *count);

#endif
