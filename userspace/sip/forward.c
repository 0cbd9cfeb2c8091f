/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing and sending a forwarded request: RFC 3261 section 16.6. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/body.h"
#include "userspace/sip/expires.h"
#include "userspace/sip/gateway.h"
#include "userspace/sip/header.h"
#include "userspace/sip/long.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/remote.h"
#include "userspace/sip/tls_peer.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

/* Who is there sends 100 within 200 ms; a packet filter says nothing. */
#define TCP_QUIET_MS 3000

/* The two sides of this hop, for Record-Route. */
struct sides {
	const struct tandem_listener *in;
	const struct tandem_listener *out;
	struct tandem_flow from; /* set when the sender can only be reached over its flow */
	struct tandem_flow to;
};

static bool contact_is_reachable(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	return hdr && !sip_addr_decode(&addr, &hdr->val) &&
	       tandem_sip_host_is(&addr.uri.host, &msg->src);
}

static bool target_is_reachable(const struct tandem_branch *b)
{
	struct uri uri;
	struct pl pl;

	pl_set_str(&pl, tandem_branch_ruri(b));

	return !uri_decode(&uri, &pl) && tandem_sip_host_is(&uri.host, &b->dst);
}

/* Of the binding at the node that it goes to, or 0. */
static uint64_t remote_number(const struct tandem_branch *b)
{
	return tandem_branch_place(b)->hops[b->hop].remote;
}

static void find_sides(struct sides *s, const struct tandem_branch *b, const struct tandem_way *way)
{
	const struct tandem_tx *tx = b->tx;
	const struct sip_msg *msg = tx->msg;
	enum sip_transp tp = tandem_sip_tp(tx->ts, msg);

	memset(s, 0, sizeof(*s));
	s->in = tandem_sip_listener_find(tx->ts, msg->tp, &msg->dst);
	s->out = way->listener;

	/* a further proxy, known by its Route, looks after its own peers */
	if (tandem_sip_is_stream(tp) || !contact_is_reachable(msg))
		s->from = (struct tandem_flow){ true, tp, msg->src };
	if (!*tandem_branch_routes(b) && !remote_number(b) &&
	    (tandem_sip_is_stream(way->tp) || !target_is_reachable(b)))
		s->to = (struct tandem_flow){ true, way->tp, way->addr };
	if (sip_msg_hdr(msg, SIP_HDR_RECORD_ROUTE))
		s->from.set = false;
}

static int write_record_route(struct mbuf *mb, const struct tandem_tx *tx,
			      const struct tandem_listener *l, const struct tandem_flow *flow)
{
	bool sips = tandem_sip_is_sips(&tx->msg->ruri);
	char token[TANDEM_TOKEN_SIZE];
	int err;

	err = -tandem_token_write(token, tx->ts->key, &tx->msg->callid, flow);

	return err ? err
		   : mbuf_printf(mb, "Record-Route: <%s:%s@%J%s;lr%s>\r\n", sips ? "sips" : "sip",
				 token, &l->addr, sips ? "" : sip_transp_param(l->tp),
				 tx->target.by_node ? ";" TANDEM_PASSING : "");
}

/*
 * One URI when both sides can use it, two when they differ (RFC 5658), or when a
 * side needs its flow in it. The outer one, for the side we send to, comes first.
 */
static int write_record_routes(struct mbuf *mb, const struct tandem_branch *b,
			       const struct tandem_way *way)
{
	const struct tandem_tx *tx = b->tx;
	struct sides s;
	int err = 0;

	find_sides(&s, b, way);
	if (!s.in || !s.out)
		return EADDRNOTAVAIL;

	if (s.in != s.out || s.from.set || s.to.set)
		err = write_record_route(mb, tx, s.out, &s.to);

	return err ? err : write_record_route(mb, tx, s.in, &s.from);
}

static bool wants_record_route(const struct sip_msg *msg)
{
	static const char *const methods[] = { "INVITE", "SUBSCRIBE", "REFER" };
	size_t i;

	/* RFC 6665 section 4.3: on NOTIFY as well, it may be what creates the dialog */
	if (!pl_strcmp(&msg->met, "NOTIFY"))
		return true;
	if (pl_isset(&msg->to.tag))
		return false;
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!pl_strcmp(&msg->met, methods[i]))
			return true;
	}

	return false;
}

/* libre has written the first line and our Via: learn its branch, add the loop mark. */
static int mark_via(struct tandem_branch *b, struct mbuf *mb)
{
	const struct tandem_tx *tx = b->tx;
	struct pl id;

	if (re_regex((char *)mb->buf, mb->end, "\r\nVia: [^;]+;branch=[^;\r]+", NULL, &id) ||
	    mb->pos < 2)
		return EPROTO;
	tandem_branch_set_id(b, &id);

	mb->pos -= 2;
	mb->end = mb->pos;

	return mbuf_printf(mb, ";loop=%016llx\r\n",
			   (unsigned long long)tandem_token_loop(tx->ts->key, tx->msg));
}

/* RFC 5630 section 3.1.3: what is asked for by TLS goes by TLS, and to one who is so as well. */
static bool keeps_sips(const struct tandem_branch *b, enum sip_transp tp)
{
	bool asked = tandem_sip_is_sips(&b->tx->msg->ruri);
	struct pl ruri;

	pl_set_str(&ruri, tandem_branch_ruri(b));
	if (tandem_sip_is_sips(&ruri))
		return tp == SIP_TRANSP_TLS || tp == SIP_TRANSP_WSS;

	return !asked;
}

/* To another node: which binding of its own it is for, and that we have admitted it. */
static int write_node_route(struct mbuf *mb, const struct tandem_branch *b)
{
	const struct tandem_hop *hop = &tandem_branch_place(b)->hops[b->hop];
	char token[TANDEM_TOKEN_SIZE];

	if (!hop->remote)
		return 0;
	if (strncmp(hop->uri, "sip:", 4) ||
	    tandem_remote_write(token, b->tx->ts, &b->tx->msg->callid, hop->remote))
		return EHOSTUNREACH;

	return mbuf_printf(mb, "Route: <sip:%s@%s;lr>\r\n", token, hop->uri + 4);
}

static int write_headers(struct mbuf *mb, struct tandem_branch *b, const struct tandem_way *way,
			 bool has_body)
{
	const struct tandem_tx *tx = b->tx;
	unsigned int flags = has_body ? 0 : TANDEM_HEADER_DROP_BODY;
	int err = mark_via(b, mb);

	if (!err)
		err = tandem_header_request_vias(mb, tx->msg);
	if (!err && wants_record_route(tx->msg))
		err = write_record_routes(mb, b, way);
	if (!err)
		err = write_node_route(mb, b);
	if (!err)
		err = mbuf_write_str(mb, tandem_branch_routes(b));
	if (!err && tandem_branch_place(b)->credentials)
		err = mbuf_write_str(mb, tandem_branch_place(b)->credentials);
	if (!err)
		err = tandem_expires_write_request(mb, tx, &flags);
	if (!err && b->breadth) {
		flags |= TANDEM_HEADER_DROP_MAX_BREADTH;
		err = mbuf_printf(mb, "Max-Breadth: %u\r\n", b->breadth);
	}

	return err ? err : tandem_header_copy(mb, tx->msg, flags, tandem_auth_realm(tx->ts->auth));
}

/* What became of an ACK is not known, so there would be no second way for it. */
static bool may_change(const struct tandem_branch *b, const struct sa *src, const struct sa *dst)
{
	return pl_strcmp(&b->tx->msg->met, "ACK") && !tandem_branch_place(b)->hops[b->hop].flow &&
	       tandem_long_may_change(b->tx->ts, src, dst);
}

/* RFC 5922 section 4: who it has to be is who was asked for, not who was found in the end. */
static int expect_peer(const struct tandem_branch *b, const struct sa *src, const struct sa *dst)
{
	const struct tandem_place *place = tandem_branch_place(b);
	const struct tandem_sip *ts = b->tx->ts;
	const struct tandem_gateway *gw = tandem_gateway_find(ts->gateways, place->gateway);
	struct tandem_tls_peer peer = { .name = place->hops[b->hop].domain };

	if (!gw && !peer.name)
		gw = tandem_gateway_tls_at(ts->gateways, dst);
	if (gw)
		peer = (struct tandem_tls_peer){ gw->tls_name, gw->tls_files };

	return tandem_tls_peers_expect(tandem_sip_tls_peers(ts->tls), tandem_sip_stack(ts, src),
				       dst, &peer)
		       ? EHOSTUNREACH
		       : 0;
}

static int send_handler(enum sip_transp tp, const struct sa *src, const struct sa *dst,
			struct mbuf *mb, void *arg)
{
	struct tandem_branch *b = arg;
	const struct tandem_tx *tx = b->tx;
	const struct mbuf *out = NULL;
	struct tandem_way way;
	struct pl body, sdp;
	bool has_sdp;
	int err;

	b->composed = true;
	if (!tandem_sip_may_send(src, dst))
		return EACCES;
	err = tandem_sip_way(&way, tx->ts, tp, src, dst);
	if (err)
		return err;
	b->dst = way.addr;
	if (!keeps_sips(b, way.tp))
		return EPROTONOSUPPORT;
	if (way.tp == SIP_TRANSP_TLS && expect_peer(b, src, dst))
		return EHOSTUNREACH;
	err = tandem_body_get(&body, tx->msg);
	if (err)
		return -err;
	has_sdp = tandem_body_find_sdp(&sdp, &body, &tx->msg->ctyp);
	err = tandem_media_request(b, &b->dst, has_sdp ? &sdp : NULL, &out);
	if (err && err != -ENODATA) {
		b->session_err = err;
		return EPROTO;
	}
	if (err == -ENODATA)
		body = pl_null;

	err = write_headers(mb, b, &way, body.p != NULL);
	if (!err)
		err = tandem_body_write(mb, &body, &sdp, out);
	b->too_long = !err && way.tp == SIP_TRANSP_UDP && may_change(b, src, dst) &&
		      tandem_long_is(mb->end, dst);
	if (b->too_long)
		return EMSGSIZE;
	if (!err)
		tandem_record_sent(b, way.tp);

	return err;
}

static int request(struct tandem_branch *b, const char *to)
{
	const struct tandem_place *place = tandem_branch_place(b);
	const struct sip_msg *msg = b->tx->msg;
	bool stateful = pl_strcmp(&msg->met, "ACK");
	struct mbuf *empty = mbuf_alloc(1);
	struct sip *sip = NULL;
	char *text = NULL;
	struct uri uri;
	struct pl pl;
	int err = empty ? 0 : ENOMEM;

	if (!err)
		err = tandem_sip_hop_uri(&text, &sip, b->tx->ts, to, &place->hops[b->hop].local);
	if (!err) {
		pl_set_str(&pl, text);
		err = uri_decode(&uri, &pl);
	}
	if (!err)
		err = sip_request(&b->req, sip, stateful, msg->met.p, (int)msg->met.l,
				  tandem_branch_ruri(b), -1, &uri, empty, 0, send_handler,
				  stateful ? tandem_response_handler : NULL, b);
	tandem_tls_peers_expected();
	mem_deref(empty);
	mem_deref(text);
	if (!err)
		b->running = stateful;

	return err;
}

static void tcp_quiet_handler(void *arg)
{
	struct tandem_branch *b = arg;
	struct tandem_log_scope scope;
	const char *call_id = b->tx->call_id;

	tandem_log_enter(&scope, call_id, strlen(call_id));
	if (b->running && b->by_tcp && !b->heard && !tandem_forward_again(b) && !b->canceled &&
	    !b->given_up)
		tandem_fork_ended(b, 408, NULL, NULL);
	tandem_log_leave(&scope);
}

static int request_by_tcp(struct tandem_branch *b)
{
	char *hop = NULL;
	int err = -tandem_sip_hop(&hop, SIP_TRANSP_TCP, &b->dst);

	if (!err)
		err = request(b, hop);
	mem_deref(hop);
	if (err)
		return err;
	b->by_tcp = true;
	if (b->tx->invite)
		tmr_start(&b->tmr_tcp, TCP_QUIET_MS, tcp_quiet_handler, b);

	return 0;
}

int tandem_forward(struct tandem_branch *b)
{
	const char *hop = tandem_branch_place(b)->hops[b->hop].uri;
	int err;

	b->too_long = false;
	err = request(b, hop);
	if (!b->too_long)
		return err;

	err = request_by_tcp(b);
	if (err && !b->session_err) {
		tandem_long_refused(b->tx->ts, &b->dst);
		err = request(b, hop);
	}

	return err;
}

bool tandem_forward_again(struct tandem_branch *b)
{
	if (!b->by_tcp || b->heard || b->canceled || b->given_up)
		return false;
	tandem_log(TANDEM_LOG_INFO, "sip", "%s: too long for UDP, but %s does not take TCP",
		   b->tx->call_id, tandem_branch_place(b)->hops[b->hop].uri);
	tmr_cancel(&b->tmr_tcp);
	b->by_tcp = false;
	tandem_long_refused(b->tx->ts, &b->dst);
	b->req = mem_deref(b->req);

	return !tandem_forward(b);
}
