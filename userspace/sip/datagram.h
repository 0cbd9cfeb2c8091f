/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the UDP sockets of SIP do before libre has a datagram: it may be as long as UDP has it (RFC
 * 3261 section 18.1.1), where libre reads 8192 octets; of blocked sources nothing is heard, not even
 * responses, which libre has for itself; and STUN is answered, by which phones keep a way through
 * their NAT open (RFC 5626 section 8).
 *
 * libre opens its sockets itself. So udp_listen() is a function of ours in front of libre's, as in
 * accept.c.
 */
#ifndef TANDEM_SIP_DATAGRAM_H
#define TANDEM_SIP_DATAGRAM_H

#include "userspace/sip/local.h"

struct tandem_datagrams;

#define TANDEM_DATAGRAM_COUNTERS(X)                                                                \
	X(stun_answered) /* binding requests */                                                    \
	X(stun_limited)	 /* not answered: too many of one source */                                \
	X(stun_ignored)	 /* malformed, or no binding request */

/* 0 or -ENOMEM. */
int tandem_datagrams_alloc(struct tandem_datagrams **dp, struct tandem_sip *ts);

/* To be called when the sockets are closed. */
void tandem_datagrams_free(struct tandem_datagrams *d);

/* Have sip listen at addr by UDP. 0 or a negative errno. */
int tandem_datagrams_listen(struct tandem_datagrams *d, struct sip *sip, const struct sa *addr);

/* Counters; new reference, NULL on no memory. */
json_t *tandem_datagrams_json(const struct tandem_datagrams *d);

#endif
