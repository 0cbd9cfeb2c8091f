/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing and sending a forwarded request: RFC 3261 section 16.6. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/body.h"
#include "userspace/sip/gateway.h"
#include "userspace/sip/header.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

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

static bool target_is_reachable(const struct tandem_tx *tx, const struct sa *dst)
{
	struct uri uri;
	struct pl pl;

	pl_set_str(&pl, tandem_tx_place(tx)->ruri);

	return !uri_decode(&uri, &pl) && tandem_sip_host_is(&uri.host, dst);
}

static void find_sides(struct sides *s, const struct tandem_tx *tx, enum sip_transp tp,
		       const struct sa *src, const struct sa *dst)
{
	const struct sip_msg *msg = tx->msg;

	memset(s, 0, sizeof(*s));
	s->in = tandem_sip_listener_find(tx->ts, msg->tp, &msg->dst);
	s->out = tandem_sip_listener_find(tx->ts, tp, src);

	/* a further proxy, known by its Route, looks after its own peers */
	if (tandem_sip_is_stream(msg->tp) || !contact_is_reachable(msg))
		s->from = (struct tandem_flow){ true, msg->tp, msg->src };
	if (!*tandem_tx_place(tx)->routes &&
	    (tandem_sip_is_stream(tp) || !target_is_reachable(tx, dst)))
		s->to = (struct tandem_flow){ true, tp, *dst };
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
		   : mbuf_printf(mb, "Record-Route: <%s:%s@%J%s;lr>\r\n", sips ? "sips" : "sip",
				 token, &l->addr, sips ? "" : sip_transp_param(l->tp));
}

/*
 * One URI when both sides can use it, two when they differ (RFC 5658), or when a
 * side needs its flow in it. The outer one, for the side we send to, comes first.
 */
static int write_record_routes(struct mbuf *mb, const struct tandem_tx *tx, enum sip_transp tp,
			       const struct sa *src, const struct sa *dst)
{
	struct sides s;
	int err = 0;

	find_sides(&s, tx, tp, src, dst);
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
static int mark_via(struct tandem_tx *tx, struct mbuf *mb)
{
	struct pl branch;

	if (re_regex((char *)mb->buf, mb->end, "\r\nVia: [^;]+;branch=[^;\r]+", NULL, &branch) ||
	    mb->pos < 2)
		return EPROTO;
	tandem_tx_set_branch(tx, &branch);

	mb->pos -= 2;
	mb->end = mb->pos;

	return mbuf_printf(mb, ";loop=%016llx\r\n",
			   (unsigned long long)tandem_token_loop(tx->ts->key, tx->msg));
}

/* RFC 5630 section 3.1.3: what is asked for by TLS goes by TLS, and to one who is so as well. */
static bool keeps_sips(const struct tandem_tx *tx, enum sip_transp tp)
{
	bool asked = tandem_sip_is_sips(&tx->msg->ruri);
	struct pl ruri;

	pl_set_str(&ruri, tandem_tx_place(tx)->ruri);
	if (tandem_sip_is_sips(&ruri))
		return tp == SIP_TRANSP_TLS;

	return !asked;
}

static int send_handler(enum sip_transp tp, const struct sa *src, const struct sa *dst,
			struct mbuf *mb, void *arg)
{
	struct tandem_tx *tx = arg;
	const struct mbuf *out = NULL;
	struct pl body, sdp;
	bool has_sdp;
	int err;

	tx->composed = true;
	if (!tandem_sip_may_send(src, dst))
		return EACCES;
	if (!keeps_sips(tx, tp))
		return EPROTONOSUPPORT;
	err = tandem_body_get(&body, tx->msg);
	if (err)
		return -err;
	has_sdp = tandem_body_find_sdp(&sdp, &body, &tx->msg->ctyp);
	err = tandem_media_request(tx, dst, has_sdp ? &sdp : NULL, &out);
	if (err && err != -ENODATA) {
		tx->session_err = err;
		return EPROTO;
	}
	if (err == -ENODATA)
		body = pl_null;

	err = mark_via(tx, mb);
	if (!err)
		err = tandem_header_request_vias(mb, tx->msg);
	if (!err && wants_record_route(tx->msg))
		err = write_record_routes(mb, tx, tp, src, dst);
	if (!err)
		err = mbuf_write_str(mb, tandem_tx_place(tx)->routes);
	if (!err)
		err = tandem_header_copy(mb, tx->msg, body.p ? 0 : TANDEM_HEADER_DROP_BODY,
					 tandem_auth_realm(tx->ts->auth));

	if (!err)
		tandem_record_sent(tx, tp, dst);

	return err ? err : tandem_body_write(mb, &body, &sdp, out);
}

/* A name is not resolved yet: what it is sent from then is the default route's choice. */
static struct sip *choose_stack(const struct tandem_sip *ts, const struct tandem_hop *hop,
				const struct uri *uri)
{
	struct sa dst;

	if (sa_isset(&hop->local, SA_ADDR))
		return tandem_sip_stack(ts, &hop->local);

	return tandem_sip_stack_to(ts, sa_set(&dst, &uri->host, SIP_PORT) ? NULL : &dst);
}

static int send_to_hop(struct tandem_tx *tx, const struct tandem_hop *hop)
{
	bool stateful = pl_strcmp(&tx->msg->met, "ACK");
	struct mbuf *empty = mbuf_alloc(1);
	struct uri uri;
	struct pl pl;
	int err;

	if (!empty)
		return ENOMEM;

	pl_set_str(&pl, hop->uri);
	err = uri_decode(&uri, &pl);
	if (!err)
		err = sip_request(&tx->req, choose_stack(tx->ts, hop, &uri), stateful,
				  tx->msg->met.p, (int)tx->msg->met.l, tandem_tx_place(tx)->ruri,
				  -1, &uri, empty, 0, send_handler,
				  stateful ? tandem_response_handler : NULL, tx);
	mem_deref(empty);

	return err;
}

static void next_hop(struct tandem_tx *tx)
{
	const struct tandem_place *place = tandem_tx_place(tx);

	if (++tx->hop < place->hops_count)
		return;
	tx->hop = 0;
	tx->place++;
}

static void quiet_handler(void *arg)
{
	struct tandem_tx *tx = arg;

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: not a word from %s", tx->call_id,
		   tandem_tx_place(tx)->hops[tx->hop].uri);
	/* libre cancels what it has sent, should that still be answered */
	tx->req = mem_deref(tx->req);
	if (!tandem_forward_again(tx, 0))
		tandem_tx_fail(tx, 408, NULL);
}

/* A gateway that is dead should not cost the caller the 32 s of timer B, if there is another. */
static void watch(struct tandem_tx *tx)
{
	const struct tandem_place *place = tandem_tx_place(tx);
	bool last = tx->hop + 1 >= place->hops_count && tx->place + 1 >= tx->target.places_count;

	if (tx->st && tx->invite && place->quiet_ms && !last)
		tmr_start(&tx->tmr_quiet, place->quiet_ms, quiet_handler, tx);
}

bool tandem_forward(struct tandem_tx *tx)
{
	const struct tandem_place *place;
	char warning[160];
	int err = EHOSTUNREACH;

	for (; (place = tandem_tx_place(tx)); next_hop(tx)) {
		err = send_to_hop(tx, &place->hops[tx->hop]);
		if (!err) {
			watch(tx);
			return true;
		}
		if (tx->session_err)
			break;
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s cannot be reached: %s", tx->call_id,
			   place->hops[tx->hop].uri, strerror(err));
		if (tx->hop + 1 >= place->hops_count)
			tandem_gateway_outcome(tx->ts, place->gateway, 0);
	}

	if (tx->session_err)
		tandem_tx_fail(
			tx, tandem_sip_code(tx->session_err),
			tandem_sip_warning(tx->ts, tx->session_err, warning, sizeof(warning)));
	else if (err == EPROTONOSUPPORT && tandem_sip_is_sips(&tx->msg->ruri))
		tandem_tx_fail(tx, 480, "Warning: 380 tandem \"SIPS Not Allowed\"\r\n");
	else
		tandem_tx_fail(tx, err == EACCES ? 403 : 500, NULL);

	return false;
}

/* Nothing but what is of this hop alone has gone upstream, and nobody wants it to end. */
static bool is_open(const struct tandem_tx *tx)
{
	return tx->st && !tx->canceled && !tx->override && !tx->session_err && !tx->to_tag &&
	       tx->media != TANDEM_MEDIA_ANSWERED && tx->media != TANDEM_MEDIA_LATE_OFFERED &&
	       tx->media != TANDEM_MEDIA_LATE_ANSWERED;
}

bool tandem_forward_again(struct tandem_tx *tx, uint16_t code)
{
	const struct tandem_place *place = tandem_tx_place(tx);
	bool lost = !code || code == 503; /* RFC 3263 section 4.3 */
	bool unable = lost || code == 408 || (code >= 500 && code < 600);
	bool more;

	tmr_cancel(&tx->tmr_quiet);
	if (!place)
		return false;
	more = lost && tx->hop + 1 < place->hops_count;
	if (!more && !tx->canceled && !tx->override)
		tandem_gateway_outcome(tx->ts, place->gateway, code);
	if (!is_open(tx))
		return false;
	if (!more && unable && tx->place + 1 < tx->target.places_count &&
	    tx->target.places[tx->place + 1].stand_in) {
		tx->hop = place->hops_count;
		more = true;
	}
	if (!more)
		return false;

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: %u from %s: tried elsewhere", tx->call_id, code,
		   place->hops[MIN(tx->hop, place->hops_count - 1)].uri);
	next_hop(tx);
	/* the next may be reached from another address of ours, or be owed another kind of media */
	tandem_media_failed(tx, "tried elsewhere");
	tandem_sdp_edit_clean(&tx->request);
	(void)tandem_forward(tx);

	return true;
}
