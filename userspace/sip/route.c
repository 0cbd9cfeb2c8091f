/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/sip/location.h"
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
	bool trusted;
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
	r->trusted = true;
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
		if (is_our_route(r, &r->addr[r->first].uri, &flow))
			take_flow(r, &r->addr[r->first].uri, &flow);
		r->first++;
	}
}

/* The session model knows both tags of a call: proof enough when the token's key was lost. */
static bool known_dialog(const struct routes *r)
{
	enum tandem_party_id party;

	return pl_isset(&r->msg->to.tag) && !tandem_sip_party(r->ts, r->msg, &party);
}

static int add_hop(struct tandem_target *t, const struct pl *uri, const struct sa *local)
{
	struct tandem_hop *hop = &t->hops[t->hops_count];

	if (t->hops_count >= TANDEM_HOPS_MAX)
		return 0;
	if (local)
		hop->local = *local;
	t->hops_count++;

	return -pl_strdup(&hop->uri, uri);
}

static int add_flow_hop(struct tandem_target *t, enum sip_transp tp, const struct sa *addr,
			const struct sa *local)
{
	struct tandem_hop *hop = &t->hops[t->hops_count];

	if (t->hops_count >= TANDEM_HOPS_MAX)
		return 0;
	if (sa_af(local) == sa_af(addr))
		hop->local = *local;
	t->hops_count++;

	return tandem_sip_hop(&hop->uri, tp, addr);
}

/* The header lines of the routes that are left. */
static int write_routes(struct tandem_target *t, const struct routes *r, const char *path,
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
		err = re_sdprintf(&t->routes, "%b", mb->buf, mb->end);
	mem_deref(mb);

	return -err;
}

/* Routes of others are left: the first is the next hop. */
static int follow_routes(struct tandem_target *t, struct routes *r)
{
	const struct sip_addr *next = &r->addr[r->first];
	int err;

	if (!r->trusted)
		return 403;

	err = add_hop(t, &next->auri, NULL);
	if (err)
		return err;
	if (has_lr(&next->uri)) {
		err = -pl_strdup(&t->ruri, &r->ruri);
		return err ? err : write_routes(t, r, NULL, NULL);
	}

	/* the next is a strict router: it wants to be in the Request-URI */
	r->first++;
	err = -pl_strdup(&t->ruri, &next->auri);

	return err ? err : write_routes(t, r, NULL, &r->ruri);
}

static int path_hop(struct tandem_target *t, const char *path)
{
	const char *end = strchr(path, '>');
	struct pl pl = { .p = path, .l = end ? (size_t)(end - path) + 1 : strlen(path) };
	struct sip_addr addr;

	if (sip_addr_decode(&addr, &pl))
		return -EINVAL;

	return add_hop(t, &addr.auri, NULL);
}

/*
 * A contact whose URI names another host than the REGISTER came from is behind a
 * NAT: only the way back is known to work. TCP contacts are called back on the
 * connection they opened, or, where that is closed, at their URI.
 */
static int binding_hops(struct tandem_target *t, const struct tandem_binding *b)
{
	struct sa source, local;
	struct uri uri;
	struct pl pl;
	bool nat;
	int err = 0;

	if (*b->path)
		return path_hop(t, b->path);

	pl_set_str(&pl, b->uri);
	if (uri_decode(&uri, &pl) || sa_decode(&source, b->source, strlen(b->source)) ||
	    sa_decode(&local, b->local, strlen(b->local)))
		return -EINVAL;

	nat = !tandem_sip_host_is(&uri.host, &source);
	if (nat || tandem_binding_connected(b))
		err = add_flow_hop(t, b->tp, &source, &local);
	if (!err && !(nat && b->tp == SIP_TRANSP_UDP))
		err = add_hop(t, &pl, b->tp == SIP_TRANSP_UDP ? &local : NULL);

	return err;
}

static int use_binding(struct tandem_target *t, const struct routes *r,
		       const struct tandem_binding *b)
{
	int err = binding_hops(t, b);

	if (!err)
		err = -str_dup(&t->ruri, b->uri);

	return err ? err : write_routes(t, r, b->path, NULL);
}

static int find_local(struct tandem_target *t, const struct routes *r)
{
	struct tandem_binding *b;
	char *aor = NULL;
	size_t count;
	int err;

	if (!pl_isset(&r->uri.user)) {
		t->local = true;
		return 0;
	}
	if (!pl_strcmp(&r->msg->met, "ACK"))
		return 404;

	err = tandem_sip_aor(r->ts, &r->uri, &aor);
	if (err)
		return err == -EINVAL ? 404 : err;
	count = tandem_location_find(r->ts->loc, aor, &b, 1);
	mem_deref(aor);

	return count ? use_binding(t, r, b) : 480;
}

static int find_remote(struct tandem_target *t, const struct routes *r)
{
	const struct tandem_binding *b = tandem_location_find_uri(r->ts->loc, &r->ruri);
	int err = 0;

	if (b && !*b->path)
		return use_binding(t, r, b);
	if (!r->trusted)
		return 403;
	if (pl_strcasecmp(&r->uri.scheme, "sip"))
		return 416;

	if (r->flow.set)
		err = add_flow_hop(t, r->flow.tp, &r->flow.addr, &r->local);
	if (!err && !(r->flow.set && r->flow.tp == SIP_TRANSP_UDP))
		err = add_hop(t, &r->ruri, NULL);
	if (!err)
		err = -pl_strdup(&t->ruri, &r->ruri);

	return err ? err : write_routes(t, r, NULL, NULL);
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

	if (r.first < r.count)
		return follow_routes(t, &r);
	if (tandem_sip_is_local(ts, &r.uri))
		return find_local(t, &r);
	if (pl_strcasecmp(&r.uri.scheme, "sip") && !r.trusted)
		return 416;

	return find_remote(t, &r);
}

void tandem_target_clean(struct tandem_target *t)
{
	size_t i;

	for (i = 0; i < t->hops_count; i++)
		t->hops[i].uri = mem_deref(t->hops[i].uri);
	t->hops_count = 0;
	t->ruri = mem_deref(t->ruri);
	t->routes = mem_deref(t->routes);
}
