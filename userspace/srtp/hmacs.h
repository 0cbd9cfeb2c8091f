/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HMAC-SHA1 of many packets at once. The blocks of one packet wait for each other; those of several, under
 * whatever keys, go through the processor's lanes side by side. One struct tandem_hmacs for each thread.
 */
#ifndef TANDEM_SRTP_HMACS_H
#define TANDEM_SRTP_HMACS_H

#include <stdint.h>

#include "core/srtp_abi.h"

#define TANDEM_HMACS_MAX 64 /* jobs in one run */

/* len octets at data under inner and outer of session; all 20 octets of the result are in tag. */
struct tandem_hmac_job {
	const struct srtp_session *session;
	const uint8_t *data;
	uint32_t len;
	uint8_t tag[20];
};

struct tandem_hmacs;

/* 0 or -ENOMEM. */
int tandem_hmacs_alloc(struct tandem_hmacs **hmacsp);

/* NULL is fine. */
void tandem_hmacs_free(struct tandem_hmacs *hmacs);

/* Do n jobs, at most TANDEM_HMACS_MAX. Nothing is allocated, and all is done on return. */
void tandem_hmacs_run(struct tandem_hmacs *hmacs, struct tandem_hmac_job *jobs, uint32_t n);

#endif
