/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking the node out of service: what is there goes on, what is new is sent elsewhere. */
#include "userspace/sip/local.h"
#include "userspace/sip/record.h"
#include "userspace/util/log.h"

void tandem_sip_drain(struct tandem_sip *ts, bool on)
{
	if (on != ts->draining)
		tandem_log(TANDEM_LOG_INFO, "sip",
			   on ? "draining: new calls are refused" : "new calls are taken again");
	ts->draining = on;
}

static void redirect(struct tandem_sip *ts, const struct sip_msg *msg)
{
	char contact[600];

	if (re_snprintf(contact, sizeof(contact), "Contact: <sip:%r%s%s>\r\n", &msg->uri.user,
			pl_isset(&msg->uri.user) ? "@" : "", ts->drain_redirect) < 0)
		tandem_sip_refuse(ts, msg, 503, NULL);
	else
		tandem_sip_refuse(ts, msg, 302, contact);
	tandem_record_refused(ts, msg, 302);
}

/* OPTIONS to the relay itself is how dispatchers ask whether it is in service. */
static bool is_refused(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	if (!pl_strcmp(&msg->met, "REGISTER"))
		return ts->cfg.drain_refuses_register;
	if (!pl_strcmp(&msg->met, "OPTIONS"))
		return !pl_isset(&msg->uri.user) && tandem_sip_is_local(ts, &msg->uri);

	return !pl_strcmp(&msg->met, "INVITE") || !pl_strcmp(&msg->met, "SUBSCRIBE");
}

void tandem_sip_quiet(struct tandem_sip *ts, bool on)
{
	ts->quiet = on;
}

/* Over UDP whoever calls sends again after half a second, and until then another may be here. */
static bool is_for_another(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	return ts->quiet && msg->tp == SIP_TRANSP_UDP && !pl_strcmp(&msg->met, "INVITE");
}

bool tandem_sip_drained(struct tandem_sip *ts, const struct sip_msg *msg)
{
	char headers[64];

	if (is_for_another(ts, msg))
		return true;

	if (!ts->draining || !is_refused(ts, msg))
		return false;

	if (ts->drain_redirect && !pl_strcmp(&msg->met, "INVITE")) {
		redirect(ts, msg);
		return true;
	}
	re_snprintf(headers, sizeof(headers), "Retry-After: %u\r\n", ts->cfg.drain_retry_after_s);
	tandem_sip_refuse(ts, msg, 503, headers);
	tandem_record_refused(ts, msg, 503);

	return true;
}
