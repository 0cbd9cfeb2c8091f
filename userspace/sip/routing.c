/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/routing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/weigh.h"
#include "userspace/util/log.h"

/* ---- from the configuration -------------------------------------------------- */

struct reader {
	const struct tandem_gateways *gateways;
	size_t number; /* of the route, from 1 */
	char *why;
	size_t why_size;
};

static int wrong(const struct reader *rd, const char *what, const char *text)
{
	snprintf(rd->why, rd->why_size, "route %zu: '%.60s' is %s", rd->number, text, what);

	return -EINVAL;
}

static int read_from(struct tandem_route *route, const struct reader *rd, const char *word)
{
	struct tandem_prefix network;
	const struct tandem_gateway *gw;

	if (!strcmp(word, "users")) {
		route->users = true;
	} else if (!strcmp(word, "trusted")) {
		route->trusted = true;
	} else if (!strcmp(word, "any")) {
		route->anybody = true;
	} else if ((gw = tandem_gateway_find(rd->gateways, word))) {
		route->gateways[route->gateways_count++] = gw;
	} else if (!tandem_prefix_parse(&network, word)) {
		route->networks[route->networks_count++] = network;
	} else {
		return wrong(rd, "none of users, trusted, any, a gateway, a network", word);
	}

	return 0;
}

static int read_via(struct tandem_route *route, const struct reader *rd, const char *word)
{
	size_t i = route->via_count;

	if (i == TANDEM_ROUTE_VIA_MAX)
		return wrong(rd, "one too many in via", word);
	route->via[i].gateway = tandem_gateway_find(rd->gateways, word);
	if (!strcmp(word, "dns"))
		route->via[i].kind = TANDEM_VIA_DNS;
	else if (!strcmp(word, "deny"))
		route->via[i].kind = TANDEM_VIA_DENY;
	else if (!strcmp(word, "enum"))
		route->via[i].kind = TANDEM_VIA_ENUM;
	else if (route->via[i].gateway)
		route->via[i].kind = TANDEM_VIA_GATEWAY;
	else
		return wrong(rd, "none of dns, enum, deny, a gateway", word);
	if (route->via[i].kind == TANDEM_VIA_DNS && !route->domain)
		return wrong(rd, "for routes with a domain", word);
	if (route->via[i].kind == TANDEM_VIA_ENUM && route->domain)
		return wrong(rd, "for routes without a domain", word);
	route->via_count++;

	return 0;
}

static int read_to(struct tandem_route *route, const struct tandem_route_config *cfg)
{
	const char *to = cfg->to;

	if (cfg->domain) {
		route->domain = strdup(cfg->domain);
		if (!route->domain)
			return -ENOMEM;
	}
	if (to && !strncasecmp(to, "tel:", 4)) {
		route->tel = true;
		to += 4;
	}
	if (!to || !*to)
		return 0;
	route->to = strdup(to);

	return route->to ? 0 : -ENOMEM;
}

static int read_route(struct tandem_route *route, const struct reader *rd,
		      const struct tandem_route_config *cfg)
{
	bool denies;
	size_t i;
	int err;

	if (!cfg->to && !cfg->domain)
		return wrong(rd, "neither to nor domain", "");
	err = read_to(route, cfg);
	if (err)
		return err;
	route->networks = calloc(cfg->from_count + 1, sizeof(*route->networks));
	route->gateways = calloc(cfg->from_count + 1, sizeof(*route->gateways));
	if (!route->networks || !route->gateways)
		return -ENOMEM;
	for (i = 0; i < cfg->from_count && !err; i++)
		err = read_from(route, rd, cfg->from[i]);
	for (i = 0; i < cfg->via_count && !err; i++)
		err = read_via(route, rd, cfg->via[i]);
	denies = tandem_route_has(route, TANDEM_VIA_DENY);
	if (!cfg->from_count) {
		route->anybody = denies;
		route->users = route->trusted = !denies;
	} else if (!err && route->anybody && !denies) {
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "route %zu: anybody who reaches the SIP ports can call by it",
			   rd->number);
	}

	return err;
}

int tandem_routing_alloc(struct tandem_routing **rp, const struct tandem_gateways *gateways,
			 const struct tandem_sip_config *cfg, char *why, size_t why_size)
{
	struct reader rd = { .gateways = gateways, .why = why, .why_size = why_size };
	struct tandem_routing *r;
	int err = 0;

	if (!cfg->routes_count)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->list = calloc(cfg->routes_count, sizeof(*r->list));
	r->enum_suffix = strdup(cfg->enum_suffix ? cfg->enum_suffix : "e164.arpa");
	if (!r->list || !r->enum_suffix)
		err = -ENOMEM;
	while (!err && r->count < cfg->routes_count) {
		rd.number = r->count + 1;
		err = read_route(&r->list[r->count], &rd, &cfg->routes[r->count]);
		r->count++;
	}
	if (err)
		tandem_routing_free(r);
	else
		*rp = r;

	return err;
}

void tandem_routing_free(struct tandem_routing *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; r->list && i < r->count; i++) {
		free(r->list[i].to);
		free(r->list[i].domain);
		free(r->list[i].networks);
		free(r->list[i].gateways);
	}
	free(r->list);
	free(r->enum_suffix);
	free(r);
}

/* ---- looking up --------------------------------------------------------------- */

/* "example.com", or "*.example.com" for all below it, or "*". */
static bool domain_fits(const char *pattern, const char *domain)
{
	size_t len = strlen(domain), want;

	if (pattern[0] != '*')
		return !strcasecmp(pattern, domain);
	want = strlen(pattern + 1);

	return len >= want && !strcasecmp(pattern + 1, domain + len - want);
}

static bool leads_to(const struct tandem_route *route, const struct tandem_callee *callee)
{
	if (!route->domain != !callee->domain)
		return false;
	if (route->domain && !domain_fits(route->domain, callee->domain))
		return false;
	if (route->tel && !callee->tel)
		return false;

	return !route->to || tandem_number_fits(route->to, callee->text);
}

static enum tandem_leave admits(const struct tandem_route *route,
				const struct tandem_caller *caller)
{
	size_t i;

	for (i = 0; i < route->gateways_count; i++) {
		if (route->gateways[i] == caller->gateway)
			return TANDEM_MAY;
	}
	for (i = 0; i < route->networks_count; i++) {
		if (tandem_prefix_contains(&route->networks[i], &caller->ip))
			return TANDEM_MAY;
	}
	if (route->anybody)
		return TANDEM_MAY;
	/* a gateway has no password; what it sends leaves again only where a route names it */
	if (caller->gateway)
		return TANDEM_MAY_NOT;
	if (route->trusted && caller->trusted)
		return TANDEM_MAY;

	return route->users ? TANDEM_MAY_AS_USER : TANDEM_MAY_NOT;
}

const struct tandem_route *tandem_routing_find(const struct tandem_routing *r,
					       const struct tandem_callee *callee,
					       const struct tandem_caller *caller,
					       enum tandem_leave *may)
{
	bool others = false;
	size_t i;

	for (i = 0; r && i < r->count; i++) {
		if (!leads_to(&r->list[i], callee))
			continue;
		*may = admits(&r->list[i], caller);
		if (*may != TANDEM_MAY_NOT)
			return &r->list[i];
		others = true;
	}
	*may = others ? TANDEM_MAY_NOT : TANDEM_MAY;

	return NULL;
}

size_t tandem_route_gateways(const struct tandem_route *route,
			     struct tandem_gateway *list[TANDEM_ROUTE_VIA_MAX], uint64_t *seed)
{
	struct tandem_weighed items[TANDEM_ROUTE_VIA_MAX];
	size_t i, count = 0;
	bool up = false;

	for (i = 0; i < route->via_count; i++)
		up |= route->via[i].gateway && route->via[i].gateway->up;
	for (i = 0; i < route->via_count; i++) {
		const struct tandem_gateway *gw = route->via[i].gateway;

		if (!gw || (up && !gw->up))
			continue;
		items[count].priority = gw->priority;
		items[count].weight = gw->weight;
		items[count++].index = i;
	}
	tandem_weigh(items, count, seed);
	for (i = 0; i < count; i++)
		list[i] = route->via[items[i].index].gateway;

	return count;
}

bool tandem_route_has(const struct tandem_route *route, enum tandem_via kind)
{
	size_t i;

	for (i = 0; i < route->via_count; i++) {
		if (route->via[i].kind == kind)
			return true;
	}

	return false;
}
