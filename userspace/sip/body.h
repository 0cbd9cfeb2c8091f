/* SPDX-License-Identifier: GPL-2.0-only */
/* The body of a message, and the session description in it. */
#ifndef TANDEM_SIP_BODY_H
#define TANDEM_SIP_BODY_H

#include "userspace/sip/libre.h"

/*
 * The body as Content-Length delimits it (RFC 3261 section 18.3); empty when there
 * is none. -EBADMSG when fewer octets arrived, or the length is not a number.
 */
int tandem_body_get(struct pl *body, const struct sip_msg *msg);

/*
 * Find application/sdp: the whole body, or the first such part of a multipart one
 * (RFC 5621). False when there is none; *sdp lies within *body otherwise.
 */
bool tandem_body_find_sdp(struct pl *sdp, const struct pl *body, const struct msg_ctype *type);

/*
 * Write Content-Length, the empty line, and the body with the sdp in it replaced by
 * out (NULL: as it came). 0 or a positive errno, as libre's writers return.
 */
int tandem_body_write(struct mbuf *mb, const struct pl *body, const struct pl *sdp,
		      const struct mbuf *out);

#endif
