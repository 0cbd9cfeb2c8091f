/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What captures want of sessions and forwards. Whoever captures is asked of each before its flows
 * are installed or changed; what he wants becomes flags of their rules (RULE_F_TAPS), and copies of
 * the packets come by the plane, each with the id of its flow.
 */
#ifndef TANDEM_SESSION_TAP_H
#define TANDEM_SESSION_TAP_H

#include "userspace/session/session.h"

struct tandem_session;
struct tandem_forward;

/* A session or a forward, as it is when the handler is called. Strings are its own. */
struct tandem_tap_call {
	uint64_t number; /* tandem_tap_flow_of() of the ids of its flows */
	bool forward;	 /* then call_id is its name, and there are no tags and URIs */
	const char *call_id;
	const char *id;	  /* as it is shown */
	const char *name; /* of the session; see tandem_session_name() */
	const char *from_uri, *to_uri;
	const char *tag[2]; /* NULL: not known */
	bool subscription;  /* to what others send: nothing comes from it but RTCP */
	const struct tandem_session *session; /* for the functions below; NULL: a forward */
	const struct tandem_forward *target;
};

/* Which copies are wanted: of RULE_F_TAPS. */
typedef uint32_t(tandem_tap_wants_h)(const struct tandem_tap_call *call, void *arg);
/* Its flows are gone. */
typedef void(tandem_tap_gone_h)(uint64_t number, void *arg);

/* One of a kind; to be set before there are sessions. Either may be NULL. */
void tandem_sessions_on_tap(struct tandem_sessions *ss, tandem_tap_wants_h *wants,
			    tandem_tap_gone_h *gone, void *arg);

/* The number of a session by its name; 0: there is none. */
uint64_t tandem_tap_number(const struct tandem_sessions *ss, const char *call);

/* Ask anew for this session, by its name, and change its flows. -ENOENT, or what kept them from it. */
int tandem_tap_ask(struct tandem_sessions *ss, const char *call);

/* Ask anew for all, and change the flows of those for which the answer is another. */
void tandem_sessions_retap(struct tandem_sessions *ss);

/* Does a party have its media at this address, or is it one that a forward takes from or sends to? */
bool tandem_tap_has_ip(const struct tandem_tap_call *call, const struct ip_addr *ip);

/* Does media of it pass end to end under keys that the relay has not (RFC 3711)? */
bool tandem_tap_is_secret(const struct tandem_tap_call *call);

/* What is sent in one media, by payload type. */
struct tandem_tap_codec {
	uint8_t pt;
	uint32_t clock_hz;
	char name[24];
};

/* At most max of those that a party sends in a media; returns how many. None of a forward. */
size_t tandem_tap_codecs(const struct tandem_tap_call *call, enum tandem_party_id from,
			 size_t media, struct tandem_tap_codec *codecs, size_t max);

/* How many media a session has, and of what type one is: "audio". */
size_t tandem_tap_media(const struct tandem_tap_call *call);
const char *tandem_tap_media_type(const struct tandem_tap_call *call, size_t media);

/* Is what a party sends in a media to be given to who listens (TANDEM_ACT_FORWARD)? */
bool tandem_tap_forwarded(const struct tandem_tap_call *call, enum tandem_party_id from,
			  size_t media);

/* What a flow's id says. With rtcp-mux RTCP is in the flow of RTP. */
struct tandem_tap_flow {
	uint64_t number;
	enum tandem_party_id from; /* of a session */
	size_t media;
	bool rtcp; /* and nothing else */
};
struct tandem_tap_flow tandem_tap_flow_of(uint64_t flow_id);

#endif
