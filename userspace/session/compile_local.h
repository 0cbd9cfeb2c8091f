/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the rule compiler share. */
#ifndef TANDEM_SESSION_COMPILE_LOCAL_H
#define TANDEM_SESSION_COMPILE_LOCAL_H

#include "userspace/session/compile.h"

/* A transport of one party: its packets, and the media that they may be of. */
struct tandem_source {
	const struct tandem_session *s;
	const struct tandem_sessions_config *cfg;
	enum tandem_party_id from;
	size_t transport;
	size_t members[TANDEM_MEDIA_MAX];
	size_t count;
	size_t heard; /* media of subscribers that are fed from it */
	bool split;   /* they leave by several transports of the other party, or not alike */
	bool apart;   /* or by one, but RTCP, that comes with RTP, under keys of its own */
};

/* The keys of one component of a leg, which are those of RTP unless RTCP is apart. */
const struct tandem_leg_keys *tandem_leg_keys_of(const struct tandem_leg *leg,
						 enum tandem_component comp);
bool tandem_leg_is_keyed(const struct tandem_leg *leg, enum tandem_component comp);
bool tandem_leg_has_rtcp(const struct tandem_leg *leg);
enum tandem_component tandem_leg_rtcp_of(const struct tandem_leg *to);

/* The leg of the other party that packets of a member (by its place in members) leave by. */
const struct tandem_leg *tandem_source_way(const struct tandem_source *src, size_t member);
/* What commands want of it: enum tandem_act. */
uint8_t tandem_source_acts(const struct tandem_source *src, size_t member);
bool tandem_source_feeds(const struct tandem_source *src, const struct tandem_session *sub,
			 size_t k, size_t *member);

/* Where to a leg's packets leave, and marked how; nothing where that is not known. */
void tandem_compile_egress(const struct tandem_source *src, const struct tandem_leg *to,
			   enum tandem_component comp, struct tandem_egress *egress);

/* compile_fan.c: the fan of a flow that has to have one, with its keys; NULL on no memory. */
struct tandem_fan *tandem_compile_fan(const struct tandem_source *src, enum tandem_component comp,
				      const struct pt_list *pts);

#endif
