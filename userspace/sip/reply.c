/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>

#include "userspace/sip/local.h"

const char *tandem_sip_reason(uint16_t code)
{
	switch (code) {
	case 100:
		return "Trying";
	case 200:
		return "OK";
	case 302:
		return "Moved Temporarily";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 407:
		return "Proxy Authentication Required";
	case 408:
		return "Request Timeout";
	case 416:
		return "Unsupported URI Scheme";
	case 420:
		return "Bad Extension";
	case 422:
		return "Session Interval Too Small";
	case 423:
		return "Interval Too Brief";
	case 430:
		return "Flow Failed";
	case 439:
		return "First Hop Lacks Outbound Support";
	case 440:
		return "Max-Breadth Exceeded";
	case 480:
		return "Temporarily Unavailable";
	case 481:
		return "Call/Transaction Does Not Exist";
	case 482:
		return "Loop Detected";
	case 483:
		return "Too Many Hops";
	case 487:
		return "Request Terminated";
	case 488:
		return "Not Acceptable Here";
	case 491:
		return "Request Pending";
	case 503:
		return "Service Unavailable";
	case 505:
		return "Version Not Supported";
	default:
		return "Server Internal Error";
	}
}

uint16_t tandem_sip_code(int err)
{
	switch (err) {
	case -EBADMSG:
	case -EPROTO:
		return 488;
	case -EACCES:
		return 403;
	case -ENOENT:
		return 481;
	case -EINPROGRESS:
		return 491;
	case -ENOSPC:
	case -EAFNOSUPPORT:
		return 503;
	default:
		return 500;
	}
}

static const char *warning_text(int err)
{
	switch (err) {
	case -EBADMSG:
		return "The session description is malformed";
	case -EPROTO:
		return "The session description does not fit the offer/answer exchange";
	case -EACCES:
		return "The session description names an address in a denied network";
	case -ENOENT:
		return "No such session";
	case -EINPROGRESS:
		return "Another offer is pending";
	case -ENOSPC:
		return "No media ports or sessions left";
	case -EAFNOSUPPORT:
		return "No media address of this family";
	default:
		return "The media relay failed";
	}
}

const char *tandem_sip_warning(const struct tandem_sip *ts, int err, char *buf, size_t size)
{
	/* 399 is "miscellaneous warning" (RFC 3261 section 20.43) */
	if (re_snprintf(buf, size, "Warning: 399 %J \"%s\"\r\n", &ts->listeners[0].addr,
			warning_text(err)) < 0)
		buf[0] = '\0';

	return buf;
}

void tandem_sip_refuse(struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code,
		       const char *headers)
{
	(void)sip_replyf(tandem_sip_stack(ts, &msg->dst), msg, code, tandem_sip_reason(code),
			 "%sContent-Length: 0\r\n\r\n", headers ? headers : "");
}

void tandem_sip_answer(struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code,
		       const char *headers)
{
	/* libre keeps each answered transaction for 32 s: bound what a flood can make it hold */
	if (ts->replied >= ts->cfg.max_transactions) {
		tandem_sip_refuse(ts, msg, 503, "Retry-After: 10\r\n");
		return;
	}
	ts->replied++;

	(void)sip_treplyf(NULL, NULL, tandem_sip_stack(ts, &msg->dst), msg, false, code,
			  tandem_sip_reason(code), "%sContent-Length: 0\r\n\r\n",
			  headers ? headers : "");
}
