/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/location.h"
#include "userspace/sip/number.h"
#include "userspace/sip/outflow.h"
#include "userspace/sip/remote.h"
#include "userspace/sip/route.h"

/* The route set of a request, while it is being worked on. */
struct routes {
	const struct tandem_sip *ts;
	const struct sip_msg *msg;
	struct sip_addr addr[TANDEM_ROUTES_MAX];
	struct pl val[TANDEM_ROUTES_MAX];
	size_t count;
	size_t first; /* those before it were ours */
	struct pl ruri;
	struct uri uri;
	struct tandem_flow flow; /* of the peer that the request goes to */
	struct sa local;	 /* our address on that flow */
	uint64_t number;	 /* of the binding, from another node; or 0 */
	bool trusted;
	bool passing;
	bool bad;
};

static bool route_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct routes *r = arg;

	(void)msg;
	if (r->count >= TANDEM_ROUTES_MAX || sip_addr_decode(&r->addr[r->count], &hdr->val) ||
	    !tandem_sip_uri_clean(&r->addr[r->count].auri)) {
		r->bad = true;
		return true;
	}
	r->val[r->count++] = hdr->val;

	return false;
}

static bool has_lr(const struct uri *uri)
{
	struct pl end;

	return !msg_param_exists(&uri->params, "lr", &end);
}

/* The address in a route of ours is the one that its side of the call sees. */
static void take_flow(struct routes *r, const struct uri *uri, const struct tandem_flow *flow)
{
	struct pl end;

	r->trusted = true;
	r->passing |= !msg_param_exists(&uri->params, TANDEM_PASSING, &end);
	r->flow = *flow;
	if (sa_set(&r->local, &uri->host, uri->port))
		sa_init(&r->local, AF_UNSPEC);
}

static bool is_our_route(const struct routes *r, const struct uri *uri, struct tandem_flow *flow)
{
	return tandem_sip_is_local(r->ts, uri) &&
	       !tandem_token_read(flow, r->ts->key, &r->msg->callid, &uri->user);
}

/* A strict router upstream moved our own URI into the Request-URI (section 16.4). */
static int undo_strict_routing(struct routes *r)
{
	struct tandem_flow flow;

	if (!r->count || !has_lr(&r->uri) || !is_our_route(r, &r->uri, &flow))
		return 0;

	r->count--;
	take_flow(r, &r->uri, &flow);
	r->ruri = r->addr[r->count].auri;

	return uri_decode(&r->uri, &r->ruri) ? 400 : 0;
}

/*
 * Our routes come in pairs, one for each side; a request pops the one of its own
 * side first, so the flow that stays is that of the peer it goes to.
 */
static void pop_own_routes(struct routes *r)
{
	struct tandem_flow flow;

	while (r->first < r->count && tandem_sip_is_local(r->ts, &r->addr[r->first].uri)) {
		const struct uri *uri = &r->addr[r->first].uri;

		if (is_our_route(r, uri, &flow))
			take_flow(r, uri, &flow);
		else if (!r->number)
			r->number = tandem_remote_read(r->ts, &r->msg->callid, &uri->user);
		r->first++;
	}
}

/* The session model knows both tags of a call: proof enough when the token's key was lost. */
static bool known_dialog(const struct routes *r)
{
	enum tandem_party_id party;

	return pl_isset(&r->msg->to.tag) && tandem_sip_party(r->ts, r->msg, &party);
}

/* The header lines of the routes that are left. */
static int write_routes(struct tandem_place *place, const struct routes *r, const char *path,
			const struct pl *last)
{
	struct mbuf *mb = mbuf_alloc(256);
	size_t i;
	int err = 0;

	if (!mb)
		return -ENOMEM;
	if (path && *path)
		err |= mbuf_printf(mb, "Route: %s\r\n", path);
	for (i = r->first; i < r->count; i++)
		err |= mbuf_printf(mb, "Route: %r\r\n", &r->val[i]);
	if (last)
		err |= mbuf_printf(mb, "Route: <%r>\r\n", last);
	if (!err)
		err = re_sdprintf(&place->routes, "%b", mb->buf, mb->end);
	mem_deref(mb);

	return -err;
}

/* Routes of others are left: the first is the next hop. */
static int follow_routes(struct tandem_target *t, struct routes *r)
{
	const struct sip_addr *next = &r->addr[r->first];
	struct tandem_place *place;
	int err;

	if (!r->trusted)
		return 403;

	place = tandem_target_add(t, 0);
	if (!place)
		return -ENOMEM;
	err = tandem_place_hop(place, &next->auri, NULL);
	if (err)
		return err;
	if (has_lr(&next->uri)) {
		err = -pl_strdup(&place->ruri, &r->ruri);
		return err ? err : write_routes(place, r, NULL, NULL);
	}

	/* the next is a strict router: it wants to be in the Request-URI */
	r->first++;
	err = -pl_strdup(&place->ruri, &next->auri);

	return err ? err : write_routes(place, r, NULL, &r->ruri);
}

static int path_hop(struct tandem_place *place, const char *path)
{
	const char *end = strchr(path, '>');
	struct pl pl = { .p = path, .l = end ? (size_t)(end - path) + 1 : strlen(path) };
	struct sip_addr addr;

	if (sip_addr_decode(&addr, &pl))
		return -EINVAL;

	return tandem_place_hop(place, &addr.auri, NULL);
}

/*
 * A contact whose URI names another host than the REGISTER came from is behind a
 * NAT: only the way back is known to work. TCP contacts are called back on the
 * connection they opened, or, where that is closed, at their URI. A flow of RFC 5626 that is open
 * is the only way.
 */
static int own_hops(struct tandem_place *place, const struct tandem_binding *b, bool here)
{
	struct sa source, local;
	struct uri uri;
	struct pl pl;
	bool nat, web, flow;
	int err = 0;

	pl_set_str(&pl, b->uri);
	if (uri_decode(&uri, &pl) || sa_decode(&source, b->source, strlen(b->source)) ||
	    sa_decode(&local, b->local, strlen(b->local)))
		return -EINVAL;

	/* what a browser calls its host is no name (RFC 7118 section 5) */
	web = b->tp == SIP_TRANSP_WS || b->tp == SIP_TRANSP_WSS;
	nat = !tandem_sip_host_is(&uri.host, &source);
	flow = b->reg_id && tandem_outbound_is_open(b);
	if (here && (nat || flow || tandem_binding_connected(b)))
		err = tandem_place_flow(place, b->tp, &source, &local);
	if (!err && !web && !(flow && here) && !(nat && b->tp == SIP_TRANSP_UDP))
		err = tandem_place_hop(place, &pl, here && b->tp == SIP_TRANSP_UDP ? &local : NULL);

	return err;
}

static int remote_hop(struct tandem_place *place, const struct tandem_binding *b)
{
	size_t index = place->hops_count;
	struct pl hop;
	int err;

	pl_set_str(&hop, b->remote->hop);
	err = tandem_place_hop(place, &hop, NULL);
	if (place->hops_count > index)
		place->hops[index].remote = b->remote->number;

	return err;
}

/*
 * To who is registered at another node its node has the way; but if the phone's side of it, our
 * address, has come here, this one has. When that node is not there, what the URI says is tried.
 */
static int binding_hops(struct tandem_place *place, const struct tandem_sip *ts,
			const struct tandem_binding *b)
{
	bool here = !b->remote || tandem_remote_is_here(ts, b);

	if (*b->path)
		return path_hop(place, b->path);
	if (!here && tandem_remote_is_alive(ts, b))
		return remote_hop(place, b);

	return own_hops(place, b, here);
}

static int fill_place(struct tandem_place *place, const struct routes *r,
		      const struct tandem_binding *b)
{
	int err = binding_hops(place, r->ts, b);

	if (!err)
		err = -str_dup(&place->ruri, b->uri);

	return err ? err : write_routes(place, r, b->path, NULL);
}

/* *placep: the place for it, NULL when it is not called. */
static int use_binding(struct tandem_target *t, const struct routes *r,
		       const struct tandem_binding *b, unsigned int rank,
		       struct tandem_place **placep)
{
	int err;

	*placep = NULL;
	/* a browser whose connection is gone comes back by itself, or not at all */
	if ((b->tp == SIP_TRANSP_WS || b->tp == SIP_TRANSP_WSS) && !*b->path &&
	    !tandem_binding_connected(b) && !(b->remote && tandem_remote_is_alive(r->ts, b)))
		return 0;
	*placep = tandem_target_add(t, rank);
	if (!*placep)
		return -ENOMEM;
	err = fill_place(*placep, r, b);
	/* behind a NAT, and the node that it knows is gone */
	if (!err && !(*placep)->hops_count) {
		tandem_target_drop(t, (size_t)(*placep - t->places));
		*placep = NULL;
	}

	return err;
}

/* The other flows of the phone that list[i] is a flow of (RFC 5626 section 5.3). */
static int add_flows(struct tandem_place *place, const struct routes *r,
		     struct tandem_binding *const *list, size_t count, size_t i)
{
	size_t k;
	int err = 0;

	for (k = 0; k < count && !err; k++) {
		struct tandem_place other = { .hops_count = 0 };

		if (!tandem_outbound_stands_in(list[k], list[i]))
			continue;
		err = fill_place(&other, r, list[k]);
		if (!err)
			tandem_place_add_flow(place, &other);
		tandem_place_free(&other);
	}

	return err;
}

static int use_flows(struct tandem_target *t, const struct routes *r,
		     struct tandem_binding *const *list, size_t count, size_t i, unsigned int rank)
{
	struct tandem_place *place;
	int err = use_binding(t, r, list[i], rank, &place);

	return err || !place ? err : add_flows(place, r, list, count, i);
}

/* One rank for each q-value, so that equal ones are called at once (RFC 3261 section 16.6). */
static int find_bindings(struct tandem_target *t, const struct routes *r, const struct uri *uri,
			 unsigned int rank)
{
	struct tandem_binding *list[TANDEM_PLACES_MAX];
	char *aor = NULL;
	size_t count, i;
	int err;

	err = tandem_sip_aor(r->ts, uri, &aor);
	if (err)
		return err == -EINVAL ? -ENOENT : err;
	count = tandem_location_find(r->ts->loc, aor, list, ARRAY_SIZE(list));
	count = MIN(count, ARRAY_SIZE(list));
	mem_deref(aor);
	for (i = 0; i < count && !err; i++) {
		rank += i && list[i]->q != list[i - 1]->q;
		if (!tandem_outbound_passed_over(list, count, i))
			err = use_flows(t, r, list, count, i, rank);
	}

	return err || t->places_count ? err : -ENOENT;
}

int tandem_target_bindings(struct tandem_target *t, const struct tandem_sip *ts,
			   const struct uri *uri, unsigned int rank)
{
	const struct routes none = { .ts = ts };

	return find_bindings(t, &none, uri, rank);
}

/* By the table of routes; but a user here, as uri names one, is just not there. */
static int leave(struct tandem_target *t, const struct routes *r, const struct uri *uri)
{
	int err = tandem_target_leave(t, r->ts, r->msg, &r->uri, &r->ruri);

	/* the store is asked last: who sends much must not make it busy for nothing */
	if (err == -ENOENT || !tandem_auth_has_user(r->ts->auth, uri))
		return err;
	tandem_target_clean(t);
	t->needs_user = false;

	return 480;
}

static int find_local(struct tandem_target *t, const struct routes *r)
{
	int err;

	if (!pl_isset(&r->uri.user)) {
		t->local = true;
		return 0;
	}
	if (!pl_strcmp(&r->msg->met, "ACK"))
		return 404;
	if (!re_regex(r->uri.user.p, r->uri.user.l, "%00"))
		return 404;

	err = find_bindings(t, r, &r->uri, 0);

	if (err == -ENOENT)
		err = leave(t, r, &r->uri);

	return err == -ENOENT ? 480 : err;
}

/* A number is a user here when one has it for a name, in the first of the domains; or it leaves. */
static int find_number(struct tandem_target *t, const struct routes *r,
		       const struct tandem_number *number)
{
	const struct tandem_sip *ts = r->ts;
	char *text = NULL;
	struct uri uri;
	struct pl pl;
	int err;

	if (ts->domains_count)
		err = -re_sdprintf(&text, "sip:%s@%s", number->digits, ts->domains[0]);
	else
		err = -re_sdprintf(&text, "sip:%s@%J", number->digits, &ts->listeners[0].addr);
	if (err)
		return err;
	pl_set_str(&pl, text);
	err = uri_decode(&uri, &pl) ? 400 : find_bindings(t, r, &uri, 0);
	if (err == -ENOENT)
		err = leave(t, r, &uri);
	mem_deref(text);

	return err;
}

/* RFC 3966: a number of all the world, or of a place; such a place may be one of our domains. */
static int find_tel(struct tandem_target *t, const struct routes *r)
{
	struct tandem_number number;
	struct uri context = { .scheme = PL("sip") };
	int err;

	if (tandem_number_read(&number, &r->uri))
		return 400;
	if (!pl_strcmp(&r->msg->met, "ACK"))
		return 404;
	context.host = number.context;
	if (!number.global && *number.context.p != '+' && !tandem_sip_is_local(r->ts, &context))
		return 404;

	/* what only a keypad has would have to be escaped in the name of a user */
	if (number.global || (*number.context.p != '+' && !strpbrk(number.digits, "*#")))
		err = find_number(t, r, &number);
	else
		err = tandem_target_leave(t, r->ts, r->msg, &r->uri, &r->ruri);

	return err == -ENOENT ? 404 : err;
}

/* In a dialog through us: the flow that is in our route, or the remote target itself. */
static int follow_dialog(struct tandem_target *t, const struct routes *r)
{
	struct tandem_place *place;
	int err = 0;

	if (pl_strcasecmp(&r->uri.scheme, "sip") && pl_strcasecmp(&r->uri.scheme, "sips"))
		return 416;

	place = tandem_target_add(t, 0);
	if (!place)
		return -ENOMEM;
	if (r->flow.set)
		err = tandem_place_flow(place, r->flow.tp, &r->flow.addr, &r->local);
	if (!err && !(r->flow.set && r->flow.tp == SIP_TRANSP_UDP))
		err = tandem_place_hop(place, &r->ruri, NULL);
	if (!err)
		err = -pl_strdup(&place->ruri, &r->ruri);

	return err ? err : write_routes(place, r, NULL, NULL);
}

static int find_remote(struct tandem_target *t, const struct routes *r)
{
	const struct tandem_binding *b = tandem_location_find_uri(r->ts->loc, &r->ruri);
	struct tandem_place *place;
	int err;

	if (b && !*b->path && !b->remote) {
		err = use_binding(t, r, b, 0, &place);
		if (err || t->places_count)
			return err;
	}
	if (r->trusted)
		return follow_dialog(t, r);
	if (!pl_strcasecmp(&r->uri.scheme, "tel"))
		return r->ts->routing ? find_tel(t, r) : 416;
	if (pl_strcasecmp(&r->uri.scheme, "sip") && pl_strcasecmp(&r->uri.scheme, "sips"))
		return 416;

	err = tandem_target_leave(t, r->ts, r->msg, &r->uri, &r->ruri);

	return err == -ENOENT ? 403 : err;
}

/* What another node has found here: that, and no other binding, or a phone would ring for each. */
static int find_for_node(struct tandem_target *t, const struct routes *r)
{
	const struct tandem_binding *b = tandem_location_by_serial(r->ts->loc, r->number);
	struct tandem_place *place;
	int err;

	if (!b)
		return 480;
	err = use_binding(t, r, b, 0, &place);

	return err || t->places_count ? err : 480;
}

int tandem_target_resolve(struct tandem_target *t, const struct tandem_sip *ts,
			  const struct sip_msg *msg)
{
	struct routes r;
	int err;

	memset(t, 0, sizeof(*t));
	memset(&r, 0, sizeof(r));
	r.ts = ts;
	r.msg = msg;
	r.ruri = msg->ruri;
	r.uri = msg->uri;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_ROUTE, route_handler, &r);
	if (r.bad || !tandem_sip_uri_clean(&r.ruri))
		return 400;

	err = undo_strict_routing(&r);
	if (err)
		return err;
	pop_own_routes(&r);
	if (!r.trusted)
		r.trusted = known_dialog(&r);
	t->trusted = r.trusted;
	t->passing = r.trusted && r.passing;
	t->by_node = r.number && !r.trusted && !pl_isset(&msg->to.tag);
	if (t->by_node)
		return find_for_node(t, &r);

	if (r.first < r.count)
		return follow_routes(t, &r);
	if (tandem_sip_is_local(ts, &r.uri))
		return find_local(t, &r);

	return find_remote(t, &r);
}

int tandem_target_contact(struct tandem_target *t, const struct tandem_sip *ts,
			  const struct sip_msg *msg, const struct pl *uri)
{
	struct routes r;

	memset(t, 0, sizeof(*t));
	memset(&r, 0, sizeof(r));
	r.ts = ts;
	r.msg = msg;
	r.ruri = *uri;
	if (!tandem_sip_uri_clean(uri) || uri_decode(&r.uri, uri))
		return 400;

	return tandem_sip_is_local(ts, &r.uri) ? find_local(t, &r) : find_remote(t, &r);
}
