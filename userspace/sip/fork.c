/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a request goes next: its target in order of rank, all places of one rank at once, and
 * what a final response means for the others (RFC 3261 sections 16.6 to 16.8 and 16.10).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/sip/gateway.h"
#include "userspace/sip/header.h"
#include "userspace/sip/media.h"
#include "userspace/sip/record.h"
#include "userspace/sip/redirect.h"
#include "userspace/sip/trunk.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

/* A CANCEL leads to a final response within this time, or never will (RFC 3261 section 9.1). */
#define CANCEL_MS (64 * SIP_T1)

/* ---- branches ------------------------------------------------------------------ */

static void timer_c_handler(void *arg)
{
	struct tandem_branch *b = arg;
	struct tandem_log_scope scope;
	const char *call_id = b->tx->call_id;

	tandem_log_enter(&scope, call_id, strlen(call_id));
	if (b->canceled) {
		tandem_fork_ended(b, b->override ? b->override : 408, NULL, NULL);
	} else {
		/* 16.8: no final response in time; the 487 that follows counts as 408 */
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: nobody answers", call_id);
		tandem_fork_give_up(b, 408);
	}
	tandem_log_leave(&scope);
}

void tandem_timer_c_start(struct tandem_branch *b)
{
	if (b->tx->invite && !b->canceled)
		tmr_start(&b->tmr_c, (uint64_t)b->tx->ts->cfg.timer_c_s * 1000, timer_c_handler, b);
}

static void cancel(struct tandem_branch *b)
{
	if (!b->running || b->canceled)
		return;
	b->canceled = true;
	tmr_cancel(&b->tmr_quiet);
	tmr_start(&b->tmr_c, CANCEL_MS, timer_c_handler, b);
	sip_request_cancel(b->req);
}

void tandem_fork_give_up(struct tandem_branch *b, uint16_t code)
{
	b->override = code;
	cancel(b);
}

/* RFC 5393 section 5.3.3.1: the breadth of who has come to an end is there for another. */
static void give_back(struct tandem_branch *b)
{
	b->tx->breadth += b->breadth;
	b->breadth = 0;
}

/*
 * Nobody waits for it any more. Who has not said a word may never do, and should not keep a
 * session for as long as that takes to be sure; a late 2xx is hung up on.
 */
static void release(struct tandem_branch *b)
{
	if (b->running && !b->given_up && !b->heard)
		tandem_media_failed(b, "487 not a word");
	b->given_up = true;
	give_back(b);
	cancel(b);
}

static void drop(struct tandem_branch *b, const char *why)
{
	give_back(b);
	tandem_media_failed(b, why);
	tandem_branch_free(b);
}

static unsigned int waited_for(const struct tandem_tx *tx)
{
	unsigned int count = list_isempty(&tx->redirects) ? 0 : 1;
	struct le *le;

	LIST_FOREACH(&tx->branches, le)
	{
		const struct tandem_branch *b = le->data;

		count += b->running && !b->given_up && !(b->quiet && tx->best.code);
	}

	return count;
}

static void release_others(struct tandem_tx *tx, const struct tandem_branch *but)
{
	struct le *le, *next;

	for (le = list_head(&tx->branches); le; le = next) {
		next = le->next;
		if (le->data != but)
			release(le->data);
	}
}

static void cancel_all(struct tandem_tx *tx)
{
	struct le *le, *next;

	tmr_cancel(&tx->tmr_ring);
	tandem_redirects_clean(tx);
	for (le = list_head(&tx->branches); le; le = next) {
		next = le->next;
		cancel(le->data);
	}
}

static bool is_running(const struct tandem_tx *tx)
{
	struct le *le;

	LIST_FOREACH(&tx->branches, le)
	{
		const struct tandem_branch *b = le->data;

		if (b->running || b->disowned)
			return true;
	}

	return false;
}

/* ---- starting ------------------------------------------------------------------- */

static bool start_place(struct tandem_tx *tx, size_t index, size_t hop);

/* A gateway, or a flow of a phone, that does not say a word is left for the next one. */
static void leave(struct tandem_branch *b)
{
	struct tandem_tx *tx = b->tx;
	struct tandem_place *place = &tx->target.places[b->place];
	size_t index = b->place, hop = b->hop + 1;

	tandem_record_branch(b, 408);
	release(b);
	if (start_place(tx, index, hop))
		return;
	if (hop >= place->hops_count) {
		tandem_gateway_outcome(tx->ts, place->gateway, 0);
		tandem_best_add(&tx->best, 408, NULL, NULL);
		place->unable = true;
	}
	tandem_fork_proceed(tx);
}

static void quiet_handler(void *arg)
{
	struct tandem_branch *b = arg;
	struct tandem_tx *tx = b->tx;

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: not a word from %s", tx->call_id,
		   tandem_branch_place(b)->hops[b->hop].uri);
	if (tandem_branch_place(b)->quiet_ms ||
	    tandem_place_has_flow(tandem_branch_place(b), b->hop)) {
		leave(b);
	} else {
		b->quiet = true;
		tandem_fork_proceed(tx);
	}
}

/*
 * What is dead should not cost the caller the 32 s of timer B where there is another: a gateway is
 * left, and so is a flow of a phone that has another; one of several phones is not waited for once
 * another has answered.
 */
static void watch(struct tandem_branch *b)
{
	const struct tandem_tx *tx = b->tx;
	const struct tandem_place *place = tandem_branch_place(b);
	bool last = b->hop + 1 >= place->hops_count && tx->next >= tx->target.places_count;

	if (!tx->st || !tx->invite)
		return;
	if (place->quiet_ms && !last)
		tmr_start(&b->tmr_quiet, place->quiet_ms, quiet_handler, b);
	else if (!place->quiet_ms &&
		 (tx->target.places_count > 1 || tandem_place_has_flow(place, b->hop)))
		tmr_start(&b->tmr_quiet, TANDEM_QUIET_MS, quiet_handler, b);
}

/* Nothing was sent, because of err. */
static void add_failure(struct tandem_tx *tx, int err, int session_err)
{
	char warning[160];

	if (session_err)
		tandem_best_add(&tx->best, tandem_sip_code(session_err), NULL,
				tandem_sip_warning(tx->ts, session_err, warning, sizeof(warning)));
	else if (err == EPROTONOSUPPORT && tandem_sip_is_sips(&tx->msg->ruri))
		tandem_best_add(&tx->best, 480, NULL,
				"Warning: 380 tandem \"SIPS Not Allowed\"\r\n");
	else if (err ==
		 ENOTCONN) /* RFC 5626 section 5.3.1: in a dialog, the flow that its route names */
		tandem_best_add(&tx->best, pl_isset(&tx->msg->to.tag) ? 430 : 480, NULL, NULL);
	else
		tandem_best_add(&tx->best, err == EACCES ? 403 : 500, NULL, NULL);
}

/* Share what is left of the breadth with those that may still be called. */
static unsigned int take_breadth(struct tandem_tx *tx)
{
	unsigned int count = 1 + (unsigned int)(tx->target.places_count - tx->next);
	unsigned int share = MAX(tx->breadth / count, MIN(tx->breadth, 1U));

	tx->breadth -= share;

	return share;
}

/* To the first hop, from this one on, that takes it. False when none does. */
static bool start_place(struct tandem_tx *tx, size_t index, size_t hop)
{
	struct tandem_place *place = &tx->target.places[index];
	int err = EHOSTUNREACH, session_err = 0;

	if (hop && hop >= place->hops_count)
		return false;
	for (; hop < place->hops_count && !session_err; hop++) {
		struct tandem_branch *b = tandem_branch_alloc(tx, index, hop);

		if (!b) {
			err = ENOMEM;
			break;
		}
		b->breadth = take_breadth(tx);
		err = tandem_forward(b);
		if (!err) {
			tandem_timer_c_start(b);
			watch(b);
			return true;
		}
		session_err = b->session_err;
		drop(b, "503 not sent");
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: %s cannot be reached: %s", tx->call_id,
			   place->hops[hop].uri, strerror(session_err ? -session_err : err));
	}
	if (!session_err)
		tandem_gateway_outcome(tx->ts, place->gateway, 0);
	place->unable = !session_err;
	add_failure(tx, err, session_err);

	return false;
}

static void ring_handler(void *arg)
{
	struct tandem_tx *tx = arg;

	tandem_log(TANDEM_LOG_INFO, "sip", "%s: nobody answers, the next are called", tx->call_id);
	tandem_best_add(&tx->best, 408, NULL, NULL);
	release_others(tx, NULL);
	tandem_fork_proceed(tx);
}

/* Others of this call are there for when these do not answer. */
static bool has_next_rank(const struct tandem_tx *tx)
{
	size_t i;

	for (i = tx->next; i < tx->target.places_count; i++) {
		if (tx->target.places[i].rank != tx->rank && !tx->target.places[i].stand_in)
			return true;
	}

	return false;
}

static void start_rank(struct tandem_tx *tx)
{
	bool started = false;

	while (!tx->stopped && tx->next < tx->target.places_count &&
	       tx->target.places[tx->next].rank == tx->rank && tx->breadth)
		started |= start_place(tx, tx->next++, 0);
	if (started && tx->invite && has_next_rank(tx))
		tmr_start(&tx->tmr_ring, (uint64_t)tx->ts->cfg.ring_s * 1000, ring_handler, tx);
}

/* A stand-in is for when the one before it could not serve the request at all. */
static bool next_rank(struct tandem_tx *tx)
{
	tmr_cancel(&tx->tmr_ring);
	if (tx->stopped || !tx->breadth)
		return false;
	for (; tx->next < tx->target.places_count; tx->next++) {
		const struct tandem_place *place = &tx->target.places[tx->next];

		if (!place->stand_in || (tx->next && place[-1].unable)) {
			tx->rank = place->rank;
			return true;
		}
	}

	return false;
}

/* ---- ending --------------------------------------------------------------------- */

/* All that was called has ended: what came of it goes upstream. */
static void conclude(struct tandem_tx *tx)
{
	uint16_t code = tx->best.code ? tx->best.code : tx->canceled ? 487 : 500;
	/* RFC 4320 section 4.2; who asks again meanwhile is not to start it anew */
	bool silent = !tx->invite && code == 408;

	tx->stopped = true;
	release_others(tx, NULL);
	if (!tx->best.msg || silent)
		tandem_tx_refuse(tx, code, tx->best.headers);
	else if (tandem_response_send_best(tx))
		tandem_tx_refuse(tx, 500, NULL);
	tandem_tx_finish(tx, is_running(tx) || silent);
}

void tandem_fork_proceed(struct tandem_tx *tx)
{
	if (!tx->active || tx->search)
		return;
	do {
		start_rank(tx);
		if (waited_for(tx))
			return;
	} while (next_rank(tx));
	conclude(tx);
}

void tandem_fork_start(struct tandem_tx *tx)
{
	tx->rank = tx->target.places[0].rank;
	tx->breadth = tandem_header_max_breadth(tx->msg);
	if (tx->breadth)
		tandem_fork_proceed(tx);
	else
		tandem_tx_fail(tx, 440, NULL);
}

void tandem_fork_ack(struct tandem_tx *tx)
{
	tx->breadth = 1;
	(void)start_place(tx, 0, 0);
}

/* Of a branch that has ended: was it of no use at all, so that another should serve in its place? */
static bool is_lost(const struct tandem_branch *b, const struct sip_msg *msg)
{
	if (!msg)
		return !b->override && !b->session_err;
	/* RFC 5626 section 5.3.1: the flow is gone */
	if (msg->scode == 430)
		return tandem_place_has_flow(tandem_branch_place(b), b->hop);

	return msg->scode == 503; /* RFC 3263 section 4.3 */
}

static bool is_unable(const struct tandem_branch *b, const struct sip_msg *msg)
{
	return is_lost(b, msg) || (msg && (msg->scode == 408 || msg->scode / 100 == 5));
}

/* True when another hop of its place has taken the request. */
static bool try_next_hop(struct tandem_branch *b, const struct sip_msg *msg)
{
	struct tandem_tx *tx = b->tx;
	struct tandem_place *place = &tx->target.places[b->place];

	/* who has rung has told the caller more than a hop can take back */
	if (!b->tags_count && !tx->stopped && is_lost(b, msg) &&
	    start_place(tx, b->place, b->hop + 1))
		return true;
	if (!b->canceled && !b->session_err)
		tandem_gateway_outcome(tx->ts, place->gateway, msg ? msg->scode : 0);
	/* another gateway may know us */
	place->unable = !b->tags_count &&
			(is_unable(b, msg) || (msg && tandem_trunk_challenged(b, msg)));

	return false;
}

/* A gateway has asked for the password: the same once more, with it. True when that was to be done. */
static bool authenticate(struct tandem_branch *b, const struct sip_msg *msg)
{
	struct tandem_tx *tx = b->tx;
	size_t place = b->place, hop = b->hop;
	char why[64];

	if (tx->stopped || tandem_trunk_answer(b, msg))
		return false;
	(void)re_snprintf(why, sizeof(why), "%u %r", msg->scode, &msg->reason);
	tandem_record_branch(b, msg->scode);
	/* an offer within a dialog has to be withdrawn before it can be made again */
	if (!tx->initial)
		tandem_media_failed(b, why);
	(void)start_place(tx, place, hop);
	drop(b, why);
	tandem_fork_proceed(tx);

	return true;
}

/* What is sent upstream, should nothing better come: a gateway's password is not the caller's. */
static void add_best(struct tandem_branch *b, uint16_t code, const struct sip_msg *msg,
		     const char *headers)
{
	if (msg && tandem_trunk_challenged(b, msg))
		tandem_best_add(&b->tx->best, b->tx->canceled ? 487 : 500, NULL, NULL);
	else
		tandem_best_add(&b->tx->best, code, msg, headers);
}

void tandem_fork_ended(struct tandem_branch *b, uint16_t code, const struct sip_msg *msg,
		       const char *headers)
{
	struct tandem_tx *tx = b->tx;
	bool counts = tx->active && !b->given_up;
	char why[64];

	/* the answer to a CANCEL of our own */
	if (msg && code == 487 && b->override) {
		code = b->override;
		msg = NULL;
	} else if (!msg && tx->canceled) {
		code = 487;
	}
	b->running = false;
	give_back(b);
	if (counts && msg && authenticate(b, msg))
		return;
	tandem_record_branch(b, msg ? msg->scode : code);
	if (counts && !try_next_hop(b, msg) && !(msg && tandem_redirect_follow(tx, msg)))
		add_best(b, code, msg, headers);
	(void)re_snprintf(why, sizeof(why), "%u %r", code,
			  msg ? &msg->reason : &(struct pl)PL("not answered"));
	if (b->disowned)
		tandem_media_failed(b, why);
	else
		drop(b, why);
	if (!counts)
		return;
	if (code >= 600) {
		tx->stopped = true;
		cancel_all(tx);
	}
	tandem_fork_proceed(tx);
}

void tandem_fork_accepted(struct tandem_branch *b)
{
	struct tandem_tx *tx = b->tx;

	b->running = false;
	b->accepted = true;
	if (!b->canceled)
		tandem_gateway_outcome(tx->ts, tandem_branch_place(b)->gateway, 200);
	tmr_cancel(&b->tmr_c);
	tmr_cancel(&b->tmr_quiet);
	tx->stopped = tx->answered = true;
	tandem_redirects_clean(tx);
	release_others(tx, b);
	if (tx->active)
		tandem_tx_finish(tx, tx->invite);
}

void tandem_fork_cancel(struct tandem_tx *tx)
{
	tx->canceled = tx->stopped = true;
	tandem_record_cancel(tx);
	if (tx->search) {
		tandem_tx_fail(tx, 487, NULL);
		return;
	}
	cancel_all(tx);
	tandem_fork_proceed(tx);
}
