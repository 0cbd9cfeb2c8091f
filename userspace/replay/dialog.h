/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both parties of a SIP call over UDP, by way of a proxy (RFC 3261): the callee registers, the caller
 * invites, and what each gets of the other's description is told. No authentication.
 */
#ifndef TANDEM_REPLAY_DIALOG_H
#define TANDEM_REPLAY_DIALOG_H

#include "userspace/util/endpoint.h"

struct tandem_dialog;

/* Bind the parties' sockets, and register the callee. 0, or a negative errno having said why. */
int tandem_dialog_open(struct tandem_dialog **dp, const struct tandem_endpoint *proxy,
		       const struct tandem_endpoint *caller, const struct tandem_endpoint *callee,
		       const char *domain);

/*
 * Set the call up with these descriptions. Returns 0 with what came of them at the other side, which
 * stays the dialog's; or a negative errno having said why.
 */
int tandem_dialog_call(struct tandem_dialog *d, const char *offer, const char *answer,
		       const char **offer_seen, const char **answer_seen);

/* The caller hangs up, if there is a call; the callee's registration is taken back. 0 or the same. */
int tandem_dialog_end(struct tandem_dialog *d);

void tandem_dialog_free(struct tandem_dialog *d);

#endif
