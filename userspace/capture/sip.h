/* SPDX-License-Identifier: GPL-2.0-only */
/* The SIP messages of a capture, and the calls that they are of (one Call-ID each). */
#ifndef TANDEM_CAPTURE_SIP_H
#define TANDEM_CAPTURE_SIP_H

#include "userspace/capture/announce.h"
#include "userspace/capture/read.h"

/* Kept of a file; more are counted, and their descriptions still taken. */
#define TANDEM_SIP_MESSAGES_MAX (1 << 20)

struct tandem_sip_message {
	uint64_t time_ns;
	struct tandem_endpoint src, dst;
	char *text;	 /* "INVITE", "180 Ringing" */
	char method[16]; /* of CSeq */
	uint16_t status; /* 0: a request */
	char *sdp;	 /* its session description; NULL: it has none */
};

struct tandem_sip_call {
	char *call_id, *from, *to; /* the URIs of From and To as in the first message */
	struct tandem_sip_message *messages;
	size_t count, room;
};

struct tandem_sip_log;

int tandem_sip_log_alloc(struct tandem_sip_log **lp);
void tandem_sip_log_free(struct tandem_sip_log *log);

/*
 * Take a datagram, in order of the file; what it describes goes to announces. Returns 1: it is a
 * SIP message; 0: it is none; -ENOMEM.
 */
int tandem_sip_log_take(struct tandem_sip_log *log, const struct tandem_captured *p,
			struct tandem_announces *announces);

/* Calls and other transactions, in order of their first messages. */
size_t tandem_sip_log_count(const struct tandem_sip_log *log);
const struct tandem_sip_call *tandem_sip_log_at(const struct tandem_sip_log *log, size_t i);

/* Messages that are not in it, as there were too many. */
uint64_t tandem_sip_log_missed(const struct tandem_sip_log *log);

#endif
