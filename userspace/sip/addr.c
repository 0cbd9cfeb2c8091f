/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <strings.h>

#include "userspace/sip/local.h"

int tandem_sip_endpoint(struct tandem_endpoint *ep, const struct sa *sa)
{
	return tandem_endpoint_from_sockaddr(ep, &sa->u.sa);
}

void tandem_sip_reply_addr(struct sa *dst, const struct sip_msg *msg)
{
	struct pl rport;

	sip_reply_addr(dst, msg, !msg_param_exists(&msg->via.params, "rport", &rport));
}

bool tandem_sip_uri_clean(const struct pl *uri)
{
	size_t i;

	for (i = 0; i < uri->l; i++) {
		if ((unsigned char)uri->p[i] <= ' ' || uri->p[i] == 0x7f || uri->p[i] == '<' ||
		    uri->p[i] == '>')
			return false;
	}

	return uri->l > 0;
}

const char *tandem_sip_transport_word(enum sip_transp tp)
{
	static const char *const words[] = {
		[SIP_TRANSP_UDP] = "udp", [SIP_TRANSP_TCP] = "tcp", [SIP_TRANSP_TLS] = "tls",
		[SIP_TRANSP_WS] = "ws",	  [SIP_TRANSP_WSS] = "wss",
	};

	return tp >= 0 && (size_t)tp < ARRAY_SIZE(words) ? words[tp] : "udp";
}

enum sip_transp tandem_sip_transport(const char *word)
{
	enum sip_transp tp;

	for (tp = SIP_TRANSP_TCP; tp <= SIP_TRANSP_WSS; tp++) {
		if (!strcmp(word, tandem_sip_transport_word(tp)))
			return tp;
	}

	return SIP_TRANSP_UDP;
}

bool tandem_sip_is_sips(const struct pl *uri)
{
	return uri->l >= 5 && !strncasecmp(uri->p, "sips:", 5);
}

bool tandem_sip_host_is(const struct pl *host, const struct sa *sa)
{
	struct sa addr;

	return !sa_set(&addr, host, 0) && sa_cmp(&addr, sa, SA_ADDR);
}

enum scope {
	SCOPE_NONE,
	SCOPE_HOST,
	SCOPE_LINK,
	SCOPE_GLOBAL,
};

static enum scope scope_v4(const uint8_t *b)
{
	if (b[0] == 0 || b[0] >= 224)
		return SCOPE_NONE;
	if (b[0] == 127)
		return SCOPE_HOST;

	return b[0] == 169 && b[1] == 254 ? SCOPE_LINK : SCOPE_GLOBAL;
}

static enum scope scope_v6(const uint8_t *b)
{
	static const uint8_t any[16], loopback[16] = { [15] = 1 };

	if (!memcmp(b, any, sizeof(any)) || b[0] == 0xff)
		return SCOPE_NONE;
	if (!memcmp(b, loopback, sizeof(loopback)))
		return SCOPE_HOST;

	return b[0] == 0xfe && (b[1] & 0xc0) == 0x80 ? SCOPE_LINK : SCOPE_GLOBAL;
}

static enum scope scope_of(const struct sa *sa)
{
	struct tandem_endpoint ep;

	if (tandem_sip_endpoint(&ep, sa))
		return SCOPE_NONE;

	return tandem_ip_is_v4(&ep.ip) ? scope_v4(ep.ip.b + 12) : scope_v6(ep.ip.b);
}

int tandem_sip_copy(char *dst, size_t size, const struct pl *pl)
{
	if (!pl->p || memchr(pl->p, 0, pl->l))
		return -EINVAL;
	if (pl->l >= size)
		return -ENAMETOOLONG;
	memcpy(dst, pl->p, pl->l);
	dst[pl->l] = '\0';

	return 0;
}

bool tandem_sip_may_send(const struct sa *src, const struct sa *dst)
{
	enum scope to = scope_of(dst);

	return to == SCOPE_GLOBAL || (to != SCOPE_NONE && to == scope_of(src));
}

int tandem_sip_hop(char **hopp, enum sip_transp tp, const struct sa *sa)
{
	return -re_sdprintf(hopp, "sip:%J%s", sa,
			    tp == SIP_TRANSP_UDP ? ";transport=udp" : sip_transp_param(tp));
}

bool tandem_sip_host_bracketed(const struct pl *uri)
{
	size_t i, end, colons = 0, at = 0;

	for (end = 0; end < uri->l && !strchr(";?", uri->p[end]); end++) {
		if (uri->p[end] == '@')
			at = end + 1;
	}
	for (i = 0; !at && i < end; i++) {
		if (uri->p[i] == ':')
			at = i + 1;
	}
	for (i = at; i < end; i++)
		colons += uri->p[i] == ':';

	return colons < 2 || uri->p[at] == '[';
}
