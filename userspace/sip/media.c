/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/media.h"
#include "userspace/util/log.h"

static bool is_method(const struct tandem_tx *tx, const char *method)
{
	return !pl_strcmp(&tx->msg->met, method);
}

static enum tandem_party_id other(enum tandem_party_id party)
{
	return party == TANDEM_PARTY_A ? TANDEM_PARTY_B : TANDEM_PARTY_A;
}

uint16_t tandem_media_classify(struct tandem_tx *tx, bool spiral)
{
	bool in_dialog = pl_isset(&tx->msg->to.tag);
	struct tandem_sessions *ss = tx->ts->ss;

	/* who comes round a second time was anchored the first time */
	if (spiral)
		return 0;

	if (is_method(tx, "INVITE") && !in_dialog) {
		/* merged requests, and a Call-ID that would take over another call */
		if (tandem_session_find(ss, tx->call_id))
			return 482;
		tx->initial = true;
		tx->anchored = true;
		tx->party = TANDEM_PARTY_A;
		return 0;
	}
	if (!in_dialog)
		return 0;

	tx->anchored = !tandem_sip_party(tx->ts, tx->msg, &tx->party);
	if (!tx->anchored && (is_method(tx, "INVITE") || is_method(tx, "UPDATE")))
		return 481;

	return 0;
}

static int session_open(struct tandem_tx *tx)
{
	char *from = NULL, *to = NULL;
	struct tandem_dialog dialog = { .call_id = tx->call_id,
					.from_tag = tx->from_tag,
					.to_tag = tx->to_tag };
	int err;

	err = -pl_strdup(&from, &tx->msg->from.auri);
	if (!err)
		err = -pl_strdup(&to, &tx->msg->to.auri);
	if (!err) {
		dialog.from_uri = from;
		dialog.to_uri = to;
		err = tandem_session_open(tx->ts->ss, &dialog);
	}
	mem_deref(from);
	mem_deref(to);

	return err;
}

static bool is_same(const struct tandem_sdp_edit *edit, const struct pl *sdp)
{
	return edit->out && edit->in->end == sdp->l && !memcmp(edit->in->buf, sdp->p, sdp->l);
}

static struct mbuf *keep(const char *p, size_t len)
{
	struct mbuf *mb = mbuf_alloc(len ? len : 1);

	if (mb && mbuf_write_mem(mb, (const uint8_t *)p, len))
		mb = mem_deref(mb);

	return mb;
}

struct exchange {
	enum tandem_party_id party;
	bool offer;
	const struct sa *src;
	const struct sa *dst;
	const struct pl *sdp;
};

/* Give the SDP to the session, and keep what it says in edit. */
static int apply(const struct tandem_tx *tx, const struct exchange *x, struct tandem_sdp_edit *edit)
{
	struct tandem_sessions *ss = tx->ts->ss;
	struct tandem_signal sig = { 0 };
	char *out = NULL;
	size_t len = 0;
	int err;

	err = tandem_sip_endpoint(&sig.source, x->src);
	if (!err)
		err = tandem_sip_endpoint(&sig.target, x->dst);
	sig.source_security = tandem_sessions_security(ss, &sig.source);
	sig.target_security = tandem_sessions_security(ss, &sig.target);
	if (!err)
		err = x->offer ? tandem_session_offer(ss, tx->call_id, x->party, &sig, x->sdp->p,
						      x->sdp->l, &out, &len)
			       : tandem_session_answer(ss, tx->call_id, x->party, &sig, x->sdp->p,
						       x->sdp->l, &out, &len);
	if (err) {
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s from %c: %s", tx->call_id,
			   x->offer ? "offer" : "answer", x->party == TANDEM_PARTY_A ? 'A' : 'B',
			   strerror(-err));
		return err;
	}

	mem_deref(edit->in);
	mem_deref(edit->out);
	edit->in = keep(x->sdp->p, x->sdp->l);
	edit->out = keep(out, len);
	free(out);
	if (!edit->in || !edit->out) {
		edit->in = mem_deref(edit->in);
		edit->out = mem_deref(edit->out);
		return -ENOMEM;
	}

	return 0;
}

static bool offer_pending(struct tandem_tx *tx, void *arg)
{
	return tx != arg && tx->anchored &&
	       (tx->media == TANDEM_MEDIA_OFFERED || tx->media == TANDEM_MEDIA_LATE_OFFERED);
}

struct late {
	const struct tandem_tx *request;
	bool ack;
};

/* The INVITE that the ACK or PRACK at hand belongs to, if its offer came from downstream. */
static bool awaits_answer(struct tandem_tx *tx, void *arg)
{
	const struct late *late = arg;

	return tx->invite && tx->anchored && tx->party == late->request->party &&
	       (tx->media == TANDEM_MEDIA_LATE_OFFERED ||
		tx->media == TANDEM_MEDIA_LATE_ANSWERED) &&
	       (!late->ack || tx->msg->cseq.num == late->request->msg->cseq.num);
}

static int late_answer(struct tandem_tx *tx, struct tandem_tx *invite, const struct sa *dst,
		       const struct pl *sdp, const struct mbuf **outp)
{
	struct exchange x = { .party = tx->party, .src = &tx->msg->src, .dst = dst, .sdp = sdp };
	struct tandem_sdp_edit *edit = invite ? &invite->late_answer : &tx->late_answer;
	int err = 0;

	if (!is_same(edit, sdp))
		err = apply(tx, &x, edit);
	if (err)
		return -ENODATA;
	if (invite)
		invite->media = TANDEM_MEDIA_LATE_ANSWERED;
	*outp = edit->out;

	return 0;
}

static int request_offer(struct tandem_tx *tx, const struct sa *dst, const struct pl *sdp,
			 const struct mbuf **outp)
{
	struct exchange x = { tx->party, true, &tx->msg->src, dst, sdp };
	int err;

	if (tandem_tx_find_call(tx->ts, tx->call_id, offer_pending, tx))
		return -EINPROGRESS;

	err = apply(tx, &x, &tx->request);
	if (err)
		return err;
	tx->media = TANDEM_MEDIA_OFFERED;
	*outp = tx->request.out;

	return 0;
}

static void request_without_sdp(struct tandem_tx *tx, struct late *late)
{
	struct tandem_tx *invite;

	if (tx->invite)
		tx->media = TANDEM_MEDIA_LATE;
	if (!late->ack)
		return;

	/* an ACK that owes an answer and has none: the offer is void */
	invite = tandem_tx_find_call(tx->ts, tx->call_id, awaits_answer, late);
	if (invite && invite->media == TANDEM_MEDIA_LATE_OFFERED) {
		(void)tandem_session_rollback(tx->ts->ss, tx->call_id);
		invite->media = TANDEM_MEDIA_LATE_ANSWERED;
	}
}

int tandem_media_request(struct tandem_tx *tx, const struct sa *dst, const struct pl *sdp,
			 const struct mbuf **outp)
{
	struct late late = { .request = tx, .ack = is_method(tx, "ACK") };
	struct tandem_tx *invite;
	int err;

	if (!tx->anchored)
		return 0;
	if (tx->initial && !tx->opened) {
		err = session_open(tx);
		if (err)
			return err;
		tx->opened = true;
	}
	if (!sdp) {
		request_without_sdp(tx, &late);
		return 0;
	}
	if (is_same(&tx->request, sdp)) {
		*outp = tx->request.out;
		return 0;
	}

	if (late.ack || is_method(tx, "PRACK")) {
		invite = tandem_tx_find_call(tx->ts, tx->call_id, awaits_answer, &late);
		if (invite || late.ack)
			return late_answer(tx, invite, dst, sdp, outp);
	} else if (!tx->invite && !is_method(tx, "UPDATE")) {
		return 0;
	}

	return request_offer(tx, dst, sdp, outp);
}

static int response_answer(struct tandem_tx *tx, const struct exchange *x)
{
	int err = apply(tx, x, &tx->response);

	if (!err)
		tx->media = TANDEM_MEDIA_ANSWERED;

	return err;
}

static int response_offer(struct tandem_tx *tx, struct exchange *x)
{
	int err;

	/* another early dialog may make another offer: the one before is void */
	if (tx->media == TANDEM_MEDIA_LATE_OFFERED)
		(void)tandem_session_rollback(tx->ts->ss, tx->call_id);
	x->offer = true;
	err = apply(tx, x, &tx->response);
	if (!err)
		tx->media = TANDEM_MEDIA_LATE_OFFERED;

	return err;
}

int tandem_media_response(struct tandem_tx *tx, const struct sip_msg *msg, const struct sa *dst,
			  const struct pl *sdp, const struct mbuf **outp)
{
	struct exchange x = { .party = other(tx->party), .src = &msg->src, .dst = dst, .sdp = sdp };
	int err;

	/* a refusal may describe what would be accepted (RFC 3261 section 21.4.26) */
	if (!tx->anchored || msg->scode >= 300)
		return 0;

	/* the 2xx of another phone, where a proxy behind us has forked: the first one has the call */
	if (tx->initial && !tx->active && tx->to_tag && pl_strcmp(&msg->to.tag, tx->to_tag))
		return -ENODATA;
	if (is_same(&tx->response, sdp)) {
		*outp = tx->response.out;
		return 0;
	}

	switch (tx->media) {
	case TANDEM_MEDIA_OFFERED:
	case TANDEM_MEDIA_ANSWERED:
		err = response_answer(tx, &x);
		break;
	case TANDEM_MEDIA_LATE:
	case TANDEM_MEDIA_LATE_OFFERED:
		err = response_offer(tx, &x);
		break;
	case TANDEM_MEDIA_NONE:
		return tx->invite || is_method(tx, "UPDATE") || is_method(tx, "PRACK") ? -ENODATA
										       : 0;
	default:
		return -ENODATA;
	}
	if (err)
		return err;
	*outp = tx->response.out;

	return 0;
}

void tandem_media_learn_tag(struct tandem_tx *tx, const struct sip_msg *msg)
{
	const struct pl *tag = &msg->to.tag;
	char *copy = NULL;

	/* a session that was ended meanwhile must not come to life again */
	if (!tx->initial || !tx->opened || msg->scode >= 300 ||
	    !tandem_session_find(tx->ts->ss, tx->call_id))
		return;
	if (!pl_isset(tag) || (tx->to_tag && !pl_strcmp(tag, tx->to_tag)) || pl_strdup(&copy, tag))
		return;

	mem_deref(tx->to_tag);
	tx->to_tag = copy;
	(void)session_open(tx);
}

void tandem_media_final(struct tandem_tx *tx, const struct sip_msg *msg)
{
	char why[80];

	if (!tx->anchored)
		return;

	if (msg->scode >= 300) {
		(void)re_snprintf(why, sizeof(why), "%u %r", msg->scode, &msg->reason);
		tandem_media_failed(tx, why);
		return;
	}

	/* no answer, or one that was refused: nobody may wait for it any more */
	if (tx->media == TANDEM_MEDIA_OFFERED) {
		(void)tandem_session_rollback(tx->ts->ss, tx->call_id);
		tx->media = TANDEM_MEDIA_NONE;
	}
	if (tx->invite)
		(void)tandem_session_confirm(tx->ts->ss, tx->call_id);
}

void tandem_media_failed(struct tandem_tx *tx, const char *why)
{
	if (!tx->anchored)
		return;

	if (tx->opened) {
		(void)tandem_session_end(tx->ts->ss, tx->call_id, why);
		tx->opened = false;
	} else if (tx->media == TANDEM_MEDIA_OFFERED || tx->media == TANDEM_MEDIA_LATE_OFFERED) {
		(void)tandem_session_rollback(tx->ts->ss, tx->call_id);
	}
	tx->media = TANDEM_MEDIA_NONE;
}
