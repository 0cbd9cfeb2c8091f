/* SPDX-License-Identifier: GPL-2.0-only */
/* What has passed in a session, for front ends that have a form of their own to show it in. */
#ifndef TANDEM_SESSION_TRAFFIC_H
#define TANDEM_SESSION_TRAFFIC_H

#include "userspace/session/session.h"

/* What one party sends to one port of the relay. */
struct tandem_traffic_flow {
	enum tandem_party_id from;
	size_t media; /* index */
	bool rtcp;    /* and nothing else */
	struct tandem_endpoint local;
	struct tandem_endpoint remote; /* port 0: not known yet */
	uint64_t packets, octets, dropped;
	const char *datapath;
};

/* An RTP stream (RFC 3550). */
struct tandem_traffic_stream {
	uint32_t ssrc;
	uint64_t packets;
	int64_t lost;	  /* RFC 3550 A.3: negative if more came than were expected */
	double jitter_ms; /* RFC 3550 A.8 */
	double mos;	  /* 0: there is none */
};

#define TANDEM_TRAFFIC_MEDIA 32

/* Strings are the session's, and valid until it changes. */
struct tandem_traffic {
	const char *tag[2]; /* NULL: not known, or there is no such party */
	int64_t started_s;  /* of the Unix epoch */
	size_t media_count;
	const char *media_type[TANDEM_TRAFFIC_MEDIA];
	size_t flow_count, stream_count;
	struct tandem_traffic_flow *flows;
	struct tandem_traffic_stream *streams;
};

/* Of the session with this name, Call-ID or id, as of now. -ENOENT, -ENOMEM. */
int tandem_session_traffic(struct tandem_sessions *ss, const char *call, struct tandem_traffic *t);
void tandem_traffic_clean(struct tandem_traffic *t);

#endif
