/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing the headers of a forwarded message: what a proxy must change, and the rest as it came. */
#ifndef TANDEM_SIP_HEADER_H
#define TANDEM_SIP_HEADER_H

#include "userspace/sip/libre.h"

/* Name (any case, or its one-letter form) and id agree: libre's ids of unknown headers may collide. */
bool tandem_header_is(const struct sip_hdr *hdr, enum sip_hdrid id, const char *name, char compact);

/*
 * Every header that libre has read a field of the message from is named so: a name made
 * up to have the id of Via, say, would be a Via to libre and to nobody else on the way.
 */
bool tandem_header_ids_true(const struct sip_msg *msg);

/* All Via of a request, the top one with received and rport (RFC 3261 18.2.1, RFC 3581). */
int tandem_header_request_vias(struct mbuf *mb, const struct sip_msg *msg);

/* All Via of a response but the top one, which was ours. */
int tandem_header_response_vias(struct mbuf *mb, const struct sip_msg *msg);

#define TANDEM_HEADER_DROP_BODY		   0x1 /* leave out what describes the body */
#define TANDEM_HEADER_DROP_RETRY_AFTER	   0x2
#define TANDEM_HEADER_DROP_MAX_BREADTH	   0x4
#define TANDEM_HEADER_DROP_CHALLENGES	   0x8
#define TANDEM_HEADER_DROP_SESSION_EXPIRES 0x10
#define TANDEM_HEADER_DROP_MIN_SE	   0x20

/*
 * All other headers, in order and octet by octet, but: no Route, no Content-Length;
 * Max-Forwards of a request counted down; no credentials of realm (may be NULL), which
 * were meant for us and end here (RFC 3261 section 22.3).
 */
int tandem_header_copy(struct mbuf *mb, const struct sip_msg *msg, unsigned int flags,
		       const char *realm);

/* The number of CSeq is below 2^31 (RFC 3261 section 8.1.1.5); libre takes what is left of a higher one. */
bool tandem_header_cseq_fits(const struct sip_msg *msg);

/* Every quoted string in the header has its end. */
bool tandem_header_quotes_close(const struct sip_msg *msg, enum sip_hdrid id);

/*
 * Max-Breadth of a request (RFC 5393 section 5.3): its value, 60 when it is absent, higher or not a
 * number.
 */
unsigned int tandem_header_max_breadth(const struct sip_msg *msg);

/* Max-Forwards of a request: its value, 70 when absent, -EBADMSG when not a number up to 255. */
int tandem_header_max_forwards(const struct sip_msg *msg);

#endif
