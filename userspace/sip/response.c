/* SPDX-License-Identifier: GPL-2.0-only */
/* Responses on their way back: RFC 3261 section 16.7. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/body.h"
#include "userspace/sip/header.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

/* What is sent upstream in place of a status code. */
static uint16_t outward_code(const struct tandem_tx *tx, uint16_t code)
{
	/* the answer to a CANCEL of our own */
	if (code == 487 && tx->override)
		return tx->override;
	/* this peer's overload is not ours (section 16.7 step 6) */
	if (code == 503)
		return 500;

	return code;
}

static int write_first_line(struct mbuf *mb, const struct tandem_tx *tx, const struct sip_msg *msg)
{
	uint16_t code = outward_code(tx, msg->scode);

	if (code == msg->scode)
		return mbuf_printf(mb, "SIP/2.0 %u %r\r\n", code, &msg->reason);

	return mbuf_printf(mb, "SIP/2.0 %u %s\r\n", code, tandem_sip_reason(code));
}

static int compose(struct mbuf *mb, struct tandem_tx *tx, const struct sip_msg *msg,
		   const struct sa *dst)
{
	const struct mbuf *out = NULL;
	struct pl body, sdp = pl_null;
	unsigned int flags = 0;
	int err;

	err = tandem_body_get(&body, msg);
	if (err)
		return -err;
	if (tandem_body_find_sdp(&sdp, &body, &msg->ctyp)) {
		err = tandem_media_response(tx, msg, dst, &sdp, &out);
		if (err && err != -ENODATA && tx->initial && msg->scode >= 200) {
			tx->session_err = err;
			return EPROTO;
		}
		if (err)
			body = pl_null;
	}
	if (!body.p)
		flags |= TANDEM_HEADER_DROP_BODY;
	if (msg->scode == 503)
		flags |= TANDEM_HEADER_DROP_RETRY_AFTER;

	err = write_first_line(mb, tx, msg);
	if (!err)
		err = tandem_header_response_vias(mb, msg);
	if (!err)
		err = tandem_header_copy(mb, msg, flags, NULL);
	if (!err)
		err = tandem_body_write(mb, &body, &sdp, out);
	mb->pos = 0;

	return err;
}

/* Compose and send; through the server transaction while there is one. */
static int relay(struct tandem_tx *tx, const struct sip_msg *msg)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sa dst;
	int err;

	if (!mb)
		return ENOMEM;

	tandem_sip_reply_addr(&dst, tx->msg);
	err = compose(mb, tx, msg, &dst);
	if (err)
		goto out;

	if (tx->st)
		err = sip_strans_reply(&tx->st, tx->in, tx->msg, &dst, outward_code(tx, msg->scode),
				       mb);
	else
		err = sip_send(tx->in, tx->msg->sock, tx->msg->tp, &dst, mb);
	if (!err)
		tandem_record_response(tx, msg, outward_code(tx, msg->scode));

out:
	mem_deref(mb);

	return err;
}

static void timer_c_handler(void *arg)
{
	struct tandem_tx *tx = arg;
	struct tandem_log_scope scope;

	/* 16.8: no final response in time; the 487 that follows is sent on as 408 */
	tandem_log_enter(&scope, tx->call_id, strlen(tx->call_id));
	tandem_log(TANDEM_LOG_INFO, "sip", "%s: nobody answers", tx->call_id);
	tandem_log_leave(&scope);
	tx->override = 408;
	sip_request_cancel(tx->req);
}

void tandem_timer_c_start(struct tandem_tx *tx)
{
	if (tx->invite && !tx->canceled && !tx->override)
		tmr_start(&tx->tmr_c, (uint64_t)tx->ts->cfg.timer_c_s * 1000, timer_c_handler, tx);
}

static void handle_provisional(struct tandem_tx *tx, const struct sip_msg *msg)
{
	tmr_cancel(&tx->tmr_quiet);
	/* 100 is for one hop only */
	if (msg->scode == 100)
		return;

	tandem_timer_c_start(tx);
	tandem_media_learn_tag(tx, msg);
	if (relay(tx, msg))
		tandem_log(TANDEM_LOG_WARNING, "sip", "%s: %u could not be sent on", tx->call_id,
			   msg->scode);
}

/*
 * The 2xx to the first INVITE has media that the relay cannot carry. A proxy would pass
 * it on and leave the caller with a call that has no media; as only this relay can know,
 * it ends the call on both sides, and lingers to acknowledge what comes again.
 */
static void disown(struct tandem_tx *tx, const struct sip_msg *msg)
{
	uint16_t code = tx->override ? tx->override : tandem_sip_code(tx->session_err);
	char warning[160];

	tandem_sip_ack_2xx(tx->ts, tx->msg, msg);
	tandem_sip_bye_2xx(tx->ts, tx->msg, msg);
	tandem_tx_refuse(tx, code,
			 tandem_sip_warning(tx->ts, tx->session_err, warning, sizeof(warning)));
	tx->disowned = true;
	tandem_tx_finish(tx, true);
}

static void handle_final(struct tandem_tx *tx, const struct sip_msg *msg)
{
	bool accepted = msg->scode < 300;
	int err;

	tandem_record_branch(tx, msg);
	if (tandem_forward_again(tx, msg->scode))
		return;
	tandem_media_learn_tag(tx, msg);
	err = relay(tx, msg);
	if (tx->session_err) {
		disown(tx, msg);
		return;
	}
	tandem_media_final(tx, msg);
	if (err && tx->st) {
		tandem_tx_fail(tx, 500, NULL);
		return;
	}
	tandem_tx_finish(tx, tx->invite && accepted);
}

/* No response at all: the next hop if there is one, else say so upstream. */
static void handle_failure(struct tandem_tx *tx, int err)
{
	if (tx->ts->closing) {
		tandem_tx_finish(tx, false);
		return;
	}

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s did not answer: %s", tx->call_id,
		   tandem_tx_place(tx)->hops[tx->hop].uri, strerror(err));
	tandem_record_silence(tx);
	if (tandem_forward_again(tx, 0))
		return;
	if (tx->canceled)
		tandem_tx_fail(tx, 487, NULL);
	else if (tx->override)
		tandem_tx_fail(tx, tx->override, NULL);
	else
		tandem_tx_fail(tx, err == ETIMEDOUT ? 408 : 500, NULL);
}

void tandem_response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct tandem_tx *tx = arg;
	struct tandem_log_scope scope;

	tandem_log_enter(&scope, tx->call_id, strlen(tx->call_id));
	if (err || !msg)
		handle_failure(tx, err ? err : ECONNABORTED);
	else if (msg->scode < 200)
		handle_provisional(tx, msg);
	else
		handle_final(tx, msg);
	tandem_log_leave(&scope);
}

void tandem_sip_stray_response(struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct tandem_tx *tx;

	if (msg->scode < 200 || msg->scode >= 300 || pl_strcmp(&msg->cseq.met, "INVITE"))
		return;

	tx = tandem_tx_find_branch(ts, &msg->via.branch);
	if (!tx || tx->active || !tx->invite)
		return;
	if (tx->disowned)
		tandem_sip_ack_2xx(ts, tx->msg, msg);
	else
		(void)relay(tx, msg);
}
