/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forwards: one flow of RTP to one or many egresses, as an operator or a program asks
 * for them by the local API, without signalling. docs/forward.md says what they are for,
 * docs/api.md gives the document. What the files forward*.c share.
 *
 * A forward is read (forward_parse.c), gets its relay ports (forward_ports.c), and is
 * compiled to the flows it wants (forward_compile.c); the table (forward.c) brings the
 * plane in line with that, and the store (forward_store.c) keeps it over a restart.
 */
#ifndef TANDEM_SESSION_FORWARD_H
#define TANDEM_SESSION_FORWARD_H

#include <net/if.h>

#include "userspace/session/model.h"

#define TANDEM_FORWARD_NAME_MAX	 64
#define TANDEM_FORWARD_FLOWS	 2	     /* RTP (or both), and RTCP on a port of its own */
#define TANDEM_FORWARD_LEG_ID	 0x7fffffffU /* highest id that a leg may be given */
#define TANDEM_FORWARD_NO_ID	 UINT32_MAX  /* while a document is read: to be chosen */
#define TANDEM_FORWARD_RTCP_TWIN 0x80000000U /* added to the id of a leg: its RTCP */

/* One egress. */
struct tandem_forward_leg {
	uint32_t id;
	bool rtcp; /* RTCP goes the same way; of a leg in "out" */
	struct tandem_endpoint to;
	struct tandem_endpoint from; /* any, port 0: what the relay chooses */
	struct tandem_leg_spec leg;  /* all but the addresses */
	struct tandem_srtp srtp;     /* what leaves is protected with it; suite 0: no */
};

/* The legs of one SSRC, of any other SSRC, or of RTCP; see struct branch. */
struct tandem_forward_rule {
	uint16_t flags; /* BRANCH_F_ANY, BRANCH_F_RTCP */
	uint32_t ssrc;
	uint32_t first;
	uint32_t count;
};

/* What was asked for. */
struct tandem_forward_spec {
	char name[TANDEM_FORWARD_NAME_MAX + 1];
	bool group;		     /* `to` is a multicast group */
	struct tandem_endpoint from; /* of a group: port 0 any port, any address any source */
	struct tandem_endpoint to;   /* any, port 0: what the relay chooses */
	char interface[IF_NAMESIZE]; /* to join the group on; "": any */
	bool mux;		     /* RTCP comes to the same port */
	bool rtcp;		     /* RTCP has a flow of its own: */
	struct tandem_endpoint rtcp_from;
	struct tandem_endpoint rtcp_to;
	uint32_t flags;		    /* enum rule_flag */
	struct tandem_srtp srtp_in; /* what arrives is protected with it; suite 0: it is not */
	struct pt_list pts;
	char codecs[TANDEM_MAX_PTS][24];
	struct tandem_forward_rule rules[TANDEM_MAX_BRANCHES];
	uint32_t rule_count;
	struct tandem_forward_leg *legs; /* in the order of rules */
	uint32_t leg_count;
};

/* A pair of relay ports that a forward holds; the same may be held for several reasons. */
struct tandem_forward_hold {
	int local;
	uint16_t port;
};

struct tandem_forward_flows {
	struct tandem_flow_spec specs[TANDEM_FORWARD_FLOWS];
	struct tandem_fan *fans[TANDEM_FORWARD_FLOWS];	/* owned; specs[i].fan points there */
	struct tandem_srtp *keys[TANDEM_FORWARD_FLOWS]; /* owned; of the fans */
	size_t n;
};

struct tandem_forward {
	struct tandem_forward *next;
	uint64_t number; /* from the same space as those of sessions */
	char id[17];	 /* the number in hexadecimal */
	int64_t started_ms;
	json_t *doc; /* as it was asked for */
	struct tandem_forward_spec spec;
	uint32_t taps;			    /* RULE_F_TAPS: what captures want of its flows */
	uint16_t picked[TANDEM_MAX_LOCALS]; /* the relay's choice on each address; 0: none */
	struct tandem_forward_hold *holds;
	size_t hold_count;
	struct tandem_forward_flows flows; /* installed, unless broken */
	bool broken;			   /* the plane has not taken all of it: try again */
	bool unsaved;
	uint64_t retry_ms;
};

/* ---- forward.c ---- */
/* See tandem_sessions_retap(). */
void tandem_forwards_retap(struct tandem_sessions *ss);

/* ---- forward_parse.c, forward_leg.c ---- */
/*
 * Read a document strictly. -EINVAL: why names the key, and says what is expected; -ENOMEM.
 * Clean the spec in either case.
 */
int tandem_forward_parse(struct tandem_forward_spec *spec, const json_t *doc, char *why,
			 size_t why_size);
void tandem_forward_spec_clean(struct tandem_forward_spec *spec);

struct tandem_reader;
/* One LEG; ssrc: of the rule that it stands in, or NULL. in_out: "rtcp" is allowed. */
int tandem_forward_parse_leg(struct tandem_reader *r, const json_t *js,
			     const struct tandem_forward_spec *spec, const uint32_t *ssrc,
			     bool in_out, struct tandem_forward_leg *leg);

/* ---- forward_srtp.c ---- */
/* The object "srtp" of js: suite and key. The set gets no id yet. */
int tandem_forward_parse_srtp(struct tandem_reader *r, const json_t *js, struct tandem_srtp *srtp);
/*
 * Give all sets of a forward their ids; stored is what dump_keys() has given, or NULL. -EIO: no
 * random numbers.
 */
int tandem_forward_settle_keys(const struct tandem_sessions *ss, struct tandem_forward *f,
			       const json_t *stored);
/* The ids, for the store: of what arrives, and of each leg. NULL on no memory. */
json_t *tandem_forward_dump_keys(const struct tandem_forward *f);
/* The name of a set's suite, or null. */
json_t *tandem_forward_suite(const struct tandem_srtp *key);
/* The document without keys; NULL on no memory. */
json_t *tandem_forward_shown_doc(const struct tandem_forward *f);

/* ---- forward_ports.c ---- */
/*
 * Fill in what was left to the relay, and hold all ports that the forward uses. What
 * f->picked has is chosen again. -EINVAL, -EADDRNOTAVAIL, -EBUSY, -ENOSPC, -EACCES with why;
 * -ENOMEM.
 */
int tandem_forward_take_ports(struct tandem_sessions *ss, struct tandem_forward *f, char *why,
			      size_t why_size);
void tandem_forward_release_ports(struct tandem_sessions *ss, struct tandem_forward *f);

/* ---- forward_compile.c ---- */
/* Number of the flow with this id that RTP (RTCP) of a forward arrives with. */
uint64_t tandem_forward_flow_id(const struct tandem_forward *f, enum tandem_component comp);
/* What arrives with it. */
void tandem_forward_key(const struct tandem_forward *f, enum tandem_component comp,
			struct flow_key *key);
/* The flows of a forward that has its ports. -ENOMEM, -ENODEV: no such interface. */
int tandem_forward_compile(const struct tandem_forward *f, struct tandem_forward_flows *flows);
void tandem_forward_flows_clean(struct tandem_forward_flows *flows);

/* ---- forward.c ---- */
/*
 * A forward that is in no table; doc is borrowed, and so is what is stored of its keys, or
 * NULL. Errors as of the parts.
 */
int tandem_forward_create(struct tandem_sessions *ss, struct tandem_forward **fp, const json_t *doc,
			  const struct tandem_forward *before, const json_t *stored_keys, char *why,
			  size_t why_size);
/* Free memory and ports; flows are left alone. NULL is allowed. */
void tandem_forward_destroy(struct tandem_sessions *ss, struct tandem_forward *f);
struct tandem_forward *tandem_forward_find(const struct tandem_sessions *ss, const char *name);
void tandem_forward_insert(struct tandem_sessions *ss, struct tandem_forward *f);
/* Does a forward want the flow of this id? */
bool tandem_forward_wants(const struct tandem_sessions *ss, uint64_t flow_id);
/* Set all flows of all forwards; what cannot be had is tried again by ticks. */
void tandem_forwards_install(struct tandem_sessions *ss);
/* What is broken or unsaved is tried again now and then. */
void tandem_forwards_tick(struct tandem_sessions *ss);
/* Free all; neither flows nor the store change. */
void tandem_forwards_free(struct tandem_sessions *ss);

/* ---- forward_store.c ---- */
/* Failure is logged, and tried again by a tick. */
void tandem_forward_save(struct tandem_sessions *ss, struct tandem_forward *f);
/* Take up what is stored, with its ports. One that cannot be stays in the store. -ENOMEM. */
int tandem_forwards_load(struct tandem_sessions *ss);

#endif
