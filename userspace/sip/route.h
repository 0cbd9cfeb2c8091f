/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a request goes: RFC 3261 sections 16.4 (Route), 16.5 (targets), 16.6 steps 6 and 7. */
#ifndef TANDEM_SIP_ROUTE_H
#define TANDEM_SIP_ROUTE_H

#include "userspace/sip/local.h"
#include "userspace/sip/token.h"

#define TANDEM_ROUTES_MAX 32
#define TANDEM_HOPS_MAX	  8
#define TANDEM_PLACES_MAX 16

/* Of a Route of ours: the dialog was begun by a node of the cluster, through which its media pass. */
#define TANDEM_PASSING "passing"

struct tandem_binding;
struct tandem_route;

/* Where to send to, and from where. */
struct tandem_hop {
	char *uri;
	struct sa local; /* our address to send from; not set: as the host's routes say */
	char *domain;	 /* whose addresses uri has one of; NULL: it was an address */
	bool flow;	 /* the way that a peer has shown: no other transport leads there */
	uint64_t
		remote; /* it is a node of the cluster, which has the binding of this number; or 0 */
	/* Of a further flow of the same phone (RFC 5626), in place of what its place has; or NULL. */
	char *ruri;
	char *routes;
};

/* By names and numbers: who is there sends 100 at once, and has been sent the request four times. */
#define TANDEM_QUIET_MS 4000

/* One member of the target set (RFC 3261 section 16.5). */
struct tandem_place {
	char *ruri;				 /* Request-URI to send */
	char *routes;				 /* whole Route header lines to send, or "" */
	struct tandem_hop hops[TANDEM_HOPS_MAX]; /* the next for when one fails (RFC 3263 4.3) */
	size_t hops_count;
	unsigned int rank;    /* the lower is tried first */
	bool stand_in;	      /* only for when the one before could not serve the request at all */
	bool unable;	      /* that is so of this one */
	char *gateway;	      /* its name in the table, or NULL */
	char *credentials;    /* whole header line for a gateway that has asked, or NULL */
	unsigned int answers; /* to its challenges */
	uint32_t quiet_ms; /* without a word for so long the next is tried; 0: as RFC 3261 has it */
};

/* The decision for one request. Clean with tandem_target_clean(). */
struct tandem_target {
	struct tandem_place *places;
	size_t places_count;
	char *number; /* to be looked up in ENUM: places of lower rank than the others; or NULL */
	bool local;   /* for this host itself, nothing to forward */
	bool trusted; /* within a dialog that passed through us */
	bool by_node; /* another node of the cluster has admitted it */
	bool passing; /* within a dialog that another node has begun so: its media are not ours */
	bool needs_user; /* only for who has shown to be a user here */
};

/* route.c */

/*
 * Decide about msg. Returns 0, a SIP status code to refuse it with, or a negative
 * errno. In any case *target is to be cleaned afterwards. Names are not resolved yet: see
 * tandem_search_start().
 */
int tandem_target_resolve(struct tandem_target *target, const struct tandem_sip *ts,
			  const struct sip_msg *msg);

/*
 * The same for uri, which the request was redirected to: as if msg had asked for it, and outside
 * of any dialog.
 */
int tandem_target_contact(struct tandem_target *target, const struct tandem_sip *ts,
			  const struct sip_msg *msg, const struct pl *uri);

/* Add where uri, of a user here, is registered, at rank. 0, -ENOENT for nowhere, or other errno. */
int tandem_target_bindings(struct tandem_target *t, const struct tandem_sip *ts,
			   const struct uri *uri, unsigned int rank);

/* outbound.c */

/*
 * Decide by the table of routes about uri, which is no user here or a number; ruri is
 * its text. 0, a SIP status code, -ENOENT when no route leads there, or another negative errno.
 */
int tandem_target_leave(struct tandem_target *t, const struct tandem_sip *ts,
			const struct sip_msg *msg, const struct uri *uri, const struct pl *ruri);

/* target.c */

/* A new place without hops, in the order of ranks. NULL on no memory, or when there are too many. */
struct tandem_place *tandem_target_add(struct tandem_target *t, unsigned int rank);

/* Add a hop; beyond TANDEM_HOPS_MAX none is. local: address to send from, or NULL. 0 or errno. */
int tandem_place_hop(struct tandem_place *place, const struct pl *uri, const struct sa *local);

/* The same for an address that domain has (NULL: none); local counts when it is of the same family. */
int tandem_place_address(struct tandem_place *place, enum sip_transp tp, const struct sa *addr,
			 const struct sa *local, const struct pl *domain);

/* The same for where a peer has sent from. */
int tandem_place_flow(struct tandem_place *place, enum sip_transp tp, const struct sa *addr,
		      const struct sa *local);

/*
 * Add the hops of other, which leads to the same phone by another flow, for when those of place
 * fail; other has none then.
 */
void tandem_place_add_flow(struct tandem_place *place, struct tandem_place *other);

/* True when the next hop behind that index is of another flow. */
bool tandem_place_has_flow(const struct tandem_place *place, size_t hop);

/* Have the hops of place from that index on be of the flow that like is of, if any. */
void tandem_place_liken(struct tandem_place *place, size_t from, const struct tandem_hop *like);

/* Take all hops out of a place, or all that it has; or the place out of its target. */
void tandem_place_clean(struct tandem_place *place);
void tandem_place_free(struct tandem_place *place);
void tandem_target_drop(struct tandem_target *t, size_t index);
void tandem_target_clean(struct tandem_target *target);

#endif
