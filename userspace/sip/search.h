/* SPDX-License-Identifier: GPL-2.0-only */
/* Names in a target made addresses, and numbers made places: RFC 3263, RFC 6116. */
#ifndef TANDEM_SIP_SEARCH_H
#define TANDEM_SIP_SEARCH_H

#include "userspace/sip/route.h"

struct tandem_search;

/* code 0: the target is complete; else a SIP status code to refuse the request with. */
typedef void(tandem_search_h)(int code, void *arg);

/*
 * Complete target: each hop has a literal address afterwards, and places that lead nowhere
 * are gone. 0 when that is done, or a SIP status code; -EINPROGRESS with *searchp when
 * name servers have to be asked, and h is called later. mem_deref() gives it up; it goes
 * by itself before h is called, and target has to stay where it is until then.
 */
int tandem_search_start(struct tandem_search **searchp, struct tandem_sip *ts,
			struct tandem_target *target, tandem_search_h *h, void *arg);

#endif
