/* SPDX-License-Identifier: GPL-2.0-only */
/* Which address the host sends from, to whom. */
#include <errno.h>
#include <stdlib.h>

#include "userspace/session/model.h"

#define PLACES	64
#define KEPT_MS 1000 /* for so long the host's addresses and routes are taken not to change */

/* Asking takes longer than all else that is done for a description; gateways come again and again. */
struct tandem_route {
	struct ip_addr to, from;
	uint64_t until_ms;
	int err;
};

struct tandem_routes {
	struct tandem_route v[PLACES];
};

int tandem_routes_alloc(struct tandem_routes **routesp)
{
	*routesp = calloc(1, sizeof(**routesp));
	return *routesp ? 0 : -ENOMEM;
}

int tandem_sessions_route(const struct tandem_sessions *ss, const struct ip_addr *to,
			  struct ip_addr *from)
{
	struct tandem_route *r = &ss->routes->v[(to->b[15] ^ to->b[14] * 7U) % PLACES];
	const struct tandem_endpoint ep = { .ip = *to };
	uint64_t now = tandem_sessions_now(ss);

	if (now >= r->until_ms || !tandem_ip_equal(&r->to, to)) {
		*r = (struct tandem_route){ .to = *to, .until_ms = now + KEPT_MS };
		r->err = ss->env.route(&ep, &r->from, ss->env.arg);
	}
	*from = r->from;
	return r->err;
}
