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

struct tandem_wire {
	struct tandem_wire *next, *prev;
	unsigned int users;
	struct tandem_sessions *ss;

	/* whose it is */
	uint64_t session;
	size_t media;
	enum tandem_party_id party;
	struct tandem_endpoint local, shown;

	struct tandem_ice *ice;			  /* NULL: the party has said that it has none */
	char peer_ufrag[TANDEM_ICE_CRED_MAX + 1]; /* "": not known yet */
	char peer_pwd[TANDEM_ICE_CRED_MAX + 1];
	bool peer_lite;
	enum tandem_ice_mode mode; /* what the configuration wants */
	bool full;		   /* what the agent is */
	bool controlling;	   /* what it begins as: the relay has made the offer */
	/* as it was agreed, for when a restart comes to nothing; "": not yet */
	char agreed_ufrag[TANDEM_ICE_CRED_MAX + 1]; /* ours */
	bool agreed_lite;			    /* the party */
	struct tandem_endpoint selected;	    /* of the party; port 0: none */
	bool moved;				    /* and the session does not know yet */

	struct tandem_dtls *dtls;	   /* NULL: none yet */
	struct tandem_wire_peer peer;	   /* that dtls is for */
	struct tandem_wire_peer next_peer; /* after the agreement */
	bool keyed;			   /* the session has its keys */
	bool told;			   /* and knows that there will be none */
};

/* wire.c */
/* Make the ICE agent; ufrag and pwd NULL: new ones. */
int tandem_wire_make_ice(struct tandem_wire *wire, const char *ufrag, const char *pwd);
/* Give the agent its peer of before, and the pair that was selected. */
int tandem_wire_adopt_pair(struct tandem_wire *wire, const struct tandem_endpoint *remote);
void tandem_wire_drop_ice(struct tandem_wire *wire);

#endif
