/* SPDX-License-Identifier: GPL-2.0-only */
/* A session's flows with their counters, read once, and what follows from them. */
#ifndef TANDEM_SESSION_SNAPSHOT_H
#define TANDEM_SESSION_SNAPSHOT_H

#include "userspace/session/model.h"
#include "userspace/session/verdict.h"

struct tandem_flow_view {
	const struct tandem_flow_spec *spec;
	const struct tandem_media *media;
	const struct tandem_leg *leg; /* of the party that sends */
	size_t media_index;
	enum tandem_party_id from;
	enum tandem_component comp;
	bool known; /* the plane has it; else stats is zero */
	bool full; /* a key of its has no room for a further SSRC, and packets were dropped for it */
	struct tandem_flow_stats stats;
};

struct tandem_snapshot {
	const struct tandem_session *session;
	uint64_t now_ms; /* monotonic */
	struct tandem_flow_view *flows;
	size_t n;
};

/* The session must outlive the snapshot and not change meanwhile. -ENOMEM. */
int tandem_snapshot_init(struct tandem_snapshot *snap, struct tandem_sessions *ss,
			 const struct tandem_session *s);
void tandem_snapshot_clean(struct tandem_snapshot *snap);

/* In words, see verdict.h. Returns buf. */
const char *tandem_snapshot_verdict(const struct tandem_snapshot *snap, char *buf, size_t size);

/*
 * Name of the fast path when it carries all RTP, else why it does not carry the
 * first RTP flow that is elsewhere; "no flows" when there is nothing to carry.
 */
const char *tandem_snapshot_offload(const struct tandem_snapshot *snap);

/* stream.c: how a stream that came by the flow sounds (ITU-T G.107); 0: nobody can say. */
double tandem_snapshot_mos(const struct tandem_snapshot *snap, const struct tandem_flow_view *flow,
			   const struct tandem_stream *st);

/* stream.c: all streams of the session, as docs/api.md shows them; NULL on no memory. */
json_t *tandem_snapshot_streams(const struct tandem_snapshot *snap);

#endif
