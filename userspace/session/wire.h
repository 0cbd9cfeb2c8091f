/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire is what a leg with DTLS-SRTP needs on its media path: an ICE agent, if its party has one,
 * and DTLS associations. It tells the session where the party is, and which keys it has.
 *
 * The relay's agent is lite (RFC 8445 2.5) unless the configuration wants it full, or the party has
 * offered as lite: its addresses are ones that all can reach, and it is the party that checks. DTLS is taken from the selected pair alone, or without ICE from the address
 * of the description.
 *
 * RTCP of a party that multiplexes comes to the same port (RFC 5761). That is offered always; of one
 * that does not do it, RTCP is a second component, with a pair that ICE selects, an association and
 * keys of its own (RFC 5764 section 4.1).
 *
 * The leg of a media has the same wire in the agreed and in the pending list, so a wire is counted.
 * What a description says is kept until the agreement, and only then does a new association take
 * the place of the old one.
 */
#ifndef TANDEM_SESSION_WIRE_H
#define TANDEM_SESSION_WIRE_H

#include "userspace/media/dtls.h"
#include "userspace/media/ice.h"
#include "userspace/session/session.h"

#define TANDEM_HALF_OPEN	200 /* handshakes at a time */
#define TANDEM_HALF_OPEN_SOURCE 50  /* of those from one address */

enum tandem_component {
	TANDEM_RTP,
	TANDEM_RTCP,
};

struct tandem_sdp;
struct tandem_session;
struct tandem_leg;
struct tandem_wire;

/* A datagram of DTLS that is held back. */
struct tandem_wire_letter;

/* What all wires share; of the table of sessions. */
struct tandem_wires {
	struct tandem_wire *first;
	struct tandem_dtls_context *ctx; /* made when it is first needed */
	struct tandem_dtls_quota quota;
	struct tandem_dtls_sources sources;
	int timer_fd;	  /* readable when a wire has something to do; -1: none yet */
	uint64_t wake_ms; /* what it is set to; UINT64_MAX: not */
	bool holding;	  /* what associations send waits in held, in order */
	struct tandem_wire_letter *held, *held_last;
};

int tandem_wires_init(struct tandem_wires *wires);
/* No wire may be left. */
void tandem_wires_clean(struct tandem_wires *wires);

/* What a new wire's agent is to be; offerer: it begins as that of who has made the offer. */
struct tandem_wire_ice {
	enum tandem_ice_mode mode;
	bool offerer;
	bool active; /* the relay is to begin the handshake, where the party leaves it the choice */
};

/*
 * Give the leg a wire for its local address and port, unless it has one. -ENOMEM, -EIO.
 */
int tandem_wire_prepare(struct tandem_sessions *ss, const struct tandem_session *s, size_t media,
			enum tandem_party_id party, struct tandem_leg *leg,
			const struct tandem_wire_ice *ice);
struct tandem_wire *tandem_wire_get(struct tandem_wire *wire);
/* NULL is allowed. */
void tandem_wire_put(struct tandem_wire *wire);

/*
 * The party's description has come: an offer, or an answer to the relay's. -EPROTO: it has no
 * fingerprint that can be used, roles that do not go together, or bad ICE credentials.
 */
int tandem_wire_offered(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i);
int tandem_wire_answered(struct tandem_wire *wire, const struct tandem_sdp *sdp, size_t i);

/* What keys are waiting for, in words; NULL when there are some. */
const char *tandem_wire_obstacle(const struct tandem_wire *wire);

/* Is the relay's side of ICE lite? */
bool tandem_wire_is_lite(const struct tandem_wire *wire);

/* Does the party take part in ICE, or may it yet? Then its description says not where it is. */
bool tandem_wire_has_ice(const struct tandem_wire *wire);

/* Has RTCP a component of its own, by the last description; or may it have, as none has come? */
bool tandem_wire_has_rtcp(const struct tandem_wire *wire);

/* Where ICE has found the party; port 0: not yet. */
void tandem_wire_selected(const struct tandem_wire *wire, enum tandem_component comp,
			  struct tandem_endpoint *remote);

/*
 * Add to a section what the party is to know of the wire. own: it is the wire's own section, and
 * not one that shares its transport; such repeat everything but candidates, as browsers do.
 */
int tandem_wire_sdp(const struct tandem_wire *wire, bool answer, bool own, struct tandem_sdp *sdp,
		    size_t i);

/* The agreement holds, and its flows are installed: begin what is to begin. */
void tandem_wires_adopt(struct tandem_sessions *ss, struct tandem_session *s);

/*
 * The open offer comes to nothing. An answer to it that could not be taken may have restarted ICE by
 * then: back to what was agreed.
 */
void tandem_wires_rollback(struct tandem_session *s);

/* Handler for tandem_plane_dispatch; arg is the table. */
void tandem_wire_datagram(const struct tandem_datagram *d, void *arg);

/* What was counted of all handshakes, where it is not zero. */
json_t *tandem_wires_json(const struct tandem_wires *wires);

/* As the local API shows it, and as it is stored; NULL on no memory. */
json_t *tandem_wire_json(const struct tandem_wire *wire);
json_t *tandem_wire_dump(const struct tandem_wire *wire);
/* The reverse of dump: the leg gets its wire. -EBADMSG and the errors of prepare. */
int tandem_wire_parse(struct tandem_sessions *ss, const struct tandem_session *s, size_t media,
		      enum tandem_party_id party, struct tandem_leg *leg, const json_t *js);

#endif
