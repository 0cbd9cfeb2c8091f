/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gateways that ask for a password: the relay answers 401 and 407 in place of the caller (RFC 3261
 * section 22, RFC 7616, RFC 8760). The request is sent again with its CSeq, as the caller's dialog
 * knows no other.
 */
#ifndef TANDEM_SIP_TRUNK_H
#define TANDEM_SIP_TRUNK_H

#include "userspace/sip/gateway.h"
#include "userspace/sip/tx.h"

/* Take user and realm, and read the password from its file. 0, or a negative errno with why. */
int tandem_trunk_read(struct tandem_gateway *gw, const struct tandem_gateway_config *cfg, char *why,
		      size_t size);
void tandem_trunk_clean(struct tandem_gateway *gw);

/* msg, a response on b, asks for the password that we have for the gateway it came from. */
bool tandem_trunk_challenged(const struct tandem_branch *b, const struct sip_msg *msg);

/*
 * Give the place of b credentials for the challenge in msg. 0; -EACCES when they were wrong, or
 * asked for once more; -ENOENT when there is no challenge that can be answered; -ENOMEM.
 */
int tandem_trunk_answer(const struct tandem_branch *b, const struct sip_msg *msg);

#endif
