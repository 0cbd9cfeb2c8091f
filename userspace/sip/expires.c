/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/expires.h"
#include "userspace/sip/header.h"

static const struct sip_hdr *find(const struct sip_msg *msg, enum sip_hdrid id, const char *name,
				  char compact)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);

	return hdr && tandem_header_is(hdr, id, name, compact) ? hdr : NULL;
}

static const struct sip_hdr *session_expires(const struct sip_msg *msg)
{
	return find(msg, SIP_HDR_SESSION_EXPIRES, "Session-Expires", 'x');
}

bool tandem_expires_parse(const struct pl *val, uint32_t *seconds)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < val->l && val->p[i] >= '0' && val->p[i] <= '9'; i++) {
		if (v <= UINT32_MAX)
			v = v * 10 + (uint64_t)(val->p[i] - '0');
	}
	if (i < val->l && val->p[i] != ';' && val->p[i] != ' ' && val->p[i] != '\t')
		return false;
	*seconds = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;

	return v != 0;
}

/* The request says how long its session lasts from now on (section 7.4). */
static bool is_refresh(const struct sip_msg *msg)
{
	return !pl_strcmp(&msg->met, "INVITE") || !pl_strcmp(&msg->met, "UPDATE");
}

struct tandem_expires tandem_expires_plan(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = session_expires(msg);
	const struct sip_hdr *min_hdr = find(msg, SIP_HDR_MIN_SE, "Min-SE", 0);
	struct tandem_expires e = { 0 };
	uint32_t asked = 0, min = 0, lowest;

	if (!ts->cfg.session_expires_s || !is_refresh(msg))
		return e;
	e.supported = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer");
	/* what is not a number is the callee's to refuse */
	if ((hdr && !tandem_expires_parse(&hdr->val, &asked)) ||
	    (min_hdr && !tandem_expires_parse(&min_hdr->val, &min)))
		return e;

	lowest = MAX(min, ts->cfg.min_se_s);
	if (hdr && asked < ts->cfg.min_se_s) {
		e.too_small = e.supported;
		e.min = lowest;
		e.interval = lowest;
	} else if (!hdr || asked > MAX(ts->cfg.session_expires_s, lowest)) {
		e.interval = MAX(ts->cfg.session_expires_s, lowest);
	}

	return e;
}

/* Only what passes in the name of a session of ours: whose end we would notice, and which we end. */
static bool applies(const struct tandem_tx *tx)
{
	return tx->anchored;
}

/* The refresher that the sender of the request has asked for stays its choice (section 8.1). */
static void refresher(const struct sip_hdr *hdr, struct pl *params)
{
	const char *semi = hdr ? pl_strchr(&hdr->val, ';') : NULL;

	*params = pl_null;
	if (semi) {
		params->p = semi;
		params->l = (size_t)(hdr->val.p + hdr->val.l - semi);
	}
}

int tandem_expires_write_request(struct mbuf *mb, const struct tandem_tx *tx, unsigned int *flags)
{
	struct tandem_expires e = tandem_expires_plan(tx->ts, tx->msg);
	struct pl params;
	int err = 0;

	if (!applies(tx))
		return 0;
	if (e.interval) {
		refresher(session_expires(tx->msg), &params);
		*flags |= TANDEM_HEADER_DROP_SESSION_EXPIRES;
		err = mbuf_printf(mb, "Session-Expires: %u%r\r\n", e.interval, &params);
	}
	if (!err && e.min) {
		*flags |= TANDEM_HEADER_DROP_MIN_SE;
		err = mbuf_printf(mb, "Min-SE: %u\r\n", e.min);
	}

	return err;
}

/* How long the session lasts by a 2xx, and whether the caller has to be told so; 0: for good. */
static uint32_t agreed(const struct tandem_tx *tx, const struct sip_msg *msg, bool *told)
{
	struct tandem_expires e = tandem_expires_plan(tx->ts, tx->msg);
	const struct sip_hdr *asked = session_expires(tx->msg), *hdr = session_expires(msg);
	uint32_t seconds = 0;

	*told = false;
	if (!tx->ts->cfg.session_expires_s)
		return 0;
	if (hdr)
		return tandem_expires_parse(&hdr->val, &seconds) ? seconds : 0;
	/* the callee knows no session timers: nobody refreshes, or the caller has to */
	if (!e.supported)
		return 0;
	if (e.interval)
		seconds = e.interval;
	else if (!asked || !tandem_expires_parse(&asked->val, &seconds))
		return 0;
	*told = true;

	return seconds;
}

static bool is_2xx(const struct tandem_tx *tx, const struct sip_msg *msg)
{
	return msg->scode / 100 == 2 && is_refresh(tx->msg) && applies(tx);
}

int tandem_expires_write_response(struct mbuf *mb, const struct tandem_tx *tx,
				  const struct sip_msg *msg)
{
	uint32_t seconds;
	bool told;
	int err;

	if (!is_2xx(tx, msg))
		return 0;
	seconds = agreed(tx, msg, &told);
	if (!told)
		return 0;
	err = mbuf_printf(mb, "Session-Expires: %u;refresher=uac\r\n", seconds);
	if (!err && !sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "timer"))
		err = mbuf_write_str(mb, "Require: timer\r\n");

	return err;
}

void tandem_expires_accepted(const struct tandem_branch *b, const struct sip_msg *msg)
{
	bool told;

	if (b->session && is_2xx(b->tx, msg))
		(void)tandem_session_lasts(b->tx->ts->ss, b->session, agreed(b->tx, msg, &told));
}
