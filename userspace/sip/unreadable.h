/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that libre makes no message of. It drops them, and closes the connection that they came
 * by; RFC 3261 would have an answer (sections 16.3, 21.4.1 and 21.5.6). So sip_msg_decode() of libre's,
 * which all transports call, is ours in between: what can be mended is (a Via without a branch, as of RFC
 * 2543; a version in small letters), and in place of what cannot it is given a request that says so,
 * which comes to the front end with the source, the transport and the limits of any other.
 */
#ifndef TANDEM_SIP_UNREADABLE_H
#define TANDEM_SIP_UNREADABLE_H

#include "userspace/sip/local.h"

/* No answer to what cannot be read is longer, nor longer than that by more than a few lines. */
#define TANDEM_UNREADABLE_MAX 2048

/* What an answer is made from. */
struct tandem_unreadable {
	uint16_t code; /* 400 or 505 */
	bool rport;    /* the top Via asks for it, RFC 3581 */
	size_t top;    /* octets of text up to where the parameters of the top Via end */
	size_t len;
	char sent_by[128];
	char agent[200];		  /* its program, by which some are blocked; may be "" */
	char text[TANDEM_UNREADABLE_MAX]; /* Via, From, To, Call-ID and CSeq, line by line */
};

/* What msg stands in for; NULL when it is what was sent. Valid until the next message is read. */
const struct tandem_unreadable *tandem_unreadable_of(const struct sip_msg *msg);

/* Write the answer to it, for where msg came from, and rewind mb. 0 or -ENOMEM. */
int tandem_unreadable_write(struct mbuf *mb, const struct tandem_unreadable *u,
			    const struct sip_msg *msg);

/* Answer the request that msg stands in for, without keeping state, and within the limits of its source. */
void tandem_unreadable_answer(struct tandem_sip *ts, const struct sip_msg *msg,
			      const struct tandem_unreadable *u);

#endif
