/* SPDX-License-Identifier: GPL-2.0-only */
/* 3xx: those that are followed in the caller's stead, and those that are the answer here. */
#ifndef TANDEM_SIP_REDIRECT_H
#define TANDEM_SIP_REDIRECT_H

#include "userspace/sip/tx.h"

/*
 * Add the contacts of a final response to the target, where it is a 3xx, sip.redirects says so
 * and the caller could call them itself by the table of routes. True when there are some: the
 * response is spent, and tandem_fork_proceed() is due, or comes once names are resolved.
 */
bool tandem_redirect_follow(struct tandem_tx *tx, const struct sip_msg *msg);

/* Give up all lookups. */
void tandem_redirects_clean(struct tandem_tx *tx);

/* Answer with 302 and the places of the target in place of calling them, and finish. */
void tandem_redirect_answer(struct tandem_tx *tx);

#endif
