/* SPDX-License-Identifier: GPL-2.0-only */
/* Dialogs, which a proxy only looks at, but for those that it has to end itself. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/local.h"
#include "userspace/sip/token.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

#define ROUTES_MAX 32

struct early {
	const struct pl *tag; /* of the callee */
	const struct pl *from;
};

static bool has_early(struct tandem_branch *b, void *arg)
{
	const struct early *e = arg;

	return b->tx->initial && b->session && b->opened && !pl_strcmp(e->from, b->tx->from_tag) &&
	       tandem_branch_has_tag(b, e->tag);
}

/* One of several early dialogs: the branch has them all, the session only the last of each. */
static const char *find_early(const struct tandem_sip *ts, const char *call_id,
			      const struct sip_msg *msg, enum tandem_party_id *party)
{
	struct early by_a = { .tag = &msg->to.tag, .from = &msg->from.tag };
	struct early by_b = { .tag = &msg->from.tag, .from = &msg->to.tag };
	const struct tandem_branch *b;

	*party = TANDEM_PARTY_A;
	b = tandem_tx_find_branch(ts, call_id, has_early, &by_a);
	if (!b) {
		*party = TANDEM_PARTY_B;
		b = tandem_tx_find_branch(ts, call_id, has_early, &by_b);
	}

	/* once it is confirmed, its tag alone counts */
	return b && !b->accepted ? b->session : NULL;
}

const char *tandem_sip_party(const struct tandem_sip *ts, const struct sip_msg *msg,
			     enum tandem_party_id *party)
{
	char *call_id = NULL, *from = NULL, *to = NULL;
	const char *session = NULL;
	int err;

	err = pl_strdup(&call_id, &msg->callid);
	if (!err)
		err = pl_strdup(&from, &msg->from.tag);
	if (!err && pl_isset(&msg->to.tag))
		err = pl_strdup(&to, &msg->to.tag);
	if (!err && to)
		session = find_early(ts, call_id, msg, party);
	if (!err && !session)
		session = tandem_session_dialog(ts->ss, TANDEM_OWNER_SIP, call_id, from, to, party);
	mem_deref(call_id);
	mem_deref(from);
	mem_deref(to);

	return session;
}

/* What a request of ours within the dialog of a 2xx is made of. */
struct ending {
	const struct tandem_sip *ts;
	const struct sip_msg *invite;
	const struct sip_msg *response;
	const char *method;
	struct pl routes[ROUTES_MAX]; /* of the proxies behind us, the last comes first */
	size_t routes_count;
};

/* The Record-Routes above ours were added behind us, those below before us. */
static bool route_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct ending *e = arg;
	struct tandem_flow flow;
	struct sip_addr addr;

	if (e->routes_count >= ROUTES_MAX || sip_addr_decode(&addr, &hdr->val))
		return true;
	if (tandem_sip_is_local(e->ts, &addr.uri) &&
	    !tandem_token_read(&flow, e->ts->key, &msg->callid, &addr.uri.user))
		return true;
	e->routes[e->routes_count++] = hdr->val;

	return false;
}

static int write_ending(enum sip_transp tp, const struct sa *src, const struct sa *dst,
			struct mbuf *mb, void *arg)
{
	const struct ending *e = arg;
	const struct sip_hdr *from = sip_msg_hdr(e->invite, SIP_HDR_FROM);
	const struct sip_hdr *to = sip_msg_hdr(e->response, SIP_HDR_TO);
	bool ack = !str_cmp(e->method, "ACK");
	size_t i;
	int err = 0;

	(void)tp;
	(void)src;
	(void)dst;
	if (!from || !to)
		return EBADMSG;

	for (i = e->routes_count; i > 0; i--)
		err |= mbuf_printf(mb, "Route: %r\r\n", &e->routes[i - 1]);
	err |= mbuf_printf(mb,
			   "Max-Forwards: 70\r\nFrom: %r\r\nTo: %r\r\nCall-ID: %r\r\n"
			   "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
			   &from->val, &to->val, &e->invite->callid,
			   e->invite->cseq.num + (ack ? 0 : 1), e->method);

	return err;
}

/* Whatever comes of it: there is nobody to tell. */
static void ignore_response(int err, const struct sip_msg *msg, void *arg)
{
	(void)err;
	(void)msg;
	(void)arg;
}

/*
 * Sent to where the response came from: a literal address, so that everything is
 * written before this returns, and the way back over a flow is the right one.
 */
static int send_ending(struct ending *e)
{
	const struct sip_msg *msg = e->response;
	const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	bool stateful = str_cmp(e->method, "ACK") != 0;
	const struct sa any = { .len = 0 };
	struct sip *sip = tandem_sip_stack(e->ts, &msg->dst);
	enum sip_transp tp = tandem_sip_tp(e->ts, msg);
	char *ruri = NULL, *flow = NULL, *hop = NULL;
	struct mbuf *empty = mbuf_alloc(1);
	struct sip_addr addr;
	struct uri uri;
	struct pl pl;
	int err;

	if (!empty || !contact || sip_addr_decode(&addr, &contact->val) ||
	    !tandem_sip_uri_clean(&addr.auri)) {
		mem_deref(empty);
		return -EBADMSG;
	}

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_RECORD_ROUTE, route_handler, e);
	err = -pl_strdup(&ruri, &addr.auri);
	if (!err)
		err = tandem_sip_hop(&flow, tp, &msg->src);
	if (!err)
		err = -tandem_sip_hop_uri(&hop, &sip, e->ts, flow,
					  tp == msg->tp ? &msg->dst : &any);
	if (!err) {
		pl_set_str(&pl, hop);
		err = -uri_decode(&uri, &pl);
	}
	if (!err)
		err = -sip_request(NULL, sip, stateful, e->method, -1, ruri, -1, &uri, empty, 0,
				   write_ending, stateful ? ignore_response : NULL, e);
	mem_deref(empty);
	mem_deref(ruri);
	mem_deref(flow);
	mem_deref(hop);

	return err;
}

static void end_2xx(struct tandem_sip *ts, const struct sip_msg *invite,
		    const struct sip_msg *response, const char *method)
{
	struct ending e = { .ts = ts, .invite = invite, .response = response, .method = method };
	int err = send_ending(&e);

	if (err)
		tandem_log(TANDEM_LOG_WARNING, "sip", "%s to a callee without a call: %s", method,
			   strerror(-err));
}

void tandem_sip_ack_2xx(struct tandem_sip *ts, const struct sip_msg *invite,
			const struct sip_msg *response)
{
	end_2xx(ts, invite, response, "ACK");
}

void tandem_sip_bye_2xx(struct tandem_sip *ts, const struct sip_msg *invite,
			const struct sip_msg *response)
{
	end_2xx(ts, invite, response, "BYE");
}
