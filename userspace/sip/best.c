/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/best.h"

#include "userspace/sip/header.h"

void tandem_best_clean(struct tandem_best *best)
{
	best->code = 0;
	best->msg = mem_deref(best->msg);
	best->headers = mem_deref(best->headers);
	best->challenges = mem_deref(best->challenges);
}

/* The lower the better. */
static unsigned int order(uint16_t code)
{
	if (code >= 600)
		return 0;

	switch (code) {
	case 401: /* the caller can do something about these */
	case 407:
	case 415:
	case 420:
	case 484:
		return 400;
	case 408: /* and these tell nothing of the callee */
	case 487:
		return 402;
	case 503:
		return 501;
	default:
		return code / 100U * 100U + (code / 100U == 4);
	}
}

static bool challenge_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;

	return mbuf_printf(arg, "%r: %r\r\n", &hdr->name, &hdr->val) != 0;
}

/* Whoever has all of them can answer all branches at once with its next try. */
static void keep_challenges(struct tandem_best *best, const struct sip_msg *msg)
{
	if (!best->challenges)
		best->challenges = mbuf_alloc(256);
	if (!best->challenges)
		return;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_WWW_AUTHENTICATE, challenge_handler,
				best->challenges);
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHENTICATE, challenge_handler,
				best->challenges);
}

void tandem_best_add(struct tandem_best *best, uint16_t code, const struct sip_msg *msg,
		     const char *headers)
{
	if (msg && (code == 401 || code == 407))
		keep_challenges(best, msg);
	if (best->code && order(best->code) <= order(code))
		return;

	best->code = code;
	mem_deref(best->msg);
	best->msg = mem_ref((void *)msg);
	best->headers = mem_deref(best->headers);
	if (headers)
		(void)str_dup(&best->headers, headers);
}
