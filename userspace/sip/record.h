/* SPDX-License-Identifier: GPL-2.0-only */
/* What call records are told by the SIP front end; all do nothing where there are none. */
#ifndef TANDEM_SIP_RECORD_H
#define TANDEM_SIP_RECORD_H

#include "userspace/sip/tx.h"

/* A first INVITE is about to be forwarded. */
void tandem_record_begin(const struct tandem_tx *tx);

/* A request is refused with code before anything is kept of it; only first INVITEs count. */
void tandem_record_refused(const struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code);

/* The request is sent to the address of b. */
void tandem_record_sent(const struct tandem_branch *b, enum sip_transp tp);

/* The branch has ended with this code, whether it is sent on or not; 408 for silence. */
void tandem_record_branch(const struct tandem_branch *b, uint16_t code);

/* A response of a callee's to the request of tx was sent on, with code. */
void tandem_record_response(const struct tandem_tx *tx, const struct sip_msg *msg, uint16_t code);

/* A response of our own to the request of tx. */
void tandem_record_status(const struct tandem_tx *tx, uint16_t code);

/* The caller gives up. */
void tandem_record_cancel(const struct tandem_tx *tx);

/* msg is a BYE of this party. */
void tandem_record_bye(const struct tandem_sip *ts, const struct sip_msg *msg,
		       enum tandem_party_id party);

#endif
