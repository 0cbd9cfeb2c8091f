/* SPDX-License-Identifier: GPL-2.0-only */
/* Offers and answers that pass: who made which, and what the session model makes of them. */
#ifndef TANDEM_SIP_MEDIA_H
#define TANDEM_SIP_MEDIA_H

#include "userspace/sip/tx.h"

/*
 * Decide whether the media of this request are ours and which party sent it.
 * 0, or the status code to refuse the request with.
 */
uint16_t tandem_media_classify(struct tandem_tx *tx, bool spiral);

/*
 * The request is about to be sent to dst with this SDP (NULL: none). *outp is the
 * SDP to send instead, borrowed from b; NULL to send what came. 0, or an error of
 * the session model; -EINPROGRESS when another offer is pending; -ENODATA to leave
 * the SDP out.
 */
int tandem_media_request(struct tandem_branch *b, const struct sa *dst, const struct pl *sdp,
			 const struct mbuf **outp);

/* The same for a response that goes upstream to dst; any error but -ENODATA is a refusal. */
int tandem_media_response(struct tandem_branch *b, const struct sip_msg *msg, const struct sa *dst,
			  const struct pl *sdp, const struct mbuf **outp);

/* The callee's tag, as soon as a response to the first INVITE shows it. */
void tandem_media_learn_tag(struct tandem_branch *b, const struct sip_msg *msg);

/* Tell the session that a 2xx was sent on. */
void tandem_media_accepted(struct tandem_branch *b);

/* The branch has failed: the offer in it is void, the session it opened is over. */
void tandem_media_failed(struct tandem_branch *b, const char *why);

#endif
