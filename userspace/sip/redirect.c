/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/redirect.h"

#include <string.h>

#include "userspace/sip/search.h"
#include "userspace/util/log.h"

#define Q_STEP 100 /* thousandths from one rank to the next */

struct redirect {
	struct le le; /* of the transaction's */
	struct tandem_tx *tx;
	struct tandem_target target;
	struct tandem_search *search;
};

static void destructor(void *arg)
{
	struct redirect *r = arg;

	list_unlink(&r->le);
	mem_deref(r->search);
	tandem_target_clean(&r->target);
}

void tandem_redirects_clean(struct tandem_tx *tx)
{
	list_flush(&tx->redirects);
}

static bool is_known(const struct tandem_tx *tx, const char *uri)
{
	size_t i;

	if (!pl_strcmp(&tx->msg->ruri, uri))
		return true;
	for (i = 0; i < tx->target.places_count; i++) {
		if (!strcmp(tx->target.places[i].ruri, uri))
			return true;
	}

	return false;
}

/* Before all that has not been tried yet; none is tried twice (RFC 3261 section 16.5). */
static bool merge(struct tandem_tx *tx, struct tandem_target *found)
{
	unsigned int span = 0;
	bool any = false;
	size_t i;

	for (i = 0; i < found->places_count; i++)
		span = MAX(span, found->places[i].rank + 1);
	for (i = tx->next; i < tx->target.places_count; i++)
		tx->target.places[i].rank += span;
	for (i = 0; i < found->places_count; i++) {
		struct tandem_place *place = &found->places[i], *added;

		if (is_known(tx, place->ruri))
			continue;
		added = tandem_target_add(&tx->target, tx->rank + place->rank);
		if (!added)
			break;
		place->rank = added->rank;
		*added = *place;
		/* it is the transaction's now */
		memset(place, 0, sizeof(*place));
		any = true;
	}

	return any;
}

static void searched(int code, void *arg)
{
	struct redirect *r = arg;
	struct tandem_tx *tx = r->tx;

	if (code)
		tandem_best_add(&tx->best, (uint16_t)code, NULL, NULL);
	else
		(void)merge(tx, &r->target);
	mem_deref(r);
	tandem_fork_proceed(tx);
}

/* As if the caller had asked for it: nobody gets farther by being sent there. */
static bool follow(struct tandem_tx *tx, const struct pl *uri)
{
	struct redirect *r = mem_zalloc(sizeof(*r), destructor);
	bool any = false;
	int code;

	if (!r)
		return false;
	r->tx = tx;
	code = tandem_target_contact(&r->target, tx->ts, tx->msg, uri);
	if (!code && !r->target.local && (!r->target.needs_user || tx->as_user)) {
		code = tandem_search_start(&r->search, tx->ts, &r->target, searched, r);
		if (code == -EINPROGRESS) {
			list_append(&tx->redirects, &r->le, r);
			return true;
		}
		any = !code && merge(tx, &r->target);
	}
	mem_deref(r);

	return any;
}

struct contacts {
	struct tandem_tx *tx;
	bool any;
};

static bool contact_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct contacts *c = arg;
	struct sip_addr addr;

	(void)msg;
	if (sip_addr_decode(&addr, &hdr->val) || !tandem_sip_uri_clean(&addr.auri) ||
	    pl_isset(&addr.uri.headers))
		return false;
	c->any |= follow(c->tx, &addr.auri);

	return false;
}

bool tandem_redirect_follow(struct tandem_tx *tx, const struct sip_msg *msg)
{
	struct contacts c = { .tx = tx };

	/* 380 offers another service, and 305 a proxy of the callee's choice */
	if ((msg->scode != 300 && msg->scode != 301 && msg->scode != 302) ||
	    !tx->ts->cfg.follow_redirects || tx->stopped || pl_isset(&tx->msg->to.tag))
		return false;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, contact_handler, &c);
	if (c.any)
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: %u is followed", tx->call_id, msg->scode);

	return c.any;
}

void tandem_redirect_answer(struct tandem_tx *tx)
{
	struct mbuf *mb = mbuf_alloc(256);
	char *text = NULL;
	size_t i;
	int err = mb ? 0 : ENOMEM;

	for (i = 0; i < tx->target.places_count && !err; i++) {
		const struct tandem_place *place = &tx->target.places[i];
		unsigned int q = 1000 - Q_STEP * MIN(place->rank, 9U);

		err = mbuf_printf(mb, "Contact: <%s>;q=%u.%03u\r\n", place->ruri, q / 1000,
				  q % 1000);
	}
	if (!err)
		err = re_sdprintf(&text, "%b", mb->buf, mb->end);
	tandem_tx_fail(tx, err ? 500 : 302, text);
	mem_deref(text);
	mem_deref(mb);
}
