/* SPDX-License-Identifier: GPL-2.0-only */
/* Which calls, and which packets of them, a capture is to have. */
#ifndef TANDEM_LIVE_FILTER_H
#define TANDEM_LIVE_FILTER_H

#include <jansson.h>

#include "userspace/live/live.h"
#include "userspace/util/endpoint.h"

struct tandem_live_filter {
	char *call; /* a Call-ID, the name of a session or of a forward; NULL: any */
	char *user; /* in From or To: the user, or user and host; NULL: any */
	bool has_ip, has_ssrc;
	struct ip_addr ip; /* where media of a party come from, or its signalling */
	uint32_t ssrc;
	uint32_t taps; /* RULE_F_TAPS */
	bool headers;  /* no payload of RTP */
};

/* From the parameters of a call; why: what is wrong. -EINVAL, -ENOMEM. */
int tandem_live_filter_parse(struct tandem_live_filter *f, const json_t *params, char *why,
			     size_t why_size);
void tandem_live_filter_clean(struct tandem_live_filter *f);

/* What is wanted of a call: RULE_F_TAPS. */
uint32_t tandem_live_filter_wants(const struct tandem_live_filter *f,
				  const struct tandem_tap_call *call);

/* Is it one of those? */
bool tandem_live_filter_has(const struct tandem_live_filter *f, const struct tandem_live_packet *p);

/* A message of SIP, in text of len octets. */
struct tandem_live_sip {
	bool sent;
	const char *transport;
	struct tandem_endpoint from, to;
	const char *text;
	size_t len;
};

/* Is it of those calls, as far as its text says? */
bool tandem_live_filter_has_sip(const struct tandem_live_filter *f,
				const struct tandem_live_sip *m);

/* The SSRC of RTP, or of the sender of RTCP; false: it is neither. */
bool tandem_live_ssrc(const struct tandem_live_packet *p, uint32_t *ssrc, bool *rtcp);

#endif
