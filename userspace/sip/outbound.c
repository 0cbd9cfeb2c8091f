/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that leave: the table of routes makes places of them. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/route.h"
#include "userspace/sip/routing.h"

#define NAME_SIZE 256

/* What is asked of the table, and the text behind it. */
struct leaving {
	struct tandem_target *t;
	const struct tandem_sip *ts;
	const struct pl *ruri;
	struct tandem_number number;
	bool is_number;
	char user[NAME_SIZE];
	char domain[NAME_SIZE];
	struct tandem_callee callee;
	unsigned int rank;
};

/* The text is compared unescaped, as a user could write a number in many ways. */
static int read_callee(struct leaving *l, const struct uri *uri)
{
	int err = tandem_number_read(&l->number, uri);
	struct pl pl;

	if (err == -EBADMSG)
		return 400;
	l->is_number = !err;
	if (l->is_number) {
		l->callee.text = l->number.digits;
		l->callee.tel = l->number.tel;
	} else {
		if (re_snprintf(l->user, sizeof(l->user), "%H", uri_user_unescape, &uri->user) < 0)
			return 414;
		l->callee.text = l->user;
	}
	if (l->number.tel || tandem_sip_is_local(l->ts, uri))
		return 0;

	pl = uri->host;
	/* the dot at the end makes no other name of it */
	if (pl.l > 1 && pl.p[pl.l - 1] == '.')
		pl.l--;
	if (tandem_sip_copy(l->domain, sizeof(l->domain), &pl))
		return 414;
	l->callee.domain = l->domain;

	return 0;
}

static int read_caller(struct tandem_caller *caller, const struct tandem_sip *ts,
		       const struct sip_msg *msg)
{
	struct tandem_endpoint src;

	memset(caller, 0, sizeof(*caller));
	if (tandem_sip_endpoint(&src, &msg->src))
		return 500;
	caller->ip = src.ip;
	caller->gateway = tandem_gateway_at(ts->gateways, &src.ip);
	caller->trusted = tandem_auth_trusts(ts->auth, &src.ip);

	return 0;
}

static struct tandem_place *add_place(struct leaving *l)
{
	struct tandem_place *place = tandem_target_add(l->t, l->rank);

	if (!place)
		return NULL;
	place->stand_in = l->rank > 0;
	l->rank++;

	return str_dup(&place->routes, "") ? NULL : place;
}

/* A number, or a name here, gets the gateway's own domain; what has one keeps it. */
static int write_ruri(char **ruri, const struct leaving *l, const struct tandem_gateway *gw)
{
	const char *scheme = strncasecmp(gw->uri, "sips:", 5) ? "sip" : "sips";
	char digits[2 * NAME_SIZE];
	int err;

	if (l->callee.domain)
		return -pl_strdup(ruri, l->ruri);
	if (!l->is_number)
		return -re_sdprintf(ruri, "%s:%H@%r", scheme, uri_user_escape,
				    &(struct pl){ .p = l->user, .l = strlen(l->user) },
				    &gw->hostport);

	err = tandem_number_dress(digits, sizeof(digits), l->number.digits, gw->prefix_strip,
				  gw->prefix_add);

	return err ? err
		   : -re_sdprintf(ruri, "%s:%H@%r;user=phone", scheme, uri_user_escape,
				  &(struct pl){ .p = digits, .l = strlen(digits) }, &gw->hostport);
}

static int add_gateway(struct leaving *l, const struct tandem_gateway *gw)
{
	struct tandem_place *place = add_place(l);
	struct pl uri;
	int err;

	if (!place)
		return -ENOMEM;
	pl_set_str(&uri, gw->uri);
	place->quiet_ms = gw->timeout_ms;
	err = write_ruri(&place->ruri, l, gw);
	if (!err)
		err = tandem_place_hop(place, &uri, NULL);
	if (!err)
		err = -str_dup(&place->gateway, gw->name);

	return err;
}

static int add_gateways(struct leaving *l, const struct tandem_route *route)
{
	struct tandem_gateway *list[TANDEM_ROUTE_VIA_MAX];
	uint64_t seed = rand_u64();
	size_t i, count = tandem_route_gateways(route, list, &seed);
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		err = add_gateway(l, list[i]);
		/* a number too short for what this one takes away: it is not for it */
		if (err == -EINVAL) {
			tandem_target_drop(l->t, l->t->places_count - 1);
			err = 0;
		}
	}

	return err;
}

/* maddr would have a partner's name lead to any address. */
static int add_domain(struct leaving *l, const struct uri *uri)
{
	struct tandem_place *place;
	struct pl maddr;
	int err;

	if (!msg_param_decode(&uri->params, "maddr", &maddr))
		return 403;
	place = add_place(l);
	if (!place)
		return -ENOMEM;
	place->quiet_ms = TANDEM_QUIET_MS;
	err = -pl_strdup(&place->ruri, l->ruri);

	return err ? err : tandem_place_hop(place, l->ruri, NULL);
}

/* The ways of a route in the order of its list; gateways stand where the first of them does. */
static int add_ways(struct leaving *l, const struct tandem_route *route, const struct uri *uri)
{
	bool gateways = false;
	size_t i;
	int err = 0;

	for (i = 0; i < route->via_count && !err; i++) {
		switch (route->via[i].kind) {
		case TANDEM_VIA_GATEWAY:
			if (!gateways)
				err = add_gateways(l, route);
			gateways = true;
			break;
		case TANDEM_VIA_DNS:
			err = add_domain(l, uri);
			break;
		case TANDEM_VIA_ENUM:
			if (!l->t->number && l->is_number && l->number.global)
				err = -str_dup(&l->t->number, l->number.digits);
			break;
		case TANDEM_VIA_DENY:
			return 403;
		}
	}
	if (!err && !l->t->places_count && !l->t->number)
		return 404;

	return err;
}

int tandem_target_leave(struct tandem_target *t, const struct tandem_sip *ts,
			const struct sip_msg *msg, const struct uri *uri, const struct pl *ruri)
{
	struct leaving l = { .t = t, .ts = ts, .ruri = ruri };
	const struct tandem_route *route;
	struct tandem_caller caller;
	enum tandem_leave may;
	int err;

	if (!ts->routing)
		return -ENOENT;
	err = read_callee(&l, uri);
	if (!err)
		err = read_caller(&caller, ts, msg);
	if (err)
		return err;

	route = tandem_routing_find(ts->routing, &l.callee, &caller, &may);
	if (!route)
		return may == TANDEM_MAY_NOT ? 403 : -ENOENT;
	err = add_ways(&l, route, uri);
	t->needs_user = !err && may == TANDEM_MAY_AS_USER;

	return err;
}
