/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "userspace/sip/auth_parse.h"
#include "userspace/sip/header.h"

#define MAX_FORWARDS_DEFAULT 70
#define MAX_BREADTH_DEFAULT  60

bool tandem_header_is(const struct sip_hdr *hdr, enum sip_hdrid id, const char *name, char compact)
{
	if (hdr->id != id)
		return false;
	if (compact && hdr->name.l == 1)
		return (hdr->name.p[0] | 0x20) == compact;

	return !pl_strcasecmp(&hdr->name, name);
}

bool tandem_header_ids_true(const struct sip_msg *msg)
{
	static const struct {
		enum sip_hdrid id;
		const char *name;
		char compact;
	} read[] = {
		{ SIP_HDR_VIA, "Via", 'v' },
		{ SIP_HDR_FROM, "From", 'f' },
		{ SIP_HDR_TO, "To", 't' },
		{ SIP_HDR_CALL_ID, "Call-ID", 'i' },
		{ SIP_HDR_CSEQ, "CSeq", 0 },
		{ SIP_HDR_MAX_FORWARDS, "Max-Forwards", 0 },
		{ SIP_HDR_CONTACT, "Contact", 'm' },
		{ SIP_HDR_ROUTE, "Route", 0 },
		{ SIP_HDR_RECORD_ROUTE, "Record-Route", 0 },
		{ SIP_HDR_EXPIRES, "Expires", 0 },
		{ SIP_HDR_CONTENT_TYPE, "Content-Type", 'c' },
		{ SIP_HDR_CONTENT_LENGTH, "Content-Length", 'l' },
	};
	struct le *le;
	size_t i;

	LIST_FOREACH(&msg->hdrl, le)
	{
		const struct sip_hdr *hdr = le->data;

		for (i = 0; i < ARRAY_SIZE(read); i++) {
			if (hdr->id == read[i].id &&
			    !tandem_header_is(hdr, read[i].id, read[i].name, read[i].compact))
				return false;
		}
	}

	return true;
}

static bool is_via(const struct sip_hdr *hdr)
{
	return tandem_header_is(hdr, SIP_HDR_VIA, "Via", 'v');
}

static int write_top_via(struct mbuf *mb, const struct sip_msg *msg, const struct pl *val)
{
	struct pl rport;
	int err = 0;

	err |= mbuf_write_str(mb, "Via: ");
	if (!msg_param_exists(&msg->via.params, "rport", &rport)) {
		err |= mbuf_write_pl_skip(mb, val, &rport);
		err |= mbuf_printf(mb, ";rport=%u;received=%j", sa_port(&msg->src), &msg->src);
	} else {
		err |= mbuf_write_pl(mb, val);
		if (!sa_cmp(&msg->src, &msg->via.addr, SA_ADDR))
			err |= mbuf_printf(mb, ";received=%j", &msg->src);
	}
	err |= mbuf_write_str(mb, "\r\n");

	return err;
}

int tandem_header_request_vias(struct mbuf *mb, const struct sip_msg *msg)
{
	bool top = true;
	struct le *le;
	int err = 0;

	LIST_FOREACH(&msg->hdrl, le)
	{
		const struct sip_hdr *hdr = le->data;

		if (!is_via(hdr))
			continue;
		err |= top ? write_top_via(mb, msg, &hdr->val)
			   : mbuf_printf(mb, "Via: %r\r\n", &hdr->val);
		top = false;
	}

	return err;
}

int tandem_header_response_vias(struct mbuf *mb, const struct sip_msg *msg)
{
	bool top = true;
	struct le *le;
	int err = 0;

	LIST_FOREACH(&msg->hdrl, le)
	{
		const struct sip_hdr *hdr = le->data;

		if (!is_via(hdr))
			continue;
		if (!top)
			err |= mbuf_printf(mb, "Via: %r\r\n", &hdr->val);
		top = false;
	}

	return err;
}

static bool is_left_out(const struct sip_hdr *hdr, const struct sip_msg *msg, unsigned int flags)
{
	if (is_via(hdr) || tandem_header_is(hdr, SIP_HDR_CONTENT_LENGTH, "Content-Length", 'l'))
		return true;
	if (msg->req && tandem_header_is(hdr, SIP_HDR_ROUTE, "Route", 0))
		return true;
	if (flags & TANDEM_HEADER_DROP_BODY &&
	    (tandem_header_is(hdr, SIP_HDR_CONTENT_TYPE, "Content-Type", 'c') ||
	     tandem_header_is(hdr, SIP_HDR_CONTENT_DISPOSITION, "Content-Disposition", 0) ||
	     tandem_header_is(hdr, SIP_HDR_CONTENT_ENCODING, "Content-Encoding", 'e')))
		return true;

	if (flags & TANDEM_HEADER_DROP_MAX_BREADTH && !pl_strcasecmp(&hdr->name, "Max-Breadth"))
		return true;
	if (flags & TANDEM_HEADER_DROP_SESSION_EXPIRES &&
	    tandem_header_is(hdr, SIP_HDR_SESSION_EXPIRES, "Session-Expires", 'x'))
		return true;
	if (flags & TANDEM_HEADER_DROP_MIN_SE && tandem_header_is(hdr, SIP_HDR_MIN_SE, "Min-SE", 0))
		return true;
	if (flags & TANDEM_HEADER_DROP_CHALLENGES &&
	    (tandem_header_is(hdr, SIP_HDR_WWW_AUTHENTICATE, "WWW-Authenticate", 0) ||
	     tandem_header_is(hdr, SIP_HDR_PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)))
		return true;

	return flags & TANDEM_HEADER_DROP_RETRY_AFTER &&
	       tandem_header_is(hdr, SIP_HDR_RETRY_AFTER, "Retry-After", 0);
}

static bool is_for_us(const struct sip_hdr *hdr, const char *realm)
{
	return realm &&
	       (tandem_header_is(hdr, SIP_HDR_AUTHORIZATION, "Authorization", 0) ||
		tandem_header_is(hdr, SIP_HDR_PROXY_AUTHORIZATION, "Proxy-Authorization", 0)) &&
	       tandem_credentials_of(&hdr->val, realm);
}

/* As it stood on the wire, folding and spacing included. */
static int write_raw(struct mbuf *mb, const struct sip_hdr *hdr)
{
	int err;

	if (!hdr->val.l)
		return mbuf_printf(mb, "%r:\r\n", &hdr->name);

	err = mbuf_write_mem(mb, (const uint8_t *)hdr->name.p,
			     (size_t)(hdr->val.p + hdr->val.l - hdr->name.p));

	return err | mbuf_write_str(mb, "\r\n");
}

int tandem_header_copy(struct mbuf *mb, const struct sip_msg *msg, unsigned int flags,
		       const char *realm)
{
	int max_forwards = msg->req ? tandem_header_max_forwards(msg) : 0;
	bool seen = !msg->req;
	struct le *le;
	int err = 0;

	LIST_FOREACH(&msg->hdrl, le)
	{
		const struct sip_hdr *hdr = le->data;

		if (is_left_out(hdr, msg, flags) || is_for_us(hdr, realm))
			continue;
		if (msg->req && tandem_header_is(hdr, SIP_HDR_MAX_FORWARDS, "Max-Forwards", 0)) {
			if (!seen)
				err |= mbuf_printf(mb, "%r: %d\r\n", &hdr->name, max_forwards - 1);
			seen = true;
			continue;
		}
		err |= write_raw(mb, hdr);
	}
	if (!seen)
		err |= mbuf_printf(mb, "Max-Forwards: %d\r\n", MAX_FORWARDS_DEFAULT);

	return err;
}

unsigned int tandem_header_max_breadth(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_xhdr(msg, "Max-Breadth");
	size_t i;

	if (!hdr || !hdr->val.l || hdr->val.l > 2)
		return MAX_BREADTH_DEFAULT;
	for (i = 0; i < hdr->val.l; i++) {
		if (hdr->val.p[i] < '0' || hdr->val.p[i] > '9')
			return MAX_BREADTH_DEFAULT;
	}

	return MIN(pl_u32(&hdr->val), MAX_BREADTH_DEFAULT);
}

int tandem_header_max_forwards(const struct sip_msg *msg)
{
	int v = 0;
	size_t i;

	if (!pl_isset(&msg->maxfwd))
		return MAX_FORWARDS_DEFAULT;

	for (i = 0; i < msg->maxfwd.l; i++) {
		if (msg->maxfwd.p[i] < '0' || msg->maxfwd.p[i] > '9')
			return -EBADMSG;
		v = v * 10 + (msg->maxfwd.p[i] - '0');
		if (v > 255)
			return -EBADMSG;
	}

	return v;
}

bool tandem_header_cseq_fits(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CSEQ);
	uint64_t v = 0;
	size_t i;

	for (i = 0; hdr && i < hdr->val.l && hdr->val.p[i] >= '0' && hdr->val.p[i] <= '9'; i++) {
		v = v * 10 + (uint64_t)(hdr->val.p[i] - '0');
		if (v > INT32_MAX)
			return false;
	}

	return true;
}

bool tandem_header_quotes_close(const struct sip_msg *msg, enum sip_hdrid id)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	bool quoted = false;
	size_t i;

	for (i = 0; hdr && i < hdr->val.l; i++) {
		if (hdr->val.p[i] == '"')
			quoted = !quoted;
		else if (quoted && hdr->val.p[i] == '\\')
			i++;
	}

	return !quoted;
}
