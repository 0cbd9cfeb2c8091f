/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule compiler: the one place that decides what is forwarded. A pure function
 * of a session and the configuration.
 *
 * For a media with RTCP on a port of its own there are up to four flows (RTP and
 * RTCP in both directions), with rtcp-mux there are two. A flow takes packets from
 * where the party is (learned, else signalled) at the relay port that faces it,
 * and sends them from the relay port that faces the other party.
 *
 * The direction attributes (sendonly, recvonly, inactive) do not close a flow.
 * Phones send a little before and after what they have signalled, hold music comes
 * in spite of it, and RTCP goes on in any case (RFC 3264 5.1); a muted call
 * because of a sloppy phone is worse than a packet that was not asked for. They
 * do decide what is normal: see verdict.h and the hold timeout. Only an address
 * of 0.0.0.0 mutes, because the party has said that there is nowhere to send to.
 */
#ifndef TANDEM_SESSION_COMPILE_H
#define TANDEM_SESSION_COMPILE_H

#include "userspace/session/model.h"

#define TANDEM_FLOWS_PER_MEDIA 4

/*
 * Name of the flow of packets from party `from`. It stays the same as long as the
 * relay port does, so that statistics go on when a party moves: session number,
 * generation of the port (8 bits), media (6), party, component.
 */
uint64_t tandem_flow_id(const struct tandem_session *s, size_t media, enum tandem_party_id from,
			enum tandem_component comp);

/* The parts of an id again. */
uint64_t tandem_flow_id_session(uint64_t id);
size_t tandem_flow_id_media(uint64_t id);
enum tandem_party_id tandem_flow_id_from(uint64_t id);
enum tandem_component tandem_flow_id_component(uint64_t id);

/*
 * Write the flows that the session's agreed media want, at most
 * TANDEM_FLOWS_PER_MEDIA for each. Returns how many, or -ENOMEM. What comes from a bundle and
 * goes to one is a flow like any other; where it parts ways it has a fan, with a branch for each
 * SSRC that is known. So it does where a command wants other things of one media than of another. So it has where RTCP, that comes with RTP, leaves under keys of its own. Keys are the session's, but those of a fan are its own. The fans are the
 * caller's.
 */
int tandem_compile(const struct tandem_session *s, const struct tandem_sessions_config *cfg,
		   struct tandem_flow_spec *specs);
/* ---- compile_acts.c ---- */
/*
 * Have an egress do what is wanted of these media (n of them, at least one, of which the same is
 * wanted); pts: payload types of the flow. Telephone events pass unless they themselves are
 * blocked; what is not in the list is blocked with all else.
 */
void tandem_compile_acts(const struct tandem_session *s, enum tandem_party_id from,
			 const size_t *media, size_t n, const struct pt_list *pts,
			 struct tandem_egress *egress);
/* Can all that a party may send in a media be made silence? */
bool tandem_compile_silences(const struct tandem_media *m, enum tandem_party_id from);
bool tandem_compile_is_event(const struct tandem_codec *c);

/* Free the fans of n specs. */
void tandem_compile_clean(struct tandem_flow_spec *specs, size_t n);
/* The same of one; NULL is allowed. */
void tandem_compile_free_fan(const struct tandem_fan *fan);

#endif
