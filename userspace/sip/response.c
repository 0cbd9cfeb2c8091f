/* SPDX-License-Identifier: GPL-2.0-only */
/* Responses on their way back: RFC 3261 section 16.7. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/body.h"
#include "userspace/sip/expires.h"
#include "userspace/sip/header.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

/* What is sent upstream in place of a status code. */
static uint16_t outward_code(uint16_t code)
{
	/* this peer's overload is not ours (section 16.7 step 6) */
	return code == 503 ? 500 : code;
}

static int write_first_line(struct mbuf *mb, const struct sip_msg *msg)
{
	uint16_t code = outward_code(msg->scode);

	if (code == msg->scode)
		return mbuf_printf(mb, "SIP/2.0 %u %r\r\n", code, &msg->reason);

	return mbuf_printf(mb, "SIP/2.0 %u %s\r\n", code, tandem_sip_reason(code));
}

/* challenges: those of all branches, in place of the message's own; or NULL. */
static int write_response(struct mbuf *mb, const struct tandem_tx *tx, const struct sip_msg *msg,
			  const struct pl *body, const struct pl *sdp, const struct mbuf *out,
			  const struct mbuf *challenges)
{
	unsigned int flags = body->p ? 0 : TANDEM_HEADER_DROP_BODY;
	int err;

	if (msg->scode == 503)
		flags |= TANDEM_HEADER_DROP_RETRY_AFTER;
	if (challenges)
		flags |= TANDEM_HEADER_DROP_CHALLENGES;

	err = write_first_line(mb, msg);
	if (!err)
		err = tandem_header_response_vias(mb, msg);
	if (!err && challenges)
		err = mbuf_write_mem(mb, challenges->buf, challenges->end);
	if (!err)
		err = tandem_expires_write_response(mb, tx, msg);
	if (!err)
		err = tandem_header_copy(mb, msg, flags, NULL);
	if (!err)
		err = tandem_body_write(mb, body, sdp, out);
	mb->pos = 0;

	return err;
}

static int compose(struct mbuf *mb, struct tandem_branch *b, const struct sip_msg *msg,
		   const struct sa *dst)
{
	const struct mbuf *out = NULL;
	struct pl body, sdp = pl_null;
	int err;

	err = tandem_body_get(&body, msg);
	if (err)
		return -err;
	if (tandem_body_find_sdp(&sdp, &body, &msg->ctyp)) {
		err = tandem_media_response(b, msg, dst, &sdp, &out);
		if (err && err != -ENODATA && b->tx->initial && msg->scode >= 200) {
			b->session_err = err;
			return EPROTO;
		}
		if (err)
			body = pl_null;
	}

	return write_response(mb, b->tx, msg, &body, &sdp, out, NULL);
}

/* Through the server transaction while there is one. */
static int send_upstream(struct tandem_tx *tx, const struct sip_msg *msg, const struct sa *dst,
			 struct mbuf *mb)
{
	uint16_t code = outward_code(msg->scode);
	int err;

	if (tx->st)
		err = sip_strans_reply(&tx->st, tx->in, tx->msg, dst, code, mb);
	else
		err = sip_send(tx->in, tx->msg->sock, tx->msg->tp, dst, mb);
	if (!err)
		tandem_record_response(tx, msg, code);

	return err;
}

static int relay(struct tandem_branch *b, const struct sip_msg *msg)
{
	struct tandem_tx *tx = b->tx;
	struct mbuf *mb = mbuf_alloc(1024);
	struct sa dst;
	int err;

	if (!mb)
		return ENOMEM;

	tandem_sip_reply_addr(&dst, tx->msg);
	err = compose(mb, b, msg, &dst);
	if (!err)
		err = send_upstream(tx, msg, &dst, mb);
	mem_deref(mb);

	return err;
}

int tandem_response_send_best(struct tandem_tx *tx)
{
	const struct sip_msg *msg = tx->best.msg;
	bool challenges = msg->scode == 401 || msg->scode == 407;
	struct mbuf *mb = mbuf_alloc(1024);
	struct pl body, sdp = pl_null;
	struct sa dst;
	int err = mb ? 0 : ENOMEM;

	tandem_sip_reply_addr(&dst, tx->msg);
	if (!err)
		err = -tandem_body_get(&body, msg);
	if (!err)
		err = write_response(mb, tx, msg, &body, &sdp, NULL,
				     challenges ? tx->best.challenges : NULL);
	if (!err)
		err = send_upstream(tx, msg, &dst, mb);
	mem_deref(mb);

	return err;
}

static void handle_provisional(struct tandem_branch *b, const struct sip_msg *msg)
{
	tmr_cancel(&b->tmr_quiet);
	tmr_cancel(&b->tmr_tcp);
	b->quiet = false;
	b->heard = true;
	/* 100 is for one hop only, and RFC 4320 section 4.1 has no other one but for an INVITE */
	if (msg->scode == 100 || !b->tx->invite)
		return;

	tandem_timer_c_start(b);
	/* after the final response there is nothing to add */
	if (!b->tx->active || b->given_up)
		return;
	tandem_media_learn_tag(b, msg);
	if (relay(b, msg))
		tandem_log(TANDEM_LOG_WARNING, "sip", "%s: %u could not be sent on", b->tx->call_id,
			   msg->scode);
}

/*
 * A 2xx to the first INVITE that cannot be used: its media are none that the relay can carry, its
 * session has ended, or the caller was refused meanwhile. A proxy would pass it on and leave the caller with a call that
 * has no media; as only this relay can know, it ends the call with the callee, and the branch
 * stays to acknowledge what comes again.
 */
static void disown(struct tandem_branch *b, const struct sip_msg *msg)
{
	uint16_t code = b->override ? b->override : tandem_sip_code(b->session_err);
	char warning[160];

	tandem_sip_ack_2xx(b->tx->ts, b->tx->msg, msg);
	tandem_sip_bye_2xx(b->tx->ts, b->tx->msg, msg);
	b->disowned = true;
	tandem_fork_ended(b, code, NULL,
			  b->session_err ? tandem_sip_warning(b->tx->ts, b->session_err, warning,
							      sizeof(warning))
					 : NULL);
}

static void handle_2xx(struct tandem_branch *b, const struct sip_msg *msg)
{
	struct tandem_tx *tx = b->tx;
	int err;

	/* of two answers to what is no INVITE the first counts */
	if (!tx->active && !tx->invite) {
		tandem_fork_ended(b, msg->scode, NULL, NULL);
		return;
	}
	if ((!tx->active && !tx->answered) || (tx->initial && !b->opened)) {
		disown(b, msg);
		return;
	}
	tandem_record_branch(b, msg->scode);
	tandem_media_learn_tag(b, msg);
	err = relay(b, msg);
	if (b->session_err) {
		disown(b, msg);
		return;
	}
	if (err && tx->st)
		tandem_tx_refuse(tx, 500, NULL);
	tandem_expires_accepted(b, msg);
	tandem_media_accepted(b);
	tandem_fork_accepted(b);
}

/* RFC 3261 section 16.7 step 3: with no Via but ours it is not for anybody upstream. */
static bool is_for_upstream(const struct sip_msg *msg)
{
	return sip_msg_hdr_count(msg, SIP_HDR_VIA) > 1;
}

/* Who answers like that is not to be left with half a call. */
static void handle_stunted(struct tandem_branch *b, const struct sip_msg *msg)
{
	tandem_log(TANDEM_LOG_INFO, "sip", "%s: %u without the Via of who asked", b->tx->call_id,
		   msg->scode);
	if (msg->scode < 200)
		return;
	b->override = b->override ? b->override : 500;
	if (msg->scode < 300 && b->tx->initial)
		disown(b, msg);
	else
		tandem_fork_ended(b, b->override, NULL, NULL);
}

/* No response at all. */
static void handle_failure(struct tandem_branch *b, int err)
{
	b->running = false;
	if (b->tx->ts->closing || tandem_forward_again(b))
		return;

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s did not answer: %s", b->tx->call_id,
		   tandem_branch_place(b)->hops[b->hop].uri, strerror(err));
	tandem_fork_ended(b, b->override ? b->override : err == ETIMEDOUT ? 408 : 500, NULL, NULL);
}

void tandem_response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct tandem_branch *b = mem_ref(arg);
	struct tandem_tx *tx = mem_ref(b->tx);
	struct tandem_log_scope scope;

	tandem_log_enter(&scope, tx->call_id, strlen(tx->call_id));
	if (msg && !tandem_sip_unmask(tx->ts, msg))
		msg = NULL;
	if (err || !msg)
		handle_failure(b, err ? err : ECONNABORTED);
	else if (!is_for_upstream(msg))
		handle_stunted(b, msg);
	else if (msg->scode < 200)
		handle_provisional(b, msg);
	else if (msg->scode < 300)
		handle_2xx(b, msg);
	else
		tandem_fork_ended(b, msg->scode, msg, NULL);
	tandem_log_leave(&scope);
	mem_deref(b);
	mem_deref(tx);
}

void tandem_sip_stray_response(struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct tandem_branch *b;

	if (msg->scode < 200 || msg->scode >= 300 || pl_strcmp(&msg->cseq.met, "INVITE"))
		return;

	b = tandem_sip_unmask(ts, msg) ? tandem_branch_find(ts, &msg->via.branch) : NULL;
	if (b && b->disowned)
		tandem_sip_ack_2xx(ts, b->tx->msg, msg);
	else if (b && b->accepted && is_for_upstream(msg))
		(void)relay(b, msg);
}
