/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests on their way: the checks of RFC 3261 section 16.3, then 16.4 to 16.6. */
#include <errno.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/expires.h"
#include "userspace/sip/header.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/redirect.h"
#include "userspace/sip/search.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

/* RFC 4320 section 4.1: when timer E of the client has come to T2, and not before. */
#define TRYING_MS (7 * SIP_T1)

/* What our earlier passes left in the Via stack. */
struct trace {
	const struct tandem_sip *ts;
	uint64_t loop;
	bool looped; /* the same request was here before */
	bool spiral; /* it was here, and has changed since */
};

static bool via_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct trace *t = arg;
	struct sip_via via = { .tp = SIP_TRANSP_NONE };
	const struct tandem_listener *l;
	struct pl loop;
	size_t i;

	(void)msg;
	/* the address alone proves nothing: anybody can write it */
	if (sip_via_decode(&via, &hdr->val) || msg_param_decode(&via.params, "loop", &loop) ||
	    !tandem_token_loop_is_ours(pl_x64(&loop), t->loop))
		return false;

	for (i = 0; i < t->ts->listeners_count; i++) {
		l = &t->ts->listeners[i];
		if (l->tp != via.tp || !sa_cmp(&l->addr, &via.addr, SA_ALL))
			continue;
		t->spiral = true;
		if (pl_x64(&loop) == t->loop)
			t->looped = true;
	}

	return t->looped;
}

static struct trace trace_vias(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct trace t = { .ts = ts, .loop = tandem_token_loop(ts->key, msg) };

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_VIA, via_handler, &t);

	return t;
}

static bool unsupported_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)mbuf_printf(arg, "Unsupported: %r\r\n", &hdr->val);

	return false;
}

/* We understand no Proxy-Require option: all of them are refused. */
static void refuse_extension(struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct mbuf *mb = mbuf_alloc(64);
	char *text = NULL;

	if (!mb)
		return;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_REQUIRE, unsupported_handler, mb);
	if (!re_sdprintf(&text, "%b", mb->buf, mb->end))
		tandem_sip_refuse(ts, msg, 420, text);
	mem_deref(text);
	mem_deref(mb);
}

static void answer_local(struct tandem_sip *ts, const struct sip_msg *msg)
{
	if (!pl_strcmp(&msg->met, "OPTIONS"))
		tandem_sip_refuse(ts, msg, 200,
				  "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, MESSAGE, "
				  "REFER, NOTIFY, SUBSCRIBE, OPTIONS, REGISTER\r\n"
				  "Accept: application/sdp\r\n"
				  "Supported: path, outbound\r\n");
	else
		tandem_sip_refuse(ts, msg, 404, NULL);
}

/* RFC 3261 section 9.2: it is without effect on anything but an INVITE. */
static void cancel_handler(void *arg)
{
	struct tandem_tx *tx = arg;

	if (tx->invite)
		tandem_fork_cancel(tx);
}

static void trying_handler(void *arg)
{
	struct tandem_tx *tx = arg;

	if (tx->st)
		(void)sip_treply(&tx->st, tx->in, tx->msg, 100, "Trying");
}

/* Whoever asked has to know that we are there, before it takes us for dead. */
static void start_trying(struct tandem_tx *tx)
{
	if (tx->invite)
		trying_handler(tx);
	else
		tmr_start(&tx->tmr_trying, TRYING_MS, trying_handler, tx);
}

/* A BYE of a party of the dialog ends the session, whatever becomes of the BYE. */
static void end_session(struct tandem_sip *ts, const struct sip_msg *msg)
{
	enum tandem_party_id party;
	const char *session = tandem_sip_party(ts, msg, &party);
	char *name;

	if (!session || str_dup(&name, session))
		return;

	tandem_record_bye(ts, msg, party);
	(void)tandem_session_end(ts->ss, name,
				 party == TANDEM_PARTY_A ? "BYE from A" : "BYE from B");
	mem_deref(name);
}

static void send_on(struct tandem_tx *tx)
{
	if (!pl_strcmp(&tx->msg->met, "ACK"))
		tandem_fork_ack(tx);
	else if (tx->ts->cfg.redirect && !pl_isset(&tx->msg->to.tag))
		tandem_redirect_answer(tx);
	else
		tandem_fork_start(tx);
}

static void searched(int code, void *arg)
{
	struct tandem_tx *tx = arg;

	if (code)
		tandem_tx_fail(tx, (uint16_t)code, NULL);
	else
		send_on(tx);
}

/* At once where no name has to be resolved. */
static void find_and_forward(struct tandem_tx *tx)
{
	int code = tandem_search_start(&tx->search, tx->ts, &tx->target, searched, tx);

	if (code != -EINPROGRESS)
		searched(code, tx);
}

static void start(struct tandem_sip *ts, const struct sip_msg *msg, struct tandem_target *target,
		  bool spiral)
{
	bool bye = !pl_strcmp(&msg->met, "BYE");
	struct tandem_tx *tx;
	uint16_t code;

	tx = tandem_tx_alloc(ts, msg, target);
	if (!tx) {
		tandem_sip_refuse(ts, msg, 500, NULL);
		return;
	}

	code = tandem_media_classify(tx, spiral);
	if (!code && sip_strans_alloc(&tx->st, tx->in, msg, cancel_handler, tx))
		code = 500;
	if (code) {
		tandem_sip_refuse(ts, msg, code, NULL);
		tandem_record_refused(ts, msg, code);
		tandem_tx_finish(tx, false);
		return;
	}
	tx->as_user = *tandem_auth_user(ts->auth) != '\0';
	tandem_record_begin(tx);

	start_trying(tx);
	find_and_forward(tx);
	if (bye && !spiral)
		end_session(ts, msg);
}

/* With a record, where it is a call that is refused. */
static void refuse(struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code,
		   const char *headers)
{
	tandem_sip_refuse(ts, msg, code, headers);
	tandem_record_refused(ts, msg, code);
}

/* RFC 4028 section 8.1; who comes round a second time was asked the first time. */
static bool refuse_interval(struct tandem_sip *ts, const struct sip_msg *msg, bool spiral)
{
	struct tandem_expires e = tandem_expires_plan(ts, msg);
	char headers[32];

	if (!e.too_small || spiral)
		return false;
	(void)re_snprintf(headers, sizeof(headers), "Min-SE: %u\r\n", ts->cfg.min_se_s);
	refuse(ts, msg, 422, headers);

	return true;
}

void tandem_sip_proxy(struct tandem_sip *ts, const struct sip_msg *msg)
{
	int code, max_forwards = tandem_header_max_forwards(msg);
	struct trace trace = trace_vias(ts, msg);
	uint32_t contacts = 0;
	struct tandem_target target;
	bool in_dialog;

	code = tandem_target_resolve(&target, ts, msg);
	/* our route alone does not make a dialog: who was called once has it as well */
	in_dialog = (target.trusted && pl_isset(&msg->to.tag)) || target.by_node;
	if (!in_dialog && (tandem_auth_flood(ts->auth, msg) || tandem_sip_drained(ts, msg)))
		goto out;

	if (max_forwards < 0)
		tandem_sip_refuse(ts, msg, 400, NULL);
	else if (!code && target.local)
		answer_local(ts, msg);
	else if (!max_forwards)
		tandem_sip_refuse(ts, msg, 483, NULL);
	else if (trace.looped)
		tandem_sip_refuse(ts, msg, 482, NULL);
	else if (!code && target.needs_user && !tandem_auth_admit_user(ts->auth, msg))
		goto out;
	else if (!in_dialog && !target.needs_user && !tandem_auth_admit(ts->auth, msg, &contacts))
		goto out;
	else if (sip_msg_hdr(msg, SIP_HDR_PROXY_REQUIRE))
		refuse_extension(ts, msg);
	else if (code)
		refuse(ts, msg, code < 0 ? 500 : (uint16_t)code, NULL);
	else if (ts->active >= ts->cfg.max_transactions)
		refuse(ts, msg, 503, "Retry-After: 10\r\n");
	else if (!refuse_interval(ts, msg, trace.spiral))
		start(ts, msg, &target, trace.spiral);

out:
	tandem_target_clean(&target);
}

void tandem_sip_proxy_ack(struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct trace trace = trace_vias(ts, msg);
	struct tandem_target target;
	struct tandem_tx *tx = NULL;
	int code;

	if (!tandem_target_resolve(&target, ts, msg) && !target.local && !trace.looped &&
	    tandem_header_max_forwards(msg) > 0 && ts->active < ts->cfg.max_transactions)
		tx = tandem_tx_alloc(ts, msg, &target);
	tandem_target_clean(&target);
	if (!tx)
		return;

	(void)tandem_media_classify(tx, trace.spiral);
	code = tandem_search_start(&tx->search, ts, &tx->target, searched, tx);
	if (!code)
		tandem_fork_ack(tx);
	/* libre needs it no more, but for a name that is being resolved */
	tandem_tx_finish(tx, code == -EINPROGRESS);
}
