/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of a wire, for wire*.c alone. */
#ifndef TANDEM_SESSION_WIRE_STATE_H
#define TANDEM_SESSION_WIRE_STATE_H

#include "userspace/session/model.h"

/* What the party's description says of DTLS. */
struct tandem_wire_peer {
	struct tandem_dtls_fingerprint fps[TANDEM_DTLS_FINGERPRINTS];
	size_t fps_count;	      /* 0: not known */
	enum tandem_dtls_setup setup; /* ours, in an answer */
	bool client;		      /* we are */
};

/* A component: RTP, and with rtcp-mux RTCP; or else RTCP alone. */
struct tandem_wire_end {
	struct tandem_wire *wire;
	enum tandem_component comp;
	struct tandem_endpoint selected; /* of the party, by ICE; port 0: none */
	bool moved;			 /* and the session does not know yet */
	struct tandem_dtls *dtls;	 /* NULL: none yet, or none is needed */
	bool keyed;			 /* the session has its keys */
	bool told;			 /* and knows that there will be none */
};

struct tandem_wire {
	struct tandem_wire *next, *prev;
	unsigned int users;
	struct tandem_sessions *ss;

	/* whose it is */
	uint64_t session;
	size_t media;
	enum tandem_party_id party;
	struct tandem_endpoint local, shown; /* of RTP; RTCP is one port above */
	struct tandem_wire_end end[2];	     /* by enum tandem_component */
	unsigned int
		components; /* 1: the party multiplexes, or has no RTCP; 2: it does not, or may not */

	struct tandem_ice *ice;			  /* NULL: the party has said that it has none */
	char peer_ufrag[TANDEM_ICE_CRED_MAX + 1]; /* "": not known yet */
	char peer_pwd[TANDEM_ICE_CRED_MAX + 1];
	bool peer_lite;
	enum tandem_ice_mode mode; /* what the configuration wants */
	bool full;		   /* what the agent is */
	bool active;		   /* begins the handshake if it may */
	bool controlling;	   /* what it begins as: the relay has made the offer */
	/* as it was agreed, for when a restart comes to nothing; "": not yet */
	char agreed_ufrag[TANDEM_ICE_CRED_MAX + 1]; /* ours */
	bool agreed_lite;			    /* the party */
	unsigned int agreed_components;		    /* 0: not yet */

	struct tandem_wire_peer peer;	   /* that the associations are for */
	struct tandem_wire_peer next_peer; /* after the agreement */
};

/* wire.c */
/* The leg of the wire in a list; NULL when it has another wire there, or none. */
struct tandem_leg *tandem_wire_leg(const struct tandem_media_list *list,
				   const struct tandem_wire *wire);
/* Where an end leads to now: the selected pair, or the address of the description. */
const struct tandem_endpoint *tandem_wire_remote(const struct tandem_wire_end *end,
						 const struct tandem_leg *leg);
/* "caller", "callee" */
const char *tandem_wire_whose(const struct tandem_wire *wire);
/* The relay's address of a component. */
struct tandem_endpoint tandem_wire_local(const struct tandem_wire *wire,
					 enum tandem_component comp);

/* wire_ice.c */
/* Make the ICE agent, with both components; ufrag and pwd NULL: new ones. */
int tandem_wire_make_ice(struct tandem_wire *wire, const char *ufrag, const char *pwd);
/* Give the agent its peer of before, and the pairs that were selected. */
int tandem_wire_adopt_pairs(struct tandem_wire *wire, const struct tandem_endpoint remote[2]);
void tandem_wire_drop_ice(struct tandem_wire *wire);
/* The agreement holds: components that it does not have are given up. */
void tandem_wire_agree_ice(struct tandem_wire *wire);
/* The party was never told of the agent's new credentials. True when something has changed. */
bool tandem_wire_rollback_ice(struct tandem_wire *wire);
/* Tell the session where ICE has found the party; true when that is news. */
bool tandem_wire_take_pairs(struct tandem_wire *wire, const struct tandem_session *s);

/* wire_dtls.c */
/*
 * Make the associations that the agreement wants; those that are right stay. RFC 8842 4: another
 * certificate or role is another association. Keys stay until it has some.
 */
int tandem_wire_associate(struct tandem_wire *wire, const struct tandem_leg *leg);
/*
 * Hand an association what has come, with what it says to that held back until
 * tandem_wire_let_go(): its last flight allows the party to send, and what that sends needs
 * flows with the keys. For one association at a time.
 */
void tandem_wire_input(struct tandem_wire_end *end, const unsigned char *data, size_t len,
		       uint64_t now);
void tandem_wire_let_go(struct tandem_sessions *ss);
/* Begin those that are the relay's to begin, and have somewhere to. */
void tandem_wire_start(struct tandem_wire *wire, const struct tandem_leg *leg);
/* Give the session keys that it does not have yet; true when there were some. */
bool tandem_wire_take_keys(struct tandem_wire *wire, struct tandem_session *s);

#endif
