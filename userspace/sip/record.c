/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/record.h"

#include "userspace/cdr/cdr.h"
#include "userspace/sip/auth.h"

#define CAUSE_MAX 256

struct texts {
	char *call_id;
	char *from;
	char *to;
	char *uri;
	char *agent;
	char address[64];
};

static void texts_clean(struct texts *t)
{
	mem_deref(t->call_id);
	mem_deref(t->from);
	mem_deref(t->to);
	mem_deref(t->uri);
	mem_deref(t->agent);
}

static int read_texts(struct texts *t, const struct sip_msg *msg)
{
	const struct sip_hdr *agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
	int err;

	err = pl_strdup(&t->call_id, &msg->callid);
	err |= pl_strdup(&t->from, &msg->from.auri);
	err |= pl_strdup(&t->to, &msg->to.auri);
	err |= pl_strdup(&t->uri, &msg->ruri);
	if (agent)
		err |= pl_strdup(&t->agent, &agent->val);
	if (re_snprintf(t->address, sizeof(t->address), "%J", &msg->src) < 0)
		t->address[0] = '\0';

	return err;
}

static bool is_call(const struct sip_msg *msg)
{
	return !pl_strcmp(&msg->met, "INVITE") && !pl_isset(&msg->to.tag);
}

/* code 0: the attempt goes on. */
static void attempt(const struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code)
{
	struct texts t = { 0 };

	if (!ts->cfg.cdr)
		return;
	if (!read_texts(&t, msg)) {
		const struct tandem_cdr_call call = {
			.call_id = t.call_id,
			.from = t.from,
			.to = t.to,
			.uri = t.uri,
			.user = tandem_auth_user(ts->auth),
			.address = t.address,
			.transport = sip_transp_name(tandem_sip_tp(ts, msg)),
			.agent = t.agent,
		};

		if (code)
			tandem_cdr_refused(ts->cfg.cdr, &call, code, tandem_sip_reason(code));
		else
			tandem_cdr_begin(ts->cfg.cdr, &call);
	}
	texts_clean(&t);
}

void tandem_record_begin(const struct tandem_tx *tx)
{
	if (tx->initial)
		attempt(tx->ts, tx->msg, 0);
}

void tandem_record_refused(const struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code)
{
	if (is_call(msg))
		attempt(ts, msg, code);
}

void tandem_record_sent(const struct tandem_branch *b, enum sip_transp tp)
{
	const struct tandem_place *place = tandem_branch_place(b);
	char address[64];

	if (b->tx->initial && re_snprintf(address, sizeof(address), "%J", &b->dst) > 0)
		tandem_cdr_branch(b->tx->ts->cfg.cdr, b->tx->call_id, tandem_branch_ruri(b),
				  address, sip_transp_name(tp),
				  place->gateway ? place->gateway : "");
}

void tandem_record_branch(const struct tandem_branch *b, uint16_t code)
{
	char address[64];

	if (b->tx->initial && re_snprintf(address, sizeof(address), "%J", &b->dst) > 0)
		tandem_cdr_branch_status(b->tx->ts->cfg.cdr, b->tx->call_id, address, code);
}

void tandem_record_response(const struct tandem_tx *tx, const struct sip_msg *msg, uint16_t code)
{
	char reason[128];

	if (!tx->initial)
		return;
	if (pl_strcpy(&msg->reason, reason, sizeof(reason)))
		reason[0] = '\0';
	tandem_cdr_status(tx->ts->cfg.cdr, tx->call_id, code,
			  code == msg->scode ? reason : tandem_sip_reason(code));
}

void tandem_record_status(const struct tandem_tx *tx, uint16_t code)
{
	if (tx->initial)
		tandem_cdr_status(tx->ts->cfg.cdr, tx->call_id, code, tandem_sip_reason(code));
}

void tandem_record_cancel(const struct tandem_tx *tx)
{
	if (tx->initial)
		tandem_cdr_hangup(tx->ts->cfg.cdr, tx->call_id, "caller", "");
}

void tandem_record_bye(const struct tandem_sip *ts, const struct sip_msg *msg,
		       enum tandem_party_id party)
{
	const struct sip_hdr *hdr = sip_msg_xhdr(msg, "Reason");
	char call_id[256], cause[CAUSE_MAX] = "";
	struct pl pl;

	if (!ts->cfg.cdr || tandem_sip_copy(call_id, sizeof(call_id), &msg->callid))
		return;
	if (hdr) {
		pl = hdr->val;
		pl.l = MIN(pl.l, sizeof(cause) - 1);
		(void)pl_strcpy(&pl, cause, sizeof(cause));
	}
	tandem_cdr_hangup(ts->cfg.cdr, call_id, party == TANDEM_PARTY_A ? "caller" : "callee",
			  cause);
}
