/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "userspace/sip/record.h"
#include "userspace/sip/redirect.h"
#include "userspace/sip/tx.h"
#include "userspace/util/log.h"

#define LINGER_MS (64 * SIP_T1)

static void destructor(void *arg)
{
	struct tandem_tx *tx = arg;
	struct tandem_branch *b;

	if (tx->active)
		tx->ts->active--;
	if (tx->le_linger.list)
		tx->ts->lingering_count--;
	list_unlink(&tx->le_linger);
	hash_unlink(&tx->he_call);
	tmr_cancel(&tx->tmr_ring);
	tmr_cancel(&tx->tmr_trying);

	/* requests that are still running are cancelled by libre when we let go of them */
	while ((b = list_ledata(list_head(&tx->branches))))
		tandem_branch_free(b);
	tandem_redirects_clean(tx);
	tandem_best_clean(&tx->best);
	mem_deref(tx->search);
	mem_deref(tx->st);
	tandem_target_clean(&tx->target);
	mem_deref(tx->call_id);
	mem_deref(tx->from_tag);
	mem_deref(tx->session);
	mem_deref(tx->msg);
}

struct tandem_tx *tandem_tx_alloc(struct tandem_sip *ts, const struct sip_msg *msg,
				  struct tandem_target *target)
{
	struct tandem_tx *tx = mem_zalloc(sizeof(*tx), destructor);
	int err;

	if (!tx)
		return NULL;

	tmr_init(&tx->tmr_ring);
	tmr_init(&tx->tmr_trying);
	tx->ts = ts;
	tx->in = tandem_sip_stack(ts, &msg->dst);
	tx->target = *target;
	memset(target, 0, sizeof(*target));
	tx->active = true;
	tx->unable = true;
	ts->active++;
	tx->msg = mem_ref((void *)msg);
	tx->invite = !pl_strcmp(&msg->met, "INVITE");

	err = pl_strdup(&tx->call_id, &msg->callid);
	err |= pl_strdup(&tx->from_tag, &msg->from.tag);
	if (err)
		return mem_deref(tx);
	hash_append(ts->ht_call, hash_joaat_str(tx->call_id), &tx->he_call, tx);

	return tx;
}

const struct tandem_place *tandem_branch_place(const struct tandem_branch *b)
{
	return &b->tx->target.places[b->place];
}

const char *tandem_branch_ruri(const struct tandem_branch *b)
{
	const struct tandem_place *place = tandem_branch_place(b);
	const struct tandem_hop *hop = &place->hops[b->hop];

	return hop->ruri ? hop->ruri : place->ruri;
}

const char *tandem_branch_routes(const struct tandem_branch *b)
{
	const struct tandem_place *place = tandem_branch_place(b);
	const struct tandem_hop *hop = &place->hops[b->hop];

	return hop->routes ? hop->routes : place->routes;
}

void tandem_tx_finish(struct tandem_tx *tx, bool linger)
{
	struct tandem_sip *ts = tx->ts;

	if (!linger) {
		/* its handlers may still hold it */
		hash_unlink(&tx->he_call);
		mem_deref(tx);
		return;
	}

	tx->active = false;
	ts->active--;
	tmr_cancel(&tx->tmr_ring);
	tmr_cancel(&tx->tmr_trying);
	tx->linger_until = tmr_jiffies() + LINGER_MS;
	list_append(&ts->lingering, &tx->le_linger, tx);

	/* what lingers is a comfort: the oldest gives way */
	if (++ts->lingering_count > ts->cfg.max_transactions)
		mem_deref(list_ledata(list_head(&ts->lingering)));
}

/*
 * One timer for all: libre keeps its timers in a sorted list that it searches from the
 * far end, and thousands that are due in half a minute slow down every other.
 */
void tandem_tx_expire(struct tandem_sip *ts)
{
	uint64_t now = tmr_jiffies();
	struct tandem_tx *tx;

	while ((tx = list_ledata(list_head(&ts->lingering))) && tx->linger_until <= now)
		mem_deref(tx);
}

struct tandem_tx *tandem_tx_find_call(const struct tandem_sip *ts, const char *call_id,
				      tandem_tx_h *h, void *arg)
{
	struct le *le, *next;

	for (le = list_head(hash_list(ts->ht_call, hash_joaat_str(call_id))); le; le = next) {
		struct tandem_tx *tx = le->data;

		next = le->next;
		if (!strcmp(tx->call_id, call_id) && h(tx, arg))
			return tx;
	}

	return NULL;
}

struct find_branch {
	tandem_branch_h *h;
	void *arg;
	struct tandem_branch *found;
};

static bool find_branch(struct tandem_tx *tx, void *arg)
{
	struct find_branch *f = arg;
	struct le *le, *next;

	for (le = list_head(&tx->branches); le && !f->found; le = next) {
		next = le->next;
		if (f->h(le->data, f->arg))
			f->found = le->data;
	}

	return f->found != NULL;
}

struct tandem_branch *tandem_tx_find_branch(const struct tandem_sip *ts, const char *call_id,
					    tandem_branch_h *h, void *arg)
{
	struct find_branch f = { .h = h, .arg = arg };

	(void)tandem_tx_find_call(ts, call_id, find_branch, &f);

	return f.found;
}

void tandem_tx_refuse(struct tandem_tx *tx, uint16_t code, const char *headers)
{
	tandem_record_status(tx, code);

	/* RFC 4320 section 4.2: a non-INVITE request is never answered with 408 */
	if (tx->st && (tx->invite || code != 408))
		(void)sip_treplyf(&tx->st, NULL, tx->in, tx->msg, false, code,
				  tandem_sip_reason(code), "%sContent-Length: 0\r\n\r\n",
				  headers ? headers : "");
	tandem_log(TANDEM_LOG_DEBUG, "sip", "%s: refused with %u %s", tx->call_id, code,
		   tandem_sip_reason(code));
}

void tandem_tx_fail(struct tandem_tx *tx, uint16_t code, const char *headers)
{
	tandem_tx_refuse(tx, code, headers);
	tandem_tx_finish(tx, false);
}
