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

struct merged {
	const struct tandem_tx *tx;
	bool twice; /* the very same request by another way */
};

static bool is_merged(struct tandem_tx *tx, void *arg)
{
	struct merged *m = arg;

	if (tx == m->tx || !tx->initial || strcmp(tx->from_tag, m->tx->from_tag) ||
	    tx->msg->cseq.num != m->tx->msg->cseq.num)
		return false;
	m->twice = !pl_cmp(&tx->msg->ruri, &m->tx->msg->ruri);

	return true;
}

/*
 * One more INVITE with the Call-ID of a session: a proxy before us has forked, and calls
 * another of our users as well. Anything else would be a second call in the first one's name.
 */
static uint16_t classify_again(const struct tandem_tx *tx)
{
	struct merged m = { .tx = tx };

	return tandem_tx_find_call(tx->ts, tx->call_id, is_merged, &m) && !m.twice ? 0 : 482;
}

uint16_t tandem_media_classify(struct tandem_tx *tx, bool spiral)
{
	bool in_dialog = pl_isset(&tx->msg->to.tag);
	const char *session = NULL;

	/* who comes round a second time was anchored the first time */
	if (spiral || tx->target.by_node)
		return 0;

	if (is_method(tx, "INVITE") && !in_dialog) {
		uint16_t code = tandem_session_first(tx->ts->ss, TANDEM_OWNER_SIP, tx->call_id)
					? classify_again(tx)
					: 0;

		if (code)
			return code;
		tx->initial = true;
		tx->anchored = true;
		tx->party = TANDEM_PARTY_A;
		return 0;
	}
	if (!in_dialog)
		return 0;

	session = tandem_sip_party(tx->ts, tx->msg, &tx->party);
	if (session && str_dup(&tx->session, session))
		return 500;
	tx->anchored = session != NULL;
	if (!tx->anchored && !tx->target.passing &&
	    (is_method(tx, "INVITE") || is_method(tx, "UPDATE")))
		return 481;

	return 0;
}

/* As new, or with the tag that is known now. */
static int session_open(struct tandem_branch *b)
{
	const struct tandem_tx *tx = b->tx;
	char *from = NULL, *to = NULL;
	struct tandem_dialog dialog = { .owner = TANDEM_OWNER_SIP,
					.call_id = tx->call_id,
					.from_tag = tx->from_tag,
					.to_tag = b->tag };
	int err;

	dialog.branch = b->session ? tandem_session_branch(b->session)
				   : tandem_session_spare(tx->ts->ss, dialog.owner, tx->call_id);
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
	if (!err && !b->session) {
		char name[TANDEM_SESSION_NAME_SIZE];

		tandem_session_name(name, dialog.owner, tx->call_id, dialog.branch);
		err = -str_dup(&b->session, name);
		if (err)
			(void)tandem_session_end(tx->ts->ss, name, "out of memory");
	}

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

/* A browser does nothing but WebRTC, so it need not be said. */
static enum tandem_security security_of(const struct tandem_sip *ts, const struct sa *sa,
					const struct tandem_endpoint *ep)
{
	enum tandem_security security = tandem_sessions_security(ts->ss, ep);

	return security == TANDEM_SECURITY_AUTO && tandem_sip_is_browser(ts, sa)
		       ? TANDEM_SECURITY_DTLS
		       : security;
}

/* Give the SDP to the session, and keep what it says in edit. */
static int apply(const struct tandem_branch *b, const struct exchange *x,
		 struct tandem_sdp_edit *edit)
{
	struct tandem_sessions *ss = b->tx->ts->ss;
	struct tandem_signal sig = { 0 };
	char *out = NULL;
	size_t len = 0;
	int err;

	err = tandem_sip_endpoint(&sig.source, x->src);
	if (!err)
		err = tandem_sip_endpoint(&sig.target, x->dst);
	sig.source_security = security_of(b->tx->ts, x->src, &sig.source);
	sig.target_security = security_of(b->tx->ts, x->dst, &sig.target);
	if (!err)
		err = x->offer ? tandem_session_offer(ss, b->session, x->party, &sig, x->sdp->p,
						      x->sdp->l, &out, &len)
			       : tandem_session_answer(ss, b->session, x->party, &sig, x->sdp->p,
						       x->sdp->l, &out, &len);
	if (err) {
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s from %c: %s", b->session,
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

static bool is_same_session(const struct tandem_branch *a, const struct tandem_branch *b)
{
	return a->session && b->session && !strcmp(a->session, b->session);
}

static bool offer_pending(struct tandem_branch *b, void *arg)
{
	return b != arg && b->tx->anchored && is_same_session(b, arg) &&
	       (b->media == TANDEM_MEDIA_OFFERED || b->media == TANDEM_MEDIA_LATE_OFFERED);
}

struct late {
	const struct tandem_branch *request;
	bool ack;
};

/* The INVITE that the ACK or PRACK at hand belongs to, if its offer came from downstream. */
static bool awaits_answer(struct tandem_branch *b, void *arg)
{
	const struct late *late = arg;
	const struct tandem_tx *tx = b->tx, *request = late->request->tx;

	return tx->invite && tx->anchored && tx->party == request->party &&
	       is_same_session(b, late->request) &&
	       (b->media == TANDEM_MEDIA_LATE_OFFERED || b->media == TANDEM_MEDIA_LATE_ANSWERED) &&
	       (!late->ack || tx->msg->cseq.num == request->msg->cseq.num);
}

static int late_answer(struct tandem_branch *b, struct tandem_branch *invite, const struct sa *dst,
		       const struct pl *sdp, const struct mbuf **outp)
{
	const struct tandem_tx *tx = b->tx;
	struct exchange x = { .party = tx->party, .src = &tx->msg->src, .dst = dst, .sdp = sdp };
	struct tandem_sdp_edit *edit = invite ? &invite->late_answer : &b->late_answer;
	int err = 0;

	if (!is_same(edit, sdp))
		err = apply(b, &x, edit);
	if (err)
		return -ENODATA;
	if (invite)
		invite->media = TANDEM_MEDIA_LATE_ANSWERED;
	*outp = edit->out;

	return 0;
}

static int request_offer(struct tandem_branch *b, const struct sa *dst, const struct pl *sdp,
			 const struct mbuf **outp)
{
	const struct tandem_tx *tx = b->tx;
	struct exchange x = { tx->party, true, &tx->msg->src, dst, sdp };
	int err;

	if (tandem_tx_find_branch(tx->ts, tx->call_id, offer_pending, b))
		return -EINPROGRESS;

	err = apply(b, &x, &b->request);
	if (err)
		return err;
	b->media = TANDEM_MEDIA_OFFERED;
	*outp = b->request.out;

	return 0;
}

static void request_without_sdp(struct tandem_branch *b, struct late *late)
{
	struct tandem_tx *tx = b->tx;
	struct tandem_branch *invite;

	if (tx->invite)
		b->media = TANDEM_MEDIA_LATE;
	if (!late->ack)
		return;

	/* an ACK that owes an answer and has none: the offer is void */
	invite = tandem_tx_find_branch(tx->ts, tx->call_id, awaits_answer, late);
	if (invite && invite->media == TANDEM_MEDIA_LATE_OFFERED) {
		(void)tandem_session_rollback(tx->ts->ss, b->session);
		invite->media = TANDEM_MEDIA_LATE_ANSWERED;
	}
}

int tandem_media_request(struct tandem_branch *b, const struct sa *dst, const struct pl *sdp,
			 const struct mbuf **outp)
{
	struct tandem_tx *tx = b->tx;
	struct late late = { .request = b, .ack = is_method(tx, "ACK") };
	struct tandem_branch *invite;
	int err;

	if (!tx->anchored)
		return 0;
	if (tx->initial && !b->opened) {
		err = session_open(b);
		if (err)
			return err;
		b->opened = true;
	}
	if (!sdp) {
		request_without_sdp(b, &late);
		return 0;
	}
	if (is_same(&b->request, sdp)) {
		*outp = b->request.out;
		return 0;
	}

	if (late.ack || is_method(tx, "PRACK")) {
		invite = tandem_tx_find_branch(tx->ts, tx->call_id, awaits_answer, &late);
		if (invite || late.ack)
			return late_answer(b, invite, dst, sdp, outp);
	} else if (!tx->invite && !is_method(tx, "UPDATE")) {
		return 0;
	}

	return request_offer(b, dst, sdp, outp);
}

static int response_answer(struct tandem_branch *b, const struct exchange *x)
{
	int err = apply(b, x, &b->response);

	if (!err)
		b->media = TANDEM_MEDIA_ANSWERED;

	return err;
}

static int response_offer(struct tandem_branch *b, struct exchange *x)
{
	int err;

	/* another early dialog may make another offer: the one before is void */
	if (b->media == TANDEM_MEDIA_LATE_OFFERED)
		(void)tandem_session_rollback(b->tx->ts->ss, b->session);
	x->offer = true;
	err = apply(b, x, &b->response);
	if (!err)
		b->media = TANDEM_MEDIA_LATE_OFFERED;

	return err;
}

int tandem_media_response(struct tandem_branch *b, const struct sip_msg *msg, const struct sa *dst,
			  const struct pl *sdp, const struct mbuf **outp)
{
	const struct tandem_tx *tx = b->tx;
	struct exchange x = { .party = other(tx->party), .src = &msg->src, .dst = dst, .sdp = sdp };
	int err;

	/* a refusal may describe what would be accepted (RFC 3261 section 21.4.26) */
	if (!tx->anchored || msg->scode >= 300)
		return 0;

	/* the 2xx of another phone, where a proxy behind us has forked: the first one has the call */
	if (tx->initial && b->accepted && b->tag && pl_strcmp(&msg->to.tag, b->tag))
		return -ENODATA;
	if (is_same(&b->response, sdp)) {
		*outp = b->response.out;
		return 0;
	}

	switch (b->media) {
	case TANDEM_MEDIA_OFFERED:
	case TANDEM_MEDIA_ANSWERED:
		err = response_answer(b, &x);
		break;
	case TANDEM_MEDIA_LATE:
	case TANDEM_MEDIA_LATE_OFFERED:
		err = response_offer(b, &x);
		break;
	case TANDEM_MEDIA_NONE:
		return tx->invite || is_method(tx, "UPDATE") || is_method(tx, "PRACK") ? -ENODATA
										       : 0;
	default:
		return -ENODATA;
	}
	if (err)
		return err;
	*outp = b->response.out;

	return 0;
}

static bool has_session(const struct tandem_branch *b)
{
	const char *name = tandem_session_find(b->tx->ts->ss, b->session);

	return name && !strcmp(name, b->session);
}

void tandem_media_learn_tag(struct tandem_branch *b, const struct sip_msg *msg)
{
	const struct pl *tag = &msg->to.tag;

	/* a session that was ended meanwhile must not come to life again */
	if (!b->tx->initial || !b->opened || msg->scode >= 300 || !pl_isset(tag) || !has_session(b))
		return;
	if ((b->tag && !pl_strcmp(tag, b->tag)) || tandem_branch_learn_tag(b, tag))
		return;

	(void)session_open(b);
}

void tandem_media_accepted(struct tandem_branch *b)
{
	if (!b->tx->anchored)
		return;

	/* no answer, or one that was refused: nobody may wait for it any more */
	if (b->media == TANDEM_MEDIA_OFFERED) {
		(void)tandem_session_rollback(b->tx->ts->ss, b->session);
		b->media = TANDEM_MEDIA_NONE;
	}
	if (b->tx->invite)
		(void)tandem_session_confirm(b->tx->ts->ss, b->session);
}

void tandem_media_failed(struct tandem_branch *b, const char *why)
{
	if (!b->tx->anchored)
		return;

	if (b->opened) {
		(void)tandem_session_end(b->tx->ts->ss, b->session, why);
		b->opened = false;
	} else if (b->media == TANDEM_MEDIA_OFFERED || b->media == TANDEM_MEDIA_LATE_OFFERED) {
		(void)tandem_session_rollback(b->tx->ts->ss, b->session);
	}
	b->media = TANDEM_MEDIA_NONE;
}
