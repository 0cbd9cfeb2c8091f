/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of routes: who may call what that is not a user here, and by which way. The
 * first route that fits counts; without one nothing leaves.
 */
#ifndef TANDEM_SIP_ROUTING_H
#define TANDEM_SIP_ROUTING_H

#include "userspace/sip/gateway.h"
#include "userspace/sip/number.h"

#define TANDEM_ROUTE_VIA_MAX 8

enum tandem_via {
	TANDEM_VIA_GATEWAY,
	TANDEM_VIA_DNS,	 /* the domain's own servers */
	TANDEM_VIA_ENUM, /* what the number's domain says */
	TANDEM_VIA_DENY, /* none: refused */
};

struct tandem_route {
	char *to;     /* NULL: whatever */
	bool tel;     /* tel URIs only */
	char *domain; /* NULL: numbers and names at this relay */

	bool users; /* who has shown to be a user here */
	bool trusted;
	bool anybody;
	struct tandem_prefix *networks;
	size_t networks_count;
	const struct tandem_gateway **gateways; /* calls that come from them */
	size_t gateways_count;

	struct {
		enum tandem_via kind;
		struct tandem_gateway *gateway;
	} via[TANDEM_ROUTE_VIA_MAX];
	size_t via_count;
};

struct tandem_routing {
	struct tandem_route *list;
	size_t count;
	char *enum_suffix;
};

/* What is looked for. */
struct tandem_callee {
	const char *text;   /* digits of the number, or the user of the URI; "" for none */
	bool tel;	    /* it was a tel URI */
	const char *domain; /* NULL: it is ours */
};

/* Who asks. */
struct tandem_caller {
	struct ip_addr ip;
	bool trusted;			      /* of sip.trusted */
	const struct tandem_gateway *gateway; /* it comes from; NULL: from none */
};

enum tandem_leave {
	TANDEM_MAY,
	TANDEM_MAY_AS_USER, /* once it has shown to be one */
	TANDEM_MAY_NOT,
};

/* From the configuration; gateways may be NULL. 0, or a negative errno with why. */
int tandem_routing_alloc(struct tandem_routing **rp, const struct tandem_gateways *gateways,
			 const struct tandem_sip_config *cfg, char *why, size_t why_size);
void tandem_routing_free(struct tandem_routing *r);

/*
 * The first route for callee by which caller may leave; with *may TANDEM_MAY or
 * TANDEM_MAY_AS_USER. NULL with TANDEM_MAY_NOT: there are routes, but for others; or NULL
 * with TANDEM_MAY: there is none. r may be NULL.
 */
const struct tandem_route *tandem_routing_find(const struct tandem_routing *r,
					       const struct tandem_callee *callee,
					       const struct tandem_caller *caller,
					       enum tandem_leave *may);

/*
 * The gateways of a route in the order in which they are to be tried: by priority and weight, those
 * that are down left out, unless all are. Returns how many.
 */
size_t tandem_route_gateways(const struct tandem_route *route,
			     struct tandem_gateway *list[TANDEM_ROUTE_VIA_MAX], uint64_t *seed);

bool tandem_route_has(const struct tandem_route *route, enum tandem_via kind);

#endif
